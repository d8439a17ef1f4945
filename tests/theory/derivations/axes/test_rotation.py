"""The page on rotations ends with what `theory.axes.rotation` computes."""

import numpy as np
import pytest
import sympy as sp

from theory.axes import plane_rotation, rotation
from theory.derivations.axes.rotation import derivation
from theory.derivations.engine.notation import beta


@pytest.mark.parametrize(
    ("title", "encoder"),
    [
        ("Energy if the encoder is optimised again", "reoptimised"),
        ("Energy if the off-diagonals are dropped", "truncated"),
    ],
)
def test_two_mode_energy(title, encoder):
    p1, p2 = sp.symbols("p_1 p_2", positive=True)
    theta = sp.Symbol("theta", real=True)
    angles = np.linspace(0, np.pi, 13)
    energy = derivation().function(title, p1, p2, theta, beta)(6.0, 1.5, angles, 2.0)
    expected = rotation.two_mode_rotation_energy(6.0, 1.5, angles, 2.0, encoder=encoder)
    assert energy == pytest.approx(expected, rel=1e-10, abs=1e-14)
    decoder = np.diag(np.sqrt([5.0, 0.5]))  # at t = 1 its precisions are 6 and 1.5
    rotated = rotation.rotation_energy(decoder, 0.5, 2.0, plane_rotation(2, angles[2]), encoder=encoder)
    assert energy[2] == pytest.approx(rotated, rel=1e-10)
