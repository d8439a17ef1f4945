"""The exact proof of a relation: both sides are brought to a canonical form and compared.

Matrix expressions become sums of words (all sizes at once) or are written out entry by entry. Scalars become rational
functions, in which sines and cosines are rational functions of the tangent of the half angle, and logarithms and roots
are split only into factors that the kinds of the symbols and the conditions of the step make positive. An inequality is
proved from evident signs.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import combinations

import sympy as sp

from theory.derivations.engine.definedness import undefined_parts
from theory.derivations.engine.definite import is_invertible, is_positive_definite, is_symmetric
from theory.derivations.engine.evaluation import evaluate
from theory.derivations.engine.matrix_algebra import Algebra
from theory.derivations.engine.operators import Expectation, LogDet
from theory.derivations.engine.page import Derivation, Let, Step, write_out
from theory.derivations.engine.signs import Sign, Signs

__all__ = ["Proof", "is_zero"]


class Proof:
    """Canonical forms of the sides of relations: for all sizes at once, or entry by entry for the sizes of the step."""

    def __init__(self, page: Derivation, step: Step):
        self.page, self.sizes, self.lets, self.least_at = page, step.sizes, page.lets(step.title), step.least_at
        self.entries: dict = {}
        conditions = [write_out(condition, self.lets, matrices=True) for condition in page.conditions(step)]
        self.signs = Signs([*conditions, *self._principal_minors()])
        self.algebra = Algebra.of(page, self.lets, self.signs)
        self.sides: dict = {}

    def algebra_before(self, let: Let) -> Algebra:
        """The algebra with the rules of the abbreviations that are made before one."""
        return Algebra.of(self.page, self.lets[: self.lets.index(let)], self.signs)

    def is_of_its_kind(self, let: Let) -> bool:
        """Whether the value of an abbreviated matrix is evidently of the kind that the page declares."""
        kinds = self.page.matrices
        value = write_out(let.value, self.lets[: self.lets.index(let)], matrices=True)
        match kinds.get(let.symbol):
            case "positive":
                return is_positive_definite(value, kinds, self.signs)
            case "symmetric":
                return is_symmetric(value, kinds)
            case None:
                return True
        return False

    def _principal_minors(self) -> Iterator[sp.Gt]:
        """Of positive definite matrices that are written out entry by entry: their principal minors are positive."""
        for matrix, kind in self.page.matrices.items():
            for sizes in self.sizes if kind == "positive" else ():
                rows = sp.sympify(sp.sympify(matrix.rows).xreplace(dict(sizes)))
                if not rows.is_Integer:  # of another size, so not in this step
                    continue
                rows = int(rows)
                entries = sp.ImmutableMatrix(rows, rows, partial(self._entry, str(matrix), True))
                for count in range(1, rows + 1):
                    for chosen in combinations(range(rows), count):
                        yield sp.Gt(entries.extract(chosen, chosen).det(method="berkowitz"), 0)

    def proves(self, relation) -> bool:
        """Whether a relation is proved."""
        differences = [a - b for a, b in zip(self._side(relation.lhs), self._side(relation.rhs), strict=True)]
        if isinstance(relation, sp.Eq):
            return all(is_zero(difference, self.signs) for difference in differences)
        if self.least_at is not None:
            return isinstance(relation, sp.Ge) and all(map(self._is_least, differences))
        strict = isinstance(relation, sp.StrictGreaterThan | sp.StrictLessThan)
        downward = isinstance(relation, sp.Le | sp.Lt)
        signs = [self.signs.of(-value if downward else value) for value in differences]
        return all(sign.is_nonnegative and (sign.is_nonzero or not strict) for sign in signs)

    def _is_least(self, difference: sp.Expr) -> bool:
        """Whether a function is convex in a variable, and stationary and not negative at a place where it may be.

        The values that a symbol may take are an interval: a condition `Ne` on it is refused.
        """
        symbol, place = self.least_at
        bounds = [condition for condition in self.signs.conditions if condition.has(symbol)]
        if any(isinstance(bound, sp.Ne) for bound in bounds) or difference.has(sp.Abs):
            return False
        place = write_out(place, self.lets, matrices=True)
        others = Signs([condition for condition in self.signs.conditions if condition not in bounds], self.signs.fixed)
        inside = (
            others.of(place) is Sign.POSITIVE if symbol.is_positive else symbol.is_real and not symbol.is_nonnegative
        )
        inside = inside and all(_holds_at(bound, symbol, place, others) for bound in bounds)
        slope = difference.diff(symbol)
        return bool(
            inside
            and self.signs.of_sum(slope.diff(symbol)).is_nonnegative
            and is_zero(slope.subs(symbol, place), others)
            and (
                is_zero(difference.subs(symbol, place), others)
                or others.of(difference.subs(symbol, place)).is_nonnegative
            )
        )

    def undefined(self, relation) -> list[str]:
        """The conditions, in words, without which a side is not defined."""
        lets = tuple(let for let in self.lets if not let.hypothesis)  # of whose matrices only the kind is known
        sides = [write_out(side, lets, matrices=True) for side in (relation.lhs, relation.rhs)]
        parts = [part for side in sides for part in undefined_parts(side, self.signs)]
        parts += [part for side in sides for part in self._undefined_matrices(side)]
        return list(dict.fromkeys(parts))

    def _undefined_matrices(self, side) -> Iterator[str]:
        """The matrices of log determinants and inverses that are not evidently definite, or invertible."""
        kinds = self.page.matrices
        for part in sorted(side.atoms(LogDet), key=str):
            matrix = part.args[0]
            factors = matrix.args if isinstance(matrix, sp.MatMul) else (matrix,)
            evident = is_positive_definite(matrix, kinds, self.signs) or all(
                isinstance(factor, sp.MatrixExpr) and is_positive_definite(factor, kinds, self.signs)
                for factor in factors
            )
            if not evident and not self._has_determinant(matrix, Sign.POSITIVE):
                yield f"{matrix} has a positive determinant"
        for part in sorted((power for power in side.atoms(sp.MatPow) if power.exp.is_negative), key=str):
            if not is_invertible(part.base, kinds, self.signs) and not self._has_determinant(part.base, Sign.NONZERO):
                yield f"{part.base} is invertible"

    def _has_determinant(self, matrix, wanted: Sign) -> bool:
        """Whether the determinant of a matrix at the sizes of the step is positive, or not zero."""
        if not (self.sizes or all(sp.sympify(side).is_number for side in matrix.shape)):
            return False
        signs = []
        for sizes in self.sizes or ({},):
            values = {size: sp.Integer(value) for size, value in sizes.items()}
            letters = {letter: self._matrix(letter, values) for letter in matrix.atoms(sp.MatrixSymbol)}
            determinant = evaluate(sp.Determinant(matrix), {**values, **letters})
            signs.append(self.signs.of(sp.factor(determinant)))
        return all(sign is wanted or (wanted is Sign.NONZERO and sign.is_nonzero) for sign in signs)

    def _side(self, side) -> list[sp.Expr]:
        if side not in self.sides:
            written = write_out(side, self.lets, matrices=bool(self.sizes))
            entries = [entry for sizes in self.sizes or ({},) for entry in self._entries(written, sizes)]
            self.sides[side] = [entry.doit() for entry in entries]
            if any(entry.has(sp.Integral, sp.Limit, sp.Piecewise) for entry in self.sides[side]):
                raise NotImplementedError(f"{side} has no value for all symbols that satisfy the conditions")
        return self.sides[side]

    def _matrix(self, matrix: sp.MatrixSymbol, sizes) -> sp.ImmutableMatrix:
        """A matrix written out entry by entry."""
        rows, columns = (int(sp.sympify(side).xreplace(sizes)) for side in matrix.shape)
        symmetric = self.page.matrices.get(matrix) in ("positive", "symmetric")
        return sp.ImmutableMatrix(rows, columns, partial(self._entry, str(matrix), symmetric))

    def _entry(self, name: str, symmetric: bool, row: int, column: int) -> sp.Dummy:
        """An entry of a matrix that is written out; no symbol of the page is the same."""
        if symmetric and column < row:
            row, column = column, row
        return self.entries.setdefault((name, row, column), sp.Dummy(f"{name}{row + 1}{column + 1}", real=True))

    def _entries(self, written, sizes) -> list[sp.Expr]:
        values: dict = {size: sp.Integer(value) for size, value in sizes.items()}
        if sizes and written.has(Expectation):
            raise NotImplementedError("an expectation is proved at all sizes only")
        if not written.has(sp.MatrixExpr):
            return [evaluate(written.xreplace(values), values)]
        if not sizes:
            matrix = isinstance(written, sp.MatrixExpr)
            return [self.algebra.matrix(written) if matrix else self.algebra.scalar(written)]
        values |= {matrix: self._matrix(matrix, values) for matrix in written.atoms(sp.MatrixSymbol)}
        value = evaluate(written, values)
        return list(value) if isinstance(value, sp.MatrixBase) else [value]


def _holds_at(bound, symbol: sp.Symbol, place: sp.Expr, signs: Signs) -> bool:
    """Whether a bound of a symbol holds if it is at a place."""
    sign = signs.of((bound.gts - bound.lts).subs(symbol, place))
    strict = isinstance(bound, sp.StrictGreaterThan | sp.StrictLessThan)
    return sign.is_nonnegative and (sign.is_nonzero or not strict)


def is_zero(expression: sp.Expr, signs: Signs) -> bool:
    """Whether an expression is zero wherever it is defined and the conditions hold."""
    expression = without_angles(signs.substituted(sp.sympify(expression).doit()))
    expression = expression.replace(sp.log, partial(_log_of_factors, signs))
    expression = expression.replace(_is_root, partial(_root_of_factors, signs))
    numerator, _ = sp.fraction(sp.together(expression))
    numerator = sp.expand(numerator)
    if numerator.is_number:
        return sp.simplify(numerator) == 0 and abs(sp.N(numerator, 50, maxn=200)) < 1e-45
    return _without_roots(_functions_unknown(numerator)) == 0


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
