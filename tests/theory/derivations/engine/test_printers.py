"""sympy's printers with the habits of a textbook."""

import sympy as sp

from theory.derivations.engine import printers


def test_no_sum_begins_with_a_needless_minus():
    x, y = sp.symbols("x y")
    assert printers.pretty(y - x) == "y - x"
    assert printers.latex(-x + sp.Symbol("z")) == "z - x"
