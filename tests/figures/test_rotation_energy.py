from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from figures import rotation_energy
from theory import optimum
from theory.axes import plane_rotation


def test_axis_angle_reads_the_rotation_modulo_a_quarter_turn():
    best = optimum(np.diag([4.0, 2.0, 0.5]), 2, beta=1.0, noise_variance=0.6).vae
    for angle in (-44.0, -10.0, 0.0, 30.0, 44.0):
        for turn in (0, 90, 180):
            decoder = best.decoder @ plane_rotation(2, np.radians(angle + turn)).T
            rotated = dataclasses.replace(best, decoder=decoder)
            assert abs(rotation_energy.axis_angle(rotated)) == pytest.approx(abs(angle), abs=1e-9)
