"""Training by compiled descent of the exact loss in all parameters: accelerated, along the gradient, and by Adam."""

from __future__ import annotations

from functools import partial

import numpy as np

from numerics.kernels import descent
from numerics.kernels.descent import Limits
from numerics.kernels.objective import Objective
from numerics.training.outcome import Outcome
from numerics.training.problem import TrainingProblem

__all__ = ["METHOD_CODES", "accelerated", "adam", "gradient", "gradient_path"]

METHOD_CODES = {"accelerated": descent.ACCELERATED, "gradient": descent.GRADIENT_DESCENT, "adam": descent.ADAM}


def _descend(
    problem: TrainingProblem, start: np.ndarray, objective: Objective, limits: Limits, history: np.ndarray, *, code: int
) -> Outcome:
    return descent.descend(start, objective, problem.perturbation, code, limits, history)


accelerated, gradient, adam = (partial(_descend, code=code) for code in METHOD_CODES.values())


def gradient_path(
    theta: np.ndarray, objective: Objective, limits: Limits, counts: np.ndarray
) -> tuple[Outcome, np.ndarray]:
    """Descend along the gradient from `theta`, in place; returns the end and the parameters on the way.

    Parameters
    ----------
    theta, objective, limits
        as for every method (`numerics.training.outcome`).
    counts : (S,) array of int, increasing
        numbers of steps after which the parameters are kept; where the run has ended, they are those of its end.

    Returns
    -------
    Outcome
    path : (S, n) array
    """
    path = np.empty((len(counts), len(theta)))
    end = Outcome(*descent.gradient_descent(theta, objective, limits, np.empty(0), counts, path))
    path[counts > end.steps] = theta
    return end, path
