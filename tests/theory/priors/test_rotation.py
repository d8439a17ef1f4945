"""What a rotation costs under a prior: nothing for isotropic codes, and else only symmetries of the prior are free."""

from __future__ import annotations

import numpy as np
import pytest

from tests.cases import orthogonal
from tests.theory.priors.losses import BETA, COVARIANCE, NOISE, loss_with, priors
from theory.axes import plane_rotation, rotate
from theory.model import LinearVAE
from theory.priors import (
    ClusterPrior,
    GaussianPrior,
    SpikeSlabPrior,
    StudentPrior,
    factor_rotation_energy,
    prior_rotation_energy,
)


@priors
def test_at_a_given_code_the_energy_is_a_difference_of_losses(prior):
    """A code that is no multiple of I: here priors do break the invariance, those that are Gaussian too."""
    vae = LinearVAE(np.eye(3)[:, :2], np.diag([0.6, 0.3])[:, [0, 1, 1]] * [1, 1, 0], np.diag([0.2, 0.5]), NOISE)
    rotation = plane_rotation(2, 0.5)
    code = vae.encoder @ COVARIANCE @ vae.encoder.T + vae.posterior_covariance
    difference = loss_with(prior, rotate(vae, rotation)) - loss_with(prior, vae)
    energy = prior_rotation_energy(prior, code, rotation, BETA)
    assert energy == pytest.approx(difference, abs=1e-10)
    assert abs(energy) > 1e-3
    assert prior_rotation_energy(prior, 0.7 * np.eye(2), rotation, BETA) == pytest.approx(0, abs=1e-9) or isinstance(
        prior, GaussianPrior
    )


@pytest.mark.parametrize("prior", [SpikeSlabPrior(2), SpikeSlabPrior(2, 0.4, 0.3), ClusterPrior()], ids=str)
def test_factors_with_the_law_of_the_prior_are_locked(prior):
    """The energy is beta KL(R s || p), by Monte Carlo: positive but for the symmetries, a local minimum at 0."""
    draws, rng = 200_000, np.random.default_rng(3)
    factors = prior.sample(draws, rng)
    for angle in (0.05, 0.3, np.pi / 4):
        rotation = plane_rotation(2, angle)
        values = BETA * (prior.log_density(factors) - prior.log_density(factors @ rotation.T))
        exact = factor_rotation_energy(prior, prior, rotation, BETA)
        assert abs(values.mean() - exact) < 5 * values.std() / np.sqrt(draws)
        assert exact > 1e-3
        assert not prior.is_symmetry(rotation)
    for rotation in (prior.symmetries(rng), plane_rotation(2, np.pi / 2)):
        assert factor_rotation_energy(prior, prior, rotation, BETA) == pytest.approx(0, abs=1e-10)


def test_factors_and_prior_of_different_laws():
    draws, rng = 200_000, np.random.default_rng(4)
    prior, factors, rotation = StudentPrior(2.0, 3), SpikeSlabPrior(3), orthogonal(3, rng)
    samples = factors.sample(draws, rng)
    values = BETA * (prior.log_density(samples) - prior.log_density(samples @ rotation.T))
    exact = factor_rotation_energy(prior, factors, rotation, BETA)
    assert abs(values.mean() - exact) < 5 * values.std() / np.sqrt(draws)
    # A heavy-tailed prior keeps sparse factors apart; Gaussian ones of equal variance it does not see turn.
    assert exact > 1e-2
    assert factor_rotation_energy(prior, GaussianPrior.isotropic(3), rotation, BETA) == pytest.approx(0, abs=1e-9)
    # And a Gaussian prior is blind to rotations of factors of equal variance, whatever their distribution.
    energy = factor_rotation_energy(GaussianPrior.isotropic(3), factors, rotation, BETA)
    assert energy == pytest.approx(0, abs=1e-12)


class Half:
    """Not yet a prior."""

    latent_dim = 2

    def log_density(self, latents):
        return -np.sum(np.abs(latents), axis=-1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: prior_rotation_energy(ClusterPrior(), np.eye(3), np.eye(2), 1.0), "covariance must be 2 x 2"),
        (lambda: prior_rotation_energy(ClusterPrior(), np.eye(2), 2 * np.eye(2), 1.0), "rotation must be orthogonal"),
        (lambda: factor_rotation_energy(ClusterPrior(), ClusterPrior(), np.eye(2), 0.0), "beta must be > 0"),
        (lambda: factor_rotation_energy(ClusterPrior(), StudentPrior(2, 2), np.eye(2), 1.0), "got StudentPrior"),
        (
            lambda: prior_rotation_energy(Half(), np.eye(2), np.eye(2), 1.0),
            "got Half, which lacks expected_log_density",
        ),
        (lambda: factor_rotation_energy(ClusterPrior(), SpikeSlabPrior(3), np.eye(2), 1.0), "must have the 2 latents"),
    ],
)
def test_misuse_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
