"""Training of a linear-Gaussian beta-VAE on a covariance, to confirm the closed forms independently.

    loss = distortion / (2 s2) + (D/2) log(2 pi s2) + beta rate

with s2 the noise variance and D the data dimension, or, with a weight for each part of the rate, the grouped objective
of `theory.groups`, is exact for data of the given covariance, so training is full-batch and without sampling noise.
Decoder, encoder, posterior covariance (a Cholesky factor with the zeros of its family and a log diagonal) and log noise
start at random. Either all follow the gradient, or each half, encoder or decoder, is solved for while the other is
fixed; no method uses the closed form of the optimum.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from numerics.kernels.descent import Limits
from numerics.training.end_of_run import stop_reason
from numerics.training.methods import ALTERNATING, METHODS, method_function
from numerics.training.problem import BLAS, TrainingProblem, in_range, training_problem
from numerics.training.stop import Stop
from theory import validation
from theory.groups import Weights
from theory.model import LinearVAE
from theory.partition import Posterior

__all__ = ["TrainingRun", "train", "train_problem"]


@dataclass(frozen=True, eq=False)
class TrainingRun:
    """The result of one training run.

    Attributes
    ----------
    vae : LinearVAE
        the model at the last step, in the units of the data.
    loss : float
        its loss in nats.
    history : (steps + 1,) array
        the loss before each step and after the last, in nats. It jumps where a small perturbation tests the stop;
        otherwise it falls at every step but those of "accelerated", which takes it at extrapolated points, and of
        "adam". That of "lbfgs" is with the best decoder of each encoder, the first included.
    gradient_norm : float
        Euclidean norm of the gradient over all learned parameters in training coordinates, in nats.
    steps : int
    stopped : Stop
        why it ended, a word with a `sentence` that explains it and names a remedy. "diverged": the loss has no lower
        bound, since the learned noise may run to zero (K >= rank and w_I < D / rank; or a fixed decoder whose range
        holds the data, at one weight beta < D / p, p the sum of its ranks within the groups of `posterior`). The run
        then ends where the noise falls below 1e-6 of the largest eigenvalue, or by its steps.
    """

    vae: LinearVAE
    loss: float
    history: np.ndarray
    gradient_norm: float
    steps: int
    stopped: Stop


def train(
    covariance,
    latent_dim: int,
    *,
    beta: float | Weights,
    groups: Posterior = "diagonal",
    prior: np.ndarray | None = None,
    noise_variance: float | str = "learned",
    decoder: np.ndarray | None = None,
    posterior: Posterior = "diagonal",
    method: str = "auto",
    learning_rate: float = 0.01,
    gradient_tolerance: float = 1e-8,
    max_steps: int = 20_000,
    rng: np.random.Generator | int | None = None,
) -> TrainingRun:
    """Train a linear-Gaussian beta-VAE from a random start on its exact loss.

    Parameters
    ----------
    covariance : (D, D) array, (D,) eigenvalues of a diagonal one, or Moments
        of any rank; with `Moments` the model has their mean.
    latent_dim : int
        K; may exceed D, may be 0.
    beta : float > 0, or theory.groups.Weights
        the weight of the rate, or of each of its parts; a negative weight may leave the loss without a lower bound.
    groups : "diagonal", "full", or a list of groups of latents
        between and within which `Weights` split total correlation; ignored if `beta` is a number.
    prior : (K, K) array, positive definite, optional
        covariance of a Gaussian prior; the identity by default.
    noise_variance : float > 0, or "learned"
        a number fixes the decoder noise; a learned one starts at the mean variance tr S / D.
    decoder : (D, K) array, optional
        a fixed decoder; encoder and posterior covariance (and the noise, if learned) are trained.
    posterior : "diagonal", "full", or a list of groups of latents
    method : str
        how to train; for exact comparisons "auto" or "accelerated". Where beta s2 is far below the eigenvalues only
        "rotated_em" and "accelerated_em" converge reliably, and "lbfgs" mostly: at a ratio of 1e7 the gradient methods
        need more than the default number of steps and stop by "max_steps". Comparison: docs/benchmarks.md.

        "accelerated"
            Nesterov's gradient descent, restarted where its momentum points uphill. All parameters, all objectives.
        "gradient"
            plain descent with the longest step that does not overshoot; very slow where eigenvalues are close.
        "adam"
            Adam with a constant learning rate; its steps do not shrink with the gradient, so it often keeps moving
            about the optimum (1e-4 nats above it is common). It works parameter by parameter, so it alone depends on
            the axes, here the principal ones.
        "lbfgs"
            L-BFGS on the encoder, with the best decoder and noise inserted.
        "em"
            the best decoder and the best encoder alternately.
        "rotated_em"
            the same with latents rotated to the principal axes of the decoder, and rescaled.
        "accelerated_em"
            the same with momentum.
        "auto"
            "accelerated_em"; with a fixed decoder "em", and "accelerated" where `Weights` differ or a prior is given,
            which no method below "adam" supports.

        All but "gradient" and "adam" start again after a small perturbation when their gradient vanishes, to
        distinguish a minimum from a saddle.
    learning_rate : float > 0
        of Adam, in training coordinates; the other methods find their own steps.
    gradient_tolerance : float > 0
        stop when the Euclidean norm of the gradient in training coordinates (see the module) is at most this, in nats.
        The excess loss is then about tolerance^2 / (2 curvature).
    max_steps : int
        a safety net; reaching it is reported in `stopped`. The history of this many steps must fit into memory.
    rng : numpy.random.Generator, or a seed, optional
        source of the start; `None` means seed 0, so that a run can be repeated.

    Returns
    -------
    TrainingRun

    Raises
    ------
    ValueError
        for arguments that do not fit, a method that does not support them, sizes or counts beyond what can
        be computed, or a learning rate so large that Adam overflows.

    Examples
    --------
    >>> from numerics import train
    >>> run = train([[2.0, 0.0], [0.0, 0.5]], 1, beta=1.0, noise_variance=0.5)
    >>> round(run.loss, 3), str(run.stopped)
    (2.838, 'gradient')
    """
    problem = training_problem(covariance, latent_dim, noise_variance, decoder, posterior, groups, prior)
    return train_problem(
        problem,
        beta,
        method=method,
        learning_rate=learning_rate,
        gradient_tolerance=gradient_tolerance,
        max_steps=max_steps,
        rng=rng,
    )


def train_problem(
    problem: TrainingProblem, beta: float | Weights, *, method, learning_rate, gradient_tolerance, max_steps, rng
) -> TrainingRun:
    """`train` on a problem that was made before, for many runs of one problem; arguments and errors as there."""
    weights = as_weights("beta", beta)
    method = resolve(validation.choice("method", method, METHODS), problem, weights)
    limits = descent_limits(learning_rate, gradient_tolerance, max_steps)
    max_steps = validation.count("max_steps", max_steps, bytes_each=8)  # for the history
    theta, history = problem.start(generator(rng)), np.empty(max_steps + 1)
    try:
        with BLAS.limit(limits=1, user_api="blas"):
            outcome = method_function(method)(problem, theta, problem.objective(weights), limits, history)
    except np.linalg.LinAlgError:
        level = weights.mutual_information * np.exp(theta[-1]) * problem.unit
        raise ValueError(
            f"beta x noise_variance, {level:.3g} at the start, is or became too small, relative to the largest "
            f"variance {problem.unit:.3g}, for method {method!r}, which solves with their ratio; "
            "use method='accelerated', or raise them"
        ) from None
    stopped = stop_reason(outcome.code, outcome.loss, outcome.gradient_norm, theta, problem, weights)
    if stopped == Stop.OVERFLOWED:
        raise overflow_error(method, learning_rate, beta)
    try:
        vae = problem.vae(theta)
    except ValueError:
        raise ValueError(
            f"noise_variance ran to {np.exp(theta[-1]):.3g} of the largest variance by method {method!r}, where the "
            "posterior covariance is singular to rounding; fix it, or take fewer latents, or a beta nearer to 1"
        ) from None
    return TrainingRun(
        vae=vae,
        loss=float(outcome.loss + problem.loss_offset(weights)),
        history=history[: outcome.steps + 1] + problem.loss_offset(weights),
        gradient_norm=float(outcome.gradient_norm),
        steps=int(outcome.steps),
        stopped=stopped,
    )


def overflow_error(method: str, learning_rate: float, beta: float | Weights) -> ValueError:
    """The error to raise for a run whose numbers left the range of double precision."""
    steps = f"learning_rate must be small enough for the steps to settle, {learning_rate!r} overflowed"
    bound = f"beta must leave the loss a lower bound, training overflowed with {beta!r}; increase its weights"
    if method != "adam":  # the only method whose steps are not checked
        return ValueError(bound)
    return ValueError(f"{steps}; or {bound}" if min(as_weights("beta", beta).of_parts) < 0 else steps)


def descent_limits(learning_rate, gradient_tolerance, max_steps) -> Limits:
    """Check the arguments on how fast and how long to descend."""
    return Limits(
        validation.positive("learning_rate", learning_rate),
        validation.positive("gradient_tolerance", gradient_tolerance),
        validation.count("max_steps", max_steps),
    )


def resolve(method: str, problem: TrainingProblem, weights: Weights) -> str:
    """The method that "auto" stands for, or the one given, unless it does not support the problem."""
    one_weight = len(set(weights.of_parts)) == 1
    split = not (one_weight and np.array_equal(problem.prior, np.eye(problem.latent_dim)))
    fixed = problem.decoder is not None
    if method == "auto":
        return "accelerated" if split else "em" if fixed else "accelerated_em"
    if method in ALTERNATING and split:
        raise ValueError(f"method {method!r} takes one weight beta and the prior N(0, I) only; use 'accelerated'")
    if method in ALTERNATING and method != "em" and fixed:
        raise ValueError(f"method {method!r} optimises the decoder, but `decoder` is fixed; use 'em' or 'accelerated'")
    return method


def as_weights(name: str, beta: float | Weights) -> Weights:
    """A weight for each part of the rate: as given, or one number for all."""
    weights = beta if isinstance(beta, Weights) else Weights.uniform(validation.positive(name, beta))
    in_range(name, weights.of_parts, "in size", least=0.0)
    return weights


def generator(rng) -> np.random.Generator:
    """The generator given, the one that a seed starts, or by default that of seed 0."""
    return validation.random_generator("rng", 0 if rng is None else rng)
