"""Why a run ended: the code of its kernel, unless its last numbers say otherwise.

A run whose parameters or loss left the range of double precision has no result, whatever its code.
"""

from __future__ import annotations

import numpy as np

from numerics.kernels import descent, objective
from numerics.training.problem import RESOLVED, TrainingProblem
from numerics.training.stop import Stop
from theory.groups import Weights

__all__ = ["overflowed", "stop_reason"]

STOPS = {  # by the codes of the kernels
    descent.NOT_RUN: Stop.NOT_RUN,
    descent.OVERFLOWED: Stop.OVERFLOWED,
    descent.GRADIENT: Stop.GRADIENT,
    descent.MAX_STEPS: Stop.MAX_STEPS,
    descent.STALLED: Stop.STALLED,
    descent.DIVERGED: Stop.DIVERGED,
}
LARGEST_EXPONENT = 300.0  # of a parameter x that enters as exp(x): exp(2 x) overflows soon after


def stop_reason(
    code: int, loss: float, gradient_norm: float, theta: np.ndarray, problem: TrainingProblem, weights: Weights
) -> Stop:
    """Why a run stopped, from the code of its kernel and the numbers at its end.

    "overflowed" where the numbers are invalid; "diverged" where the loss is known to have no lower bound, whatever the
    code.

    Parameters
    ----------
    code : int
        of the kernel.
    loss, gradient_norm : float
        at the end, as the kernel computed them.
    theta : (2 D K + K K + 1,) array
        the parameters at the end.
    problem, weights : TrainingProblem, Weights
        of the run.
    """
    if code == descent.NOT_RUN:
        return Stop.NOT_RUN
    if overflowed(loss, gradient_norm, theta, problem.mask, problem.latent_dim):
        return Stop.OVERFLOWED
    if problem.unbounded(weights):
        return Stop.DIVERGED
    rounding = objective.rounding_error(theta, problem.objective(weights), loss)
    return STOPS[code] if rounding <= RESOLVED else Stop.UNRESOLVED


def overflowed(loss: float, gradient_norm: float, theta: np.ndarray, mask: np.ndarray, latent_dim: int) -> bool:
    """Whether a number is not finite, or a learned parameter that enters as an exponential is beyond its range."""
    exponents = np.append(np.arange(len(theta) - 1 - latent_dim**2, len(theta) - 1, latent_dim + 1), len(theta) - 1)
    learned = exponents[mask[exponents] > 0]
    within = np.abs(theta[learned]).max(initial=0.0) < LARGEST_EXPONENT
    return not (within and np.isfinite(loss) and np.isfinite(gradient_norm) and np.isfinite(theta).all())
