"""Expectations of quadratic functions: against closed forms, to rounding, and against the Monte Carlo of the same."""

from __future__ import annotations

import numpy as np
import pytest

from numerics.sampling.cubature import elbo_terms_by_cubature, errors_by_cubature, mean_of_quadratic
from numerics.sampling.monte_carlo import sample_elbo_terms, sample_errors
from tests.numerics.sampling.test_monte_carlo import CORRELATED, truth_and_vae, vae_and_data
from theory import elbo_terms, inference_error


def test_moments_of_a_quadratic_function():
    matrix, slope = np.random.default_rng(0).standard_normal((5, 5)), np.arange(5.0)

    def values(source):
        first, second = source(2), source(3)
        z = np.hstack([first, second])
        return {"mean": 7 + z @ slope + np.sum(z @ matrix * z, axis=1), "cubic": z[:, 0] * z[:, 1] ** 2}

    found = mean_of_quadratic(values, 5)
    assert found["mean"] == pytest.approx(7 + np.trace(matrix), rel=1e-14)
    assert found["cubic"] == pytest.approx(0.0, abs=1e-14)


def test_the_number_of_normal_numbers_is_checked():
    with pytest.raises(ValueError, match="size must be the number of normal numbers that the values take, 2, got 3"):
        mean_of_quadratic(lambda source: {"x": source(2)[:, 0]}, 3)


@pytest.mark.parametrize("arguments", [{}, {"factor_covariance": CORRELATED, "posterior": "full"}, {"shape": (2, 3)}])
def test_inference_errors(arguments):
    truth, vae = truth_and_vae(**arguments)
    found, exact = errors_by_cubature(truth, vae), inference_error(truth, vae)
    sampled = sample_errors(truth, vae, 100_000, np.random.default_rng(2))
    for name, value in found.items():
        assert value == pytest.approx(getattr(exact, name), rel=1e-12)
        assert abs(sampled[name].value - value) < 5 * sampled[name].standard_error


def test_parts_of_the_objective():
    vae, data = vae_and_data()
    found, exact = elbo_terms_by_cubature(vae, data), elbo_terms(vae, data)
    sampled = sample_elbo_terms(vae, data, 100_000, np.random.default_rng(2))
    for name, value in found.items():
        assert value == pytest.approx(getattr(exact, name), rel=1e-12)
        assert abs(sampled[name].value - value) < 5 * sampled[name].standard_error
