"""The solver's coordinates: value, gradient and Hessian, and a round trip."""

from __future__ import annotations

import numpy as np
import pytest

import theory
from theory.groups import Weights, grouped_terms
from theory.groups.held_decoder import HeldDecoder
from theory.partition import partition

PAIRS = [[0, 1], [2, 3]]
FAMILIES = ("diagonal", [[0, 3], [1, 2]], "full")


@pytest.fixture(scope="module")
def truth():
    loading = np.random.default_rng(0).standard_normal((5, 4))
    return theory.GenerativeModel(loading, 0.2, np.kron(np.eye(2), [[1, 0.8], [0.8, 1]]))


@pytest.mark.parametrize("posterior", FAMILIES, ids=str)
def test_value_gradient_and_hessian(truth, posterior):
    """In them the objective is `grouped_loss` up to a constant; the gradient is its complex step, the Hessian too."""
    weights, groups = Weights(1.4, 0.2, 3, 0.6), partition(PAIRS, 4)
    problem = HeldDecoder(truth.loading, 0.2, truth.covariance, groups, partition(posterior, 4))
    rng, constants = np.random.default_rng(2), []
    theta = 0.5 * rng.standard_normal(len(problem.pack(theory.optimal_encoder(truth.loading, 0.2, 1.0))))
    for point in (theta, theta + 0.1 * rng.standard_normal(theta.size)):
        vae = problem.vae(point)
        np.testing.assert_allclose(problem.pack(vae), point, atol=1e-12)
        whole = grouped_terms(vae, truth.covariance, PAIRS).loss(weights)
        constants.append(whole - problem.loss(point, weights))
    assert constants[0] == pytest.approx(constants[1], abs=1e-10)
    slopes = problem.loss(theta + 1e-30j * np.eye(theta.size), weights).imag / 1e-30
    np.testing.assert_allclose(problem.gradient(theta, weights), slopes, rtol=1e-11, atol=1e-11)
    step = 1e-6 * np.eye(theta.size)
    differences = (problem.gradient(theta + step, weights) - problem.gradient(theta - step, weights)) / 2e-6
    np.testing.assert_allclose(problem.hessian(theta, weights), differences, rtol=1e-6, atol=1e-6)  # of differences
