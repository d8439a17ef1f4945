"""Evaluates matrix expressions at explicit matrices: exactly with rational entries, entry by entry with symbols.

Inside, a matrix is a `DomainMatrix`: over the rational numbers if its entries are rational, where products, inverses
and determinants take a tenth of the time, and over expressions otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product
from types import MappingProxyType

import sympy as sp
from sympy import EXRAW, QQ
from sympy.polys.matrices import DomainMatrix

from theory.derivations.engine.operators import Expectation, LogDet, SquaredNorm

__all__ = ["evaluate", "explicit"]


def evaluate(expression: sp.Basic, values: Mapping, samples: Mapping = MappingProxyType({}), memo: dict | None = None):
    """An expression at explicit matrices and numbers; expectations are averages over `samples` of each random vector.

    With rational values the result is exact; with symbolic entries it is the expression written out entry by entry.
    `memo` keeps the matrices that were computed from the same values.
    """
    found = _value(expression, values, samples, {} if memo is None else memo)
    return explicit(found) if isinstance(found, DomainMatrix) else found


def _value(expression: sp.Basic, values: Mapping, samples: Mapping, memo: dict) -> sp.Expr | DomainMatrix:
    def value(part):
        return _value(part, values, samples, memo)

    match expression:
        case Expectation():
            return _mean(expression.args[0], values, samples, memo)
        case SquaredNorm():
            return value(expression.as_trace())
        case sp.Trace():
            matrix = value(expression.args[0])
            diagonal = (row[i] for i, row in enumerate(matrix.to_list()))
            return matrix.domain.to_sympy(sum(diagonal, start=matrix.domain.zero))
        case LogDet():
            return sp.log(value(sp.Determinant(expression.args[0])))
        case sp.Determinant():
            if expression not in memo:
                memo[expression] = _determinant(value(expression.args[0]))
            return memo[expression]
        case sp.matrices.expressions.matexpr.MatrixElement():
            return _entry_of(expression, *map(value, expression.args))
        case sp.MatrixBase():
            return _table(expression.applyfunc(value))
        case sp.MatrixExpr():
            if expression not in memo:
                memo[expression] = _matrix(expression, values, value)
            return memo[expression]
    if not expression.args or not expression.has(sp.MatrixExpr):
        return expression.xreplace(values)
    return expression.func(*map(value, expression.args))


def _mean(expression: sp.Expr, values: Mapping, samples: Mapping, memo: dict) -> sp.Expr:
    expression = expression.replace(lambda part: isinstance(part, SquaredNorm), SquaredNorm.as_trace)
    vectors = [vector for vector in samples if expression.has(vector)]
    draws = list(product(*(samples[vector] for vector in vectors)))
    fixed = [part for part in expression.find(sp.MatrixExpr) if part.args and not part.has(*vectors)]
    known = {part: _value(part, values, samples, memo) for part in fixed if not isinstance(part, sp.MatrixBase)}
    drawn = (
        _value(expression, {**values, **dict(zip(vectors, draw, strict=True))}, samples, dict(known)) for draw in draws
    )
    return sum(drawn, start=sp.Integer(0)) / len(draws)


def _matrix(expression: sp.MatrixExpr, values: Mapping, value: Callable) -> DomainMatrix:
    match expression:
        case sp.MatrixSymbol():
            return _table(values[expression])
        case sp.Identity():
            return DomainMatrix.eye(int(expression.rows.xreplace(values)), QQ)
        case sp.ZeroMatrix():
            return DomainMatrix.zeros(tuple(int(side.xreplace(values)) for side in expression.shape), QQ)
        case sp.Transpose():
            return value(expression.args[0]).transpose()
        case sp.MatPow():  # Inverse too
            return _power(value(expression.args[0]), int(expression.args[1]))
    total, *parts = map(value, expression.args)
    for part in parts:
        if isinstance(expression, sp.HadamardProduct):
            total = _joined(DomainMatrix.mul_elementwise, total, part)
        elif isinstance(expression, sp.MatAdd):
            total = _joined(DomainMatrix.add, total, part)
        else:
            total = _product(total, part)
    return total


def _product(first: sp.Expr | DomainMatrix, second: DomainMatrix) -> DomainMatrix:
    """The product of a matrix and a matrix or a number before it."""
    if isinstance(first, DomainMatrix):
        return _joined(DomainMatrix.matmul, first, second)
    domain = second.domain if first.is_Rational else EXRAW
    return second.convert_to(domain).scalarmul(domain.from_sympy(first))


def _joined(operation: Callable, first: DomainMatrix, second: DomainMatrix) -> DomainMatrix:
    return operation(*first.unify(second, fmt="dense"))


def _determinant(matrix: DomainMatrix) -> sp.Expr:
    if matrix.domain == QQ:
        return QQ.to_sympy(matrix.det())
    return explicit(matrix).det(method="berkowitz")


def _power(matrix: DomainMatrix, exponent: int) -> DomainMatrix:
    if matrix.domain != QQ:
        return _table(explicit(matrix) ** exponent)
    if exponent >= 0:
        return matrix.pow(exponent)
    if matrix.det() == 0:
        raise ZeroDivisionError("a matrix has no inverse")
    return matrix.inv().pow(-exponent)


def _table(matrix: sp.MatrixBase) -> DomainMatrix:
    rational = all(entry.is_Rational for entry in matrix)
    rows = [[QQ(entry.p, entry.q) if rational else entry for entry in row] for row in matrix.tolist()]
    return DomainMatrix(rows, matrix.shape, QQ if rational else EXRAW)


def explicit(matrix: DomainMatrix) -> sp.ImmutableMatrix:
    """A matrix with entries of sympy."""
    to_sympy = matrix.domain.to_sympy
    return sp.ImmutableMatrix(*matrix.shape, [to_sympy(entry) for row in matrix.to_list() for entry in row])


def _entry(matrix: DomainMatrix, row: int, column: int) -> sp.Expr:
    return matrix.domain.to_sympy(matrix[row, column].element)


def _entry_of(expression, matrix: DomainMatrix, row: sp.Expr, column: sp.Expr) -> sp.Expr:
    rows, columns = matrix.shape
    if not (row.is_Integer and column.is_Integer and 0 <= row < rows and 0 <= column < columns):
        raise ZeroDivisionError(f"there is no entry ({row}, {column}) of {expression.args[0]}")
    return _entry(matrix, int(row), int(column))
