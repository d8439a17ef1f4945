"""Sentences in pieces, and relations broken into lines."""

import sympy as sp

from theory.derivations.book import mathematics
from theory.derivations.engine import printers


def test_long_relations_are_broken_between_terms():
    symbols = sp.symbols("alpha_1:30", positive=True)
    relation = sp.Eq(sp.Symbol("y"), sp.Add(*symbols), evaluate=False)
    lines = mathematics.broken(relation, 40)
    assert all(printers.width(line) <= 40 for _, line in lines)
    assert lines[0] == ("", sp.Symbol("y")) and lines[1][0] == "="
    assert {operator for operator, _ in lines[2:]} == {"+"}
    assert sp.Add(*(line for _, line in lines[1:])) == relation.rhs


def test_only_wide_relations_are_aligned():
    short = sp.Eq(sp.Symbol("y"), sp.Symbol("x"), evaluate=False)
    assert mathematics.displayed(short) == "y = x"
    long = sp.Eq(sp.Symbol("y"), sp.Add(*sp.symbols("alpha_1:60", positive=True)), evaluate=False)
    assert mathematics.displayed(long).startswith("\\begin{aligned}\n&y = ")


def test_the_pieces_of_a_sentence():
    written = mathematics.map_pieces("is $x$ `a_b`.", words=str.upper, formula=lambda f: f"<{f}>", code=lambda c: c * 2)
    assert written == "IS <$x$> a_ba_b."


def test_names_of_several_letters_are_upright():
    assert mathematics.upright("$KL(q||p) + tr(C)$") == r"$\mathrm{KL}(q\Vert p) + \mathrm{tr}(C)$"
