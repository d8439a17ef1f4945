"""The runs that a sweep still has to make, and which of them have finished."""

from __future__ import annotations

from collections.abc import Container, Mapping

import numpy as np

from numerics.kernels.descent import NOT_RUN, Outcomes
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
        self._checked = {weights: Weights(*weights) for weights, _ in keys}
        self._offsets = {weights: problem.loss_offset(checked) for weights, checked in self._checked.items()}
        self.outcomes = Outcomes.of_none(count)

    def take(self, part: slice, thetas: np.ndarray, outcomes: Outcomes) -> None:
        """Keep the results of a part that was made elsewhere; a run has finished when its code says so."""
        self.thetas[part] = thetas
        for name, array in self.outcomes.part(part)._asdict().items():
            array[:] = getattr(outcomes, name)

    def finished(self, part: slice, known: Container = ()) -> dict[tuple[tuple, int], dict]:
        """The finished runs of a part by key, without those that are `known`, in the form of the file.

        The numbers of one that overflowed are NaN.
        """
        return {
            self.keys[run]: self._ended(run)
            for run in range(len(self.keys))[part]
            if self.outcomes.codes[run] != NOT_RUN and self.keys[run] not in known
        }

    def _ended(self, run: int) -> dict:
        (weights, seed), ended, theta = self.keys[run], self.outcomes, self.thetas[run]
        loss, norm = ended.losses[run] + self._offsets[weights], ended.gradient_norms[run]
        stopped = stop_reason(ended.codes[run], loss, norm, theta, self.problem, self._checked[weights])
        if stopped == Stop.OVERFLOWED:
            loss, norm, theta = np.nan, np.nan, np.full_like(theta, np.nan)
        return {
            "weights": weights,
            "seed": seed,
            "loss": float(loss),
            "gradient_norm": float(norm),
            "steps": int(ended.steps[run]),
            "stopped": stopped,
            "parameters": theta,
        }
