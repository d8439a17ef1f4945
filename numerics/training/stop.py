"""Why a training run stopped: the same words for one run, a sweep, batches and every method.

The kernels return a code. The last numbers are checked here: a run whose parameters or loss left the range of double
precision has no result, whatever its code.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from numerics.kernels import descent, objective
from numerics.training.problem import RESOLVED, TrainingProblem
from theory.groups import Weights

__all__ = ["FINISHED", "Stop", "overflowed", "stop_reason"]


class Stop(StrEnum):
    """Why a run stopped: a word, equal to its text, with a sentence that explains it and names a remedy.

    >>> from numerics import train
    >>> run = train([[2.0, 0.0], [0.0, 0.5]], 1, beta=1.0, noise_variance=0.5)
    >>> run.stopped == "gradient", run.stopped.sentence
    (True, 'The gradient norm fell to the tolerance.')
    """

    sentence: str

    GRADIENT = "gradient", "The gradient norm fell to the tolerance."
    MAX_STEPS = (
        "max_steps",
        "The gradient norm did not fall to the tolerance within the steps allowed; pass a larger max_steps, or another "
        "method.",
    )
    STALLED = (
        "stalled",
        "No step along the gradient lowers the loss by more than rounding. If the gradient norm is not small (by "
        "'lbfgs', where eigenvalues are 1e7 times the noise or more, the loss may be a nat or more above the optimum), "
        "use method='accelerated_em'.",
    )
    DIVERGED = (
        "diverged",
        "The loss has no lower bound, since the learned noise may run to zero; fix the noise, take fewer latents, or a "
        "larger beta.",
    )
    UNRESOLVED = (
        "unresolved",
        "The learned noise is so small against it (about 1e-13), or the loss so large (about 1e13), that rounding may "
        "change the loss by a thousandth of a nat or more: do not rely on loss and noise. Fix the noise, or take fewer "
        "latents, or a beta nearer to 1.",
    )
    OVERFLOWED = (
        "overflowed",
        "The numbers of the run left the range of double precision; pass a smaller learning rate, or weights that "
        "leave the loss a lower bound.",
    )
    NOT_RUN = "not run", "The run was not made, because the sweep ended before; make it again."

    def __new__(cls, word: str, sentence: str):
        member = str.__new__(cls, word)
        member._value_, member.sentence = word, sentence
        return member


CODES = {  # of the kernels
    descent.NOT_RUN: Stop.NOT_RUN,
    descent.OVERFLOWED: Stop.OVERFLOWED,
    descent.GRADIENT: Stop.GRADIENT,
    descent.MAX_STEPS: Stop.MAX_STEPS,
    descent.STALLED: Stop.STALLED,
    descent.DIVERGED: Stop.DIVERGED,
}
FINISHED = frozenset(Stop) - {Stop.NOT_RUN, Stop.OVERFLOWED}  # with valid numbers
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
    return CODES[code] if rounding <= RESOLVED else Stop.UNRESOLVED


def overflowed(loss: float, gradient_norm: float, theta: np.ndarray, mask: np.ndarray, latent_dim: int) -> bool:
    """Whether a number is not finite, or a learned parameter that enters as an exponential is beyond its range."""
    exponents = np.append(np.arange(len(theta) - 1 - latent_dim**2, len(theta) - 1, latent_dim + 1), len(theta) - 1)
    learned = exponents[mask[exponents] > 0]
    within = np.abs(theta[learned]).max(initial=0.0) < LARGEST_EXPONENT
    return not (within and np.isfinite(loss) and np.isfinite(gradient_norm) and np.isfinite(theta).all())
