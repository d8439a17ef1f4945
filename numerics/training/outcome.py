"""The result of a training method, and the interface that all methods share.

A method is a function `method(problem, start, objective, limits, history) -> Outcome`:

problem     data and learned parameters (`TrainingProblem`)
start       the parameters to start from, replaced by those at the end
objective   the loss in the form of the kernels (`problem.objective(weights)`)
limits      how fast and how long to descend (`numerics.kernels.descent.Limits`)
history     (max_steps + 1,), receives the loss at the start and after every step
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from numerics.kernels.descent import Limits
from numerics.kernels.objective import Objective
from numerics.training.problem import TrainingProblem

__all__ = ["Method", "Outcome"]


class Outcome(NamedTuple):
    """The end of a run.

    Attributes
    ----------
    steps : int
    loss, gradient_norm : float
        at the end, in training units.
    code : int
        why it ended, as a code of the kernels (`numerics.training.end_of_run.CODES`).
    """

    steps: int
    loss: float
    gradient_norm: float
    code: int


Method = Callable[[TrainingProblem, np.ndarray, Objective, Limits, np.ndarray], Outcome]
