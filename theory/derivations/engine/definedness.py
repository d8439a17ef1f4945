"""Where a scalar formula is defined: denominators that are not zero, logarithms and roots of positive quantities.

Inverses and log determinants of matrices are in `definite`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

import sympy as sp
from sympy.core.function import AppliedUndef

from theory.derivations.engine.operators import Degree, FactorCount, LogDet, PositiveRoots
from theory.derivations.engine.signs import Sign, Signs

__all__ = ["Kept", "undefined_parts", "written_out"]

ORDERS = 5  # of a zero at the place of a limit


class Kept(sp.Function):
    """An abbreviation where it is written out: its value, its name and its arguments, so that nothing cancels."""

    @classmethod
    def of(cls, symbol: sp.Basic, value: sp.Expr) -> sp.Expr:
        """What stands for an abbreviation, a number or a function of its arguments."""
        return cls(
            value, sp.Symbol(f"abbreviated {symbol}"), *(symbol.args if isinstance(symbol, AppliedUndef) else ())
        )


def undefined_parts(
    expression: sp.Basic,
    signs: Signs,
    values: Mapping[sp.Symbol, sp.Expr] = MappingProxyType({}),
    *,
    smooth: bool = False,
) -> Iterator[str]:
    """What an expression needs to be defined and the signs do not give, each as a condition in words.

    Parameters
    ----------
    expression : Basic
        with every abbreviation written out, its value `Kept`.
    signs : Signs
    values : mapping, optional
        what stands for the variables of an enclosing substitution.
    smooth : bool
        whether it must have derivatives, too, as roots at zero have not.
    """
    match expression:
        case sp.Subs():
            inside, variables, places = expression.args
            for place in places:
                yield from undefined_parts(place, signs, values)
            places = [written_out(place).xreplace(dict(values)) for place in places]
            values = {**values, **dict(zip(variables, places, strict=True))}
            yield from undefined_parts(inside, signs, values, smooth=smooth)
            return
        case sp.Derivative():
            yield from _counts_of(expression.expr, {*expression.variables})
            yield from undefined_parts(expression.expr, signs, values, smooth=True)
            return
        case sp.Integral():
            yield from _of_integral(expression, signs, values, smooth)
            return
        case sp.Limit():
            yield from _of_limit(expression, signs, values, smooth)
            return
        case Degree() | FactorCount() | PositiveRoots():
            yield from undefined_parts(expression.args[0], signs, values)
            polynomial, symbol = map(written_out, expression.args)
            others = polynomial.free_symbols - {symbol}
            yield from _counts_of(expression, others & values.keys())
            if not polynomial.is_polynomial(symbol) or not polynomial.is_rational_function(*others):
                yield f"{polynomial} is a polynomial over rational functions"
                return
            if isinstance(expression, FactorCount) and _has_irrational_coefficients(polynomial, symbol, *others):
                yield f"the numbers in {polynomial} are rational"
            coefficients = sp.Poly(polynomial, symbol).all_coeffs()
            if not signs.of(coefficients[0]).is_nonzero:
                yield f"{sp.factor(coefficients[0])} != 0"
            for coefficient in coefficients:
                yield from undefined_parts(coefficient, signs, values)
            return
        case sp.Sum():
            yield from _of_sum(expression, signs, values, smooth)
            return
        case sp.Pow():
            base, exponent = (_done(part.xreplace(signs.values).xreplace(dict(values))) for part in expression.args)
            sign = signs.of(base)
            if not exponent.is_integer:
                if not (sign.is_nonnegative and (sign.is_nonzero or (exponent.is_positive and not smooth))):
                    yield f"{base} > 0"
            elif not exponent.is_nonnegative and not sign.is_nonzero:
                yield f"{base} != 0"
        case sp.Abs() if smooth:  # of a root of a square
            argument = _done(expression.args[0].xreplace(signs.values).xreplace(dict(values)))
            if not signs.of(argument).is_nonzero:
                yield f"{argument} != 0"
        case sp.log() | sp.gamma():
            argument = _done(expression.args[0].xreplace(signs.values).xreplace(dict(values)))
            sign = signs.of(argument)
            if not (sign.is_nonnegative and sign.is_nonzero):
                yield f"{argument} > 0"
    for part in expression.args:
        yield from undefined_parts(part, signs, values, smooth=smooth)


def _has_irrational_coefficients(polynomial: sp.Expr, *symbols: sp.Symbol) -> bool:
    """Whether it factors over the numbers that its coefficients generate, and not over the rationals alone."""
    numerator, _ = sp.fraction(sp.together(polynomial))
    domain = sp.Poly(numerator, *symbols).domain
    return not (domain.is_ZZ or domain.is_QQ)


def _counts_of(expression: sp.Basic, bound: set) -> Iterator[str]:
    """Degrees and numbers of roots or factors, which jump, must not depend on a variable that is bound around them."""
    for count in expression.atoms(Degree, FactorCount, PositiveRoots):
        for variable in sorted(bound & count.free_symbols, key=str):
            yield f"{count} does not depend on {variable}"


def _of_integral(integral: sp.Integral, signs: Signs, values, smooth: bool) -> Iterator[str]:
    """The ends, which must be in their order, and the integrand between them and at those that are finite."""
    for variable, *ends in integral.limits:
        for end in ends:
            yield from undefined_parts(end, signs, values, smooth=smooth)
        low, high = (written_out(end).xreplace(signs.values).xreplace(dict(values)) for end in ends)
        for end in (low, high):
            if end.is_finite:
                yield from undefined_parts(integral.function, signs, {**values, variable: end}, smooth=smooth)
        if not (low is -sp.oo or high is sp.oo or signs.of(high - low).is_nonnegative):
            yield f"{high - low} >= 0"
        between = sp.Dummy(str(variable), real=True)  # whatever the page assumes of the variable elsewhere
        bounds = [sp.Gt(between, low)] if low.is_finite else []
        bounds += [sp.Lt(between, high)] if high.is_finite else []
        signs, values = signs.and_also(bounds), {**values, variable: between}
    yield from undefined_parts(integral.function, signs, values, smooth=smooth)


def _of_sum(total: sp.Sum, signs: Signs, values, smooth: bool) -> Iterator[str]:
    """The ends, which must be integers in their order, and the summand for all indices."""
    for index, *ends in total.limits:
        for end in ends:
            yield from undefined_parts(end, signs, values)
        low, high = (written_out(end).xreplace(signs.values).xreplace(dict(values)) for end in ends)
        for end in (low, high):
            if not end.is_integer:
                yield f"{end} is an integer"
        if not signs.of(high - low + 1).is_nonnegative:
            yield f"{high - low + 1} >= 0"
        kind = {"positive": True} if signs.of(low) is Sign.POSITIVE else {}
        values = {**values, index: sp.Dummy(str(index), integer=True, **kind)}
    yield from undefined_parts(total.function, signs, values, smooth=smooth)


def _of_limit(limit: sp.Limit, signs: Signs, values, smooth: bool) -> Iterator[str]:
    """The place, what does not contain the variable, and how denominators, logarithms and roots behave at the place.

    At a finite place each must have a sign, or its first derivative that does not vanish identically must: then a
    parameter cannot change the order of a zero. At infinity the leading coefficient of a polynomial must have a sign,
    and anything else wherever the variable is.
    """
    inside, variable, place, side = limit.args
    yield from undefined_parts(place, signs, values)
    place = written_out(place)
    yield from _counts_of(inside, {variable})
    for part in inside.atoms(sp.MatPow, LogDet):  # whose rank may fall at the place
        if variable in part.free_symbols:
            yield f"{part} does not depend on {variable}"
    yield from _free_parts(inside, signs, values, {variable}, smooth)
    powers = [part for part in inside.atoms(sp.Pow) if not part.exp.is_nonnegative or not part.exp.is_integer]
    critical = [(part.base, not part.exp.is_integer) for part in powers]
    critical += [(part.args[0], True) for part in inside.atoms(sp.log, sp.gamma)]
    for part, must_be_positive in critical:
        sign, odd = Sign.POSITIVE, False
        for factor in sp.fraction(sp.together(_done(part.xreplace(signs.values)).xreplace(dict(values)))):
            at_place, order = _first_not_vanishing(factor, variable, place)
            sign, odd = sign * signs.of(at_place), odd ^ bool(order % 2)
            if not signs.of(at_place).is_nonzero:
                yield f"{sp.factor(at_place)} != 0"
        if must_be_positive:
            from_left = -sign if odd else sign
            sides = {"+": (sign,), "-": (from_left,)}.get(str(side), (sign, from_left))
            if not place.is_finite:
                sides = (sign,) if place is sp.oo else (from_left,)
            if any(one is not Sign.POSITIVE for one in sides):
                yield f"{part} > 0 near {variable} = {place}"


def _first_not_vanishing(factor: sp.Expr, variable: sp.Symbol, place: sp.Expr) -> tuple[sp.Expr, int]:
    """The first derivative at a place that does not vanish identically, with its order.

    At infinity what decides near it: of a polynomial the leading coefficient, with the degree, of others all of it.
    """
    if not place.is_finite:
        if not factor.is_polynomial(variable):
            return factor, 0
        polynomial = sp.Poly(factor, variable)
        return polynomial.LC(), polynomial.degree()
    for order in range(ORDERS):
        at_place = factor.subs(variable, place)
        if sp.simplify(at_place) != 0:
            return at_place, order
        factor = factor.diff(variable)
    return at_place, ORDERS


def written_out(expression: sp.Basic) -> sp.Basic:
    """An expression with the values of abbreviations no longer kept together."""
    return expression.replace(Kept, lambda value, *_: value) if expression.has(Kept) else expression


def _done(expression: sp.Expr) -> sp.Expr:
    """An expression written out, with its derivatives taken, so that it has a sign."""
    expression = written_out(expression)
    return expression.doit() if expression.has(sp.Derivative, sp.Subs) else expression


def _free_parts(expression, signs: Signs, values, bound: set, smooth: bool) -> Iterator[str]:
    """The parts without the variable of a limit; what is near the limit is found out at the points."""
    if not expression.free_symbols & bound:
        yield from undefined_parts(expression, signs, values, smooth=smooth)
        return
    for part in expression.args:
        yield from _free_parts(part, signs, values, bound, smooth)
