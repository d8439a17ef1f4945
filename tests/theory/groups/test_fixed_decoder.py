"""The solver's coordinates: value, gradient and Hessian, and a round trip."""

from __future__ import annotations

import numpy as np
import pytest

import theory
from theory.groups import Weights, grouped_terms
from theory.groups.fixed_decoder import FixedDecoder
from theory.groups.search import minimise
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
    problem = FixedDecoder(truth.loading, 0.2, truth.covariance, groups, partition(posterior, 4))
    rng, constants = np.random.default_rng(2), []
    theta = 0.5 * rng.standard_normal(len(problem.pack(theory.optimal_encoder(truth.loading, 0.2, 1.0))))
    for point in (theta, theta + 0.1 * rng.standard_normal(theta.size)):
        vae = problem.vae(point)
        np.testing.assert_allclose(problem.pack(vae), point, atol=1e-12)
        whole = grouped_terms(vae, truth.covariance, PAIRS).loss(weights)
        constants.append(whole - problem.coordinates.loss(point, weights))
    assert constants[0] == pytest.approx(constants[1], abs=1e-10)
    slopes = problem.coordinates.loss(theta + 1e-30j * np.eye(theta.size), weights).imag / 1e-30
    np.testing.assert_allclose(problem.coordinates.gradient(theta, weights), slopes, rtol=1e-11, atol=1e-11)
    step = 1e-6 * np.eye(theta.size)
    differences = (
        problem.coordinates.gradient(theta + step, weights) - problem.coordinates.gradient(theta - step, weights)
    ) / 2e-6
    np.testing.assert_allclose(
        problem.coordinates.hessian(theta, weights), differences, rtol=1e-6, atol=1e-6
    )  # of differences


@pytest.mark.parametrize("noise", [0.3, None])
@pytest.mark.parametrize("posterior", FAMILIES, ids=str)
def test_hessian_is_a_complex_step_of_the_gradient(truth, noise, posterior):
    """Closed form against a complex step, for several points at once, with columns outside the range of the decoder."""
    decoder = truth.loading[:, :2] @ np.random.default_rng(5).standard_normal((2, 4))
    blocks = partition(posterior, 4)
    for weights, groups in ((Weights(1.4, 0.2, 3, 0.6), PAIRS), (Weights.independence(7), [[0, 1, 3], [2]])):
        problem = FixedDecoder(decoder, noise, truth.covariance, partition(groups, 4), blocks)
        count = problem.coordinates.cross.size + len(problem.coordinates.entries[0]) + (noise is None)
        theta = np.random.default_rng(6).standard_normal((3, count))
        stepped = theta[:, np.newaxis] + 1e-30j * np.eye(count)
        expected = problem.coordinates.gradient(stepped, weights).imag / 1e-30
        gradient, hessian = problem.coordinates.derivatives(theta, weights)
        np.testing.assert_allclose(hessian, expected, rtol=1e-12, atol=1e-12 * np.abs(expected).max())
        np.testing.assert_allclose(gradient, problem.coordinates.gradient(theta, weights), rtol=1e-13, atol=1e-13)


def test_what_lies_outside_the_range_of_the_decoder():
    """One column more than the rank that E_2 can have; rotations of its columns change nothing, and are named."""
    rng = np.random.default_rng(3)
    decoder = rng.standard_normal((6, 1)) @ rng.standard_normal((1, 3))  # rank 1: E_2 has rank 2 at most
    root = rng.standard_normal((6, 6))
    problem = FixedDecoder(decoder, 0.4, root @ root.T, partition("diagonal", 3), partition("diagonal", 3))
    assert problem.coordinates.cross.shape == (3, 1 + 3)
    np.testing.assert_array_equal(problem.coordinates.cross[:, 1:], 0)
    theta, weights = rng.standard_normal(15), Weights.independence(3)
    signal, factor, noise = problem.coordinates.unpack(theta)
    turn = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    rotated = problem.join(np.hstack([signal[:, :1], signal[:, 1:] @ turn]), factor @ factor.T, noise)
    assert problem.coordinates.loss(rotated, weights) == pytest.approx(
        problem.coordinates.loss(theta, weights), rel=1e-13
    )
    idle = problem.idle(theta)
    assert idle.shape == (3, 15)
    np.testing.assert_allclose(idle @ problem.coordinates.gradient(theta, weights), 0, atol=1e-12)
    assert len(problem.idle(problem.join(np.hstack([signal[:, :1], 0 * signal[:, 1:]]), factor @ factor.T, noise))) == 0
    # Of full column rank, no column is used at a minimum.
    full = FixedDecoder(rng.standard_normal((6, 3)), 0.4, root @ root.T, problem.groups, problem.blocks)
    (found,) = minimise(full.coordinates, rng.standard_normal((1, 15)), weights, np.ones((1, 15)))
    assert full.coordinates.cross.shape == (3, 4) and np.abs(full.coordinates.unpack(found)[0][:, 3]).max() < 1e-6


def test_units_of_the_data_do_not_decide_a_rank():
    """Two data dimensions in units 1e9 apart, and a column for each: both are seen."""
    problem = FixedDecoder(
        np.diag([1e9, 1.0]), 0.4, np.diag([1e18, 1.0]), partition("diagonal", 2), partition("diagonal", 2)
    )
    np.testing.assert_allclose(np.sort(np.abs(problem.coordinates.cross).max(axis=1)), [1, 1e18])
