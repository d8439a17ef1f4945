"""Both sides of the annealing identity and of its Gaussian corollary, against sampled codes and quadrature."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import multivariate_normal
from scipy.stats import t as student

from tests.cases import orthogonal
from theory.axes import plane_rotation, rotate, rotation_energy
from theory.model import LinearVAE
from theory.objective import elbo_terms
from theory.priors import annealed_terms, gaussian_log_normaliser, rescale, rescaled_terms, student_log_normaliser

BETAS = (0.3, 1.0, 1.9, 7.0)


def any_vae(latent_dim=3, seed=0):
    """A VAE that is optimal in no way, a data covariance, and a correlated prior."""
    rng = np.random.default_rng(seed)
    roots = [rng.standard_normal((latent_dim, latent_dim)) for _ in range(2)]
    mixing = rng.standard_normal((4, 4))
    posterior, prior = (root @ root.T + 0.1 * np.eye(latent_dim) for root in roots)
    vae = LinearVAE(
        rng.standard_normal((4, latent_dim)), 0.5 * rng.standard_normal((latent_dim, 4)), posterior, noise_variance=0.7
    )
    return vae, mixing @ mixing.T, prior


@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("latent_dim", [1, 3])
def test_theorem_1_and_its_corollary(beta, latent_dim):
    vae, covariance, prior = any_vae(latent_dim)
    loss = elbo_terms(vae, covariance, prior=prior).loss(beta)
    annealed, rescaled = (one(vae, covariance, beta, prior=prior) for one in (annealed_terms, rescaled_terms))
    assert annealed.loss == pytest.approx(loss, rel=1e-12)
    assert rescaled.loss == pytest.approx(loss, rel=1e-12)
    if beta == 1:
        assert annealed.log_normaliser == pytest.approx(0, abs=1e-12)
        assert rescaled.constant == pytest.approx(0, abs=1e-12)
        return
    # Negative controls: without the entropy, or with the volume of the posterior before scaling, the sides differ.
    assert abs(replace(annealed, entropy=0.0).loss - loss) > 1e-3
    unscaled = rescaled.volume - latent_dim * np.log(beta)
    assert abs(replace(rescaled, volume=unscaled).loss - loss) > 1e-3


def test_each_part_of_the_identity_by_monte_carlo():
    """KL to the annealed density and entropy, from its own definition and sampled codes."""
    vae, covariance, prior = any_vae(2, seed=3)
    beta, draws = 1.9, 400_000
    rng = np.random.default_rng(4)
    means = rng.multivariate_normal(np.zeros(4), covariance, draws) @ vae.encoder.T
    noise = rng.multivariate_normal(np.zeros(2), vae.posterior_covariance, draws)
    log_q = multivariate_normal(np.zeros(2), vae.posterior_covariance).logpdf(noise)
    log_p = multivariate_normal(np.zeros(2), prior).logpdf(means + noise)
    terms = annealed_terms(vae, covariance, beta, prior=prior)
    for found, exact in (
        (log_q - (beta * log_p - terms.log_normaliser), terms.annealed_kl),
        (-log_q, terms.entropy),
    ):
        assert abs(found.mean() - exact) < 5 * found.std() / np.sqrt(draws)


@pytest.mark.parametrize("beta", BETAS)
def test_gaussian_normaliser_by_quadrature(beta):
    prior = np.diag([0.4, 2.5])
    exact = 0.0
    for variance in (0.4, 2.5):
        density = multivariate_normal(0, variance).pdf
        exact += np.log(quad(lambda z, p=density: p(z) ** beta, -np.inf, np.inf, epsabs=1e-13, epsrel=1e-12)[0])
    basis = orthogonal(2, np.random.default_rng(0))
    assert gaussian_log_normaliser(basis @ prior @ basis.T, beta) == pytest.approx(exact, abs=1e-9)  # quadrature


@pytest.mark.parametrize(("nu", "beta"), [(2.0, 0.6), (2.0, 3.0), (9.0, 0.3), (0.5, 2.0), (4.0, 1.0)])
def test_student_normaliser_by_quadrature(nu, beta):
    exact = 2 * np.log(2 * quad(lambda z: student(nu).pdf(z) ** beta, 0, np.inf, epsabs=1e-12, limit=400)[0])
    assert student_log_normaliser(nu, beta, latent_dim=2) == pytest.approx(exact, abs=1e-7)  # quadrature of tails


def test_a_student_prior_can_be_annealed_only_above_its_threshold():
    nu = 3.0
    threshold = 1 / (nu + 1)
    assert student_log_normaliser(nu, threshold) == np.inf
    assert student_log_normaliser(nu, threshold / 2) == np.inf
    # It diverges like log 1/(beta - threshold): the integral over the tails is (scale) / (beta (nu + 1) - 1).
    gaps = np.array([1e-6, 1e-8])
    values = [student_log_normaliser(nu, threshold + gap) for gap in gaps]
    assert values[1] - values[0] == pytest.approx(np.log(100), abs=1e-4)
    assert student_log_normaliser(nu, 1.0, latent_dim=5) == pytest.approx(0, abs=1e-12)
    assert student_log_normaliser(nu, 0.1, latent_dim=0) == 0


@pytest.mark.parametrize("beta", [0.3, 1.0, 7.0])
def test_the_student_normaliser_of_many_degrees_is_that_of_a_gaussian(beta):
    for nu in (1e12, 1e15, 1e60):
        found = student_log_normaliser(nu, beta, latent_dim=2)
        assert found == pytest.approx(gaussian_log_normaliser(np.eye(2), beta), abs=1e-11)


def test_rescaling_keeps_the_reconstruction():
    vae, covariance, _ = any_vae()
    before, after = elbo_terms(vae, covariance), elbo_terms(rescale(vae, 2.5), covariance)
    assert after.distortion == pytest.approx(before.distortion, rel=1e-12)
    assert after.mutual_information == pytest.approx(before.mutual_information, rel=1e-12)
    assert after.rate != pytest.approx(before.rate, rel=1e-3)


@pytest.mark.parametrize("variance", [0.3, 1.0, 4.0])
def test_theorem_2_flat_for_full_and_a_gap_for_diagonal_posteriors(variance):
    """Prior N(0, sigma I): a rotated full posterior costs nothing; the best diagonal one costs the Hadamard gap."""
    vae, covariance, _ = any_vae()
    rng = np.random.default_rng(5)
    prior, beta, t = variance * np.eye(3), 1.7, 1.7 * vae.noise_variance
    rotation = orthogonal(3, rng)
    loss = elbo_terms(vae, covariance, prior=prior).loss(beta)
    assert elbo_terms(rotate(vae, rotation), covariance, prior=prior).loss(beta) == pytest.approx(loss, rel=1e-12)
    assert rotation_energy(vae.decoder, 0.7, beta, rotation, posterior="full", prior_variance=variance) == 0

    def best(decoder, family):
        precision = np.eye(3) / variance + decoder.T @ decoder / t
        posterior = np.linalg.inv(precision) if family == "full" else np.diag(1 / np.diagonal(precision))
        held = LinearVAE(decoder, np.linalg.solve(precision, decoder.T) / t, (posterior + posterior.T) / 2, 0.7)
        return elbo_terms(held, covariance, prior=prior).loss(beta)

    rotated = vae.decoder @ rotation.T
    excess = best(rotated, "diagonal") - best(rotated, "full")
    energy = rotation_energy(vae.decoder, 0.7, beta, rotation, prior_variance=variance)
    assert energy == pytest.approx(excess, abs=1e-11)
    if variance != 1:
        assert rotation_energy(vae.decoder, 0.7, beta, rotation) != pytest.approx(excess, rel=1e-3)


def test_theorem_2_fails_for_an_anisotropic_prior():
    vae, covariance, _ = any_vae(2)
    prior = np.diag([2.0, 0.5])
    losses = [
        elbo_terms(rotate(vae, plane_rotation(2, angle)), covariance, prior=prior).loss(1.5) for angle in (0, 0.5)
    ]
    assert abs(losses[1] - losses[0]) > 1e-2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda vae: annealed_terms(vae, np.eye(4), 0.0), "beta must be > 0"),
        (lambda vae: rescaled_terms(vae, np.eye(4), 1.0, prior=np.eye(2)), "prior must be 3 x 3"),
        (lambda vae: rescale(vae, -1.0), "beta must be > 0"),
        (lambda vae: rescale(None, 1.0), "vae must be a LinearVAE, got None"),
        (lambda vae: annealed_terms(vae, np.eye(4), 1e-320), "beta must be between 1e-100 and 1e100"),
        (lambda vae: gaussian_log_normaliser(np.zeros((2, 2)), 1.0), "prior must be positive definite"),
        (lambda vae: student_log_normaliser(0.0, 1.0), "degrees_of_freedom must be > 0"),
        (lambda vae: rotation_energy(np.eye(2), 1.0, 1.0, np.eye(2), prior_variance=0.0), "prior_variance must be > 0"),
    ],
)
def test_misuse_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(any_vae()[0])
