"""Every part of every abbreviation of the book is felt: made larger, it makes a step false.

An abbreviation as a whole is felt by the check of its page. A part that no step depends on may be wrong as it is
printed, such as a constant of a loss of which only differences are used.
"""

from __future__ import annotations

import pytest
import sympy as sp

from theory.derivations.engine.check import is_felt
from theory.derivations.engine.operators import binding
from theory.derivations.registry import derivations

LARGER = sp.Rational(8, 7)
# Abbreviations with parts that no step can depend on.
EXCEPTIONS = {
    ("grouped-objective", "L_V(e)"): "only its slope is used; the same function makes the parts of the objective",
    ("grouped-objective", "L_Q(e)"): "only its slope is used; the same function makes the parts of the objective",
    ("annealed-prior", "d_s"): "the scaling of the latents cancels, whatever it is",
}


def parts(value, points):
    """The numbers in a formula, but constants, sizes, exponents, points of a space, bound variables, and the whole."""
    found = dict.fromkeys(part for part in sp.preorder_traversal(value) if isinstance(part, sp.Expr))
    bound = (
        points | {variable for _, variable in binding(value)} | {entry.base.label for entry in value.atoms(sp.Indexed)}
    )
    bound |= {power.exp for power in value.atoms(sp.Pow)}
    return [
        part
        for part in found
        if not (part in bound or part.is_Matrix or part.is_Number or isinstance(part, sp.IndexedBase))
        and not (part.is_Symbol and part.is_integer)
        and part != value
    ]


def not_felt(page):
    for step in page.steps:
        for let in (let for let in step.let if not let.hypothesis and not isinstance(let.value, sp.MatrixExpr)):
            for part in parts(let.value, page.points):
                value = let.value.xreplace({part: LARGER * part})
                if value != let.value and not is_felt(page, step, let, value):
                    yield str(let.symbol), str(part)


@pytest.mark.parametrize("page", derivations(), ids=lambda page: page.name)
def test_every_part_of_an_abbreviation_is_felt(page):
    left = dict(not_felt(page))
    expected = {name for of, name in EXCEPTIONS if of == page.name}
    assert {name: part for name, part in left.items() if name not in expected} == {}
    assert expected <= left.keys()  # no exception is out of date
