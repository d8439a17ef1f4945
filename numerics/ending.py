"""Why a training run ended, in one word: the same check for one run, for the runs of a sweep and for batches of data.

The kernels say why they stopped. What the last numbers show is added here: a run whose parameters or loss left the
range of double precision has reached nothing, whatever its kernel says.
"""

from __future__ import annotations

import numpy as np

from numerics import kernels_training as kernels
from numerics.problem import RESOLVED, Problem
from theory.groups import Weights

__all__ = ["FINISHED", "NOT_RUN", "OVERFLOWED", "UNRESOLVED", "ending", "overflowed"]

NOT_RUN, OVERFLOWED, UNRESOLVED = "not run", "overflowed", "unresolved"
WORDS = {
    kernels.NOT_RUN: NOT_RUN,
    kernels.OVERFLOWED: OVERFLOWED,
    kernels.GRADIENT: "gradient",
    kernels.MAX_STEPS: "max_steps",
    kernels.STALLED: "stalled",
    kernels.DIVERGED: "diverged",
}
FINISHED = frozenset(WORDS.values()) - {NOT_RUN, OVERFLOWED} | {UNRESOLVED}  # with numbers that mean something
LARGEST_EXPONENT = 300.0  # of a parameter x that enters as exp(x): exp(2 x) soon leaves float64


def ending(end: int, loss: float, gradient_norm: float, theta: np.ndarray, problem: Problem, weights: Weights) -> str:
    """The word for why a run ended: one of `WORDS`.

    "overflowed" where its numbers mean nothing; "diverged" where the loss is known to have no lower bound, so that it
    is no merit of the steps, and no lack of them, where the run came to.

    Parameters
    ----------
    end : int
        what the kernel said.
    loss, gradient_norm : float
        at the end, as the kernel computed them.
    theta : (2 D K + K K + 1,) array
        the parameters at the end.
    problem, weights : Problem, Weights
        what was trained.
    """
    if end == kernels.NOT_RUN:
        return NOT_RUN
    if overflowed(loss, gradient_norm, theta, problem.mask, problem.latent_dim):
        return OVERFLOWED
    if problem.unbounded(weights):
        return WORDS[kernels.DIVERGED]
    return WORDS[end] if kernels.rounding_error(theta, problem.roots, loss) <= RESOLVED else UNRESOLVED


def overflowed(loss: float, gradient_norm: float, theta: np.ndarray, mask: np.ndarray, latent_dim: int) -> bool:
    """Whether a number is none, or a learned parameter that enters as an exponential is beyond what that can hold."""
    exponents = np.append(np.arange(len(theta) - 1 - latent_dim**2, len(theta) - 1, latent_dim + 1), len(theta) - 1)
    learned = exponents[mask[exponents] > 0]
    within = np.abs(theta[learned]).max(initial=0.0) < LARGEST_EXPONENT
    return not (within and np.isfinite(loss) and np.isfinite(gradient_norm) and np.isfinite(theta).all())
