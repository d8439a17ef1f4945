from __future__ import annotations

import numpy as np
import pytest

from numerics.kernels import descent
from numerics.sweeps.pending import Pending
from numerics.training.problem import training_problem
from theory.groups import Weights

KEYS = [((1.0, 1.0, 1.0, 1.0), 0), ((2.0, 2.0, 2.0, 2.0), 7)]


@pytest.fixture
def pending():
    problem = training_problem(np.diag([2.0, 1.0]), 1, 0.5, None, "diagonal")
    starts = {seed: problem.start(np.random.default_rng(seed)) for _, seed in KEYS}
    return Pending(problem, KEYS, starts)


def test_no_run_has_finished_at_first(pending):
    assert pending.finished(slice(None)) == {}
    assert (pending.outcomes.codes == descent.NOT_RUN).all()


def test_a_finished_run_is_reported_by_its_key_in_nats_of_the_data(pending):
    ended = descent.Outcomes.of_none(1)
    ended.put(0, descent.Outcome(steps=12, loss=3.0, gradient_norm=1e-9, code=descent.GRADIENT))
    pending.take(slice(1, 2), pending.thetas[1:2] + 1, ended)
    ((key, run),) = pending.finished(slice(None)).items()
    assert key == KEYS[1] and (run["weights"], run["seed"]) == key
    assert (run["steps"], run["stopped"], run["gradient_norm"]) == (12, "gradient", 1e-9)
    assert run["loss"] == 3.0 + pending.problem.loss_offset(Weights.uniform(2.0))
    np.testing.assert_array_equal(run["parameters"], pending.thetas[1])
    assert pending.finished(slice(0, 1)) == {}
    assert pending.finished(slice(None), known={key}) == {}


def test_a_run_that_overflowed_has_no_numbers(pending):
    pending.outcomes.put(0, descent.Outcome(steps=12, loss=np.inf, gradient_norm=1e-9, code=descent.GRADIENT))
    run = pending.finished(slice(None))[KEYS[0]]
    assert run["stopped"] == "overflowed"
    assert np.isnan(run["loss"]) and np.isnan(run["gradient_norm"]) and np.isnan(run["parameters"]).all()


def test_without_runs_the_arrays_are_empty(pending):
    none = Pending(pending.problem, [], {})
    assert none.thetas.shape == (0, len(pending.problem.mask)) and none.weights.shape == (0, 4)
