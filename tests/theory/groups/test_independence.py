"""The limit of independent groups: what finite weights tend to, and a constrained search."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

import theory
from theory.groups import Weights, grouped_loss, grouped_optimum, independent_groups
from theory.partition import partition

PAIRS = [[0, 1], [2, 3]]


@pytest.fixture(scope="module")
def truth():
    loading = np.random.default_rng(0).standard_normal((5, 4))
    return theory.GenerativeModel(loading, 0.2, np.kron(np.eye(2), [[1, 0.8], [0.8, 1]]))


def solve(truth, weights, groups):
    return grouped_optimum(truth.loading, truth.noise_variance, truth.covariance, weights, groups)


def test_a_weight_that_goes_to_infinity(truth):
    """Losses rise to that of independent groups like 1/beta, the total correlation falls like 1/beta^2."""
    limit = independent_groups(truth.loading, truth.noise_variance, truth.covariance, PAIRS)
    assert limit.gradient_norm < 1e-9 and limit.least_curvature > 0.05
    assert limit.terms.between == pytest.approx(0, abs=1e-12)
    near, far = (solve(truth, Weights.independence(beta), PAIRS) for beta in (1e3, 4e3))
    assert near.loss < far.loss < limit.loss
    assert (limit.loss - near.loss) / (limit.loss - far.loss) == pytest.approx(4, rel=0.02)  # next order in 1/beta
    assert near.terms.between / far.terms.between == pytest.approx(16, rel=0.04)
    np.testing.assert_allclose(far.vae.encoder, limit.vae.encoder, atol=1e-3)
    assert np.abs(near.vae.encoder - theory.optimal_encoder(truth.loading, 0.2, 1.0).encoder).max() > 1e-2


def test_independence_against_a_constrained_search(truth):
    groups = partition(PAIRS, 4)

    def arrays(x):
        return truth.loading, x[:20].reshape(4, 5), np.diag(np.exp(x[20:])), truth.noise_variance, truth.covariance

    def across(x):
        _, encoder, covariance, _, data = arrays(x)
        return (encoder @ data @ encoder.T + covariance)[:2, 2:].ravel()

    plain = theory.optimal_encoder(truth.loading, truth.noise_variance, 1.0)
    start = np.concatenate([plain.encoder.ravel(), np.log(np.diagonal(plain.posterior_covariance))])
    found = minimize(
        lambda x: grouped_loss(*arrays(x), Weights(), groups),
        start,
        method="SLSQP",
        constraints={"type": "eq", "fun": across},
        options={"ftol": 1e-13, "maxiter": 2000},
    )
    limit = independent_groups(truth.loading, truth.noise_variance, truth.covariance, PAIRS)
    assert limit.loss == pytest.approx(found.fun, abs=1e-7)  # the search's own accuracy


@pytest.mark.parametrize("posterior", ["diagonal", "full"])
def test_one_group_has_nothing_to_make_independent(truth, posterior):
    limit = independent_groups(truth.loading, 0.2, truth.covariance, "full", posterior=posterior)
    plain = theory.optimal_encoder(truth.loading, 0.2, 1.0, posterior=posterior)
    np.testing.assert_allclose(limit.vae.encoder, plain.encoder, atol=1e-11)


def test_other_weights_count(truth):
    losses = [
        independent_groups(truth.loading, 0.2, truth.covariance, PAIRS, weights=Weights(within=w, between=b)).loss
        for w, b in ((1, 1), (1, 9), (3, 1))
    ]
    assert losses[0] == pytest.approx(losses[1], abs=1e-11)
    assert losses[2] > losses[0] + 1e-3


def test_equal_columns_become_independent_through_data_that_the_decoder_cannot_give_back():
    """Losses at finite weights rise to the limit like c / w; there the curvature, .88 / w before, has become zero."""
    decoder, covariance = np.array([[1.0, 1.0], [0.0, 0.0]]), np.diag([4.0, 1.0])
    limit = independent_groups(decoder, 0.5, covariance, "diagonal")
    first, second = (
        grouped_optimum(decoder, 0.5, covariance, Weights.independence(weight)).loss for weight in (1e3, 2e3)
    )
    assert limit.loss == pytest.approx(2 * second - first, abs=1e-5)  # c / w^2
    assert limit.gradient_norm < 1e-9 and limit.least_curvature == pytest.approx(0, abs=1e-9)
    assert abs(limit.vae.encoder[0, 1]) > 0.1 and limit.terms.between == pytest.approx(0, abs=1e-12)
    # By hand: C = c I with gains v on 4 and +-u on 1, 4 v^2 = u^2, Q = q I.
    found = minimize(
        lambda x: (
            (4 * (1 - 2 * x[0]) ** 2 + 2 * np.exp(x[1]) + 1) / (2 * 0.5)
            + np.log(2 * np.pi * 0.5)
            + (8 * x[0] ** 2 + np.exp(x[1]))
            - 1
            - x[1]
        ),
        [0.3, -1.0],
        options={"gtol": 1e-10},
    )
    assert limit.loss == pytest.approx(found.fun, abs=1e-9)


def test_directions_almost_without_curvature_do_not_stop_the_solver():
    """Four latents behind a decoder of rank 1: a singular value of 1e-14 is no direction to go in; it left 7e-6."""
    rng = np.random.default_rng(9)
    decoder, root = rng.standard_normal((4, 1)) @ rng.standard_normal((1, 4)), rng.standard_normal((4, 4))
    covariance = root @ root.T + 0.05 * np.eye(4)
    limit = independent_groups(decoder, 0.3, covariance, "diagonal")
    assert limit.gradient_norm < 1e-9 and limit.terms.between == pytest.approx(0, abs=1e-12)
    # Losses at finite weights rise to the limit.
    assert limit.loss >= grouped_optimum(decoder, 0.3, covariance, Weights.independence(1e5)).loss - 1e-9
