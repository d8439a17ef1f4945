from __future__ import annotations

import numpy as np
import pytest

from numerics.kernels.descent import Limits
from numerics.training.methods import ALTERNATING, GRADIENT_METHODS, METHODS, method_function
from numerics.training.outcome import Outcome
from numerics.training.problem import training_problem
from theory.groups import Weights


def test_every_method_but_auto_has_a_function():
    assert {*GRADIENT_METHODS, *ALTERNATING} == set(METHODS) - {"auto"}
    assert not GRADIENT_METHODS.keys() & ALTERNATING.keys()


@pytest.mark.parametrize("name", [*GRADIENT_METHODS, *ALTERNATING])
def test_every_method_keeps_the_interface(name):
    """Outcome, the history of the loss, and the parameters at the end in the place of the start."""
    method = method_function(name)
    problem = training_problem(np.diag([3.0, 1.0, 0.5]), 1, 0.4, None, "diagonal")
    start = problem.start(np.random.default_rng(0))
    before, history = start.copy(), np.full(6, np.nan)
    outcome = method(problem, start, problem.objective(Weights()), Limits(0.01, 1e-8, 5), history)
    assert isinstance(outcome, Outcome) and 1 <= outcome.steps <= 5
    assert np.isfinite(history[: outcome.steps + 1]).all() and np.isnan(history[outcome.steps + 1 :]).all()
    assert history[outcome.steps] < history[0] and (start != before).any()
