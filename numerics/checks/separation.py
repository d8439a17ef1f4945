"""Check of the separation of factors by time: autocorrelations and demixing that are known, and simulated series."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.linalg import eigh

from numerics.comparison import Budget, Comparison, compare, compare_arrays
from numerics.sampling.estimate import Estimate
from theory import axes

__all__ = ["CHECKS"]

BATCHES = 25


def separation_by_time(budget: Budget) -> Iterator[Comparison]:
    """Three factors of different autocorrelation, which the model knows; and separated series."""
    rng = np.random.default_rng(404)
    loading, autocorrelations, noise = rng.standard_normal((4, 3)), np.array([0.8, 0.4, -0.3]), 0.2
    truth = axes.TemporalModel(loading, autocorrelations, noise)
    for lag in (0, 1, 2):
        by_hand = (loading * autocorrelations**lag) @ loading.T + (noise * np.eye(4) if lag == 0 else 0.0)
        yield compare_arrays(f"covariance at lag {lag}", truth.lagged_covariance(lag), by_hand, 1e-13)
    exact = axes.separate(truth.covariance, truth.lagged_covariance(), 3)
    yield compare_arrays("lag correlations", exact.lag_correlations, autocorrelations, 1e-10)
    yield compare_arrays("demixing times loading", np.abs(exact.demixing @ loading), np.eye(3), 1e-9)
    yield compare_arrays("loading", np.abs(exact.loading), np.abs(loading), 1e-9)
    yield compare("noise variance", exact.noise_variance, trained=noise, tolerance=1e-12)
    yield compare("rank", exact.rank, trained=3)
    # Without noise, and as many factors as dimensions: a generalised eigenvalue problem.
    square = axes.TemporalModel(loading[:3], autocorrelations, 0.0)
    correlations, directions = eigh(square.lagged_covariance(), square.covariance)
    exact = axes.separate(square.covariance, square.lagged_covariance(), 3, noise_variance=0.0)
    yield compare_arrays("lag correlations, no noise", exact.lag_correlations, correlations[::-1], 1e-10)
    yield compare_arrays("demixing, no noise", np.abs(exact.demixing), np.abs(directions.T[::-1]), 1e-9)
    # Two equal autocorrelations: their components are not determined, as the eigenvalues show.
    for equal in ([0.8, 0.8, -0.3], [0.8, -0.3, -0.3]):
        alike = axes.TemporalModel(loading[:3], np.array(equal), 0.0)
        values = eigh(alike.lagged_covariance(), alike.covariance, eigvals_only=True)[::-1]
        apart = np.all(np.abs(values[:, np.newaxis] - values) + np.eye(3) > 1e-8, axis=1)
        exact = axes.separate(alike.covariance, alike.lagged_covariance(), 3, noise_variance=0.0)
        yield compare_arrays(f"components that are determined, {equal}", exact.separable, apart, 0.0)
        yield compare_arrays(f"components that are not, {equal}", exact.tied, ~apart, 0.0)
    yield from _few_factors_or_times()
    batches = []
    for _ in range(BATCHES):
        separation = axes.separate_series(truth.sample(budget.samples // BATCHES, rng)[1], 3)
        batches.append([*separation.lag_correlations, *np.abs(separation.demixing @ loading).max(axis=1)])
    # The errors of the second order in 1/sqrt(n), which batches share.
    bias = 20 * BATCHES / budget.samples
    for index, (value, values) in enumerate(zip([*autocorrelations, 1, 1, 1], np.transpose(batches), strict=True)):
        name = f"{'lag correlation' if index < 3 else 'demixed loading'} {index % 3 + 1} of series"
        yield compare(name, float(value), monte_carlo=Estimate.of(values), bias=bias)


def _few_factors_or_times() -> Iterator[Comparison]:
    """Noise that is stated; fewer factors than components asked for; a short series at a long lag."""
    loading = np.array([[1.0, 0.3], [-0.4, 0.8]])
    noisy = axes.TemporalModel(loading, np.array([0.8, 0.4]), 0.2)
    exact = axes.separate(noisy.covariance, noisy.lagged_covariance(), 2, noise_variance=0.2)
    correlations = eigh(noisy.lagged_covariance(), loading @ loading.T, eigvals_only=True)
    yield compare_arrays("lag correlations, stated noise", exact.lag_correlations, correlations[::-1], 1e-12)
    yield compare("stated noise", exact.noise_variance, trained=0.2, scale=1.0)
    alone = axes.TemporalModel(loading[:, :1], np.array([0.8]), 0.0)
    exact = axes.separate(alone.covariance, alone.lagged_covariance(), 2, noise_variance=0.0)
    yield compare("rank of one factor", exact.rank, trained=int(np.linalg.matrix_rank(alone.covariance)), scale=1.0)
    yield compare_arrays("lag correlation of one factor", exact.lag_correlations, [0.8], 1e-12)
    data = np.cos(np.multiply.outer(np.arange(60), [0.2, 0.5]))
    for lag in (1, 9):
        centred = data - data.mean(axis=0)
        products = np.mean(centred[lag:, :, np.newaxis] * centred[:-lag, np.newaxis], axis=0)
        correlations = eigh(products + products.T, 2 * np.cov(data.T, bias=True), eigvals_only=True)
        found = axes.separate_series(data, 2, noise_variance=0.0, lag=lag)
        yield compare_arrays(f"short series, lag {lag}", found.lag_correlations, correlations[::-1], 1e-12)


CHECKS = {"separation_by_time": separation_by_time}
