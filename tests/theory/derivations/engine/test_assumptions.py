"""What a page assumes is printed: all of it, made from what the checks use."""

import pytest
import sympy as sp

from tests.theory.derivations.engine.pages import equation, page_with
from theory.derivations import registry
from theory.derivations.book.terminal import terminal_page
from theory.derivations.engine.assumptions import page_assumptions, step_conditions
from theory.derivations.engine.notation import D, K, P, Q, V, W
from theory.derivations.engine.operators import Expectation, SquaredNorm

x, y = sp.symbols("x y", positive=True)
r = sp.Symbol("r", real=True)


def test_numbers_matrices_vectors_and_conditions():
    z, T = sp.MatrixSymbol("z", K, 1), sp.MatrixSymbol("T", K, K)
    step = equation(
        Expectation(SquaredNorm(z, P)) + sp.Trace(T.I * Q * V * W) * x + r, y, where=(r > -1, r < 1, x < y / 2)
    )
    page = page_with(
        step, matrices={P: "positive", Q: "symmetric", T: "invertible"}, moments={z: P}, where=(sp.Le(K, D),)
    )
    assert page_assumptions(page) == (
        "$D, K$: positive integer",
        "$x, y > 0$",
        "$r$: real",
        "$P$ ($K \\times K$): symmetric and positive definite",
        "$Q$ ($K \\times K$): symmetric",
        "$T$ ($K \\times K$): invertible",
        "$V$ ($K \\times D$), $W$ ($D \\times K$): any matrix",
        "$z$ with second moment $P$: a random vector of mean zero",
        "$K \\le D$",
    )
    assert step_conditions(step) == ("$-1 < r < 1$", "$x < y/2$")
    sized = equation(sp.Trace(P), 1, sizes=({K: 1}, {K: 2}))
    assert step_conditions(sized) == ("$K = 1$ or $K = 2$",)


@pytest.mark.parametrize("page", registry.derivations(), ids=lambda page: page.name)
def test_pages_print_them_without_latex(page):
    text = terminal_page(page)
    assert "What the checks assume" in text or not page_assumptions(page)
    assert "\\" not in text
    assert "_{" not in text and "√{" not in text
