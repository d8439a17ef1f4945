"""A path of models along alpha, and the bounds of its losses."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from numerics.priors.alpha_path import alpha_path, outside_envelope, sampled_divergence_deviation
from theory import LinearVAE, optimum
from theory.priors import GaussianPrior, SpikeSlabPrior, aggregate_divergence

LOADING = np.array([[1.2, 0.3], [0.0, 0.8], [0.5, -0.72]])
NOISE, SPARSE = 0.05, SpikeSlabPrior(2, 0.8, 0.25)


@pytest.mark.parametrize("scale", [0.5, 1e-3])
def test_draws_of_the_prior_give_the_divergence_of_a_run(scale):
    """Also where the density of the code underflows: at 1e-3 of the size of the prior log q is down to -1e7."""
    vae = optimum(LOADING @ LOADING.T + NOISE * np.eye(3), 2, beta=1.0, noise_variance=NOISE).vae
    small = LinearVAE(vae.decoder, scale * vae.encoder, scale**2 * vae.posterior_covariance, NOISE)
    factors = GaussianPrior.isotropic(2)
    code = small.encoder @ (LOADING @ LOADING.T + NOISE * np.eye(3)) @ small.encoder.T + small.posterior_covariance
    exact, draws = aggregate_divergence((code + code.T) / 2), 50_000
    for divergence, is_right in ((exact, True), (1.1 * exact + 0.1, False)):
        one = SimpleNamespace(vae=small, divergence=divergence)  # the parts of a run that are read
        deviation = sampled_divergence_deviation(one, factors, LOADING, NOISE, factors, draws, np.random.default_rng(1))
        assert (deviation < 5) == is_right


def test_alpha_outside_its_bounds_is_noticed():
    seeds = np.random.SeedSequence(0).spawn(3)
    run = alpha_path(SPARSE, LOADING, NOISE, SPARSE, beta=1.0, alphas=(0.0,), seeds=seeds)[0]
    later_run = dataclasses.replace(run, loss=run.loss + 3 * run.divergence)
    assert outside_envelope([run, later_run], (0.0, 2.0)) == [pytest.approx(run.divergence)]
    lower = dataclasses.replace(run, loss=run.loss + 2 * run.divergence)
    assert outside_envelope([run, lower], (0.0, 2.0)) == [pytest.approx(0, abs=1e-12)]
