"""The page on the curvature of the rotation energy ends with what `theory.axes` computes."""

import numpy as np
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


def test_a_plane_inside_a_block_is_free():
    """The second derivative of the gap of a block is the sum over the pairs that the function counts."""
    gap = derivation().function("A block drops its own correlations", *sp.symbols("r_12 r_13 r_23", real=True))
    precisions, angles = np.array([6.0, 1.5, 3.0]), np.array([[0.0, 0.3, -0.2], [-0.3, 0.0, 0.5], [0.2, -0.5, 0.0]])
    stiff = axes.rotation_curvature(precisions, 2.0, posterior=[[0, 1], [2]])
    pairs = np.subtract.outer(precisions, precisions) / np.sqrt(np.outer(precisions, precisions)) * angles
    expected = gap(pairs[0, 1], pairs[0, 2], pairs[1, 2])  # beta / 2 = 1
    assert np.sum(np.triu(stiff * angles**2, 1)) == pytest.approx(expected, rel=1e-12)
