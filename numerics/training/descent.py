"""Training by compiled descent of the exact loss in all parameters: accelerated, along the gradient, and by Adam."""

from __future__ import annotations

from functools import partial

import numpy as np

from numerics.kernels import descent
from numerics.kernels.descent import Limits
from numerics.kernels.objective import Objective
from numerics.training.outcome import Outcome
from numerics.training.problem import TrainingProblem

__all__ = ["METHOD_CODES", "accelerated", "adam", "gradient"]

METHOD_CODES = {"accelerated": descent.ACCELERATED, "gradient": descent.GRADIENT_DESCENT, "adam": descent.ADAM}


def _descend(
    problem: TrainingProblem, start: np.ndarray, objective: Objective, limits: Limits, history: np.ndarray, *, code: int
) -> Outcome:
    return descent.descend(start, objective, problem.perturbation, code, limits, history)


accelerated, gradient, adam = (partial(_descend, code=code) for code in METHOD_CODES.values())
