"""The optimum for Gaussian data and any prior: the nearest Gaussian, and axes that no prior fixes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq, minimize
from scipy.stats import t as student

from tests.cases import orthogonal
from tests.theory.priors.losses import BETA, COVARIANCE, NOISE, Tilted, loss_with, priors
from theory.axes import plane_rotation, rotate
from theory.learning import optimum
from theory.model import LinearVAE
from theory.objective import elbo_terms
from theory.priors import (
    ClusterPrior,
    GaussianPrior,
    SpikeSlabPrior,
    StudentPrior,
    factor_rotation_energy,
    kernel_mean,
    nearest_gaussian,
    prior_optimum,
    prior_rotation_energy,
)


def search(prior, seed):
    """The least loss over decoder, encoder and a full posterior covariance, from a random start."""

    def unpack(parameters):
        factor = np.array([[np.exp(parameters[12]), 0], [parameters[13], np.exp(parameters[14])]])
        return LinearVAE(parameters[:6].reshape(3, 2), parameters[6:12].reshape(2, 3), factor @ factor.T, NOISE)

    start = 0.6 * np.random.default_rng(seed).standard_normal(15)
    found = minimize(lambda x: loss_with(prior, unpack(x)), start, method="BFGS", options={"gtol": 1e-6})
    return found.fun, unpack(found.x)


@priors
def test_the_optimum_for_every_prior(prior):
    """Loss, aggregate and reconstruction of searches from two starts; the last is the same for every prior."""
    best = prior_optimum(COVARIANCE, prior, beta=BETA, noise_variance=NOISE)
    plain = optimum(COVARIANCE, 2, beta=BETA, noise_variance=NOISE)
    assert best.loss == pytest.approx(loss_with(prior, best.vae), rel=1e-10)
    assert best.loss == pytest.approx(plain.loss + BETA * best.mismatch, rel=1e-10)
    assert best.distortion == pytest.approx(plain.distortion, rel=1e-10)
    assert best.mutual_information == pytest.approx(plain.rate, rel=1e-10)
    assert best.rate == best.mutual_information + best.mismatch
    for seed in (0, 1):
        loss, vae = search(prior, seed)
        terms = elbo_terms(vae, COVARIANCE)
        code = vae.encoder @ COVARIANCE @ vae.encoder.T + vae.posterior_covariance
        assert loss == pytest.approx(best.loss, abs=1e-8)  # differences
        np.testing.assert_allclose(code, best.aggregate, atol=2e-3)  # a minimum is flat
        assert terms.distortion == pytest.approx(best.distortion, abs=2e-3)
        assert terms.mutual_information == pytest.approx(best.mutual_information, abs=2e-3)


@priors
def test_no_prior_locks_the_axes_of_gaussian_data(prior):
    """All rotations of one family are optimal: along it the loss does not move, off it the loss rises."""
    best = prior_optimum(COVARIANCE, prior, beta=BETA, noise_variance=NOISE)
    root = np.linalg.cholesky(best.aggregate)
    rng = np.random.default_rng(1)
    for turn in (orthogonal(2, rng), plane_rotation(2, 0.4)):
        change = root @ turn @ np.linalg.inv(root)
        vae = best.vae
        moved = LinearVAE(
            vae.decoder @ np.linalg.inv(change),
            change @ vae.encoder,
            change @ vae.posterior_covariance @ change.T,
            NOISE,
        )
        assert loss_with(prior, moved) == pytest.approx(best.loss, rel=1e-10)
        energy = prior_rotation_energy(prior, best.aggregate, turn, BETA)
        isotropic = not isinstance(prior, GaussianPrior)
        assert (abs(energy) < 1e-9) == isotropic
        assert loss_with(prior, rotate(vae, turn)) - best.loss == pytest.approx(energy, abs=1e-9)


@pytest.mark.parametrize("nu", [0.1, 1.0, 2.0, 9.0, 1000.0])
def test_the_gaussian_nearest_to_a_student_prior(nu):
    """The stationarity (nu + 1) E[b e^2 / (nu + b e^2)] = 1 is one for the kernel mean at c = nu / b."""
    covariance, divergence = nearest_gaussian(StudentPrior(nu, 3))
    log_scale = brentq(lambda value: kernel_mean(1.0, np.exp(value)) - nu / (nu + 1), -30, 30, xtol=1e-14)
    np.testing.assert_allclose(covariance, nu / np.exp(log_scale) * np.eye(3), rtol=1e-9)
    samples = np.sqrt(covariance[0, 0]) * np.random.default_rng(0).standard_normal(400_000)
    ratios = -((samples**2) / covariance[0, 0] + np.log(2 * np.pi * covariance[0, 0])) / 2 - student(nu).logpdf(samples)
    assert abs(3 * ratios.mean() - divergence) < 5 * 3 * ratios.std() / np.sqrt(len(samples)) + 1e-12


@pytest.mark.parametrize(
    "prior", [SpikeSlabPrior(2), SpikeSlabPrior(2, 0.2, 0.3), ClusterPrior(), ClusterPrior(3, 0.1)]
)
def test_the_nearest_gaussian_against_a_search_over_all_covariances(prior):
    found, divergence = nearest_gaussian(prior)

    def objective(parameters):
        factor = np.array([[np.exp(parameters[0]), 0], [parameters[1], np.exp(parameters[2])]])
        entropy = np.log(2 * np.pi * np.e) + parameters[0] + parameters[2]
        return -entropy - prior.expected_log_density(np.zeros(2), factor @ factor.T)

    searches = [
        minimize(objective, [scale, 0.1 * np.exp(scale), scale + 0.3], method="Nelder-Mead", options={"xatol": 1e-9})
        for scale in (-3.0, 0.0)
    ]
    best = min(searches, key=lambda one: one.fun)
    assert divergence == pytest.approx(best.fun, abs=1e-7)
    factor = np.array([[np.exp(best.x[0]), 0], [best.x[1], np.exp(best.x[2])]])
    np.testing.assert_allclose(factor @ factor.T, found, rtol=1e-3, atol=1e-5)


def test_a_spike_and_slab_prior_has_two_wells():
    """The deeper one is as wide as the spike; a search from afar ends in the other, and the axes are free there too."""
    prior = SpikeSlabPrior(2)
    best = prior_optimum(COVARIANCE, prior, beta=BETA, noise_variance=NOISE)
    assert best.aggregate[0, 0] == pytest.approx(0.0028170, abs=1e-6)
    loss, vae = search(prior, 0)
    assert loss > best.loss + 2
    code = vae.encoder @ COVARIANCE @ vae.encoder.T + vae.posterior_covariance
    np.testing.assert_allclose(code, 0.4724 * np.eye(2), atol=1e-3)


def test_a_prior_of_another_class():
    """The nearest Gaussian of a sheared distribution is the sheared nearest Gaussian, with the same divergence."""
    prior, back = Tilted(), np.linalg.inv(Tilted.shear)
    expected, divergence = nearest_gaussian(ClusterPrior())
    best = prior_optimum(COVARIANCE, prior, beta=BETA, noise_variance=NOISE)
    np.testing.assert_allclose(best.aggregate, back @ expected @ back.T, atol=1e-6)  # by a search
    assert best.mismatch == pytest.approx(divergence, abs=1e-9)
    assert best.loss == pytest.approx(loss_with(prior, best.vae), rel=1e-9)
    rotation = plane_rotation(2, 0.4)
    draws = ClusterPrior().sample(200_000, 0)
    values = prior.log_density(draws) - prior.log_density(draws @ rotation.T)
    energy = factor_rotation_energy(prior, ClusterPrior(), rotation, 1.0)
    assert abs(values.mean() - energy) < 5 * values.std() / np.sqrt(len(draws))


@pytest.mark.parametrize(("nu", "variance"), [(1e-60, np.pi / 2e-60), (1e-9, np.pi / 2e-9), (1e15, 1.0)])
def test_the_gaussian_nearest_to_an_extreme_student_prior(nu, variance):
    """Tails alone: sqrt(pi nu / (2 b)) = nu. No tails: N(0, 1) itself, at no distance, which rounding must not pass."""
    covariance, divergence = nearest_gaussian(StudentPrior(nu, 2))
    np.testing.assert_allclose(covariance, variance * np.eye(2), rtol=1e-4 if nu == 1e-9 else 1e-12)  # O(sqrt nu)
    assert divergence >= 0 and (divergence < 1e-12) == (nu > 1)


class Rough(Tilted):
    """A prior whose expected log density has ripples of 1e-6 nats, as a quadrature with too few nodes has."""

    def expected_log_density(self, mean, covariance):
        return super().expected_log_density(mean, covariance) + 1e-6 * np.sin(1e9 * covariance.sum())


def test_a_search_that_finds_no_minimum_is_refused():
    with pytest.raises(ValueError, match=r"prior must have an expected log density that is smooth .* ended at a grad"):
        nearest_gaussian(Rough())


def test_collapsed_and_missing_latents():
    best = prior_optimum(np.diag([0.2, 0.1]), StudentPrior(3.0, 2), beta=1.0, noise_variance=1.0)
    assert best.mutual_information == 0
    assert best.rate == best.mismatch
    np.testing.assert_array_equal(best.vae.decoder, 0)
    assert nearest_gaussian(StudentPrior(3.0, 0))[1] == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: nearest_gaussian(None),
            "prior must be a prior, got NoneType, which lacks latent_dim, log_density, exp",
        ),
        (lambda: nearest_gaussian(ClusterPrior), "prior must be a prior, got the class ClusterPrior"),
        (lambda: prior_optimum(np.eye(2), ClusterPrior(), beta=0.0, noise_variance=1.0), "beta must be > 0"),
    ],
)
def test_misuse_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
