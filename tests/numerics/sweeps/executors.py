"""What the tests of sweeps on executors share: a stub of an executor, runs that take their time, comparisons."""

from __future__ import annotations

import pickle
import signal
import time
from concurrent.futures import Executor, Future

import numpy as np

from numerics.sweeps import batches

BETAS = [0.5, 1.0, 2.0]
RESULTS = ("losses", "gradient_norms", "steps", "stopped", "parameters")
KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
# Runs of some 0.05 seconds that never converge: many of them leave time to interfere.
LONG = {"method": "adam", "gradient_tolerance": 1e-300, "max_steps": 50_000}
LONG_BETAS = np.geomspace(0.5, 2.0, 400)


def assert_same(found, expected, rows=slice(None)):
    for name in RESULTS:
        np.testing.assert_array_equal(getattr(found, name)[rows], getattr(expected, name))


def small_batches(monkeypatch, runs):
    monkeypatch.setattr(batches, "RUNS_PER_THREAD", runs)


class Inline(Executor):
    """Runs what is submitted at once, after a trip through pickle; `at` the n-th it raises, or lets the future fail."""

    def __init__(self, *, at=None, raises=None, fails=None):
        self.at, self.raises, self.fails, self.count = at, raises, fails, 0

    def submit(self, function, /, *arguments):
        self.count += 1
        if self.count == self.at and self.raises is not None:
            raise self.raises
        future = Future()
        if self.count == self.at and self.fails is not None:
            future.set_exception(self.fails)
        else:
            function, arguments = pickle.loads(pickle.dumps((function, arguments)))
            future.set_result(function(*arguments))
        return future


def wait_for_runs(file, count, seconds=180):
    """Until that many runs are in a file."""
    deadline = time.monotonic() + seconds
    while not file.exists() or file.read_bytes().count(b"\n") <= count:
        assert time.monotonic() < deadline, "no run was written"
        time.sleep(0.01)
