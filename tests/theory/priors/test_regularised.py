"""The penalty on the aggregate code: powerless at the optimum of a learned decoder, not with a decoder that is held."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from tests.cases import orthogonal
from theory.inference import optimal_encoder
from theory.learning import optimum
from theory.model import LinearVAE
from theory.objective import elbo_terms
from theory.priors import aggregate_divergence, regularised_encoder, regularised_terms
from theory.priors.aggregate import DIVERGENCES

BETA, NOISE = 1.4, 0.5
BASIS = orthogonal(3, np.random.default_rng(0))
COVARIANCE = (BASIS * [4.0, 1.6, 0.3]) @ BASIS.T
COVARIANCE = (COVARIANCE + COVARIANCE.T) / 2
DECODER = np.array([[1.3, 0.4], [-0.2, 1.1], [0.6, 0.5]])
divergences = pytest.mark.parametrize("divergence", DIVERGENCES)


def unpack(parameters, posterior):
    """Encoder and covariance from a vector: log-Cholesky for full, exponentials for diagonal."""
    factor = np.diag(np.exp(parameters[6:8]))
    if posterior == "full":
        factor[1, 0] = parameters[8]
    return parameters[:6].reshape(2, 3), factor @ factor.T


def search(alpha, divergence, posterior="diagonal", decoder=None, prior=None, seed=0):
    """Least loss found by numerical differences alone, over all parameters or with the decoder held."""

    def loss(parameters):
        encoder, covariance = unpack(parameters, posterior)
        held = parameters[9:].reshape(3, 2) if decoder is None else decoder
        vae = LinearVAE(held, encoder, covariance, NOISE)
        terms = regularised_terms(vae, COVARIANCE, divergence=divergence, prior=prior)
        return terms.elbo.loss(BETA) + alpha * terms.divergence

    start = 0.5 * np.random.default_rng(seed).standard_normal(15 if decoder is None else 9)
    found = minimize(loss, start, method="BFGS", options={"gtol": 1e-6})
    return found.fun, unpack(found.x, posterior)


@divergences
def test_parts(divergence):
    vae = LinearVAE(DECODER, 0.4 * DECODER.T, [[0.5, 0.1], [0.1, 0.8]], NOISE)
    prior = np.array([[1.2, 0.3], [0.3, 0.7]])
    terms = regularised_terms(vae, COVARIANCE, divergence=divergence, prior=prior, scale=0.6)
    code = vae.encoder @ COVARIANCE @ vae.encoder.T + vae.posterior_covariance
    expected = aggregate_divergence(code, prior, divergence=divergence, scale=0.6)
    assert terms.divergence == pytest.approx(expected, rel=1e-12)
    assert terms.elbo == elbo_terms(vae, COVARIANCE, prior=prior)
    assert terms.loss(BETA, 0.7) == pytest.approx(terms.elbo.loss(BETA) + 0.7 * expected, rel=1e-12)


def test_the_exclusive_penalty_is_the_second_part_of_the_rate():
    """beta rate + alpha KL(q(z) || p) = beta I + (beta + alpha) KL: overlap and fit weighted apart."""
    vae = LinearVAE(DECODER, 0.4 * DECODER.T, np.diag([0.5, 0.8]), NOISE)
    terms = regularised_terms(vae, COVARIANCE, divergence="exclusive")
    split = terms.elbo.reconstruction + BETA * terms.elbo.mutual_information + (BETA + 2.0) * terms.elbo.aggregate_kl
    assert terms.loss(BETA, 2.0) == pytest.approx(split, rel=1e-12)


@divergences
@pytest.mark.parametrize("posterior", ["diagonal", "full"])
def test_alpha_changes_nothing_with_a_learned_decoder(divergence, posterior):
    best = optimum(COVARIANCE, 2, beta=BETA, noise_variance=NOISE)
    assert regularised_terms(best.vae, COVARIANCE, divergence=divergence).divergence == pytest.approx(0, abs=1e-13)
    for alpha, seed in ((0.5, 0), (6.0, 1)):
        found = min(search(alpha, divergence, posterior, seed=seed + start)[0] for start in (0, 10))
        assert found == pytest.approx(best.loss, abs=1e-7)  # differences


def test_a_negative_alpha_does_change_the_optimum():
    best = optimum(COVARIANCE, 2, beta=BETA, noise_variance=NOISE)
    # The discrepancy is bounded, so that a negative weight leaves the loss bounded.
    assert search(-60.0, "mmd")[0] < best.loss - 1


def test_alpha_changes_nothing_with_any_gaussian_prior_and_a_full_posterior():
    prior = np.array([[2.0, 0.5], [0.5, 0.4]])
    best = optimum(COVARIANCE, 2, beta=BETA, noise_variance=NOISE)
    assert search(2.0, "inclusive", "full", prior=prior)[0] == pytest.approx(best.loss, abs=1e-7)
    # A correlated prior and a diagonal posterior: q(z) = p is out of reach without loss, and alpha matters.
    without, weighted = (search(alpha, "inclusive", prior=prior)[0] for alpha in (0.0, 2.0))
    assert without > best.loss + 1e-3
    assert weighted > without + 1e-4


@divergences
@pytest.mark.parametrize("posterior", ["diagonal", "full"])
def test_a_fixed_decoder_searched_by_another_way(divergence, posterior):
    found = regularised_encoder(DECODER, COVARIANCE, NOISE, BETA, 2.5, divergence=divergence, posterior=posterior)
    assert found.gradient_norm < 1e-6
    assert found.vae.belongs_to(posterior)
    # (The first start is at random, so that both searches end in one place only if the minimum is one.)
    loss, (_, covariance) = search(2.5, divergence, posterior, decoder=DECODER, seed=3)
    assert found.loss == pytest.approx(loss, abs=1e-8)  # differences
    np.testing.assert_allclose(found.vae.posterior_covariance, covariance, atol=1e-3)


@divergences
def test_alpha_matters_with_a_fixed_decoder(divergence):
    """The divergence falls as its weight rises, the rest of the loss rises; at weight zero: the best encoder."""
    alphas = (0.0, 0.3, 3.0, 30.0)
    runs = [regularised_encoder(DECODER, COVARIANCE, NOISE, BETA, alpha, divergence=divergence) for alpha in alphas]
    first = optimal_encoder(DECODER, NOISE, BETA)
    np.testing.assert_allclose(runs[0].vae.encoder, first.encoder, atol=1e-7)  # where the search stops
    np.testing.assert_allclose(runs[0].vae.posterior_covariance, first.posterior_covariance, atol=1e-7)
    penalties = np.array([run.terms.divergence for run in runs])
    losses = np.array([run.terms.elbo.loss(BETA) for run in runs])
    assert np.all(np.diff(penalties) < 0) and np.all(np.diff(losses) > 0)
    assert penalties[0] > 1e-3


def test_data_without_full_rank_and_no_latents():
    flat = np.diag([2.0, 1.0, 0.0])
    run = regularised_encoder(DECODER, flat, NOISE, BETA, 1.0)
    assert run.gradient_norm < 1e-6
    np.testing.assert_allclose(run.vae.encoder[:, 2], 0, atol=1e-12)
    assert regularised_encoder(np.zeros((3, 0)), flat, NOISE, BETA, 1.0).terms.divergence == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: regularised_encoder(DECODER, COVARIANCE, NOISE, BETA, -1.0), "alpha must be >= 0"),
        (lambda: regularised_encoder(DECODER, COVARIANCE, 0.0, BETA, 1.0), "noise_variance must be > 0"),
        (lambda: regularised_encoder(DECODER, np.eye(2), NOISE, BETA, 1.0), "covariance must be 3 x 3"),
        (lambda: regularised_encoder(DECODER, COVARIANCE, NOISE, BETA, 1.0, divergence="js"), "divergence must be one"),
        (lambda: regularised_terms(optimal_encoder(DECODER, 1, 1), COVARIANCE).loss(1.0, -1.0), "alpha must be >= 0"),
    ],
)
def test_misuse_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_one_rule_says_what_is_singular():
    """The parts of a code may be resolved where its covariance is singular up to rounding."""
    posterior = np.array([[1.0, 1 - 1e-14], [1 - 1e-14, 1.0]])
    vae = LinearVAE(np.eye(2), np.array([[1.0, 0.0], [1.0, 0.0]]), posterior, 0.1)
    found = regularised_terms(vae, np.eye(2), divergence="exclusive")
    assert found.divergence == found.elbo.aggregate_kl < 100
    # Of C = Q + 1 1^T the eigenvalues are 1 - q and 3 + q. Rounding of Q, 1e-16, is one percent of the former.
    gap = 1 - posterior[0, 1]
    expected = (1 / gap + 1 / (4 - gap) - 2 + np.log(gap * (4 - gap))) / 2
    assert regularised_terms(vae, np.eye(2)).divergence == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("noise", [1e-3, 1e-9, 1e-14, 1e-20, 1e-30])
@pytest.mark.parametrize("unit", [1.0, 1e6])
def test_copies_of_one_signal_with_little_noise(noise, unit):
    """C = Q + 1 1^T, Q = q I, is singular to rounding; tr(C^-1) = 1/q + 1/(2 + q) and det C = q (2 + q) are not."""
    vae = LinearVAE(np.eye(2), unit * np.array([[1.0, 0.0], [1.0, 0.0]]), noise * unit**2 * np.eye(2), 0.1)
    spread = (1 / noise + 1 / (2 + noise)) / unit**2
    determinant = np.log(noise) + np.log(2 + noise) + 4 * np.log(unit)
    found = regularised_terms(vae, np.eye(2)).divergence
    assert found == pytest.approx((spread - 2 + determinant) / 2, rel=1e-12)
