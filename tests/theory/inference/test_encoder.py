"""The best encoder of a fixed decoder, against the objective itself."""

import mpmath as mp
import numpy as np
import pytest
from scipy.optimize import minimize

from theory import GenerativeModel, LinearVAE, elbo_terms, optimal_encoder
from theory.inference import family_gap

FAMILIES = ["diagonal", "full", [[0, 2], [1]]]


def model(seed, data_dim=4, latent_dim=3, noise=0.4):
    rng = np.random.default_rng(seed)
    return GenerativeModel(rng.normal(size=(data_dim, latent_dim)), noise), rng.normal(size=(data_dim, latent_dim))


def posterior_pattern(family, latent_dim):
    """Index pairs of the lower triangle that a family leaves free."""
    if family == "diagonal":
        return [(i, i) for i in range(latent_dim)]
    groups = [range(latent_dim)] if family == "full" else family
    return [(i, j) for group in groups for i in group for j in group if i >= j]


@pytest.mark.parametrize("family", FAMILIES, ids=str)
@pytest.mark.parametrize("latent_dim, data_dim", [(3, 4), (3, 2)])
def test_no_encoder_found_by_search_is_better(family, latent_dim, data_dim):
    truth, decoder = model(0, data_dim, latent_dim)
    noise, beta = 0.7, 2.5
    pattern = posterior_pattern(family, latent_dim)
    rows, columns = np.array(pattern).T

    def build(parameters):
        root = np.zeros((latent_dim, latent_dim))
        root[rows, columns] = parameters[decoder.size :]
        diagonal = np.diag_indices(latent_dim)
        root[diagonal] = np.exp(root[diagonal])
        return LinearVAE(decoder, parameters[: decoder.size].reshape(decoder.T.shape), root @ root.T, noise)

    start = np.random.default_rng(1).normal(size=decoder.size + len(pattern))
    found = minimize(lambda p: elbo_terms(build(p), truth.covariance).loss(beta), start, method="BFGS", tol=1e-9)
    best = optimal_encoder(decoder, noise, beta, posterior=family)
    reached, claimed = elbo_terms(build(found.x), truth.covariance), elbo_terms(best, truth.covariance)
    # finite-difference gradients leave the search within 1e-8 of its minimum, and a minimum is quadratic
    assert claimed.loss(beta) <= found.fun + 1e-10
    assert claimed.loss(beta) == pytest.approx(found.fun, abs=1e-8)
    assert claimed.distortion == pytest.approx(reached.distortion, abs=1e-4)
    assert claimed.rate == pytest.approx(reached.rate, abs=1e-4)
    assert np.allclose(best.posterior_covariance, build(found.x).posterior_covariance, atol=1e-4)
    assert best.belongs_to(family)


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_gap_is_the_difference_of_two_objectives(family):
    truth, decoder = model(2)
    noise, beta = 0.3, 1.7
    excess = elbo_terms(optimal_encoder(decoder, noise, beta, posterior=family), truth.covariance).loss(
        beta
    ) - elbo_terms(optimal_encoder(decoder, noise, beta, posterior="full"), truth.covariance).loss(beta)
    gap = family_gap(decoder, noise, beta, posterior=family)
    assert gap == pytest.approx(excess, abs=1e-12)
    assert gap == 0 if family == "full" else gap > 0.01


def test_gap_vanishes_exactly_for_columns_orthogonal_across_groups():
    orthogonal = np.array([[2.0, 0, 0], [0, 1, 1], [0, 1, -1], [0, 0, 0]])
    mixed_inside = np.array([[2.0, 1, 0], [0, 1, 0], [0, 0, 3], [0, 0, 1]])
    assert family_gap(orthogonal, 0.1, 3.0) == pytest.approx(0, abs=1e-14)
    assert family_gap(mixed_inside, 0.1, 3.0, posterior=[[0, 1], [2]]) == pytest.approx(0, abs=1e-14)
    assert family_gap(mixed_inside, 0.1, 3.0) > 0.1


def test_limits_in_beta():
    _, decoder = model(3)
    sharp = optimal_encoder(decoder, 1.0, 1e-9)
    assert np.allclose(sharp.encoder, np.linalg.pinv(decoder), atol=1e-7)
    assert np.allclose(sharp.posterior_covariance, 0, atol=1e-7)
    vague = optimal_encoder(decoder, 1.0, 1e12)
    assert np.allclose(vague.encoder, 0, atol=1e-11)
    assert np.allclose(vague.posterior_covariance, np.eye(3), atol=1e-11)


def test_beta_one_with_the_truths_decoder_is_bayes():
    truth, _ = model(4)
    gain, covariance = truth.posterior()
    full = optimal_encoder(truth.loading, truth.noise_variance, 1.0, posterior="full")
    assert np.allclose(full.encoder, gain, atol=1e-12)
    assert np.allclose(full.posterior_covariance, covariance, atol=1e-12)
    diagonal = optimal_encoder(truth.loading, truth.noise_variance, 1.0)
    assert np.allclose(diagonal.encoder, gain, atol=1e-12)
    assert np.allclose(np.diag(diagonal.posterior_covariance), 1 / np.diag(np.linalg.inv(covariance)), atol=1e-12)


def test_beta_and_noise_enter_only_through_their_product():
    _, decoder = model(5)
    one, other = optimal_encoder(decoder, 0.2, 6.0), optimal_encoder(decoder, 0.4, 3.0)
    assert np.allclose(one.encoder, other.encoder, atol=1e-14)
    assert np.allclose(one.posterior_covariance, other.posterior_covariance, atol=1e-14)


def test_no_latents_and_a_zero_decoder():
    assert optimal_encoder(np.zeros((3, 0)), 1.0, 2.0).encoder.shape == (0, 3)
    blind = optimal_encoder(np.zeros((3, 2)), 1.0, 2.0)
    assert not blind.encoder.any()
    assert np.array_equal(blind.posterior_covariance, np.eye(2))


@pytest.mark.parametrize(
    "arguments, posterior, named",
    [
        ((np.eye(2), 1.0, 0.0), "diagonal", "beta"),
        ((np.eye(2), -1.0, 1.0), "diagonal", "noise_variance"),
        ((np.array([[np.nan]]), 1.0, 1.0), "diagonal", "decoder"),
        ((np.eye(2), 1.0, 1.0), "banded", "posterior"),
        ((np.eye(2), 1.0, 1.0), [[0]], "misses"),
        ((np.eye(2), 1.0, 1.0), [[0, 1], [1]], "repeats"),
    ],
)
def test_misuse_names_the_argument(arguments, posterior, named):
    with pytest.raises(ValueError, match=named):
        optimal_encoder(*arguments, posterior=posterior)


@pytest.mark.parametrize("family", ["diagonal", "full", [[0], [1, 2]]], ids=str)
@pytest.mark.parametrize("data_dim", [4, 3, 2])
def test_means_and_variances_agree_in_any_units_of_the_latents(family, data_dim):
    """V = P^-1 W^T / t and Q_bb = (P_bb)^-1 in sixty digits, for columns between 1e-8 and 1e8."""
    core = np.random.default_rng(data_dim).standard_normal((data_dim, 3))
    groups = {"diagonal": [[0], [1], [2]], "full": [[0, 1, 2]]}.get(str(family), family)
    for units, level in (([1.0, 1e8, 1e-8], 1e-18), ([1e8, 1e8, 1e-8], 1e-6), ([1e-8, 1.0, 1.0], 3e-16)):
        decoder = core * units
        if family != "diagonal" and level < 1e-12:  # this posterior covariance is singular up to rounding
            continue
        vae = optimal_encoder(decoder, level, 1.0, posterior=family)
        with mp.workdps(60):
            exact = mp.matrix(decoder.tolist())
            precision = mp.eye(3) + exact.T * exact / mp.mpf(level)
            encoder = precision**-1 * exact.T / mp.mpf(level)
            sizes = [max(abs(encoder[i, j]) for j in range(data_dim)) for i in range(3)]
            for i in range(3):
                row = [float(encoder[i, j] / sizes[i]) for j in range(data_dim)]
                np.testing.assert_allclose(vae.encoder[i] / float(sizes[i]), row, atol=1e-9)
            for group in groups:
                block = mp.matrix([[precision[i, j] for j in group] for i in group]) ** -1
                for at, i in enumerate(group):
                    assert vae.posterior_covariance[i, i] == pytest.approx(float(block[at, at]), rel=1e-9)


@pytest.mark.parametrize(
    ("decoder", "noise", "beta", "named"),
    [
        ([[1, -2.7]], 0.1, 1e-30, "noise_variance and beta must not be so small against the decoder"),
        ([[1, -2.7]], 0.1, 5e-324, "beta must be between"),
        ([[1, -2.7]], 5e-324, 1.0, "noise_variance must be between"),
        ([[1e200, 1.0]], 1.0, 1.0, "decoder must be at most"),
    ],
)
def test_what_floats_cannot_hold_is_told(decoder, noise, beta, named):
    with pytest.raises(ValueError, match=named):
        optimal_encoder(decoder, noise, beta, posterior="full")
    diagonal = optimal_encoder([[1, -2.7]], 0.1, 1e-30)  # each variance by itself is a float
    np.testing.assert_allclose(np.diagonal(diagonal.posterior_covariance), [1e-31, 1e-31 / 7.29], rtol=1e-12)


def test_a_block_that_is_singular_among_many_latents_blames_the_arguments():
    """A block of two latents may pass alone, and among forty be singular up to rounding."""
    decoder = np.eye(40)
    decoder[0, 1] = decoder[1, 0] = 1 - 1e-7
    family = [[0, 1], *([latent] for latent in range(2, 40))]
    optimal_encoder(decoder[:2, :2], 1e-13, 1.0, posterior="full")
    with pytest.raises(ValueError, match="noise_variance and beta must not be so small"):
        optimal_encoder(decoder, 1e-13, 1.0, posterior=family)
