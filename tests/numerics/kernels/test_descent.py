"""The compiled descents, each against its own Python."""

from __future__ import annotations

import numpy as np
import pytest

from numerics.kernels import descent, objective
from numerics.kernels.descent import Limits
from numerics.training.descent import METHOD_CODES
from tests.numerics.kernels.helpers import compiled_and_plain, evaluate, objective_of, setting


def no_path(problem):
    """The arguments of a descent along the gradient whose parameters on the way are not kept."""
    return np.empty(0, dtype=np.int64), np.empty((0, len(problem.mask)))


METHODS = {  # each kernel, and its own arguments, before and after those that all share
    "accelerated": (descent.accelerated, lambda problem: ((problem.perturbation,), ())),
    "gradient": (descent.gradient_descent, lambda problem: ((), no_path(problem))),
    "adam": (descent.adam, lambda problem: ((), ())),
}


@pytest.mark.parametrize(("kernel", "own"), METHODS.values(), ids=METHODS)
def test_descents_in_plain_python(kernel, own):
    results = []
    for function in (kernel, kernel.py_func):
        problem, theta = setting("full", 2)
        history = np.full(8, np.nan)
        before, after = own(problem)
        ended = function(theta, objective_of(problem, 1.5), *before, Limits(0.01, 1e-8, 15), history, *after)
        results.append((*ended, history, theta))
    for compiled, plain in zip(*results, strict=True):
        np.testing.assert_allclose(plain, compiled, rtol=1e-10, atol=1e-10)
    steps, loss, _, end, history, _ = results[0]
    assert (steps, end) == (15, descent.MAX_STEPS)
    assert history[0] > history[-1]
    assert history[0] > loss


@pytest.mark.parametrize("method", METHODS)
def test_descend_calls_the_method(method):
    kernel, own = METHODS[method]
    (problem, theta), limits = setting("full", 2), Limits(0.01, 1e-8, 9)
    loss, expected = objective_of(problem, 1.5), theta.copy()
    ended = descent.descend(theta, loss, problem.perturbation, METHOD_CODES[method], limits, np.empty(0))
    assert isinstance(ended, descent.Outcome)
    before, after = own(problem)
    assert ended == kernel(expected, loss, *before, limits, np.empty(0), *after)
    np.testing.assert_array_equal(theta, expected)
    assert (ended.steps, ended.code) == (9, descent.MAX_STEPS) and ended.gradient_norm > 0


@pytest.mark.parametrize("function", [descent.gradient_descent, descent.gradient_descent.py_func])
def test_the_parameters_on_the_way_are_the_ends_of_shorter_runs(function):
    (problem, theta), counts = setting("full", 2), np.array([0, 3, 4, 11, 20])
    loss, path, moving = objective_of(problem, 1.5), np.full((5, len(theta)), np.nan), theta.copy()
    function(moving, loss, Limits(0.01, 1e-8, 15), np.empty(0), counts, path)
    for count, kept in zip(counts[:4], path, strict=False):
        end = theta.copy()
        function(end, loss, Limits(0.01, 1e-8, count), np.empty(0), *no_path(problem))
        np.testing.assert_array_equal(kept, end)
    assert np.isnan(path[4]).all()  # a run of 15 steps does not come so far


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_many_runs_on_threads_and_one_by_one(threads):
    weights = np.array([[0.4, 0.4, 0.4, 0.4], [1.5, 3.0, 0.7, 1.0], [1.0, 6.0, 1.0, 1.0]])
    problem, theta = setting("full", 2)
    settings = problem.perturbation, descent.ACCELERATED, Limits(0.01, 1e-8, 40)
    thetas, outcomes = np.tile(theta, (3, 1)), descent.Outcomes.of_none(3)
    descent.descend_all(thetas, weights, objective_of(problem, 1.0), *settings, threads, outcomes)
    for run in range(3):
        alone = theta.copy()
        ended = descent.descend(
            alone, objective_of(problem, 1.0)._replace(weights=weights[run]), *settings, np.empty(0)
        )
        assert tuple(column[run] for column in outcomes) == ended
        np.testing.assert_array_equal(thetas[run], alone)


def test_adam_takes_the_published_steps():
    problem, theta = setting("full", 2)
    expected, first, second = theta.copy(), 0.0, 0.0
    for step in range(1, 6):
        gradient = evaluate(problem, expected, 1.5)[1]
        first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
        mean, spread = first / (1 - 0.9**step), np.sqrt(second / (1 - 0.999**step))
        expected -= 0.05 * mean / (spread + 1e-8)
    descent.adam(theta, objective_of(problem, 1.5), Limits(0.05, 1e-8, 5), np.empty(0))
    np.testing.assert_allclose(theta, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("function", compiled_and_plain(descent.verdict), ids=["compiled", "python"])
def test_why_a_descent_ends(function):
    floor, limits = objective.LOG_NOISE_FLOOR, Limits(0.01, 1e-8, 9)
    assert function(3, 1e-9, floor - 1, limits, floor) == descent.GRADIENT
    assert function(3, 1.0, floor - 1, limits, floor) == descent.DIVERGED
    assert function(3, 1.0, floor - 1, limits, -np.inf) == descent.NOT_RUN
    assert function(9, 1.0, 0.0, limits, floor) == descent.MAX_STEPS
    assert function(3, 1.0, floor - 1, limits, floor - 2) == descent.NOT_RUN
    for norm in (np.inf, np.nan):
        assert function(3, norm, 0.0, limits, floor) == descent.OVERFLOWED
