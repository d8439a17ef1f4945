"""sympy's printers with the habits of a textbook."""

import pytest
import sympy as sp

from theory.derivations.engine import printers
from theory.derivations.engine.operators import Degree, LogDet, OverAll, PositiveRoots, SquaredNorm


def test_no_sum_begins_with_a_needless_minus():
    x, y = sp.symbols("x y")
    assert printers.pretty(y - x) == "y - x"
    assert printers.latex(-x + sp.Symbol("z")) == "z - x"


P, V = sp.MatrixSymbol("P", 2, 2), sp.MatrixSymbol("v", 2, 1)
X, Y, Z = sp.symbols("x y z", positive=True)


@pytest.mark.parametrize(
    ("formula", "written"),
    [
        (LogDet(P) ** 2, r"\left(\log\det P\right)^{2}"),
        (SquaredNorm(V) ** 2, r"\left(\left\Vert v \right\Vert^2\right)^{2}"),
        (OverAll(X, X) ** 2, r"\left(\int x \ dx\right)^{2}"),
        (Degree(Y * X**2 + X, X) ** 2, r"\left(\deg_{x} \left(x^{2} y + x\right)\right)^{2}"),
        (PositiveRoots(X - Y, X), r"\mathrm{roots}_{x > 0} \left(x - y\right)"),
        (LogDet(P) * sp.Trace(P), r"\left(\log\det P\right) \mathrm{tr}\left(P \right)"),
        (
            sp.Derivative(X, X, evaluate=False) * sp.Derivative(Y * X, X),
            r"\left(\frac{d}{d x} x\right) \frac{\partial}{\partial x} \left(x y\right)",
        ),
        (LogDet(P) / Z, r"\frac{\log\det P}{z}"),
    ],
)
def test_what_is_printed_as_words_is_bracketed_under_an_exponent_or_before_a_factor(formula, written):
    assert printers.latex(formula) == written
    assert printers.pretty(formula) and printers.inline(formula)


def test_brackets_in_text_of_two_dimensions():
    assert printers.pretty(LogDet(P) ** 2).splitlines()[1] == "(log det P)"
