"""Numbers without sympy's calculus: derivatives, integrals, limits and sums."""

import pytest
import sympy as sp

from theory.derivations.engine.notation import K, Q
from theory.derivations.engine.numbers import Undefined, number_of
from theory.derivations.engine.operators import Degree, FactorCount, LogDet

x, y = sp.symbols("x y", positive=True)
k = sp.Symbol("k", integer=True)
VALUES = {x: sp.Rational(3, 7), y: sp.Rational(250)}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (sp.Derivative(x**3 * y, x), 3 * x**2 * y),
        (sp.Derivative(sp.log(x) * y**2, (x, 2)), -(y**2) / x**2),
        (sp.Derivative(x**2 * y**3, x, y), 6 * x * y**2),
        (sp.Subs(sp.Derivative(sp.exp(x * y), x), x, 0), y),
        (sp.Integral(sp.exp(-((x - 900) ** 2) / (2 * y)), (x, -sp.oo, sp.oo)), sp.sqrt(2 * sp.pi * y)),
        (sp.Integral((1 + x**2 / y) ** -sp.Rational(51, 100), (x, 1, sp.oo)), None),
        (sp.Integral(sp.sqrt(x), (x, 1, y)), 2 * (y ** sp.Rational(3, 2) - 1) / 3),
        (sp.Integral(x**2, (x, y, 1)), (1 - y**3) / 3),  # from the larger end to the smaller
        (sp.Integral(sp.exp(-x), (x, sp.oo, 0)), sp.Integer(-1)),
        (sp.Integral(sp.exp(-1000 * (x - y) ** 2), (x, -sp.oo, sp.oo)), sp.sqrt(sp.pi / 1000)),  # a narrow peak
        (sp.Integral(sp.exp(-y * (x + 731) ** 2), (x, -sp.oo, sp.oo)), sp.sqrt(sp.pi / y)),
        (sp.Limit((sp.exp(x * y) - 1) / x, x, 0), y),
        (sp.Limit((x + y) / x, x, sp.oo), sp.Integer(1)),
        (sp.Sum(k * x, (k, 1, 4)), 10 * x),
        (Degree(x**3 * y + y, x), sp.Integer(3)),
        (FactorCount(x**2 - y**2, x), sp.Integer(2)),
        (FactorCount(x**2 - y, x), sp.Integer(1)),
    ],
    ids=str,
)
def test_operations(expression, expected):
    if expected is None:
        expected = expression.doit()
    value, wanted = number_of(expression, VALUES, {}), sp.N(expected.xreplace(VALUES), 40)
    assert abs(value - wanted) < 1e-12 * abs(wanted)


@pytest.mark.parametrize("integrand", [1 / sp.sqrt(x), sp.sqrt(x**2 - 2 * x / 3 + sp.Rational(1, 9))])
def test_an_integral_that_quadrature_does_not_resolve_is_refused(integrand):
    with pytest.raises(NotImplementedError, match="off by"):
        number_of(sp.Integral(integrand, (x, 0, y)), VALUES, {})


def test_a_derivative_along_a_line_of_matrices():
    e, matrix = sp.Symbol("e", real=True), sp.ImmutableMatrix([[2, 1], [1, 3]])
    slope = sp.Subs(sp.Derivative(LogDet(Q + e * Q * Q), e), e, 0)
    assert abs(number_of(slope, {Q: matrix, K: sp.Integer(2)}, {}) - 5) < 1e-25


@pytest.mark.parametrize(
    "expression",
    [sp.Limit(sp.sign(x - 1), x, 1, "+-"), sp.log(x - 1), 1 / (x - sp.Rational(3, 7)), sp.Limit(1 / x, x, 0)],
)
def test_undefined(expression):
    with pytest.raises(Undefined):
        value = number_of(expression, VALUES, {})
        if abs(value) > 1e20:  # near an infinite limit
            raise Undefined("huge")
