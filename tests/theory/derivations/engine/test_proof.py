"""Canonical forms decide what is zero."""

import pytest
import sympy as sp

from theory.derivations.engine.signs import Signs
from theory.derivations.engine.zeros import is_zero

x, y = sp.symbols("x y", positive=True)
r = sp.Symbol("r", real=True)
ROOT = sp.sqrt(x + y)


@pytest.mark.parametrize(
    ("expression", "conditions"),
    [
        (sp.log((x**2 - y**2) / (x - y)) - sp.log(x + y), ()),
        (sp.log(x**2 - y**2) - sp.log(x + y) - sp.log(x - y), (x > y,)),
        (sp.sqrt(x * (x + y)) - sp.sqrt(x) * ROOT, ()),
        (sp.sqrt(1 - r**2) - sp.sqrt(1 - r) * sp.sqrt(1 + r), (r > -1, r < 1)),
        (1 / (ROOT - 1) - (ROOT + 1) / (x + y - 1), ()),
        (ROOT**3 - (x + y) * ROOT, ()),
        (sp.sqrt(x + sp.sqrt(y)) ** 4 - (x + sp.sqrt(y)) ** 2, ()),
        (1 / (sp.sqrt(x + sp.sqrt(y)) - 1) - (sp.sqrt(x + sp.sqrt(y)) + 1) / (x + sp.sqrt(y) - 1), ()),
        (sp.cos(2 * r) - 1 + 2 * sp.sin(r) ** 2, ()),
        (sp.erf(ROOT) * ROOT**2 - (x + y) * sp.erf(ROOT), ()),
        (sp.sqrt(sp.sqrt(2) / 4 + sp.Rational(1, 2)) - sp.cos(sp.pi / 8), ()),
    ],
    ids=str,
)
def test_zero(expression, conditions):
    signs = Signs(conditions)
    assert is_zero(expression, signs)
    assert not is_zero(expression + sp.Rational(1, 1000), signs)


@pytest.mark.parametrize(
    "expression",
    [
        sp.log(x**2 - y**2) - sp.log(x + y),
        sp.log((x - y) * (x - 1)) - sp.log(x - 1) - sp.log(x - y),
        sp.sqrt(1 - r**2) - sp.sqrt(1 - r) * sp.sqrt(1 + r),
        sp.sqrt((x - y) ** 2) - (x - y),
        sp.log((x - y) ** 2) - 2 * sp.log(x - y),
    ],
    ids=str,
)
def test_not_zero_without_the_condition_that_it_needs(expression):
    assert not is_zero(expression, Signs())
