"""The value of an expression at explicit numbers and matrices, without sympy's calculus.

Algebra is exact. An integral over a space is a sum over a few points with weights, `ATOMS`: what holds for every
measure holds for this one. Derivatives are differences, integrals quadrature and limits values nearby, each by mpmath
with many digits: a second opinion on `doit`, which the proofs use, that shares no code with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import mpmath
import sympy as sp
from sympy.core.function import AppliedUndef

from theory.derivations.engine.evaluation import evaluate
from theory.derivations.engine.operators import Degree, FactorCount, OverAll, PositiveRoots

__all__ = ["ATOMS", "Undefined", "number_of", "tolerance"]

ATOMS = (
    (sp.Rational(-1, 2), sp.Rational(1, 2)),
    (sp.Rational(1, 3), sp.Integer(2)),
    (sp.Rational(5, 2), sp.Rational(3, 4)),
)
OPERATIONS = (
    AppliedUndef,
    OverAll,
    sp.Derivative,
    sp.Subs,
    sp.Sum,
    sp.Integral,
    sp.Limit,
    Degree,
    FactorCount,
    PositiveRoots,
)
DIGITS = 60
INTEGRAL_DIGITS = 25
MOST_COMMON = 10  # larger numbers in an integrand may make it narrow
STEP_DIGITS = 60
STEP = sp.Rational(1, 10**STEP_DIGITS)  # between two values in a derivative
NEAR = sp.Rational(1, 10**25)  # how near a limit is approached; values there are right to 100 digits


class Undefined(ArithmeticError):
    """A formula has no finite real value at a point."""


def tolerance(relation: sp.Basic) -> float:
    """The relative error that a value computed here may have, by the operations in it."""
    if relation.has(sp.Limit):
        return 1e-12
    if relation.has(sp.Integral):
        return 1e-15
    return 1e-25 if relation.has(sp.Derivative) else 1e-30


def number_of(expression: sp.Basic, values: Mapping, samples: Mapping, memo: dict | None = None):
    """The value of an expression, exact where only algebra is needed; a matrix of values for a matrix.

    `memo` keeps the matrices that were computed from the same values.

    Raises
    ------
    Undefined
        where the value is not real and finite.
    """
    try:
        value = _value(expression, values, samples, memo)
    except (ZeroDivisionError, sp.matrices.exceptions.NonInvertibleMatrixError) as error:
        raise Undefined(str(error)) from error
    if isinstance(value, sp.MatrixBase):
        return value.applyfunc(_real)
    return _real(value)


def _real(value: sp.Expr, digits: int = DIGITS) -> sp.Expr:
    if value.is_Rational:
        return value
    number = sp.N(value, digits)
    if not (number.is_real and number.is_finite):
        raise Undefined(f"a value is {sp.N(number, 5)}")
    return number


def _value(expression: sp.Basic, values: Mapping, samples: Mapping, memo: dict | None = None):
    if not expression.has(*OPERATIONS):
        return evaluate(expression, values, samples, memo)
    match expression:
        case sp.Subs():
            inside, variables, places = expression.args
            placed = {x: _value(place, values, samples) for x, place in zip(variables, places, strict=True)}
            return _value(inside, {**values, **placed}, samples)
        case sp.Derivative():
            return _derivative(expression, values, samples)
        case sp.Integral():
            return _integral(expression, values, samples)
        case sp.Limit():
            return _limit(expression, values, samples)
        case sp.Sum():
            ((index, *ends),) = expression.limits
            first, last = (int(_value(end, values, samples)) for end in ends)
            if last < first - 1:
                raise Undefined("a sum runs backwards")
            terms = (expression.function.xreplace({index: sp.Integer(k)}) for k in range(first, last + 1))
            return sp.Add(*(_value(term, values, samples) for term in terms))
        case OverAll():
            inside, variable = expression.args
            terms = (weight * _value(inside, {**values, variable: atom}, samples) for atom, weight in ATOMS)
            return sp.Add(*terms)
        case AppliedUndef():
            return values[expression.func][tuple(_value(one, values, samples) for one in expression.args)]
        case Degree() | FactorCount():
            return _at_general_numbers(expression)
        case PositiveRoots():
            polynomial, symbol = expression.args
            others = {other: value for other, value in values.items() if other != symbol}
            return _positive_roots(_value(polynomial, others, samples), symbol)
        case sp.MatrixExpr() | sp.MatrixBase():
            raise NotImplementedError(f"the value of {expression}")
    return expression.func(*(_value(argument, values, samples) for argument in expression.args))


def _positive_roots(polynomial: sp.Expr, symbol: sp.Symbol) -> sp.Integer:
    """The number of positive roots of a polynomial with rational coefficients, by Sturm's sequences."""
    count = 0
    for factor, power in sp.Poly(polynomial, symbol).sqf_list()[1]:
        count += power * (factor.count_roots(0) - (factor.eval(0) == 0))
    return sp.Integer(count)


def _at_general_numbers(expression: Degree | FactorCount) -> sp.Integer:
    """Degree or number of factors with fixed numbers for the other symbols, whatever the point.

    Both are about the polynomial over the rational functions of these symbols. One choice of numbers for which the
    degree is the same and there is one factor proves that there is one.
    """
    polynomial, symbol = expression.args
    others = sorted(polynomial.free_symbols - {symbol}, key=str)
    numbers = {other: sp.Rational(sp.prime(5 + k), sp.prime(9 + 2 * k)) for k, other in enumerate(others)}
    return expression.func(polynomial.xreplace(numbers), symbol).doit()


def _to_mpmath(value: sp.Expr, digits: int):
    return mpmath.mpf(sp.Float(_real(value, digits), digits)._mpf_)


def _derivative(expression: sp.Derivative, values, samples):
    """Central differences, with exact values of rational functions and as many digits of others as they cancel."""
    (symbol, order), *others = expression.variable_count
    inside = sp.Derivative(expression.expr, *others) if others else expression.expr
    digits = max(DIGITS, mpmath.mp.dps)  # more inside another derivative
    total = sp.Integer(0)
    with mpmath.workdps(digits + int(order) * STEP_DIGITS):
        for k in range(order + 1):
            place = values[symbol] + (sp.Rational(order, 2) - k) * STEP
            value = _real(_value(inside, {**values, symbol: place}, samples), mpmath.mp.dps)
            total += (-1) ** k * sp.binomial(order, k) * value
    return sp.Float(total / STEP**order, digits)


def _integral(expression: sp.Integral, values, samples):
    ((symbol, *ends),) = expression.limits
    values = {other: value for other, value in values.items() if other != symbol}
    with mpmath.workdps(INTEGRAL_DIGITS):
        first, last = (_end(_value(end, values, samples)) for end in ends)
        low, high = sorted((first, last))
        if expression.function.has(*OPERATIONS, sp.MatrixExpr):
            raise NotImplementedError(f"the value of {expression}")
        integrand = sp.lambdify(symbol, expression.function.xreplace(dict(values)), "mpmath", docstring_limit=0)
        ends = [end for end in (low, high) if abs(end) < mpmath.inf]
        places = sorted({*_places(expression, values, low, high), *ends})
        found = _between(integrand, places) if len(places) > 1 else mpmath.mpf(0)
        if high == mpmath.inf:
            found += _tail(lambda distance: integrand(places[-1] + distance), found)
        if low == -mpmath.inf:
            found += _tail(lambda distance: integrand(places[0] - distance), found)
        return sp.Float(found if first == low else -found, INTEGRAL_DIGITS)


def _end(end: sp.Expr):
    return _to_mpmath(end, INTEGRAL_DIGITS) if end.is_finite else mpmath.inf * (1 if end > 0 else -1)


def _between(integrand, places: list):
    """An integral by Gauss-Legendre quadrature from place to place; of what it does not resolve it is refused."""
    found, error = mpmath.quad(integrand, places, method="gauss-legendre", error=True)
    if error > mpmath.mpf(10) ** (5 - INTEGRAL_DIGITS) * (1 + abs(found)):
        raise NotImplementedError(f"an integral whose quadrature is off by {mpmath.nstr(error, 2)}")
    return found


def _tail(integrand, found):
    """An integral from zero to infinity: over the logarithm of the variable, in which slow powers are exponentials."""
    total = _between(integrand, [0, 1])
    for start, end in pairwise((0, 4, 16, 64, 256, 1024, 4096)):
        part = _between(lambda s: integrand(mpmath.exp(s)) * mpmath.exp(s), [start, end])
        total += part
        if abs(part) <= mpmath.mpf(10) ** -INTEGRAL_DIGITS * abs(found + total):
            break
    return total


def _places(expression: sp.Integral, values, low, high) -> list:
    """Where an integrand may change: at its numbers, and at distances from them that they suggest as widths."""
    function = expression.function
    numbers = {values[symbol] for symbol in function.free_symbols & values.keys()}
    numbers |= {number for number in function.atoms(sp.Rational) if abs(number) > MOST_COMMON}
    sizes = {abs(_to_mpmath(number, INTEGRAL_DIGITS)) for number in numbers if number != 0}
    centres = {mpmath.mpf(0), *sizes, *(-size for size in sizes)}
    widths = {size**power for size in sizes for power in (1, -1, 0.5, -0.5)}
    distances = {sign * times * width for width in widths for sign in (1, -1) for times in (2, 16)}
    places = centres | {centre + distance for centre in centres for distance in distances}
    apart: list = []  # far from every centre few are enough
    for place in sorted(place for place in places if low < place < high):
        if not apart or place - apart[-1] > min(abs(place - centre) for centre in centres) / 2:
            apart.append(place)
    return apart


def _limit(expression: sp.Limit, values, samples):
    inside, symbol, place, direction = expression.args
    place = _value(place, values, samples)
    if place in (sp.oo, -sp.oo):
        nearby = [(1 if place is sp.oo else -1) / NEAR]
    else:
        nearby = [place + side * NEAR for side in {"+": (1,), "-": (-1,), "+-": (1, -1)}[str(direction)]]
    found = [_real(_value(inside, {**values, symbol: value}, samples), 100) for value in nearby]
    if any(abs(value - found[0]) > 1e-15 * (1 + abs(found[0])) for value in found):
        raise Undefined("the limits from the two sides differ")
    return found[0]
