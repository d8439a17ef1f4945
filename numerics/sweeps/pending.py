"""The runs that a sweep still has to make, and which of them have finished."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from numerics.kernels import descent
from numerics.training.end_of_run import stop_reason
from numerics.training.problem import TrainingProblem
from numerics.training.stop import Stop
from theory.groups import Weights

__all__ = ["Pending"]


class Pending:
    """The runs to be made, as the arrays that the kernels read and fill, in the order of `keys`.

    Parameters
    ----------
    problem : TrainingProblem
    keys : list of (four weights, seed)
    starts : mapping from seeds to parameters
    """

    def __init__(self, problem: TrainingProblem, keys: list[tuple[tuple, int]], starts: Mapping[int, np.ndarray]):
        count = len(keys)
        self.keys, self.problem = keys, problem
        self.thetas = np.array([starts[seed] for _, seed in keys]).reshape(count, len(problem.mask))
        self.weights = np.array([weights for weights, _ in keys]).reshape(count, 4)
        self.offsets = [problem.loss_offset(Weights(*weights)) for weights, _ in keys]
        self.steps, self.codes = np.zeros(count, dtype=np.int64), np.full(count, descent.NOT_RUN)
        self.losses, self.norms = np.zeros(count), np.zeros(count)

    def outputs(self, part: slice) -> tuple[np.ndarray, ...]:
        """The arrays that the kernels fill, besides `thetas`; the last marks the runs that have finished."""
        return self.steps[part], self.losses[part], self.norms[part], self.codes[part]

    def finished(self, part: slice) -> dict[tuple[tuple, int], dict]:
        """The finished runs of a part by key, in the form of the file; the numbers of one that overflowed are NaN."""
        return {
            self.keys[run]: self._ended(run)
            for run in range(len(self.keys))[part]
            if self.codes[run] != descent.NOT_RUN
        }

    def _ended(self, run: int) -> dict:
        loss, norm, theta = self.losses[run] + self.offsets[run], self.norms[run], self.thetas[run]
        stopped = stop_reason(self.codes[run], loss, norm, theta, self.problem, Weights(*self.weights[run]))
        if stopped == Stop.OVERFLOWED:
            loss, norm, theta = np.nan, np.nan, np.full_like(theta, np.nan)
        return {
            "weights": self.keys[run][0],
            "seed": self.keys[run][1],
            "loss": float(loss),
            "gradient_norm": float(norm),
            "steps": int(self.steps[run]),
            "stopped": stopped,
            "parameters": theta,
        }
