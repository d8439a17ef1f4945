"""Canonical forms decide what is zero, and evident signs what is positive."""

import pytest
import sympy as sp

from theory.derivations.engine.proof import has_evident_sign, is_zero

x, y = sp.symbols("x y", positive=True)


@pytest.mark.parametrize(
    ("expression", "strict", "expected"),
    [
        (x**2 + y, True, True),
        ((x - y) ** 2, False, True),
        ((x - y) ** 2, True, False),
        (-(x + 1) * (-y - 1) / x, True, True),
        (x - y, False, False),
    ],
)
def test_evident_signs(expression, strict, expected):
    real = expression.xreplace({x: sp.Symbol("x", positive=True)})
    assert has_evident_sign(real, strict) is expected


def test_zero_is_decided_by_canonical_forms():
    assert is_zero(sp.log((x**2 - y**2) / (x - y)) - sp.log(x + y))
    assert not is_zero(sp.log(x**2 - y**2) - sp.log(x + y))
