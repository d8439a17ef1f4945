"""Why a training run stopped: the same words for one run, a sweep, batches, every method and every prior.

What decides that a run has converged: `verdict` in `numerics.kernels.descent` (the line `norm <= limits.tolerance`),
which every method on all data calls. A saddle has no gradient either, so all but "gradient" and "adam" then take a
small random step, which must lead back to the same loss. At the end `numerics.training.end_of_run` overrules them where
the numbers are invalid, or the loss is not resolved or has no lower bound. A run on minibatches makes all its steps.
With a prior `reached` in `numerics.priors.training` decides.
"""

from __future__ import annotations

from enum import StrEnum

__all__ = ["FINISHED", "Stop"]


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
        "The gradient norm did not fall to the tolerance within the steps allowed; allow more steps, or where methods "
        "can be chosen take another.",
    )
    STALLED = (
        "stalled",
        "The descent ended before the gradient norm fell to the tolerance, because no step lowered the loss by more "
        "than rounding. If the gradient norm is not small, try another start. Of the methods of `numerics.train`, "
        "'lbfgs' may end a nat or more above the optimum where eigenvalues are 1e7 times the noise or more, and "
        "'accelerated_em' does not.",
    )
    DIVERGED = (
        "diverged",
        "The loss has no lower bound, since the learned noise may run to zero; fix the noise, take fewer latents, or a "
        "larger beta.",
    )
    UNRESOLVED = (
        "unresolved",
        "The loss is not known to a thousandth of a nat, so do not rely on loss and noise. Either the learned noise is "
        "so small against the variance (about 1e-13), or the loss so large (about 1e13), that rounding changes it: fix "
        "the noise, or take fewer latents, or a beta nearer to 1. Or (alpha > 0) the nodes do not resolve the "
        "divergence from the prior: take alpha = 0, or a smoother prior.",
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

    __repr__ = str.__repr__  # so that runs and arrays of sweeps print the word


FINISHED = frozenset(Stop) - {Stop.NOT_RUN, Stop.OVERFLOWED}  # with valid numbers
