"""The recipes of docs/extending.md, followed: a Laplace prior of one class, through everything that takes a prior."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.special import erf

from numerics import train_with_prior
from theory import elbo_terms, optimum
from theory.axes import plane_rotation
from theory.priors import GaussianPrior, Prior, annealed_terms, nearest_gaussian, prior_optimum, prior_rotation_energy


@dataclass(frozen=True)
class LaplacePrior:
    """Product of identical Laplace densities exp(-|z| / scale) / (2 scale)."""

    latent_dim: int = 2
    scale: float = 0.7

    def log_density(self, latents):
        return -np.sum(np.abs(latents) / self.scale + np.log(2 * self.scale), axis=-1)

    def expected_log_density(self, mean, covariance):
        # E |z| = sqrt(2 v / pi) exp(-m^2 / (2 v)) + m erf(m / sqrt(2 v)) for z ~ N(m, v)
        variance = np.diagonal(covariance)
        size = np.sqrt(2 * variance / np.pi) * np.exp(-(mean**2) / (2 * variance))
        size = size + mean * erf(mean / np.sqrt(2 * variance))
        return float(-np.sum(size / self.scale + np.log(2 * self.scale)))

    def log_normaliser(self, beta):
        return self.latent_dim * ((1 - beta) * np.log(2 * self.scale) - np.log(beta))

    def nodes(self, count):
        places, masses = np.polynomial.laguerre.laggauss(count // 2)
        places, masses = self.scale * np.append(-places, places), np.append(masses, masses) / 2
        points = np.stack(np.meshgrid(places, places), axis=-1).reshape(-1, 2)
        return points, np.outer(masses, masses).ravel(), -2 * (1 + np.log(2 * self.scale))


LAPLACE, BETA, NOISE = LaplacePrior(), 1.3, 0.2
LOADING = np.array([[1.5, 0.2], [0.3, 0.9], [-0.4, 0.5]])
FACTORS = GaussianPrior.isotropic(2)
COVARIANCE = LOADING @ LOADING.T + 0.1 * np.eye(3)


def test_it_is_a_prior():
    assert isinstance(LAPLACE, Prior)


def test_its_nearest_gaussian_is_that_of_its_stationary_equation():
    """KL(N(0, b) || p) = -log b / 2 + sqrt(2 b / pi) / scale + const is least at sqrt(b) = scale sqrt(pi / 2)."""
    covariance, _ = nearest_gaussian(LAPLACE)
    np.testing.assert_allclose(covariance, LAPLACE.scale**2 * np.pi / 2 * np.eye(2), rtol=0, atol=1e-6)


def test_training_ends_at_the_optimum_of_theory():
    best = prior_optimum(COVARIANCE, LAPLACE, beta=BETA, noise_variance=NOISE)
    run = train_with_prior(FACTORS, LOADING, 0.1, LAPLACE, beta=BETA, noise_variance=NOISE)
    assert run.loss == pytest.approx(best.loss, abs=1e-8)
    assert run.distortion == pytest.approx(best.distortion, abs=1e-4)


def test_a_rotation_costs_what_draws_say():
    rotation, code = plane_rotation(2, 0.6), np.array([[0.9, 0.1], [0.1, 0.3]])
    energy = prior_rotation_energy(LAPLACE, code, rotation, BETA)
    codes = np.random.default_rng(0).standard_normal((400_000, 2)) @ np.linalg.cholesky(code).T
    draws = BETA * (LAPLACE.log_density(codes) - LAPLACE.log_density(codes @ rotation.T))
    assert abs(energy - draws.mean()) < 5 * draws.std() / np.sqrt(len(draws))


def test_annealing_keeps_the_loss():
    vae = optimum(COVARIANCE, 2, beta=BETA, noise_variance=NOISE).vae
    terms = annealed_terms(vae, COVARIANCE, BETA, prior=LAPLACE)
    code = vae.encoder @ COVARIANCE @ vae.encoder.T + vae.posterior_covariance
    rate = -terms.entropy - LAPLACE.expected_log_density(np.zeros(2), code)
    loss = elbo_terms(vae, COVARIANCE).reconstruction + BETA * rate
    assert terms.loss == pytest.approx(loss, abs=1e-12)
    values = np.linspace(-60, 60, 2_400_001)
    integral = np.trapezoid(np.exp(-BETA * (np.abs(values) / LAPLACE.scale + np.log(2 * LAPLACE.scale))), values)
    assert terms.log_normaliser == pytest.approx(2 * np.log(integral), abs=1e-8)
