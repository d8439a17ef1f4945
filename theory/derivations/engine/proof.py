"""The exact proof of a relation: both sides are brought to a canonical form and compared.

Matrix expressions become sums of words (all sizes at once) or are written out entry by entry. Scalars become rational
functions, in which logarithms are split into logarithms of irreducible factors, and sines and cosines are rational
functions of the tangent of the half angle. An inequality is proved from evident signs. Logarithms are taken of positive
quantities, as everywhere in `theory`.
"""

from __future__ import annotations

from functools import partial

import sympy as sp

from theory.derivations.engine.evaluation import evaluate
from theory.derivations.engine.matrix_algebra import Algebra
from theory.derivations.engine.page import Derivation, Step, write_out

__all__ = ["Proof", "has_evident_sign", "is_zero"]


class Proof:
    """Canonical forms of the sides of relations: for all sizes at once, or entry by entry for the sizes of the step."""

    def __init__(self, page: Derivation, step: Step):
        self.page, self.sizes, self.lets = page, step.sizes, page.lets(step.title)
        self.algebra = Algebra.of(page, self.lets)
        self.sides: dict = {}

    def proves(self, relation) -> bool:
        """Whether a relation is proved."""
        differences = [a - b for a, b in zip(self._side(relation.lhs), self._side(relation.rhs), strict=True)]
        if isinstance(relation, sp.Eq):
            return all(map(is_zero, differences))
        strict = isinstance(relation, sp.StrictGreaterThan | sp.StrictLessThan)
        downward = isinstance(relation, sp.Le | sp.Lt)
        return all(has_evident_sign(-value if downward else value, strict) for value in differences)

    def _side(self, side) -> list[sp.Expr]:
        if side not in self.sides:
            written = write_out(side, self.lets, matrices=bool(self.sizes))
            entries = [entry for sizes in self.sizes or ({},) for entry in self._entries(written, sizes)]
            self.sides[side] = [entry.doit() for entry in entries]
        return self.sides[side]

    def _entries(self, written, sizes) -> list[sp.Expr]:
        values: dict = {size: sp.Integer(value) for size, value in sizes.items()}
        if not written.has(sp.MatrixExpr):
            return [evaluate(written.xreplace(values), values)]
        if not sizes:
            matrix = isinstance(written, sp.MatrixExpr)
            return [self.algebra.matrix(written) if matrix else self.algebra.scalar(written)]
        for matrix in sorted(written.atoms(sp.MatrixSymbol), key=str):
            rows, columns = (int(side.xreplace(values)) for side in matrix.shape)
            symmetric = self.page.matrices.get(matrix) in ("positive", "symmetric")
            values[matrix] = sp.ImmutableMatrix(rows, columns, partial(_entry, str(matrix), symmetric))
        value = evaluate(written, values)
        return list(value) if isinstance(value, sp.MatrixBase) else [value]


def _entry(name: str, symmetric: bool, row: int, column: int) -> sp.Symbol:
    if symmetric and column < row:
        row, column = column, row
    return sp.Symbol(f"{name}_{row + 1}{column + 1}", real=True)


def is_zero(expression: sp.Expr) -> bool:
    """Whether an expression is zero for all values of its symbols; `simplify` decides where roots remain."""
    canonical = _numerator(expression)
    return canonical == 0 or (canonical.has(sp.Pow) and bool(sp.simplify(canonical) == 0))


def _numerator(expression: sp.Expr) -> sp.Expr:
    expression = sp.sympify(expression).doit()
    if expression.has(sp.cos, sp.sin):
        expression = _half_angles(sp.expand_trig(expression))
    expression = expression.replace(sp.log, _log_of_factors)
    numerator, _ = sp.fraction(sp.together(sp.expand_power_base(expression, force=True)))
    return sp.expand(numerator)


def _half_angles(expression: sp.Expr) -> sp.Expr:
    """Sines and cosines as rational functions of the tangent of the half angle: every identity becomes rational."""
    angles = {function.args[0] for function in expression.atoms(sp.cos, sp.sin)}
    for angle in angles:
        tangent = sp.Symbol(f"tan({angle}/2)", real=True)
        expression = expression.xreplace(
            {
                sp.cos(angle): (1 - tangent**2) / (1 + tangent**2),
                sp.sin(angle): 2 * tangent / (1 + tangent**2),
            }
        )
    return expression


def _log_of_factors(argument: sp.Expr) -> sp.Expr:
    """The log of a product as a sum over irreducible factors, each with the sign that the order of its terms sets."""
    constant, factors = sp.Integer(1), sp.Integer(0)
    for base, exponent in sp.factor(sp.together(argument)).as_powers_dict().items():
        if base.is_Rational:
            constant *= base**exponent
        else:
            if base.could_extract_minus_sign():
                base, constant = -base, constant * (-1) ** exponent
            factors += exponent * sp.log(sp.expand(base), evaluate=False)
    for prime, power in sp.factorrat(constant).items() if constant.is_Rational and constant > 0 else [(constant, 1)]:
        factors += power * sp.log(prime)
    return factors


def has_evident_sign(expression: sp.Expr, strict: bool) -> bool:
    """Whether an expression is >= 0 (or > 0) because the signs of the symbols force a sign on each of its factors."""
    upward = True
    for factor in sp.Mul.make_args(sp.factor(sp.together(sp.sympify(expression).doit()))):
        if factor.is_positive or (factor.is_nonnegative and not strict):
            continue
        if not (factor.is_negative or (factor.is_nonpositive and not strict)):
            return False
        upward = not upward
    return upward
