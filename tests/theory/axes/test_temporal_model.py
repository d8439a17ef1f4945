"""Factors that are correlated in time: their covariances at a lag, and draws."""

from __future__ import annotations

import numpy as np
import pytest

from theory.axes import TemporalModel

MEMORY = np.array([0.3, 0.9, -0.5])


def model(seed=0, data_dim=5, memory=MEMORY, noise=0.3):
    rng = np.random.default_rng(seed)
    return TemporalModel(rng.standard_normal((data_dim, len(memory))), memory, noise)


def test_a_sample_takes_a_seed():
    for first, second in zip(model().sample(4, 3), model().sample(4, np.random.default_rng(3)), strict=True):
        np.testing.assert_array_equal(first, second)
    assert model().sample(0, 3)[1].shape == (0, 5)


@pytest.mark.parametrize("n", [0, 1, 50])
def test_the_factors_follow_their_recursion(n):
    memories = np.array([0.9, -0.4, 0.0])
    factors, data = TemporalModel(np.ones((2, 3)), memories, 0.1).sample(n, 3)
    expected = np.random.default_rng(3).standard_normal((n, 3))
    for time in range(1, n):
        expected[time] = memories * expected[time - 1] + np.sqrt(1 - memories**2) * expected[time]
    np.testing.assert_allclose(factors, expected, rtol=1e-12, atol=1e-14)
    assert data.shape == (n, 2)


def test_white_noise_only_at_lag_zero():
    truth = model()
    np.testing.assert_array_equal(truth.lagged_covariance(0), truth.covariance)
    factors, data = truth.sample(400_000, np.random.default_rng(3))
    for lag in (0, 1, 2):
        kept = len(data) - lag
        sampled = data[lag:].T @ data[:kept] / kept
        size = np.sqrt(np.outer(np.diagonal(truth.covariance), np.diagonal(truth.covariance)))
        # Products of neighbouring times are dependent; (1 + 0.9)/(1 - 0.9) bounds how much.
        np.testing.assert_allclose((sampled - truth.lagged_covariance(lag)) / size, 0, atol=5 * np.sqrt(2 * 19 / kept))
        assert np.abs((sampled - truth.lagged_covariance(lag + 1)) / size).max() > 0.1
    np.testing.assert_allclose(factors[:5].shape, (5, 3))


def test_the_first_factors_are_stationary():
    truth = TemporalModel(np.eye(1), [0.95], 0.0)
    first = np.array([truth.sample(2, np.random.default_rng(seed))[0][:, 0] for seed in range(4000)])
    np.testing.assert_allclose(np.cov(first.T), [[1, 0.95], [0.95, 1]], atol=5 * np.sqrt(2 / 4000))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: TemporalModel(np.eye(2), [0.5, 1.0], 0.1), "autocorrelations must lie between -1 and 1"),
        (lambda: TemporalModel(np.eye(2), [0.5], 0.1), "autocorrelations must have length 2"),
        (lambda: TemporalModel(np.eye(2), [0.5, 0.1], -0.1), "noise_variance must be >= 0"),
        (lambda: model().lagged_covariance(-1), "lag must be >= 0"),
        (lambda: model().sample(3, None), "rng must be a numpy.random.Generator or a seed"),
        (lambda: model().sample(2**40, 0), "n = 1099511627776 needs"),
        (lambda: TemporalModel([[1e200]], [0.5], 0.1).lagged_covariance(), "loading must be smaller"),
    ],
)
def test_misuse_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
