"""The page on reverse water-filling ends with what `theory` computes."""

import pytest
import sympy as sp

import theory
from theory.derivations.engine.notation import t
from theory.derivations.learning.water_filling import derivation

l = sp.Symbol("l", positive=True)  # noqa: E741 (the book's name of an eigenvalue)


@pytest.mark.parametrize("level", [0.2, 1.0, 4.0])
def test_one_mode_of_the_curve(level):
    page = derivation()
    point = theory.rate_distortion([5.0], level)
    assert page.function("Distortion of an active mode", t)(level) == pytest.approx(point.distortion, rel=1e-10)
    assert page.function("Rate of an active mode", l, t)(5.0, level) == pytest.approx(point.rate, rel=1e-10)
