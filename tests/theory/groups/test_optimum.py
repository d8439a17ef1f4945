"""The optimum for a held decoder: stationarity, an independent search, limits, and what it does to inference."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize, minimize_scalar

import theory
from theory.groups import (
    Weights,
    granularity_errors,
    grouped_gradient,
    grouped_loss,
    grouped_optimum,
    grouped_terms,
)
from theory.partition import partition, partition_mask

PAIRS = [[0, 1], [2, 3]]
FAMILIES = ("diagonal", [[0, 3], [1, 2]], "full")


@pytest.fixture(scope="module")
def truth():
    loading = np.random.default_rng(0).standard_normal((5, 4))
    return theory.GenerativeModel(loading, 0.2, np.kron(np.eye(2), [[1, 0.8], [0.8, 1]]))


def solve(truth, weights, groups, **options):
    return grouped_optimum(truth.loading, truth.noise_variance, truth.covariance, weights, groups, **options)


@pytest.mark.parametrize("posterior", FAMILIES, ids=str)
@pytest.mark.parametrize(
    "weights", [Weights.independence(7), Weights(1.4, 0.2, 3, 0.6), Weights.independence(0)], ids=str
)
def test_first_and_second_order_conditions(truth, weights, posterior):
    best = solve(truth, weights, PAIRS, posterior=posterior)
    vae = best.vae
    assert vae.belongs_to(posterior)
    slope = grouped_gradient(
        vae.decoder,
        vae.encoder,
        vae.posterior_covariance,
        vae.noise_variance,
        truth.covariance,
        weights,
        partition(PAIRS, 4),
    )
    mask = partition_mask(partition(posterior, 4), 4)
    # Gradients here are of order 10; the solver stops where they no longer halve.
    np.testing.assert_allclose(slope.encoder, 0, atol=1e-9)
    np.testing.assert_allclose(slope.posterior_covariance[mask], 0, atol=1e-9)
    assert best.gradient_norm < 1e-9 and best.least_curvature > 0.05
    assert best.loss == pytest.approx(grouped_terms(vae, truth.covariance, PAIRS).loss(weights), abs=1e-12)


@pytest.mark.parametrize("posterior", FAMILIES, ids=str)
def test_against_a_search_over_all_parameters(truth, posterior):
    """BFGS over V and the Cholesky factor of Q, gradients by differences, from random starts: none is lower."""
    weights, groups = Weights(1.2, 6.0, 0.8, 1.5), partition(PAIRS, 4)
    rows, columns = np.array([(i, j) for block in partition(posterior, 4) for i in block for j in block if j <= i]).T

    def loss(x):
        factor = np.zeros((4, 4))
        factor[rows, columns] = x[20:]
        arrays = (truth.loading, x[:20].reshape(4, 5), factor @ factor.T, truth.noise_variance, truth.covariance)
        return grouped_loss(*arrays, weights, groups)

    rng, found = np.random.default_rng(1), []
    for _ in range(3):
        start = np.concatenate([0.3 * rng.standard_normal(20), np.where(rows == columns, 0.7, 0.0)])
        found.append(minimize(loss, start, method="BFGS", options={"gtol": 1e-6}).fun)
    # Differences leave the search about 1e-10 above the minimum.
    assert solve(truth, weights, PAIRS, posterior=posterior).loss == pytest.approx(min(found), abs=1e-8)


@pytest.mark.parametrize("posterior", FAMILIES, ids=str)
def test_equal_weights_and_one_group_are_the_plain_vae(truth, posterior):
    for weights, groups, beta in ((Weights.uniform(2.5), PAIRS, 2.5), (Weights.independence(50), "full", 1.0)):
        plain = theory.optimal_encoder(truth.loading, truth.noise_variance, beta, posterior=posterior)
        best = solve(truth, weights, groups, posterior=posterior).vae
        np.testing.assert_allclose(best.encoder, plain.encoder, atol=1e-11)
        np.testing.assert_allclose(best.posterior_covariance, plain.posterior_covariance, atol=1e-11)
    moved = solve(truth, Weights.independence(1.01), PAIRS, posterior=posterior).vae
    assert np.abs(moved.encoder - theory.optimal_encoder(truth.loading, 0.2, 1.0).encoder).max() > 1e-5


def test_groups_of_one_penalise_all_total_correlation(truth):
    single = solve(truth, Weights.independence(4), "diagonal")
    assert single.loss == pytest.approx(solve(truth, Weights(1, 4, 4, 1), PAIRS).loss, abs=1e-10)
    assert single.loss == pytest.approx(solve(truth, Weights(1, 9, 4, 1), "full").loss, abs=1e-10)


def test_edges():
    """Fewer data dimensions than latents, a latent without weight, data that do not vary, no latents."""
    rng = np.random.default_rng(4)
    wide = rng.standard_normal((2, 3))
    wide[:, 2] = 0
    for covariance in (np.diag([2.0, 1.0]), np.diag([2.0, 0.0]), np.zeros((2, 2))):
        best = grouped_optimum(wide, 0.3, covariance, Weights.independence(5))
        assert best.gradient_norm < 1e-9
        np.testing.assert_allclose(best.vae.encoder[2], 0, atol=1e-12)
        assert best.vae.posterior_covariance[2, 2] == pytest.approx(1)
    empty = grouped_optimum(np.zeros((2, 0)), 0.3, np.eye(2), Weights.independence(5))
    assert empty.loss == pytest.approx(2 / 0.6 + np.log(2 * np.pi * 0.3))


def test_misuse(truth):
    with pytest.raises(ValueError, match=r"weights\.within must be >= 0"):
        solve(truth, Weights(within=-1), PAIRS)
    with pytest.raises(ValueError, match="start must have a posterior covariance of the family"):
        solve(truth, Weights(), PAIRS, start=theory.optimal_encoder(truth.loading, 0.2, 1.0, posterior="full"))


def test_true_blocks_help_and_groups_that_cut_them_hurt():
    """Strong correlation, little noise: the error is below that of one group at the true blocks, above it at others."""
    loading = np.random.default_rng(0).standard_normal((8, 6))
    truth = theory.GenerativeModel(loading, 0.1, np.kron(np.eye(3), [[1, 0.8], [0.8, 1]]))
    partitions = ["full", [[0, 1], [2, 3], [4, 5]], [[0, 1, 2], [3, 4, 5]], "diagonal"]
    one, blocks, cut, singles = (error.mean_squared_error for error in granularity_errors(truth, partitions, 10.0))
    plain = theory.inference_error(truth, theory.optimal_encoder(loading, 0.1, 1.0)).mean_squared_error
    assert one == pytest.approx(plain, abs=1e-10)
    assert blocks < 0.9 * one < one < cut < singles


def test_no_grouping_matters_for_independent_factors_and_a_full_posterior():
    truth = theory.GenerativeModel(np.random.default_rng(1).standard_normal((5, 4)), 0.3)
    for partitions in ("full", PAIRS, "diagonal"):
        error = granularity_errors(truth, [partitions], 20.0, posterior="full")[0]
        assert error.forward_kl == pytest.approx(0, abs=1e-10)


@pytest.mark.parametrize("posterior", FAMILIES, ids=str)
def test_learned_noise(truth, posterior):
    """Stationary in the noise too, and no search over the noise, each with the solver inside, finds less."""
    weights = Weights.independence(6)
    best = grouped_optimum(truth.loading, "learned", truth.covariance, weights, PAIRS, posterior=posterior)
    assert best.terms.distortion == pytest.approx(5 * best.vae.noise_variance, rel=1e-12)
    found = minimize_scalar(
        lambda log_noise: (
            grouped_optimum(
                truth.loading, np.exp(log_noise), truth.covariance, weights, PAIRS, posterior=posterior
            ).loss
        ),
        bounds=np.log([0.01, 5.0]),
        options={"xatol": 1e-7},
    )
    assert best.loss == pytest.approx(found.fun, abs=1e-10)


def test_noise_that_cannot_be_learned():
    with pytest.raises(ValueError, match="noise_variance must be a number where the data have no variance outside"):
        grouped_optimum(np.eye(3), "learned", np.eye(3), Weights.independence(2))
    with pytest.raises(ValueError, match="noise_variance must be a number or 'learned'"):
        grouped_optimum(np.eye(3), "lerned", np.eye(3), Weights.independence(2))


def test_learned_noise_of_a_decoder_that_decodes_nothing():
    covariance = np.diag([2.0, 1.0, 0.3])
    for decoder in (np.zeros((3, 2)), np.zeros((3, 0))):
        best = grouped_optimum(decoder, "learned", covariance, Weights.independence(3), "full")
        assert best.vae.noise_variance == pytest.approx(1.1, rel=1e-12)
