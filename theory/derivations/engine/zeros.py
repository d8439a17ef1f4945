"""Whether an expression is zero, as a rational function; logarithms and roots are split into positive factors only.

Sines and cosines are rational functions of the tangent of the half angle. Sums over the same indices are one sum.
"""

from __future__ import annotations

from functools import partial

import sympy as sp
from sympy.core.function import AppliedUndef

from theory.derivations.engine.operators import OverAll
from theory.derivations.engine.signs import Sign, Signs

__all__ = ["carried_out", "is_zero", "merged_totals", "with_logs_collected"]


def is_zero(expression: sp.Expr, signs: Signs) -> bool:
    """Whether an expression is zero wherever it is defined and the conditions hold."""
    expression = without_angles(signs.substituted(carried_out(sp.sympify(expression))))
    if expression == 0:
        return True
    expression = expression.replace(sp.log, partial(_log_of_factors, signs))
    expression = expression.replace(_is_root, partial(_root_of_factors, signs))
    expression = merged_totals(expression, signs)
    if _is_nonzero_somewhere(_functions_unknown(expression)):
        return False
    numerator, _ = sp.fraction(sp.together(expression))
    numerator = sp.expand(numerator)
    if numerator.is_number:
        return sp.simplify(numerator) == 0 and abs(sp.N(numerator, 50, maxn=200)) < 1e-45
    return _without_roots(_functions_unknown(numerator)) == 0


def carried_out(expression: sp.Expr) -> sp.Expr:
    """An expression with its operations carried out; for a sum over a family `doit` would look for a closed form."""
    if isinstance(expression, sp.Add | sp.Mul) and expression.has(sp.Sum):
        return expression.func(*map(carried_out, expression.args))
    if isinstance(expression, sp.Sum) and len(expression.limits) == 1:
        ((_, first, last),) = expression.limits
        function = carried_out(expression.function)
        if function.has(sp.Indexed) and not (last - first).is_number:
            return sp.Sum(function, *expression.limits)
    return expression.doit()


def _is_nonzero_somewhere(function: sp.Expr) -> bool:
    """Whether a rational function of unknowns has another value than zero at one place, which is soon found out."""
    symbols = sorted(
        function.free_symbols, key=lambda symbol: (str(symbol), symbol.dummy_index if symbol.is_Dummy else 0)
    )
    if not function.is_rational_function(*symbols):
        return False
    places = {symbol: sp.Rational(sp.prime(k + 5), sp.prime(2 * k + 3)) for k, symbol in enumerate(symbols)}
    value = function.xreplace(places)
    return bool(value.is_Rational and value != 0)


def with_logs_split(expression: sp.Expr, signs: Signs) -> sp.Expr:
    """The same expression with its logarithms split into those of positive factors."""
    return signs.substituted(expression).replace(sp.log, partial(_log_of_factors, signs))


def with_logs_collected(expression: sp.Expr, signs: Signs) -> sp.Expr:
    """The same expression with its logarithms split into positive factors; those of one coefficient become one."""
    split = with_logs_split(expression, signs)
    unknowns = {log: sp.Dummy("log", real=True) for log in split.atoms(sp.log)}
    split = split.xreplace(unknowns)
    slopes = {unknown: sp.factor(sp.together(split.diff(unknown))) for unknown in unknowns.values()}
    if any(slope.has(*unknowns.values()) for slope in slopes.values()):
        return expression
    rest = sp.factor(sp.together(split.xreplace(dict.fromkeys(slopes, sp.Integer(0)))))
    arguments: dict[sp.Expr, sp.Expr] = {}
    for log, unknown in unknowns.items():
        slope, argument = slopes[unknown], log.args[0]
        if -slope in arguments:
            slope, argument = -slope, 1 / argument
        arguments[slope] = arguments.get(slope, sp.Integer(1)) * argument
    return rest + sp.Add(*(slope * sp.log(sp.factor(argument)) for slope, argument in arguments.items() if slope != 0))


def merged_totals(expression: sp.Expr, signs: Signs) -> sp.Expr:
    """A linear combination of sums, or integrals, over the same values as one, of which nothing is left if it is zero.

    The integral of a density over its first argument is one.
    """
    if not expression.has(sp.Sum, OverAll):
        return expression
    rest, functions, running = [], {}, {}
    for term in sp.Add.make_args(sp.expand(expression)):
        coefficient, total = term.as_independent(sp.Sum, OverAll)
        if isinstance(total, OverAll) and not coefficient.has(total.variable):
            functions.setdefault(total.variable, []).append(coefficient * total.function)
        elif isinstance(total, sp.Sum) and len(total.limits) == 1:
            ((index, *ends),) = total.limits
            kind = {"positive": True} if ends[0].is_positive else {}
            common = running.setdefault(tuple(ends), sp.Dummy(str(index), integer=True, **kind))
            functions.setdefault(tuple(ends), []).append(coefficient * total.function.xreplace({index: common}))
        else:
            rest.append(term)
    for over, parts in functions.items():
        function = merged_totals(sp.Add(*parts), signs)
        if over in running:
            of_each, function = sp.expand(with_logs_split(function, signs)).as_independent(running[over], as_Add=True)
            rest.append(of_each * (over[1] - over[0] + 1))
            rest += [] if is_zero(function, signs) else [sp.Sum(function, (running[over], *over))]
            continue
        integrated, function = _integrated(function, over)
        rest += [integrated] if is_zero(function, signs) else [integrated, OverAll(function, over)]
    return sp.Add(*rest)


def _integrated(function: sp.Expr, variable: sp.Symbol) -> tuple[sp.Expr, sp.Expr]:
    """The integral of the terms that are densities times something else, and the other terms."""
    done, rest = sp.Integer(0), []
    for term in sp.Add.make_args(sp.expand(function)):
        coefficient, density = term.as_independent(variable)
        arguments = density.args if isinstance(density, AppliedUndef) and density.is_positive else ()
        if arguments and arguments[0] == variable and variable not in arguments[1:]:
            done += coefficient
        else:
            rest.append(term)
    return done, sp.Add(*rest)


def _functions_unknown(expression: sp.Expr) -> sp.Expr:
    """A symbol in place of each function and of each power with a symbolic exponent, so that roots inside are kept."""
    unknowns: dict = {}

    def replaced(part):
        if isinstance(part, sp.Add | sp.Mul):
            return part.func(*map(replaced, part.args))
        if isinstance(part, sp.Pow) and part.exp.is_Rational:
            return replaced(part.base) ** part.exp
        return part if part.is_Atom else unknowns.setdefault(part, sp.Dummy("unknown"))

    return replaced(expression)


def without_angles(expression: sp.Expr) -> sp.Expr:
    """Sines and cosines as rational functions of the tangent of the half angle: every identity becomes rational."""
    if not expression.has(sp.cos, sp.sin):
        return expression
    expression = sp.expand_trig(expression)
    angles = {function.args[0] for function in expression.atoms(sp.cos, sp.sin)}
    for angle in angles:
        tangent = sp.Dummy(f"tan({angle}/2)", real=True)
        expression = expression.xreplace(
            {
                sp.cos(angle): (1 - tangent**2) / (1 + tangent**2),
                sp.sin(angle): 2 * tangent / (1 + tangent**2),
            }
        )
    return expression


def _log_of_factors(signs: Signs, argument: sp.Expr) -> sp.Expr:
    """The log of a positive quantity as a sum over its positive factors; what remains stays together in one log."""
    positive, rest = _positive_factors(signs, argument)
    total, constant = sp.Integer(0), sp.Integer(1)
    for base, exponent in positive:
        if base.is_Rational and exponent.is_Integer:
            constant *= base**exponent
        else:
            total += exponent * sp.log(base, evaluate=False)
    total += sum(power * sp.log(prime) for prime, power in sp.factorrat(constant).items())
    return total if rest == 1 else total + sp.log(rest, evaluate=False)


def _is_root(expression: sp.Basic) -> bool:
    return isinstance(expression, sp.Pow) and not expression.exp.is_integer and not expression.base.is_number


def _root_of_factors(signs: Signs, root: sp.Pow) -> sp.Expr:
    """A power of a positive quantity as a product over its positive factors; what remains stays under one root."""
    positive, rest = _positive_factors(signs, root.base)
    total = sp.Integer(1)
    for base, exponent in positive:
        total *= base ** (exponent * root.exp)
    return total * rest**root.exp


def _positive_factors(signs: Signs, quantity: sp.Expr) -> tuple[list[tuple[sp.Expr, sp.Expr]], sp.Expr]:
    """The factors (base, exponent) of a quantity with positive bases, each in one form, and the product of the rest."""
    factors, rest = [], sp.Integer(1)
    for factor in sp.Mul.make_args(sp.factor(sp.together(quantity))):
        base, exponent = factor.as_base_exp()
        sign = signs.of(base)
        if sign is Sign.NEGATIVE and exponent.is_integer:
            rest *= sp.Integer(-1) ** exponent
            base, sign = -base, Sign.POSITIVE
        if sign is Sign.POSITIVE:
            factors.append((sp.expand(base), exponent))
        else:
            rest *= sp.expand(base) ** exponent
    return factors, sp.expand(rest)


def _outer_roots(expression: sp.Expr) -> set[sp.Pow]:
    """The roots in an expression that are neither under another root nor inside a function."""
    if isinstance(expression, sp.Pow) and expression.exp.is_Rational and not expression.exp.is_integer:
        return set() if expression.base.is_number else {expression}
    if isinstance(expression, sp.Add | sp.Mul) or (isinstance(expression, sp.Pow) and expression.exp.is_integer):
        return set().union(*map(_outer_roots, expression.args))
    return set()


def _without_roots(polynomial: sp.Expr) -> sp.Expr:
    """A polynomial in roots, reduced by what each root satisfies; the innermost roots last."""
    while True:
        roots = _outer_roots(polynomial)
        outer = [root for root in roots if not any(other.base.has(root) for other in roots)]
        if not outer:
            return sp.expand(polynomial)
        root = min(outer, key=sp.default_sort_key)
        base, order = root.base, root.exp.q
        unknown = sp.Dummy("root")
        replaced = polynomial.replace(
            lambda part, base=base, order=order: (
                isinstance(part, sp.Pow) and part.base == base and part.exp.is_Rational and part.exp.q == order
            ),
            lambda part, unknown=unknown: unknown**part.exp.p,
        )
        if replaced.has(root):
            return sp.expand(polynomial)
        numerator, _ = sp.fraction(sp.together(replaced))
        remainder = sp.rem(sp.Poly(numerator, unknown), sp.Poly(unknown**order - base, unknown))
        coefficients = [_without_roots(sp.fraction(sp.together(value))[0]) for value in remainder.all_coeffs()]
        if all(value == 0 for value in coefficients):
            return sp.Integer(0)
        return sp.expand(numerator)
