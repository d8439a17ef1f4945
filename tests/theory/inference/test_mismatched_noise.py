"""Laws of the optimal beta, inside their scope and outside it."""

import numpy as np
import pytest

from theory import GenerativeModel, inference_error_curve, optimal_beta
from theory.inference import forward_kl_slope, mismatched_beta, squared_error_level_bracket


@pytest.mark.parametrize("noise", [0.1, 0.7, 5.0])
@pytest.mark.parametrize("shape", [(4, 3), (2, 3), (3, 1)])
def test_slope_at_one(noise, shape):
    truth = GenerativeModel(np.random.default_rng(0).normal(size=shape), noise)
    steps = np.array([1e-3, 2e-3])
    up, down = (inference_error_curve(truth, 1 + sign * steps).forward_kl for sign in (1, -1))
    central = (up - down) / (2 * steps)
    extrapolated = (4 * central[0] - central[1]) / 3  # error O(step^4), about 1e-11
    assert forward_kl_slope(truth) == pytest.approx(extrapolated, rel=1e-7, abs=1e-9)
    assert forward_kl_slope(truth) <= 1e-15


def test_slope_vanishes_only_for_orthogonal_columns():
    assert forward_kl_slope(GenerativeModel(np.diag([1.0, 2.0]), 0.5)) == pytest.approx(0, abs=1e-15)
    assert forward_kl_slope(GenerativeModel(np.array([[1.0, 0.1], [0.0, 2.0]]), 0.5)) < -1e-4


def test_slope_refuses_what_the_law_does_not_cover():
    with pytest.raises(ValueError, match="factor_covariance"):
        forward_kl_slope(GenerativeModel(np.eye(2), 0.5, [[1, 0.5], [0.5, 1]]))
    with pytest.raises(ValueError, match="noise_variance"):
        forward_kl_slope(GenerativeModel(np.eye(2), 0.0))


def test_mismatched_beta_scales():
    assert mismatched_beta(1.5, 0.2, 0.8) == pytest.approx(0.375)
    with pytest.raises(ValueError, match="decoder_noise"):
        mismatched_beta(1.0, 0.2, 0.0)


@pytest.mark.parametrize("seed", range(8))
def test_squared_error_optimum_lies_in_its_bracket(seed):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(3, 3))
    truth = GenerativeModel(rng.normal(size=(5, 3)), 0.4, root @ root.T)
    low, high = squared_error_level_bracket(truth)
    level = 0.4 * optimal_beta(truth, "mean_squared_error").beta
    assert low * (1 - 1e-9) <= level <= high * (1 + 1e-9)
    assert high > 1.5 * low  # the bracket says something, but not everything


def test_squared_error_bracket_collapses_for_unit_factors():
    assert squared_error_level_bracket(GenerativeModel(np.ones((3, 2)), 0.4)) == pytest.approx((0.4, 0.4))
    assert squared_error_level_bracket(GenerativeModel(np.zeros((3, 2)), 0.4)) == (0.0, np.inf)


def test_squared_error_is_stationary_where_stated():
    truth = GenerativeModel(np.diag([3.0, 1.0]), 0.5, np.diag([0.2, 2.0]))
    level = 0.5 * optimal_beta(truth, "mean_squared_error").beta
    strengths, variances = np.array([9.0, 1.0]), np.array([0.2, 2.0])
    terms = strengths * (level * variances - 0.5) / (strengths + level) ** 3
    assert terms.sum() == pytest.approx(0, abs=1e-12)
    assert np.abs(terms).max() > 1e-4
