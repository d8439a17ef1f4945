"""What a formula needs to be defined."""

import pytest
import sympy as sp

from theory.derivations.engine.definedness import undefined_parts
from theory.derivations.engine.signs import Signs

x, y = sp.symbols("x y", positive=True)
r = sp.Symbol("r", real=True)


@pytest.mark.parametrize(
    ("expression", "needs"),
    [
        (1 / (x + y), []),
        (1 / (x - y), ["x - y != 0"]),
        (sp.log(x - y), ["x - y > 0"]),
        (sp.sqrt(x - y), ["x - y > 0"]),
        (sp.sqrt(r**2), []),
        (1 / sp.sqrt(r**2), ["Abs(r) != 0"]),
        (r**y, ["r > 0"]),
        (r**-2, ["r != 0"]),
        (sp.Subs(1 / r, r, 0), ["0 != 0"]),
        (sp.Subs(1 / (1 + r), r, x), []),
        (sp.Subs(r, r, sp.log(x - y)), ["x - y > 0"]),
        (sp.Derivative(sp.log(r), r), ["r > 0"]),
        (sp.Integral(1 / r / (x - y), (r, 1, 2)), ["x - y != 0"]),
        (sp.Limit(sp.sin(r) / r, r, 0, "+-"), []),
    ],
    ids=str,
)
def test_what_is_needed(expression, needs):
    assert sorted({*undefined_parts(expression, Signs())}) == needs


def test_conditions_give_it():
    assert not list(undefined_parts(sp.log(x - y) / (x - y), Signs((x > y,))))
