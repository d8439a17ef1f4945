"""Inequalities of convex functions: of a number or of a matrix, at the place where the slope is zero.

A function that is convex in a variable whose values form a convex set, stationary at a place of this set and not
negative there, is not negative. If it is strictly convex, it is positive elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

from theory.derivations.engine.definite import is_positive_definite, is_symmetric
from theory.derivations.engine.derivatives import derivative
from theory.derivations.engine.matrix_algebra import Algebra
from theory.derivations.engine.operators import OverAll
from theory.derivations.engine.signs import Sign, Signs, is_strict
from theory.derivations.engine.zeros import is_zero

__all__ = ["sign_of_convex", "sign_of_convex_in_matrix"]

Relation = sp.core.relational.Relational


def sign_of_convex(function: sp.Expr, symbol: sp.Symbol, place: sp.Expr, signs: Signs) -> Sign:
    """The sign of a function of a number, wherever the conditions hold, by its least value.

    The values that a symbol may take are an interval; a condition `Ne` that excludes the place, and only this one,
    makes the sign strict.
    """
    if symbol.is_integer or not place.is_real:
        return Sign.UNKNOWN
    bounds = [condition for condition in signs.conditions if condition.has(symbol)]
    excluded = [bound for bound in bounds if isinstance(bound, sp.Ne)]
    bounds = [bound for bound in bounds if bound not in excluded]
    others = Signs([condition for condition in signs.conditions if not condition.has(symbol)], signs.fixed)
    inside = others.of(place) is Sign.POSITIVE if symbol.is_positive else symbol.is_real and not symbol.is_nonnegative
    if not inside or not all(_holds_at(bound, symbol, place, others) for bound in bounds):
        return Sign.UNKNOWN
    if any(sp.expand((bound.gts - bound.lts).diff(symbol, 2)) != 0 for bound in bounds):
        return Sign.UNKNOWN  # the values may be no interval
    if symbol in {total.variable for total in function.atoms(OverAll)}:
        return Sign.UNKNOWN
    if not all(_is_difference(bound, symbol, place) for bound in excluded):
        return Sign.UNKNOWN
    interval = others.and_also(bounds)
    slope = function.diff(symbol)
    bend = interval.of_sum(slope.diff(symbol))
    return _least(bend, is_zero(slope.subs(symbol, place), others), function.subs(symbol, place), others, excluded)


def sign_of_convex_in_matrix(
    function: sp.Expr, matrix: sp.MatrixSymbol, place: sp.MatrixExpr, algebra: Algebra, kinds, conditions: Sequence
) -> Sign:
    """The sign of a function of a matrix of a kind that is a convex set, by its least value.

    Parameters
    ----------
    function : Expr
        in which no abbreviation that is kept contains the matrix.
    kinds : mapping
        kind of each matrix.
    conditions : sequence
        those about matrices; `Ne` of matrix and place makes the sign strict.
    """
    kind = kinds.get(matrix)
    inside = {
        None: lambda: True,
        "symmetric": lambda: is_symmetric(place, kinds),
        "positive": lambda: is_positive_definite(place, kinds, algebra.signs),
    }.get(kind)
    if inside is None or not inside() or place.has(matrix) or place.shape != matrix.shape:
        return Sign.UNKNOWN
    excluded = [condition for condition in conditions if condition.has(matrix)]
    if not all(isinstance(one, sp.Ne) and {one.lhs, one.rhs} == {matrix, place} for one in excluded):
        return Sign.UNKNOWN
    direction = sp.MatrixSymbol("direction", *matrix.shape)
    symmetric = algebra.symmetric | ({direction} if kind is not None else set())
    algebra = algebra.with_letters(symmetric=symmetric, nonzero=algebra.nonzero | {direction})
    slope = derivative(function, matrix, direction)
    bend = algebra.signs.of_sum(algebra.scalar(derivative(slope, matrix, direction)))
    stationary = is_zero(algebra.scalar(slope.xreplace({matrix: place})), algebra.signs)
    return _least(bend, stationary, algebra.scalar(function.xreplace({matrix: place})), algebra.signs, excluded)


def _least(bend: Sign, stationary: bool, value: sp.Expr, signs: Signs, excluded: Sequence) -> Sign:
    """The sign of a function of this second derivative and of this value where it is stationary."""
    if not (bend.is_nonnegative and stationary):
        return Sign.UNKNOWN
    least = Sign.NONNEGATIVE if is_zero(value, signs) else signs.of(value)
    if not least.is_nonnegative:
        return Sign.UNKNOWN
    positive = bend.is_nonzero if excluded else least.is_nonzero
    return Sign.POSITIVE if positive else Sign.NONNEGATIVE


def _is_difference(bound: Relation, symbol: sp.Symbol, place: sp.Expr) -> bool:
    return {bound.lhs, bound.rhs} == {symbol, place}


def _holds_at(bound: Relation, symbol: sp.Symbol, place: sp.Expr, signs: Signs) -> bool:
    """Whether a bound of a symbol holds if it is at a place."""
    return signs.of((bound.gts - bound.lts).subs(symbol, place)).proves(is_strict(bound))
