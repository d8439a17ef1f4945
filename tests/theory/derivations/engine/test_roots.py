"""The number of positive roots, by Descartes' rule with symbols in the coefficients."""

import pytest
import sympy as sp

from tests.theory.derivations.engine.pages import equation, fault_of
from theory.derivations.engine.numbers import number_of
from theory.derivations.engine.operators import PositiveRoots
from theory.derivations.engine.roots import positive_roots
from theory.derivations.engine.signs import Signs

x, a, b = sp.symbols("x a b", positive=True)
r = sp.Symbol("r", real=True)


@pytest.mark.parametrize(
    ("polynomial", "conditions", "count"),
    [
        (x + a, (), 0),
        (x - a, (), 1),
        (a - x, (), 1),
        (x**3 + a * x**2 - b, (), 1),
        (x**2 + r * x - a, (), 1),
        (x**2 + (a - b) * x - a, (), 1),
        (x**3 + (a - 1) * x**2 + (a - 2) * x - b, (), 1),  # if a < 1 then a < 2
        (x - a + b, (a > b,), 1),
        (x + a - b, (a > b,), 0),
    ],
    ids=str,
)
def test_counted(polynomial, conditions, count):
    assert positive_roots(polynomial, x, Signs(conditions)) == count


@pytest.mark.parametrize(
    "polynomial",
    [x**2 - a * x + b, x - r, x - a + b, r * x - a, x**3 + (a - 2) * x**2 + (a - 1) * x - b, x**2 + r**2 - a],
    ids=str,
)
def test_not_evident(polynomial):
    with pytest.raises(NotImplementedError):
        positive_roots(polynomial, x, Signs())


def test_points_count_by_other_means():
    assert fault_of(equation(PositiveRoots(x**2 + r * x - a, x), sp.Integer(1))) == ""
    assert "fails at" in fault_of(equation(PositiveRoots(x**2 + r * x - a, x), sp.Integer(2)))
    for polynomial, count in ((x**2 - 3 * x + 2, 2), ((x - 1) ** 2 * (x + 1), 2), (x**2 * (x - 1), 1), (x + 1, 0)):
        assert number_of(PositiveRoots(polynomial, x), {}, {}) == count
