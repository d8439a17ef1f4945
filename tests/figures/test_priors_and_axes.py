from __future__ import annotations

import numpy as np
import pytest

from figures import priors_and_axes
from theory import LinearVAE
from theory.axes import plane_rotation


def test_factor_angle_reads_the_rotation_of_a_code():
    loading = np.array([[2.0, 0.0], [0.0, 2.0], [0.0, 0.0]])
    for angle in (-44.0, 0.0, 30.0):
        rotated = plane_rotation(2, np.radians(angle + 90)) @ loading.T / 4
        vae = LinearVAE(loading, rotated, np.eye(2), 1.0)
        assert priors_and_axes.factor_angle(vae, loading) == pytest.approx(angle, abs=1e-9)
        stretched = LinearVAE(loading, np.diag([3.0, 1.0]) @ rotated, np.eye(2), 1.0)
        found = priors_and_axes.factor_angle(stretched, loading, np.diag([1 / 3, 1.0]))
        assert found == pytest.approx(angle, abs=1e-9)


def test_priors_lock_other_factors_and_not_gaussian_ones(quick_table):
    table = quick_table("priors_and_axes")
    for series in table.series(priors_and_axes.ENDS):
        angles = table.select(priors_and_axes.ENDS, "trained", series).y
        if series.startswith("Gaussian") or series.endswith("isotropic"):
            assert not angles.size and np.ptp(table.select(priors_and_axes.ENDS, "measured", series).y) > 5
        else:
            assert np.abs(angles).max() < 0.05
