"""Tests of the model: their statistics by determinants, and their level by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from theory.groups import estimate_factors
from theory.moments import Moments


def moments_of(covariance, count, rng):
    data = rng.standard_normal((count, len(covariance))) @ np.linalg.cholesky(covariance).T
    return Moments.of(data)


def test_the_statistics_are_the_likelihood_ratios():
    rng = np.random.default_rng(0)
    decoder, count = rng.standard_normal((7, 3)), 200
    moments = moments_of(decoder @ decoder.T + 0.3 * np.eye(7), count, rng)
    inside, outside, noise = estimate_factors(moments, decoder, 0.3).fit.checks
    axes = np.linalg.qr(decoder, mode="complete")[0]
    rotated = axes.T @ moments.covariance @ axes
    log_det = [np.linalg.slogdet(part)[1] for part in (rotated, rotated[:3, :3], rotated[3:, 3:])]
    spread = np.trace(rotated[3:, 3:]) / 4
    assert (inside.freedom, outside.freedom, noise.freedom) == (12, 9, 1)
    assert inside.statistic == pytest.approx((count - 1 - 8 / 2) * (log_det[1] + log_det[2] - log_det[0]), rel=1e-10)
    assert outside.statistic == pytest.approx((count - 1 - 38 / 24) * (4 * np.log(spread) - log_det[2]), rel=1e-10)
    ratio = spread * count / (count - 1) / 0.3
    assert noise.statistic == pytest.approx((count - 1) * 4 * (ratio - 1 - np.log(ratio)), rel=1e-9)


def test_the_level_of_each_check():
    """At 60 observations in 10 dimensions chi-square without Box's term would give .054 and .0117."""
    rng, repeats = np.random.default_rng(1), 2000
    decoder = rng.standard_normal((10, 6))
    root = np.linalg.cholesky(decoder @ decoder.T + 0.3 * np.eye(10))
    found = np.empty((repeats, 3))
    for run in range(repeats):
        triangle = np.tril(rng.standard_normal((10, 10)), -1)
        triangle[np.diag_indices(10)] = np.sqrt(rng.chisquare(59 - np.arange(10)))
        moments = Moments(60, np.zeros(10), root @ triangle @ triangle.T @ root.T / 60)
        found[run] = [check.p_value for check in estimate_factors(moments, decoder, 0.3).fit.checks]
    for level in (0.3, 0.05, 0.01):
        assert np.abs((found < level).mean(axis=0) - level).max() < 3.5 * np.sqrt(level * (1 - level) / repeats)


@pytest.mark.parametrize(
    ("covariance", "noise", "name"),
    [
        ([[2.0, 0, 0.9], [0, 1, 0], [0.9, 0, 1]], "learned", "inside"),
        ([[2.0, 0, 0], [0, 1, 0], [0, 0, 3]], "learned", "outside"),
        ([[2.0, 0, 0], [0, 1, 0], [0, 0, 1]], 2.0, "noise"),
        ([[2.0, 0, 0], [0, 0, 0], [0, 0, 1]], "learned", "outside"),  # a direction without noise
        ([[2.0, 0, 0], [0, 1, 0], [0, 0, 1]], 0.0, "noise"),
    ],
)
def test_each_fault_is_named(covariance, noise, name):
    fit = estimate_factors(Moments(1000, np.zeros(3), covariance), [[1.0], [0], [0]], noise).fit
    worst = min(fit.checks, key=lambda check: check.p_value)
    assert worst.name == name and worst.p_value < 1e-10
    assert fit.p_value == len(fit.checks) * worst.p_value


def test_data_in_the_range_of_the_decoder():
    """Without noise nothing is left to test, and nothing contradicts the model; a noise that is given does."""
    moments = Moments(1000, np.zeros(3), np.diag([2.0, 0, 0]))
    fit = estimate_factors(moments, [[1.0], [0], [0]]).fit
    assert (fit.checks, fit.untested, fit.enough) == ((), "the data do not leave the decoder's range", True)
    assert np.isnan(fit.p_value) and fit.objection == ""
    assert estimate_factors(moments, [[1.0], [0], [0]], 0.0).fit.checks == ()
    given = estimate_factors(moments, [[1.0], [0], [0]], 0.1).fit
    assert [check.name for check in given.checks] == ["noise"] and given.p_value == 0
    assert given.checks[0].statistic == np.inf
