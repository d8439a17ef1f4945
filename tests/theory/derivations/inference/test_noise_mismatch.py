"""The page on a wrong noise ends with what `theory.inference` computes."""

import numpy as np
import pytest
import sympy as sp

import theory
from tests.theory.derivations.inference.cases import TRUTHS
from theory import inference
from theory.derivations.engine.notation import K, W, beta, sigma, t, tau
from theory.derivations.inference.noise_mismatch import derivation


def test_noise_mismatch():
    page = derivation()
    title = "The precision at a scaled beta"
    scaled = sp.lambdify((beta, tau, sigma), page.abbreviation("b"))
    assert scaled(1.3, 0.5, 2.0) == pytest.approx(inference.mismatched_beta(1.3, 0.25, 4.0), rel=1e-12)
    expected = page.function(title, W, beta, tau, K)(np.ones((3, 2)), 1.3, 0.5, 2)
    assert expected == pytest.approx(np.eye(2) + 3 / (1.3 * 0.25) * np.ones((2, 2)))


def test_correlated_factors_are_stationary_where_the_page_says():
    truth = TRUTHS["correlated"]
    g, gamma = sp.symbols("g gamma", positive=True)
    slope = derivation().function("One mode", g, gamma, t, tau)
    strengths, directions = np.linalg.eigh(truth.loading.T @ truth.loading)
    variances = np.diagonal(directions.T @ truth.factor_covariance @ directions)
    best = theory.optimal_beta(truth, "mean_squared_error").beta * truth.noise_variance
    low, high = inference.squared_error_level_bracket(truth)
    deviation = np.sqrt(truth.noise_variance)
    slopes = {level: slope(strengths, variances, level, deviation) for level in (best, low, high)}
    assert abs(slopes[best].sum()) < 1e-8
    assert (slopes[low] < 1e-12).all() and (slopes[high] > -1e-12).all()
    assert low < best < high
