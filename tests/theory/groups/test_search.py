"""The search for minima in the solver's coordinates: from many starts at once, out of saddles, and to rounding."""

from __future__ import annotations

import numpy as np
import pytest

import theory
from theory.groups import Weights
from theory.groups.fixed_decoder import FixedDecoder
from theory.groups.search import least_curvature, minimise, polish
from theory.partition import partition

PAIRS = [[0, 1], [2, 3]]


@pytest.fixture(scope="module")
def problem():
    truth = theory.GenerativeModel(
        np.random.default_rng(0).standard_normal((5, 4)), 0.2, np.kron(np.eye(2), [[1, 0.8], [0.8, 1]])
    )
    return FixedDecoder(truth.loading, 0.2, truth.covariance, partition(PAIRS, 4), partition("diagonal", 4))


def test_every_start_ends_at_a_minimum_and_polishing_leaves_rounding(problem):
    rng, weights = np.random.default_rng(1), Weights.independence(3)
    size = problem.coordinates.cross.size + 4
    starts = rng.standard_normal((6, size))
    ends = minimise(problem.coordinates, starts, weights, np.ones((6, size)))
    assert np.all(problem.coordinates.loss(ends, weights) < problem.coordinates.loss(starts, weights))
    for theta in polish(problem.coordinates, ends, weights):
        assert np.abs(problem.coordinates.gradient(theta, weights)).max() < 1e-10
        assert least_curvature(problem.coordinates.hessian(theta, weights), problem.idle(theta)) > 0
    alone = minimise(problem.coordinates, starts[2:3], weights, np.ones((1, size)))
    assert problem.coordinates.loss(alone, weights) == pytest.approx(
        problem.coordinates.loss(ends[2:3], weights), rel=1e-12
    )


def test_a_search_leaves_a_saddle(problem):
    """A code of zero gain is stationary in the gains of a decoder without cross covariance; it is left."""
    closed = FixedDecoder(np.eye(2), 0.5, np.diag([3.0, 2.0]), partition("diagonal", 2), partition("diagonal", 2))
    weights = Weights()
    theta = closed.join(np.zeros_like(closed.coordinates.cross), np.eye(2), 0.5)
    (end,) = minimise(closed.coordinates, theta[np.newaxis], weights, np.ones((1, len(theta))))
    best = theory.optimal_encoder(np.eye(2), 0.5, 1.0)
    assert closed.coordinates.loss(end, weights) == pytest.approx(
        closed.coordinates.loss(closed.pack(best), weights), rel=1e-12
    )


def test_the_least_curvature_is_that_orthogonal_to_the_excluded():
    hessian = np.diag([-1.0, 2.0, 3.0])
    assert least_curvature(hessian, np.zeros((0, 3))) == pytest.approx(-1)
    assert least_curvature(hessian, np.array([[2.0, 0.0, 0.0]])) == pytest.approx(2)
    assert least_curvature(hessian, np.eye(3)) == np.inf


def test_searches_of_one_problem_join_at_one_minimum_and_alone_reach_the_same(problem):
    weights, size = Weights.independence(3), problem.coordinates.cross.size + 4
    starts, scale = np.random.default_rng(2).standard_normal((6, size)), np.ones((6, size))
    alone = minimise(problem.coordinates, starts, weights, scale)
    joined = minimise(problem.coordinates, starts, weights, scale, owners=np.array([0, 0, 0, 1, 1, 1]))
    assert problem.coordinates.loss(joined, weights) == pytest.approx(
        problem.coordinates.loss(alone, weights), rel=1e-12
    )
    assert len(np.unique(joined, axis=0)) < len(np.unique(alone, axis=0))
