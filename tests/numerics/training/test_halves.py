"""The best decoder and the best encoder: the gradient of each vanishes, and digits are kept."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from numerics.training import alternation as em
from numerics.training import halves
from tests.cases import DISTINCT, ONE_DOMINANT, RANK_DEFICIENT
from tests.numerics.training.helpers import BETA, FAMILIES, alternation_problem, gradient
from theory import elbo_terms, optimal_encoder
from theory.groups import Weights


@pytest.mark.parametrize("posterior", FAMILIES.values(), ids=FAMILIES)
@pytest.mark.parametrize("case", [DISTINCT, RANK_DEFICIENT, ONE_DOMINANT], ids=str)
def test_the_gradient_vanishes_in_the_half_that_was_chosen(case, posterior):
    problem, setting = alternation_problem(case, posterior)
    theta, weights = problem.start(np.random.default_rng(1)), Weights.uniform(BETA)
    start = em._unpack(theta, problem, problem.objective(weights))
    assert start.loss == problem.measure(theta, problem.objective(weights))[0]

    decoder = halves.best_decoder(start, setting)
    theta = np.concatenate([decoder.weights.T.ravel(), theta[decoder.weights.size : -1], [decoder.log_noise]])
    to_decoder, to_encoder, to_triangle, to_noise = gradient(problem, theta)
    np.testing.assert_allclose(to_decoder, 0, atol=1e-12)
    np.testing.assert_allclose(to_noise, 0, atol=1e-12)
    assert np.abs(to_encoder).max() > 1e-2 and np.abs(to_triangle).max() > 1e-2

    encoder = halves.best_encoder(decoder, setting, em._stack(problem.family))
    theta = em._parameters(encoder)
    to_decoder, to_encoder, to_triangle, to_noise = gradient(problem, theta)
    np.testing.assert_allclose(to_encoder, 0, atol=1e-12)
    np.testing.assert_allclose(to_triangle, 0, atol=1e-12)
    loss, norm = problem.measure(theta, problem.objective(weights))
    assert encoder.loss == pytest.approx(loss, abs=1e-12)
    assert encoder.gradient_norm == pytest.approx(norm, rel=1e-10)
    assert norm > 1e-2


@pytest.mark.parametrize("posterior", FAMILIES.values(), ids=FAMILIES)
def test_the_best_encoder_is_that_of_theory(posterior):
    problem, setting = alternation_problem(DISTINCT, posterior, noise_variance=0.7)
    theta = problem.start(np.random.default_rng(2))
    before = problem.vae(theta)
    decoder = em._unpack(theta, problem, problem.objective(Weights.uniform(BETA))).decoder
    found = problem.vae(em._parameters(halves.best_encoder(decoder, setting, em._stack(problem.family))))
    expected = optimal_encoder(before.decoder, 0.7, BETA, posterior=posterior)
    np.testing.assert_allclose(found.decoder, expected.decoder, rtol=0, atol=1e-13)
    np.testing.assert_allclose(found.encoder, expected.encoder, rtol=0, atol=1e-13)
    np.testing.assert_allclose(found.posterior_covariance, expected.posterior_covariance, rtol=0, atol=1e-13)


def test_an_expanded_model_has_a_free_prior_whose_best_covariance_is_the_code():
    """The expanded decoder is the plain one with latents of covariance C made those of covariance I."""
    problem, setting = alternation_problem(DISTINCT)
    start = em._unpack(problem.start(np.random.default_rng(3)), problem, problem.objective(Weights.uniform(BETA)))
    plain, expanded = halves.best_decoder(start, setting), halves.best_decoder(start, setting, expand=True)
    code = start.whitened.T @ start.whitened + start.factor @ start.factor.T
    values, axes = np.linalg.eigh(code)
    root = (axes * np.sqrt(values)) @ axes.T
    np.testing.assert_allclose(expanded.weights, plain.weights @ root, rtol=0, atol=1e-13)
    assert expanded.log_noise == pytest.approx(plain.log_noise, abs=1e-13)
    # In the data's axes: no prior covariance does better for this encoder than C, and none but C as well.
    vae = problem.vae(problem.start(np.random.default_rng(3)))
    moments = vae.encoder @ DISTINCT.covariance @ vae.encoder.T + vae.posterior_covariance
    best = elbo_terms(vae, DISTINCT.covariance, prior=moments).rate
    assert best < elbo_terms(vae, DISTINCT.covariance).rate - 0.1
    rng = np.random.default_rng(4)
    for _ in range(5):
        shift = 0.1 * rng.standard_normal(moments.shape)
        assert elbo_terms(vae, DISTINCT.covariance, prior=moments + shift @ shift.T).rate > best + 1e-6


@pytest.mark.parametrize("latent_dim", [1, 2, 5])
def test_a_distortion_far_below_the_variance_keeps_its_digits(latent_dim):
    """In 50 digits, from the definition, where modes 1e6 times larger than what is left are reconstructed."""
    rng, deviations = np.random.default_rng(latent_dim), np.array([1.0, 1e-3, 1e-6, 1e-6])
    whitened = 0.1 * rng.standard_normal((4, latent_dim))
    whitened[:latent_dim, :latent_dim] += np.eye(min(latent_dim, 4), latent_dim)
    factor = 1e-7 * np.tril(rng.standard_normal((latent_dim, latent_dim)))
    weights = deviations[:, np.newaxis] * np.linalg.pinv(whitened.T)
    with mpmath.workdps(50):
        error = mpmath.diag(deviations.tolist()) - mpmath.matrix(weights.tolist()) * mpmath.matrix(whitened.T.tolist())
        spread = mpmath.matrix(weights.tolist()) * mpmath.matrix(factor.tolist())
        exact = float(mpmath.mnorm(error, "F") ** 2 + mpmath.mnorm(spread, "F") ** 2)
    assert halves.squared_error(0.0, weights, whitened, factor, deviations) == pytest.approx(exact, rel=1e-9)
    assert (
        halves.squared_error(0.5, weights, whitened, factor, deviations) == 0.5
    )  # nothing cancelled in what was found already


def test_systems_are_solved_with_and_without_a_cholesky_root():
    rng = np.random.default_rng(5)
    root, right = rng.standard_normal((4, 4)), rng.standard_normal((4, 7))
    for matrix in (root @ root.T, np.diag([2.0, 1.0, 0.5, -1e-17])):  # the second as rounding may leave it
        before = matrix.copy(), right.copy()
        np.testing.assert_allclose(matrix @ halves._solve(matrix, right), right, rtol=0, atol=1e-12)
        np.testing.assert_array_equal(matrix, before[0])
        np.testing.assert_array_equal(right, before[1])
    assert halves._solve(np.zeros((0, 0)), np.zeros((0, 7))).shape == (0, 7)
    with pytest.raises(np.linalg.LinAlgError):
        halves._solve(np.zeros((4, 4)), right)
