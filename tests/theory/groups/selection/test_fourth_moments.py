"""Ratios of fourth moments: by their definition, and known ones of elliptical and of independent data."""

from __future__ import annotations

import numpy as np
import pytest

from theory.groups import estimate_factors
from theory.moments import Moments


@pytest.mark.parametrize("noise", ["learned", 0.2])
def test_by_definition(noise):
    """The squared error of each covariance is the variance over observations of what it is the mean of, over N."""
    rng = np.random.default_rng(0)
    decoder = rng.standard_normal((5, 2)) * [1e5, 1e-5]
    data = (rng.standard_t(6, (5000, 2)) / [1e5, 1e-5]) @ decoder.T + 0.5 * rng.standard_normal((5000, 5)) + 3
    estimate = estimate_factors(data, decoder, noise)
    inverse = np.linalg.pinv(decoder / [1e5, 1e-5]) / [[1e5], [1e-5]]
    centred = data - data.mean(axis=0)
    seen = centred @ inverse.T
    rest = np.sum((centred - seen @ decoder.T) ** 2, axis=1) / 3
    for i, j in ((0, 0), (0, 1), (1, 1)):
        terms = seen[:, i] * seen[:, j]
        if noise == "learned":
            terms = terms - rest * (inverse @ inverse.T)[i, j]
            assert terms.mean() == pytest.approx(estimate.covariance[i, j], rel=1e-9, abs=1e-12)
        error = estimate.error_covariance([i], [j])[0, 0]
        assert error == pytest.approx(terms.var() / 5000, rel=1e-9)


def test_elliptical_data():
    """A Gaussian times a scale v of two values: 1 + kappa = E v^4 / (E v^2)^2 = 17/2 / (5/2)^2 = 1.36."""
    rng = np.random.default_rng(1)
    decoder = np.eye(5, 3)
    data = rng.standard_normal((100_000, 3)) @ decoder.T + 0.5 * rng.standard_normal((100_000, 5))
    data *= np.where(rng.random(len(data)) < 0.5, 1, 2)[:, np.newaxis]
    ratios = estimate_factors(data, decoder, 0.5).fourth_moments
    np.testing.assert_allclose(ratios[np.triu_indices(3, 1)], 1.36, rtol=0.04)
    np.testing.assert_allclose(np.diagonal(ratios), (3 * 1.36 - 1) / 2, rtol=0.04)  # (E y^4 - 1)/2
    plain, divided = (estimate_factors(given, decoder).fit.checks for given in (Moments.of(data), data))
    for before, after in zip(plain, divided, strict=True):
        assert before.statistic / after.statistic == pytest.approx(1.36, rel=0.04)


def test_factors_that_are_independent_and_gaussian_data():
    """Products of independent factors have the Gaussian variance whatever their tails: those show in squares only."""
    rng = np.random.default_rng(2)
    found = estimate_factors(rng.laplace(size=(50_000, 2)), np.eye(2), 0.0).fourth_moments
    assert found[0, 1] == pytest.approx(1, abs=0.1)
    assert found[0, 0] == pytest.approx(5 / 2, abs=0.3)  # (E x^4 - 1)/2 with E x^4 = 6
    moments = Moments(100, np.zeros(2), np.eye(2))
    np.testing.assert_array_equal(estimate_factors(moments, np.eye(2), 0.0).fourth_moments, 1)
    gaussian = estimate_factors(rng.standard_normal((50_000, 2)), np.eye(2), 0.0).fourth_moments
    np.testing.assert_allclose(gaussian, 1, atol=0.05)
