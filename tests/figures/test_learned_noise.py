from __future__ import annotations

import numpy as np
import pytest

from figures import learned_noise
from figures.kit.real_data import real_data


@pytest.mark.parametrize("shape", [(40, 6), (5, 8)], ids=["more observations", "more dimensions"])
def test_probabilistic_pca_has_the_mean_of_the_other_eigenvalues(shape):
    source = real_data(np.random.default_rng(0).standard_normal(shape))
    assert learned_noise._pca_noise(source, 2) == pytest.approx(source.eigenvalues[2:].mean(), rel=1e-12)


def test_the_noise_never_falls_as_beta_grows(quick_table):
    table = quick_table("learned_noise")
    for series in table.series(learned_noise.NOISE, "theory"):
        curve = table.select(learned_noise.NOISE, "theory", series).y
        assert np.all(np.diff(curve) >= 0) and curve[-1] == pytest.approx(
            1.0, rel=1e-12
        )  # in units of the mean variance
