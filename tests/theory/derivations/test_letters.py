"""One meaning a letter across the book: the letters of the table of notation are always of one kind."""

import pytest
import sympy as sp
from sympy.core.function import AppliedUndef

from theory.derivations.engine.grammar import formulas_of
from theory.derivations.engine.notation import D, K
from theory.derivations.registry import derivations

# Shapes of matrices; kinds where the shape says too little.
SHAPES = {
    "W": (D, K), "V": (K, D), "Q": (K, K), "S": (D, D), "C": (K, K), "P": (K, K), "A": (D, K), "G": (K, K), "R": (K, K),
    "E": (K, K), "Gamma": (K, K), "Sigma": (K, K), "Pi": (K, K),
}  # fmt: skip
KINDS = {
    "B": ("partition",),
    "O": ("orthogonal",),
    "U": ("orthogonal",),
    "T": ("invertible",),
    "M": ("positive", "symmetric"),
}
NUMBERS = ("J", "N", "t", "v", "g", "r", "theta", "beta", "sigma", "tau")


def letters(page):
    """The symbols that a page writes by their letters, without indices."""
    for formula in (*formulas_of(page), *(let.symbol for let in page.lets(page.steps[-1].title))):
        for symbol in formula.atoms(sp.Symbol, sp.MatrixSymbol):
            yield str(symbol).partition("_")[0], symbol
        for part in formula.atoms(AppliedUndef):
            yield part.func.__name__.partition("_")[0], part


def breaks(page, letter, symbol):
    """Whether a symbol is not of the kind of its letter; matrices of two latents, written out, are not judged."""
    if not isinstance(symbol, sp.MatrixSymbol):
        number = isinstance(symbol, sp.Symbol) and not symbol.is_integer
        return letter in KINDS or letter in SHAPES or (letter in NUMBERS and not number and letter != "J")
    if all(side.is_number for side in map(sp.sympify, symbol.shape)):
        return letter in NUMBERS
    wrong_shape = letter in SHAPES and symbol.shape != SHAPES[letter]
    wrong_kind = letter in KINDS and page.matrices.get(symbol) not in KINDS[letter]
    return wrong_shape or wrong_kind or letter in NUMBERS


@pytest.mark.parametrize("page", derivations(), ids=lambda page: page.name)
def test_letters_keep_their_meaning(page):
    assert {str(symbol) for letter, symbol in letters(page) if breaks(page, letter, symbol)} == set()
