"""Derivatives of traces and log determinants of any size: in a number, or in a matrix along a direction."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.operators import LogDet, SquaredNorm

__all__ = ["derivative"]


def derivative(expression, variable: sp.Symbol | sp.MatrixSymbol, direction=sp.S.One):
    """The derivative of a formula in a number, or in a matrix along a direction.

    Parameters
    ----------
    expression : Expr or MatrixExpr
    variable : Symbol or MatrixSymbol
    direction : MatrixExpr, optional
        of the size of the matrix.

    Raises
    ------
    NotImplementedError
        for operations other than sums, products, inverses, transposes, blocks, traces, log determinants and norms, and
        functions of these.
    """
    match expression:
        case sp.MatrixExpr():
            return _of_matrix(expression, variable, direction)
        case sp.Trace():
            return sp.Trace(_of_matrix(expression.args[0], variable, direction))
        case LogDet():
            inside = expression.args[0]
            return sp.Trace(inside.I * _of_matrix(inside, variable, direction))
        case SquaredNorm():
            return derivative(expression.as_trace(), variable, direction)
    if not expression.has(variable):
        return sp.Integer(0)
    parts = {part: sp.Dummy(real=True) for part in _matrix_scalars(expression) if part.has(variable)}
    function = expression.xreplace(parts)
    terms = [function.diff(unknown) * derivative(part, variable, direction) for part, unknown in parts.items()]
    if isinstance(variable, sp.Symbol):
        terms.append(function.diff(variable))
    return sp.Add(*terms).xreplace({unknown: part for part, unknown in parts.items()})


def _matrix_scalars(expression) -> list[sp.Expr]:
    """The largest parts of a formula that are traces, log determinants or norms."""
    if isinstance(expression, sp.Trace | LogDet | SquaredNorm):
        return [expression]
    if not isinstance(expression, sp.Add | sp.Mul | sp.Pow | sp.log | sp.exp) and expression.has(sp.MatrixExpr):
        raise NotImplementedError(f"the derivative of {expression}")
    return [part for argument in expression.args for part in _matrix_scalars(argument)]


def _of_matrix(expression: sp.MatrixExpr, variable, direction) -> sp.MatrixExpr:
    if not expression.has(variable):
        return sp.ZeroMatrix(*expression.shape)
    match expression:
        case sp.MatrixSymbol():
            return direction
        case sp.Transpose():
            return sp.Transpose(_of_matrix(expression.arg, variable, direction)).doit()
        case sp.MatAdd():
            return sp.MatAdd(*(_of_matrix(term, variable, direction) for term in expression.args)).doit()
        case sp.MatMul():
            return _of_product(expression, variable, direction)
        case sp.Inverse():
            return (-expression * _of_matrix(expression.arg, variable, direction) * expression).doit()
        case sp.MatPow() if expression.exp.is_Integer and expression.exp.is_positive:
            return _of_product(sp.MatMul(*[expression.base] * int(expression.exp), evaluate=False), variable, direction)
        case sp.HadamardProduct():
            changing = [factor for factor in expression.args if factor.has(variable)]
            if len(changing) == 1:
                others = [factor for factor in expression.args if factor is not changing[0]]
                return sp.HadamardProduct(_of_matrix(changing[0], variable, direction), *others)
    raise NotImplementedError(f"the derivative of {expression}")


def _of_product(product: sp.MatMul, variable, direction) -> sp.MatrixExpr:
    factors = list(product.args)
    terms = []
    for place, factor in enumerate(factors):
        if factor.has(variable):
            slope = derivative(factor, variable, direction)
            terms.append(sp.MatMul(*factors[:place], slope, *factors[place + 1 :]).doit())
    return sp.MatAdd(*terms).doit()
