"""A sweep of which every run is needed: an interrupt, a failure or an overflow is an error, wherever it is used."""

from __future__ import annotations

import ast
import dataclasses
from pathlib import Path

import numpy as np
import pytest

import figures
import numerics
from figures.kit.training import train_each
from numerics import block_truth, granularity_map
from numerics.bench import ours
from numerics.bench.problem import Descent, Parameters
from numerics.checks import groups
from numerics.checks.verify import QUICK
from numerics.data.rectangle import square_covariance
from numerics.experiments.orthogonality import distances
from numerics.sweeps import complete
from numerics.sweeps import sweep as module
from tests.numerics.command_line import run

SQUARE = square_covariance(2.0)
CALLERS = {
    "granularity_map": lambda: granularity_map(block_truth([1, 1], 0.5, 0.1, 3), betas=[2.0]),
    "distances": lambda: distances(SQUARE, seeds=2),
    "granularity_slope": lambda: list(groups.granularity_slope(QUICK)),
    "grouped_learned_decoder": lambda: list(groups.grouped_learned_decoder(QUICK)),
    "train_each": lambda: train_each(np.diag([2.0, 1.0]), 1, [1.0]),
    "bench": lambda: ours.descent(many_runs())[0].run(),
}


def many_runs() -> Descent:
    spectrum, betas, seeds = np.array([1.0, 0.5, 0.2]), (1.0, 2.0), (0,)
    starts = [ours.start(spectrum, 2, 0) for _ in betas]
    return Descent(spectrum, 2, betas, seeds, Parameters(*map(np.stack, zip(*starts, strict=True))), steps=2)


@pytest.fixture
def interrupted(monkeypatch):
    """Every sweep is interrupted before its first batch has finished."""

    def batches(*_):
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(module, "finished_batches", batches)


@pytest.mark.parametrize("call", CALLERS.values(), ids=CALLERS)
def test_an_interrupt_is_passed_on(interrupted, call):
    with pytest.raises(KeyboardInterrupt):
        call()


@pytest.mark.parametrize("name", ["granularity_slope", "grouped_optimum"])
def test_a_command_that_is_interrupted_in_a_sweep_ends_with_130(interrupted, capsys, name):
    code, out, _ = run(capsys, "verify", "--quick", "--only", name)
    assert (code, out) == (130, "")


def test_a_failure_is_raised(monkeypatch):
    done = complete.complete_sweep(SQUARE, 1, betas=[1.0], noise_variance=0.1)
    failed = dataclasses.replace(done, interrupted=True, failure="OSError: disk full")
    monkeypatch.setattr(complete, "sweep", lambda *_, **__: failed)
    with pytest.raises(RuntimeError, match="before all of its runs were made: OSError: disk full"):
        complete.complete_sweep(SQUARE, 1, betas=[1.0])


def test_a_run_that_overflowed_is_an_error():
    options = {"betas": [1.0, 2.0], "method": "adam", "learning_rate": 1e6, "max_steps": 50}
    with pytest.raises(ValueError, match=r"the run of beta 1\.0 and seed 0 overflowed; pass a smaller learning_rate"):
        complete.complete_sweep(np.diag([4.0, 2.5, 1.2, 0.6, 0.3]), 2, **options)


def test_only_a_command_uses_a_sweep_that_may_end_early():
    """Everything else needs all runs; a loop over those of an interrupted sweep would swallow the interrupt."""
    using = set()
    for package in (numerics, figures):
        for path in Path(package.__file__).parent.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ImportFrom) and any(name.name == "sweep" for name in node.names):
                    using.add(path.relative_to(Path(package.__file__).parents[1]).as_posix())
    assert using == {"numerics/sweeps/complete.py", "numerics/sweeps/commands.py"}
