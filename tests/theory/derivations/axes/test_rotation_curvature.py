"""The page on the curvature of the rotation energy ends with what `theory.axes` computes."""

import pytest
import sympy as sp

from theory import axes
from theory.derivations.axes.rotation_curvature import derivation
from theory.derivations.engine.notation import beta


@pytest.mark.parametrize("energy", ["the encoder is optimised again", "the off-diagonals are dropped"])
def test_curvature(energy):
    p1, p2 = sp.symbols("p_1 p_2", positive=True)
    found = derivation().function(f"Curvature if {energy}", p1, p2, beta)(6.0, 1.5, 2.0)
    assert axes.rotation_curvature([6.0, 1.5], 2.0)[0, 1] == pytest.approx(found, rel=1e-12)
