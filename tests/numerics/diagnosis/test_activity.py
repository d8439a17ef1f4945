from __future__ import annotations

import numpy as np
import pytest

from numerics.diagnosis.activity import active_count
from tests.cases import orthogonal
from theory import LinearVAE, optimum
from theory.axes import rotate

COVARIANCE = np.diag([4.0, 2.5, 1.2, 0.6, 0.3])


@pytest.mark.parametrize("beta", [0.5, 1.0, 2.0, 4.0, 7.0, 12.0])
def test_counts_the_latents_above_the_water_in_any_rotation(beta):
    best = optimum(COVARIANCE, 4, beta=beta, noise_variance=0.5)
    assert active_count(best.vae, COVARIANCE) == best.active_count
    rotated = rotate(best.vae, orthogonal(4, np.random.default_rng(0)))
    assert active_count(rotated, COVARIANCE) == best.active_count


def test_the_threshold_is_in_nats():
    best = optimum(np.diag([2.0, 1.0]), 2, beta=1.0, noise_variance=0.5).vae  # log(4) / 2 and log(2) / 2 nats
    assert [active_count(best, np.diag([2.0, 1.0]), nats) for nats in (0.34, 0.35, 0.69, 0.70)] == [2, 1, 1, 0]


def test_no_latents():
    assert active_count(optimum(COVARIANCE, 0).vae, COVARIANCE) == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vae": None}, "vae must be a LinearVAE, got None: the noise ran to zero"),
        ({"threshold": True}, "threshold must be numeric"),
        ({"covariance": 1e308 * np.eye(2)}, "covariance must be zero or between"),
        ({"covariance": -np.eye(2)}, "covariance must have no negative eigenvalue"),
    ],
)
def test_what_cannot_be_counted_is_named(changes, message):
    arguments = {"vae": LinearVAE(np.eye(2), 5 * np.eye(2), np.eye(2), 1.0), "covariance": np.eye(2)} | changes
    with pytest.raises(ValueError, match=message):
        active_count(**arguments)


def test_dependent_latents_with_little_noise_are_one_direction():
    """Two latents carry the same signal: V S V^T has rank one, but its product is off by more than such a noise."""
    vae = LinearVAE(np.ones((3, 2)), np.full((2, 3), 0.3), 1e-20 * np.eye(2), 1.0)
    assert active_count(vae, np.diag([2.0, 0.7, 0.1])) == 1
