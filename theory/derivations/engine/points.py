"""Evaluates relations at a random point: rational numbers and matrices for the symbols of both sides.

The two sides are evaluated separately, as they are written. Rational results must agree exactly, others to 30 digits
(integrals, which are then done by quadrature, to 10).
"""

from __future__ import annotations

import random

import sympy as sp

from theory.derivations.engine.evaluation import evaluate
from theory.derivations.engine.operators import Degree, FactorCount
from theory.derivations.engine.page import Derivation, Step, write_out

__all__ = ["Point"]

OPERATIONS = (sp.Derivative, sp.Subs, sp.Sum, sp.Integral, sp.Limit, Degree, FactorCount)


class Point:
    """One random point: numbers for the symbols and explicit matrices of the kinds that the page declares."""

    def __init__(self, page: Derivation, step: Step, sizes, rng: random.Random):
        self.page, self.step, self.lets, self.rng = page, step, page.lets(step.title), rng
        self.values: dict = {size: sp.Integer(value) for size, value in sizes.items()}
        self.samples: dict = {}
        self.sides: dict = {}

    def holds(self, relation) -> bool:
        """Whether a relation is true at this point."""
        left, right = self.value(relation.lhs), self.value(relation.rhs)
        if isinstance(relation, sp.Eq):
            pairs = zip(left, right, strict=True) if isinstance(left, sp.MatrixBase) else [(left, right)]
            return all(self._equal(a, b) for a, b in pairs)
        return bool(relation.func(sp.N(left, 40), sp.N(right, 40)))

    def value(self, side: sp.Basic):
        """One side of a relation at this point."""
        if side not in self.sides:
            written = write_out(side, self.lets, matrices=False)
            # Derivatives of scalars are taken before the numbers go in, those of matrix expressions afterwards, along
            # a line of numerical matrices.
            if not written.has(sp.MatrixExpr):
                written = written.xreplace(self.values).doit(integrals=False)
            self._fill(written)
            value = evaluate(written, self.values, self.samples)
            if written.has(sp.MatrixExpr) and written.has(*OPERATIONS):
                value = value.doit()
            self.sides[side] = value if isinstance(value, sp.MatrixBase) or value.is_Rational else sp.N(value, 40)
        return self.sides[side]

    def _equal(self, a, b) -> bool:
        if a.is_Rational and b.is_Rational:
            return a == b
        has_integral = self.step.relation.has(sp.Integral)
        return bool(abs(sp.N(a - b, 40)) <= (1e-10 if has_integral else 1e-30) * (1 + abs(sp.N(a, 40))))

    def _fill(self, expression: sp.Basic) -> None:
        """Give a value to everything in an expression that has none yet."""
        rules = {let.symbol: let.value for let in self.lets if let.rule is not None}
        # An indexed symbol replaces its parts. Symbols are sorted, so that every run draws the same numbers.
        atoms = expression.atoms(sp.Indexed, sp.Symbol, sp.MatrixSymbol)
        inside = {part for entry in expression.atoms(sp.Indexed) for part in entry.free_symbols - {entry}}
        for atom in sorted(atoms - inside, key=str):
            if atom in self.values or atom in self.samples:  # drawn together with another symbol
                continue
            if isinstance(atom, sp.MatrixSymbol):
                if atom in self.page.moments:
                    self._draw_samples(atom)
                elif atom in rules:
                    self._fill(rules[atom])
                    self.values[atom] = sp.ImmutableMatrix(evaluate(rules[atom], self.values))
                else:
                    self._draw_matrix(atom)
            elif atom in expression.free_symbols:
                self.values[atom] = self._number(atom)

    def _number(self, symbol: sp.Basic) -> sp.Rational:
        if symbol.is_integer:
            raise ValueError(f"{self.page.name}, {self.step.title}: give the step `sizes` for {symbol}")
        low, high = self.step.domain.get(symbol, (0 if symbol.is_positive else -2, 3))
        return low + (high - low) * sp.Rational(self.rng.randint(1, 96), 97)

    def _rational_matrix(self, rows: int, columns: int) -> sp.ImmutableMatrix:
        """A random matrix, invertible if it is square."""
        while True:
            drawn = sp.ImmutableMatrix(rows, columns, self._entry)
            if rows != columns or drawn.det() != 0:
                return drawn

    def _entry(self, *_) -> sp.Rational:
        return sp.Rational(self.rng.randint(-9, 9), self.rng.randint(2, 5))

    def _shape(self, matrix: sp.MatrixSymbol) -> tuple[int, int]:
        return tuple(int(side.xreplace(self.values)) for side in matrix.shape)

    def _draw_matrix(self, matrix: sp.MatrixSymbol) -> None:
        for vector, moment in self.page.moments.items():
            if moment == matrix:
                self._draw_samples(vector)
                return
        rows, columns = self._shape(matrix)
        kind = self.page.matrices.get(matrix)
        drawn = self._rational_matrix(rows, max(rows, columns) if kind == "orthogonal" else columns)
        if kind == "positive":
            drawn = drawn * drawn.T + sp.eye(rows)
        elif kind == "symmetric":
            drawn = drawn + drawn.T
        elif kind == "orthogonal":  # Cayley's map of a skew-symmetric matrix
            skew = drawn - drawn.T
            drawn = ((sp.eye(rows) - skew) * (sp.eye(rows) + skew).inv())[:, :columns]
        self.values[matrix] = sp.ImmutableMatrix(drawn)

    def _draw_samples(self, vector: sp.MatrixSymbol) -> None:
        """A distribution on finitely many points, each with its mirror image, and its exact second moment."""
        rows, _ = self._shape(vector)
        points = self._rational_matrix(rows, rows + 1)
        self.samples[vector] = [sign * points[:, column] for column in range(rows + 1) for sign in (1, -1)]
        self.values[self.page.moments[vector]] = points * points.T / (rows + 1)
