"""Signs that symbols and conditions force, and none that they do not."""

import pytest
import sympy as sp

from theory.derivations.engine.signs import Sign, Signs

x, y, z = sp.symbols("x y z", positive=True)
r, s = sp.symbols("r s", real=True)
n = sp.Symbol("n", nonnegative=True)
INSIDE = (r > -1, r < 1, s > -1, s < 1)


@pytest.mark.parametrize(
    ("expression", "conditions", "sign"),
    [
        (x**2 + y, (), Sign.POSITIVE),
        (-(x + 1) / y, (), Sign.NEGATIVE),
        ((x - y) ** 2, (), Sign.NONNEGATIVE),
        ((x - y) ** 2, (sp.Ne(x, y),), Sign.POSITIVE),
        (x - y, (), Sign.UNKNOWN),
        (x - y, (x > y,), Sign.POSITIVE),
        (x - y, (y > x,), Sign.NEGATIVE),
        (x - y, (x >= y,), Sign.NONNEGATIVE),
        (x - y, (sp.Ne(x, y),), Sign.NONZERO),
        (x**2 - y**2, (x > y,), Sign.POSITIVE),
        (x**2 - z**2, (x > y, y > z), Sign.POSITIVE),
        (1 - r**2, INSIDE, Sign.POSITIVE),
        (1 - r * s, INSIDE, Sign.POSITIVE),
        (r * s, INSIDE, Sign.UNKNOWN),
        (1 - 2 * r * s, INSIDE, Sign.UNKNOWN),
        (x - 3, (x > 3,), Sign.POSITIVE),
        (sp.log(x / y), (x > y,), Sign.POSITIVE),
        (sp.log(x), (x < 1,), Sign.NEGATIVE),
        (sp.log(x), (), Sign.UNKNOWN),
        (sp.sqrt(x**2 + y) - x, (), Sign.POSITIVE),
        (sp.sqrt(x**2 + y) - x - 1, (), Sign.UNKNOWN),
        (1 + y - x**2 * y, (x**2 * y < 1 + y,), Sign.POSITIVE),
        (n * x, (), Sign.NONNEGATIVE),
        (n + x, (), Sign.POSITIVE),
        (sp.exp(r), (), Sign.POSITIVE),
    ],
    ids=str,
)
def test_signs(expression, conditions, sign):
    assert Signs(conditions).of(expression) is sign


def test_bounds_in_a_circle_are_not_substituted():
    signs = Signs((x > y, y > x))
    assert len(signs.substitutions) <= 1


def test_intervals_that_are_closed_on_one_side():
    assert Signs((r > 0, r <= y)).of(y - r) is Sign.NONNEGATIVE
    assert Signs((r > 0, r <= y)).of(r) is Sign.POSITIVE
    assert Signs((r >= 0, r < y)).of(y - r) is Sign.POSITIVE
    assert Signs((x <= y,)).of(y - x) is Sign.NONNEGATIVE
    assert Signs((x <= y,)).of(x) is Sign.POSITIVE
    with pytest.raises(ValueError, match="bound r on one side by a strict inequality"):
        Signs((r >= -1, r <= 1)).of(r)


def test_what_is_not_zero_stays_so_beside_bounds():
    assert Signs((r > -1, r < 1, sp.Ne(r, 0))).of(r**2) is Sign.POSITIVE
    assert Signs((r > -1, r < 1, sp.Ne(r, y))).of((r - y) ** 2) is Sign.POSITIVE
    assert Signs((r > -1, r < 1)).of(r**2) is Sign.NONNEGATIVE
