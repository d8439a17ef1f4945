"""Evaluates matrix expressions at explicit matrices: exactly with rational entries, entry by entry with symbols."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from types import MappingProxyType

import sympy as sp

from theory.derivations.engine.operators import Expectation, LogDet, SquaredNorm

__all__ = ["evaluate"]


def evaluate(expression: sp.Basic, values: Mapping, samples: Mapping = MappingProxyType({})):
    """An expression at explicit matrices and numbers; expectations are averages over `samples` of each random vector.

    With rational values the result is exact; with symbolic entries it is the expression written out entry by entry.
    """
    if isinstance(expression, Expectation):
        vectors = [vector for vector in samples if expression.has(vector)]
        draws = list(product(*(samples[vector] for vector in vectors)))
        total = sum(
            (evaluate(expression.args[0], {**values, **dict(zip(vectors, draw, strict=True))}) for draw in draws),
            start=sp.Integer(0),
        )
        return total / len(draws)
    if isinstance(expression, SquaredNorm):
        return evaluate(expression.as_trace(), values, samples)
    if isinstance(expression, sp.Trace):
        return evaluate(expression.args[0], values, samples).trace()
    if isinstance(expression, LogDet):
        return sp.log(evaluate(expression.args[0], values, samples).det(method="berkowitz"))
    if isinstance(expression, sp.Determinant):
        return evaluate(expression.args[0], values, samples).det(method="berkowitz")
    if isinstance(expression, sp.matrices.expressions.matexpr.MatrixElement):
        matrix = evaluate(expression.args[0], values, samples)
        row, column = (evaluate(index, values) for index in expression.args[1:])
        if not (row.is_Integer and column.is_Integer and 0 <= row < matrix.rows and 0 <= column < matrix.cols):
            raise ZeroDivisionError(f"there is no entry ({row}, {column}) of {expression.args[0]}")
        return matrix[int(row), int(column)]
    if isinstance(expression, sp.MatrixBase):
        return sp.ImmutableMatrix(expression.applyfunc(lambda entry: evaluate(entry, values, samples)))
    if isinstance(expression, sp.MatrixExpr):
        return _evaluate_matrix(expression, values, samples)
    if not expression.args or not expression.has(sp.MatrixExpr):
        return expression.xreplace(values)
    return expression.func(*(evaluate(argument, values, samples) for argument in expression.args))


def _evaluate_matrix(expression: sp.MatrixExpr, values: Mapping, samples: Mapping) -> sp.ImmutableMatrix:
    if isinstance(expression, sp.MatrixSymbol):
        return values[expression]
    if isinstance(expression, sp.Identity):
        return sp.ImmutableMatrix(sp.eye(int(expression.rows.xreplace(values))))
    if isinstance(expression, sp.ZeroMatrix):
        return sp.ImmutableMatrix(sp.zeros(*(int(side.xreplace(values)) for side in expression.shape)))
    if isinstance(expression, sp.Transpose):
        return evaluate(expression.args[0], values, samples).T
    if isinstance(expression, sp.MatPow):  # Inverse too
        return evaluate(expression.args[0], values, samples) ** int(expression.args[1])
    parts = [evaluate(argument, values, samples) for argument in expression.args]
    if isinstance(expression, sp.HadamardProduct):
        return sp.ImmutableMatrix(sp.hadamard_product(*parts))
    total = parts[0]
    for part in parts[1:]:
        total = total + part if isinstance(expression, sp.MatAdd) else total * part
    return total
