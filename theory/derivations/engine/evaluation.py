"""Evaluates matrix expressions at explicit matrices: exactly with rational entries, entry by entry with symbols."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product
from types import MappingProxyType

import sympy as sp
from sympy.polys.matrices import DomainMatrix

from theory.derivations.engine.operators import Expectation, LogDet, SquaredNorm

__all__ = ["evaluate"]


def evaluate(expression: sp.Basic, values: Mapping, samples: Mapping = MappingProxyType({}), memo: dict | None = None):
    """An expression at explicit matrices and numbers; expectations are averages over `samples` of each random vector.

    With rational values the result is exact; with symbolic entries it is the expression written out entry by entry.
    `memo` keeps the matrices that were computed from the same values.
    """
    memo = {} if memo is None else memo

    def value(part):
        return evaluate(part, values, samples, memo)

    match expression:
        case Expectation():
            return _mean(expression.args[0], values, samples, memo)
        case SquaredNorm():
            return value(expression.as_trace())
        case sp.Trace():
            return value(expression.args[0]).trace()
        case LogDet():
            return sp.log(value(sp.Determinant(expression.args[0])))
        case sp.Determinant():
            if expression not in memo:
                memo[expression] = _determinant(value(expression.args[0]))
            return memo[expression]
        case sp.matrices.expressions.matexpr.MatrixElement():
            return _entry(expression, value(expression.args[0]), [value(index) for index in expression.args[1:]])
        case sp.MatrixBase():
            return sp.ImmutableMatrix(expression.applyfunc(value))
        case sp.MatrixSymbol():
            return values[expression]
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
    known = {part: evaluate(part, values, samples, memo) for part in fixed if not isinstance(part, sp.MatrixBase)}
    drawn = (
        evaluate(expression, {**values, **dict(zip(vectors, draw, strict=True))}, samples, dict(known))
        for draw in draws
    )
    return sum(drawn, start=sp.Integer(0)) / len(draws)


def _entry(expression, matrix: sp.ImmutableMatrix, place: list) -> sp.Expr:
    row, column = place
    if not (row.is_Integer and column.is_Integer and 0 <= row < matrix.rows and 0 <= column < matrix.cols):
        raise ZeroDivisionError(f"there is no entry ({row}, {column}) of {expression.args[0]}")
    return matrix[int(row), int(column)]


def _determinant(matrix: sp.ImmutableMatrix) -> sp.Expr:
    rational = _rational(matrix)
    return matrix.det(method="berkowitz") if rational is None else sp.QQ.to_sympy(rational.det())


def _power(matrix: sp.ImmutableMatrix, exponent: int) -> sp.ImmutableMatrix:
    rational = _rational(matrix)
    if rational is None or exponent != -1:
        return matrix**exponent
    if rational.det() == 0:
        raise ZeroDivisionError("a matrix has no inverse")
    return sp.ImmutableMatrix(rational.inv().to_Matrix())


def _rational(matrix: sp.ImmutableMatrix) -> DomainMatrix | None:
    """A matrix of rational numbers over their field, in which determinants and inverses take a tenth of the time."""
    if not all(entry.is_Rational for entry in matrix):
        return None
    return DomainMatrix.from_Matrix(matrix).convert_to(sp.QQ)


def _matrix(expression: sp.MatrixExpr, values: Mapping, value: Callable) -> sp.ImmutableMatrix:
    match expression:
        case sp.Identity():
            return sp.ImmutableMatrix(sp.eye(int(expression.rows.xreplace(values))))
        case sp.ZeroMatrix():
            return sp.ImmutableMatrix(sp.zeros(*(int(side.xreplace(values)) for side in expression.shape)))
        case sp.Transpose():
            return value(expression.args[0]).T
        case sp.MatPow():  # Inverse too
            return _power(value(expression.args[0]), int(expression.args[1]))
    parts = [value(argument) for argument in expression.args]
    if isinstance(expression, sp.HadamardProduct):
        return sp.ImmutableMatrix(sp.hadamard_product(*parts))
    total = parts[0]
    for part in parts[1:]:
        total = total + part if isinstance(expression, sp.MatAdd) else total * part
    return total
