"""The interface that all training methods share; each returns an `Outcome`, as the kernels do.

A method is a function `method(problem, start, objective, limits, history) -> Outcome`:

problem     data and learned parameters (`TrainingProblem`)
start       the parameters to start from, replaced by those at the end
objective   the loss in the form of the kernels (`problem.objective(weights)`)
limits      how fast and how long to descend (`numerics.kernels.descent.Limits`)
history     (max_steps + 1,), receives the loss at the start and after every step
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from numerics.kernels.descent import Limits, Outcome
from numerics.kernels.objective import Objective
from numerics.training.problem import TrainingProblem

__all__ = ["Method", "Outcome"]

Method = Callable[[TrainingProblem, np.ndarray, Objective, Limits, np.ndarray], Outcome]
