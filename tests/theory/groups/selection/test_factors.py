"""The covariance of the factors through a decoder: exact on exact moments, and as uncertain as it says."""

from __future__ import annotations

import numpy as np
import pytest

import theory
from theory.groups import estimate_factors
from theory.moments import Moments


@pytest.fixture(scope="module")
def truth():
    rng = np.random.default_rng(0)
    factors = np.array([[1, 0.6, 0], [0.6, 2, 0.3], [0, 0.3, 0.5]])
    return theory.GenerativeModel(rng.standard_normal((5, 3)), 0.4, factors)


@pytest.mark.parametrize("noise", [0.4, "learned"])
def test_exact_moments(truth, noise):
    estimate = estimate_factors(Moments(100, np.zeros(5), truth.covariance), truth.loading, noise)
    np.testing.assert_allclose(estimate.covariance, truth.factor_covariance, atol=1e-12)
    assert estimate.noise_variance == pytest.approx(0.4)
    assert estimate.noise_deviation == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("noise", [0.4, "learned"])
def test_errors_by_simulation(truth, noise):
    rng = np.random.default_rng(1)
    rows, columns = np.array([0, 0, 1, 2]), np.array([1, 2, 2, 2])
    runs = [
        estimate_factors(Moments.of(truth.sample(400, rng)[1]), truth.loading, noise).covariance[rows, columns]
        for _ in range(4000)
    ]
    exact = estimate_factors(Moments(400, np.zeros(5), truth.covariance), truth.loading, noise)
    expected = exact.error_covariance(rows, columns)
    scale = np.sqrt(np.outer(np.diagonal(expected), np.diagonal(expected)))
    # Each entry of the ratio has a standard error of at most sqrt(2 / 4000) = .022; four of them.
    assert np.abs((np.cov(np.transpose(runs)) - expected) / scale).max() < 0.09


def test_a_wrong_noise_shows(truth):
    moments = Moments(1000, np.zeros(5), truth.covariance)
    assert estimate_factors(moments, truth.loading, 0.2).noise_deviation == pytest.approx(np.sqrt(1000 * 2 / 2))


def test_misuse(truth):
    moments = Moments(100, np.zeros(5), truth.covariance)
    with pytest.raises(ValueError, match="decoder must have 2 independent columns, got 5 x 2 of rank 1"):
        estimate_factors(moments, np.ones((5, 2)), 0.1)
    with pytest.raises(ValueError, match="noise_variance cannot be learned"):
        estimate_factors(moments, np.eye(5))
    with pytest.raises(ValueError, match="moments must have a count of at least 2 observations"):
        estimate_factors(Moments(0, np.zeros(5), truth.covariance), truth.loading)
    with pytest.raises(ValueError, match="noise_variance must be one of 'learned'"):
        estimate_factors(moments, truth.loading, "guessed")
    with pytest.raises(ValueError, match="moments, from observations: data must have at least two rows"):
        estimate_factors(np.ones((1, 5)), truth.loading, 0.1)
    with pytest.raises(ValueError, match="covariance of moments must have no negative eigenvalue"):
        estimate_factors(Moments(100, np.zeros(2), [[1, 2], [2, 1]]), np.eye(2), 0.1)
    with pytest.raises(ValueError, match="decoder must have entries of a size that fits the data"):
        estimate_factors(moments, truth.loading * 1e200, 0.1)
    with pytest.raises(ValueError, match="noise_variance must fit the data, got 1e"):
        estimate_factors(moments, truth.loading, 1e200)
    with pytest.raises(ValueError, match="rows must be <= 2, got 3"):
        estimate_factors(moments, truth.loading).error_covariance([3], [0])
    with pytest.raises(ValueError, match="columns must be as many as rows, got 1 for 2"):
        estimate_factors(moments, truth.loading).error_covariance([0, 1], [0])
