"""Eigenvalues, a covariance or Moments: functions of the spectrum take each, and give the same numbers."""

from __future__ import annotations

import numpy as np
import pytest

import numerics
from theory import Moments, beta_for_distortion, beta_for_rate, operating_point, optimum, optimum_curve, rate_distortion
from theory.learning import (
    capacity_penalty,
    critical_betas,
    learned_noise_variance,
    profile_loss,
    vae_rate_distortion,
    water_level_for_distortion,
    water_level_for_rate,
)

EIGENVALUES = np.array([4.0, 2.0, 0.5])
ROTATION = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0]
COVARIANCE = (ROTATION * EIGENVALUES) @ ROTATION.T
COVARIANCE = (COVARIANCE + COVARIANCE.T) / 2
SOURCES = {"covariance": COVARIANCE, "moments": Moments(10, np.arange(3.0), COVARIANCE), "list": COVARIANCE.tolist()}
FUNCTIONS = {
    "rate_distortion": lambda source: rate_distortion(source, 0.7),
    "vae_rate_distortion": lambda source: vae_rate_distortion(source, 2, 0.7),
    "water_level_for_rate": lambda source: {"level": water_level_for_rate(source, 1.0)},
    "water_level_for_distortion": lambda source: {"level": water_level_for_distortion(source, 2.0)},
    "capacity_penalty": lambda source: capacity_penalty(source, 1, 0.3),
    "critical_betas": lambda source: {"betas": critical_betas(source, 3)},
    "learned_noise_variance": lambda source: {"noise": learned_noise_variance(source, 1, 0.9).noise_variance},
    "profile_loss": lambda source: {"loss": profile_loss(source, 1, 0.9, 0.4)},
    "operating_point": lambda source: {"rate": operating_point(source, 2, 0.9).rate},
    "beta_for_rate": lambda source: {"beta": beta_for_rate(source, 2, 0.9).beta},
    "beta_for_distortion": lambda source: {"beta": beta_for_distortion(source, 2, 2.9).beta},
    "optimum": lambda source: {"loss": optimum(source, 2).loss, "betas": optimum(source, 2).critical_betas},
    "optimum_curve": lambda source: {"loss": optimum_curve(source, 2, [0.5, 2.0]).loss},
    "train": lambda source: {"loss": numerics.train(source, 2, beta=1.5, rng=0).loss},
    "sweep": lambda source: {"losses": numerics.sweep(source, 2, betas=[0.5, 2.0], progress=False).losses},
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("kind", SOURCES)
def test_every_source_gives_the_same_numbers(name, kind):
    found, expected = (FUNCTIONS[name](source) for source in (SOURCES[kind], EIGENVALUES))
    found, expected = (values if isinstance(values, dict) else vars(values) for values in (found, expected))
    for key, value in expected.items():
        np.testing.assert_allclose(found[key], value, rtol=1e-10, err_msg=key)


def test_what_is_none_of_them_is_refused():
    for source in ([[1.0], [1.0, 2.0]], [[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0, 3.0]], -np.eye(2), [-1.0, 2.0], 3.0):
        with pytest.raises(ValueError, match="eigenvalue"):
            rate_distortion(source, 0.5)
        with pytest.raises(ValueError, match="covariance"):
            optimum(source, 1)
