"""Gradient training of a linear-Gaussian beta-VAE on a covariance: the independent witness of the closed forms.

    loss = distortion / (2 s2) + (D/2) log(2 pi s2) + beta rate

or, with a weight for each part of the rate, the grouped objective of `theory.groups`, is exact for data of the given
covariance, so training is full-batch and without sampling noise. Decoder, encoder,
posterior covariance (a Cholesky factor with the zeros of its family and a log diagonal) and log noise start at random
and all follow the gradient; no closed form is used and nothing is solved for.

Training coordinates: data in units in which the largest eigenvalue is 1 and along the principal axes, the encoder
acting on whitened data. The units are undone exactly at the end. Descent in rotated coordinates is rotated descent, so
the axes change nothing for "accelerated" and "gradient"; they make a step cost O(D K^2). Whitening is a fixed linear
change of parameters that spares the descent the spread of the eigenvalues.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from functools import partial

import numpy as np

from numerics import kernels_training as kernels
from numerics.alternation import alternate
from numerics.elimination import eliminate
from theory import validation
from theory.groups import Weights
from theory.model import LinearVAE, Moments, as_moments
from theory.objective import prior_covariance
from theory.partition import Posterior, partition, partition_mask

__all__ = ["TrainingRun", "train"]

KICK = 1e-3  # in training coordinates, for each parameter

DESCENTS = {"accelerated": kernels.ACCELERATED, "gradient": kernels.GRADIENT_DESCENT, "adam": kernels.ADAM}
HALF_SOLVED = {
    "lbfgs": eliminate,
    "em": partial(alternate, rotate=False, accelerate=False),
    "rotated_em": partial(alternate, rotate=True, accelerate=False),
    "accelerated_em": partial(alternate, rotate=True, accelerate=True),
}
METHODS = (*DESCENTS, *HALF_SOLVED, "auto")
SMALL = 200  # D K^2 up to which compiled steps beat a few array operations
OVERFLOW = 300.0  # an exponent beyond which exp(2 x) soon leaves float64; only Adam takes steps that nothing checks
ENDS = {
    kernels.NOT_RUN: "not run",
    kernels.GRADIENT: "gradient",
    kernels.MAX_STEPS: "max_steps",
    kernels.STALLED: "stalled",
    kernels.DIVERGED: "diverged",
}


@dataclass(frozen=True, eq=False)
class TrainingRun:
    """What one training run reached.

    Attributes
    ----------
    vae : LinearVAE
        the model at the last step, in the units of the data.
    loss : float
        its loss in nats.
    history : (steps + 1,) array
        the loss before each step and after the last, in nats. "accelerated" takes it at its extrapolated points, and
        it jumps where a kick tests the stop, so there it need not fall at every step.
    gradient_norm : float
        Euclidean norm of the gradient over all learned parameters in training coordinates, in nats.
    steps : int
    stopped : str
        "gradient": the gradient norm fell to the tolerance. "max_steps": it did not within the steps allowed.
        "stalled": no step along the gradient lowers the loss by more than rounding. "diverged": the learned noise
        fell below 1e-6 of the largest eigenvalue; the loss is unbounded below (K >= rank and beta < D / rank), or its
        optimum lies beyond what double precision resolves. (The slower methods may run out of steps on the way.)
    """

    vae: LinearVAE
    loss: float
    history: np.ndarray
    gradient_norm: float
    steps: int
    stopped: str


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
    method: str = "accelerated",
    learning_rate: float = 0.01,
    gradient_tolerance: float = 1e-8,
    max_steps: int = 20_000,
    rng: np.random.Generator | None = None,
) -> TrainingRun:
    """Train a linear-Gaussian beta-VAE from a random start by descending the exact gradient of its loss.

    Parameters
    ----------
    covariance : (D, D) array, or Moments
        of any rank; with `Moments` the model takes over the mean.
    latent_dim : int
        K; may exceed D, may be 0.
    beta : float > 0, or theory.groups.Weights
        the weight of the rate, or of each of its parts; a negative weight may leave the loss without a lower bound.
    groups : "diagonal", "full", or a list of groups of latents
        between and within which `Weights` split total correlation; of no account for a number.
    prior : (K, K) array, positive definite, optional
        covariance of a Gaussian prior; the identity by default.
    noise_variance : float > 0, or "learned"
        a number holds the decoder noise there; a learned one starts at the mean variance tr S / D.
    decoder : (D, K) array, optional
        hold the decoder there; encoder and posterior covariance (and the noise, if learned) are trained.
    posterior : "diagonal", "full", or a list of groups of latents
    method : "accelerated", "gradient" or "adam"
        Nesterov's gradient descent, restarted where its momentum points uphill, and started again from a small kick
        when it stops, to tell a minimum from a saddle; plain descent with the longest step that does not overshoot;
        Adam with a constant learning rate. Exact comparisons want the first: plain descent nearly stands still where
        eigenvalues are close, and Adam, whose steps do not shrink with the gradient, often keeps moving about the
        optimum (1e-4 nats above it is common). Adam works parameter by parameter, so it alone depends on the axes,
        here the principal ones.
    learning_rate : float > 0
        of Adam, in training coordinates; the other methods find their own steps.
    gradient_tolerance : float > 0
        stop when the Euclidean norm of the gradient in training coordinates (see the module) is at most this, in nats.
        The excess loss is then about tolerance^2 / (2 curvature).
    max_steps : int
        a safety net; reaching it is reported in `stopped`.
    rng : numpy.random.Generator, optional
        source of the start; `None` means `numpy.random.default_rng(0)`, so that a run can be repeated.

    Returns
    -------
    TrainingRun

    Raises
    ------
    ValueError
        for arguments that do not fit, or a learning rate so large that Adam overflows.
    """
    problem = pose(covariance, latent_dim, noise_variance, decoder, posterior, groups, prior)
    weights = as_weights("beta", beta)
    method = resolve(validation.choice("method", method, METHODS), problem, weights)
    limits = descent_limits(learning_rate, gradient_tolerance, max_steps)
    theta, history = problem.start(generator(rng)), np.empty(max_steps + 1)
    if method in DESCENTS:
        objective = problem.objective(weights)
        steps, loss, norm, end = kernels.descend(
            theta, problem.roots, problem.latent_dim, objective, problem.mask, problem.kick, DESCENTS[method], *limits,
            history,
        )  # fmt: skip
    else:
        steps, loss, norm, end = HALF_SOLVED[method](problem, theta, weights, *limits[1:], history)
    if method == "adam" and not np.abs(theta[problem.mask > 0]).max(initial=0.0) < OVERFLOW:
        raise ValueError(f"learning_rate must be small enough for the steps to settle, {learning_rate!r} overflowed")
    return TrainingRun(
        vae=problem.vae(theta),
        loss=float(loss + problem.loss_offset(weights)),
        history=history[: steps + 1] + problem.loss_offset(weights),
        gradient_norm=float(norm),
        steps=int(steps),
        stopped=ENDS[end],
    )


def descent_settings(method, learning_rate, gradient_tolerance, max_steps) -> tuple[int, float, float, int]:
    """Check the arguments that say how to descend, in the order in which the kernels take them."""
    limits = descent_limits(learning_rate, gradient_tolerance, max_steps)
    return DESCENTS[validation.choice("method", method, DESCENTS)], *limits


def descent_limits(learning_rate, gradient_tolerance, max_steps) -> tuple[float, float, int]:
    """Check the arguments that say how fast and how long to descend."""
    return (
        validation.positive("learning_rate", learning_rate),
        validation.positive("gradient_tolerance", gradient_tolerance),
        validation.latent_count("max_steps", max_steps),
    )


def resolve(method: str, problem: Problem, weights: Weights) -> str:
    """The method that "auto" stands for, or the one given, unless it cannot train what is asked for."""
    one_weight = weights == Weights.uniform(weights.mutual_information)
    split = not (one_weight and np.array_equal(problem.prior, np.eye(problem.latent_dim)))
    held = problem.decoder is not None
    if method == "auto":
        if split:
            return "accelerated"
        small = len(problem.roots) * problem.latent_dim**2 <= SMALL
        return "em" if held else "accelerated" if small else "accelerated_em"
    if method in HALF_SOLVED and split:
        raise ValueError(f"method {method!r} takes one weight beta and the prior N(0, I) only; use 'accelerated'")
    if method in HALF_SOLVED and held and method != "em":
        raise ValueError(f"method {method!r} chooses the decoder, and one is held; use 'em' or 'accelerated'")
    return method


def as_weights(name: str, beta: float | Weights) -> Weights:
    """A weight for each part of the rate, from one for all of it or as given."""
    return beta if isinstance(beta, Weights) else Weights.uniform(validation.positive(name, beta))


def generator(rng: np.random.Generator | None) -> np.random.Generator:
    """The generator given, or by default one of seed 0."""
    if rng is None:
        return np.random.default_rng(0)
    if not isinstance(rng, np.random.Generator):
        raise ValueError(f"rng must be a numpy.random.Generator, got {rng!r}; pass numpy.random.default_rng(seed)")
    return rng


@dataclass(frozen=True, eq=False)
class Problem:
    """What is trained on what, in training coordinates.

    Attributes
    ----------
    roots, axes : (D,) and (D, D) arrays
        square roots of the eigenvalues, descending and scaled so that the first is 1, and the principal axes.
    unit : float
        the largest eigenvalue, which is the unit of variance (1 if all variance is zero).
    latent_dim : int
    noise : float
        the noise variance, held or to start from, in that unit.
    decoder : (D, K) array or None
        the decoder that is held, in the units of the data.
    mask : (2 D K + K K + 1,) array
        one where a parameter is learned, zero where it is held.
    family : tuple of arrays of int
        the groups of latents that the posterior covariance keeps together.
    labels : (K,) array of int
        the number of each latent's group, between and within which total correlation is split.
    prior : (K, K) array
    mean : (D,) array or None
    """

    roots: np.ndarray
    axes: np.ndarray
    unit: float
    latent_dim: int
    noise: float
    decoder: np.ndarray | None
    mask: np.ndarray
    family: tuple[np.ndarray, ...]
    labels: np.ndarray
    prior: np.ndarray
    mean: np.ndarray | None

    def objective(self, weights: Weights) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Weights, groups and precision of the prior, as the kernels take them."""
        return np.array(astuple(weights)), self.labels, np.linalg.inv(self.prior)

    def loss_offset(self, weights: Weights) -> float:
        """What the unit of variance and the scale of the prior add to the loss: (D/2) log unit + (w_D/2) log det Pi."""
        log_det = np.linalg.slogdet(self.prior)[1]
        return float(len(self.roots) * np.log(self.unit) + weights.dimension_wise * log_det) / 2

    def start(self, rng: np.random.Generator) -> np.ndarray:
        """Random parameters of order one, drawn in the axes of the data: codes and reconstructions of order one.

        Decoder and whitened encoder have entries N(0, 1 / D), the Cholesky factor N(0, .09) in its log diagonal and
        below it.
        """
        shape = (len(self.roots), self.latent_dim)
        decoder, encoder = rng.standard_normal((2, *shape)) / np.sqrt(shape[0])
        triangle = 0.3 * rng.standard_normal((self.latent_dim, self.latent_dim)).ravel()
        if self.decoder is not None:
            decoder = self.decoder / np.sqrt(self.unit)
        size = decoder.size
        free = np.concatenate([(self.axes.T @ encoder).ravel(), triangle]) * self.mask[size:-1]
        return np.concatenate([(self.axes.T @ decoder).ravel(), free, [np.log(self.noise)]])

    @property
    def kick(self) -> np.ndarray:
        """A small step in a random direction, the same for all runs, to tell minima from saddles."""
        return KICK * np.random.default_rng(0).standard_normal(len(self.mask)) * self.mask

    def unpack(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Decoder, whitened encoder and Cholesky factor of the posterior covariance, by parameters."""
        shape = (len(self.roots), self.latent_dim)
        size = shape[0] * shape[1]
        triangle = theta[2 * size : -1].reshape(self.latent_dim, self.latent_dim)
        factor = np.tril(triangle, -1) + np.diag(np.exp(np.diagonal(triangle)))
        return theta[:size].reshape(shape), theta[size : 2 * size].reshape(shape), factor

    def measure(self, theta: np.ndarray, weights: Weights) -> tuple[float, float]:
        """The loss, in training units, and the Euclidean norm of its gradient over what is learned."""
        gradient, work = np.empty_like(theta), np.empty((5, self.latent_dim, self.latent_dim))
        objective = self.objective(weights)
        loss = kernels.value_and_gradient(theta, self.roots, self.latent_dim, objective, self.mask, gradient, work)
        return float(loss), float(np.linalg.norm(gradient))

    def vae(self, theta: np.ndarray) -> LinearVAE:
        """The model that parameters stand for, in the units and axes of the data."""
        decoder, encoder, factor = self.unpack(theta)
        present = self.roots > 0
        unwhitened = encoder[present].T / self.roots[present]
        return LinearVAE(
            decoder=self.axes @ decoder * np.sqrt(self.unit) if self.decoder is None else self.decoder,
            encoder=unwhitened @ self.axes[:, present].T / np.sqrt(self.unit),
            posterior_covariance=factor @ factor.T,
            noise_variance=np.exp(theta[-1]) * self.unit,
            mean=self.mean,
        )


def pose(covariance, latent_dim, noise_variance, decoder, posterior, groups="diagonal", prior=None) -> Problem:
    """Check the arguments that say what is trained, and go over to training coordinates."""
    moments = as_moments(covariance)
    symmetric = validation.covariance_matrix("covariance", moments.covariance)
    latent_dim = validation.latent_count("latent_dim", latent_dim)
    size = len(symmetric) * latent_dim
    if decoder is not None:
        decoder = validation.matrix("decoder", decoder, (len(symmetric), latent_dim))
    labels = np.zeros(latent_dim, dtype=np.int64)
    for number, group in enumerate(partition(groups, latent_dim)):
        labels[group] = number
    eigenvalues, axes = np.linalg.eigh(symmetric)
    eigenvalues, axes = validation.non_negative_spectrum("covariance", eigenvalues), axes[:, ::-1]
    unit = float(eigenvalues.max(initial=0.0)) or 1.0
    noise = validation.positive_or_word("noise_variance", noise_variance, "learned")
    learned = noise == "learned"
    noise = (float(eigenvalues.mean()) / unit or 1.0) if learned else noise / unit
    family = partition(posterior, latent_dim)
    together = np.tril(partition_mask(family, latent_dim))
    varies = np.repeat(eigenvalues > 0, latent_dim)  # directions without data have no encoder
    mask = np.concatenate([np.full(size, decoder is None), varies, together.ravel(), [learned]]).astype(float)
    return Problem(
        roots=np.sqrt(eigenvalues / unit),
        axes=axes,
        unit=unit,
        latent_dim=latent_dim,
        noise=noise,
        decoder=decoder,
        mask=mask,
        family=family,
        labels=labels,
        prior=prior_covariance(prior, latent_dim),
        mean=moments.mean if isinstance(covariance, Moments) else None,
    )
