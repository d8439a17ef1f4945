"""Whether a line of a file holds what a finished run can have reached, and its loss is that of its parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from numerics.kernels.objective import rounding_error
from numerics.sweeps.lines import decode
from numerics.sweeps.same_problem import SAME
from numerics.training.end_of_run import overflowed
from numerics.training.problem import TrainingProblem
from numerics.training.stop import FINISHED, Stop
from theory.groups import Weights

__all__ = ["agrees", "possible"]

RUN_KEYS = {"weights", "seed", "loss", "gradient_norm", "steps", "stopped", "parameters"}


def possible(run: Mapping, size: int, asked: Mapping) -> bool:
    """Whether the values of a line are in the range of those of a finished run."""
    try:
        numbers = [*run["weights"], run["loss"], run["gradient_norm"]]
        Weights(*run["weights"])  # raises for what weights cannot be
        return (
            run.keys() == RUN_KEYS
            and len(run["weights"]) == 4
            and all(type(number) is float and math.isfinite(number) for number in numbers)
            and run["gradient_norm"] >= 0
            and all(type(run[name]) is int and run[name] >= 0 for name in ("seed", "steps"))
            and run["steps"] <= asked["max_steps"]
            and run["stopped"] in FINISHED
            and (run["stopped"] != Stop.GRADIENT or run["gradient_norm"] <= asked["gradient_tolerance"])
            and (run["stopped"] != Stop.MAX_STEPS or run["steps"] == asked["max_steps"])
            and bool(np.isfinite(parameters := decode(run["parameters"])).all())
            and parameters.shape == (size,)
        )
    except (KeyError, TypeError, ValueError):
        return False


def agrees(run: Mapping, problem: TrainingProblem, fixed: np.ndarray) -> bool:
    """Whether loss and gradient norm are those of the parameters, up to rounding, and fixed parameters are as asked.

    A checksum shows that a line is as it was written, not that it is right.
    """
    theta, weights = run["parameters"], Weights(*run["weights"])
    with np.errstate(all="ignore"):
        objective = problem.objective(weights)
        loss, norm = problem.measure(theta, objective)
        rounding = rounding_error(theta, objective, loss)
        if overflowed(loss, norm, theta, problem.mask, problem.latent_dim):
            return False
        loss += problem.loss_offset(weights)
        gaps = abs(run["loss"] - loss), abs(run["gradient_norm"] - norm)
    near = np.allclose(theta[problem.mask == 0], fixed, rtol=SAME, atol=SAME)
    return bool(near and gaps[0] <= rounding + SAME * abs(loss) and gaps[1] <= rounding + SAME * norm)
