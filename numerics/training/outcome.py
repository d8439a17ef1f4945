"""What a training method returns, and the one interface that all methods have.

A method is a function `method(problem, start, objective, limits, history) -> Outcome`:

problem     what is trained on what (`TrainingProblem`)
start       the parameters to start from, replaced by those at the end
objective   the loss as the kernels take it (`problem.objective(weights)`)
limits      how fast and how long to descend (`numerics.kernels.descent.Limits`)
history     (max_steps + 1,), takes the loss at the start and after every step
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
    """What a run came to.

    Attributes
    ----------
    steps : int
    loss, gradient_norm : float
        at the end, in training units.
    code : int
        why it ended, as the kernels say it (`numerics.training.stop.CODES`).
    """

    steps: int
    loss: float
    gradient_norm: float
    code: int


Method = Callable[[TrainingProblem, np.ndarray, Objective, Limits, np.ndarray], Outcome]
