"""The control without KL: a linear autoencoder x -> W V x trained by gradients, which finds the best plane, no axes.

    distortion = E ||x - W V x||^2 = tr (I - W V) S (I - W V)^T,    S the covariance of x

At the minimum W V projects on the span of the K leading eigenvectors. W and V are fixed only up to W G, G^-1 V with any
regular G, so nothing in the loss prefers axes. The start (Gaussian entries) and the descent (steps along the gradient,
their lengths chosen from losses alone) are invariant under rotations of the latents, hence so is the distribution
of their ends: the right singular vectors of W are uniform over all rotations. No closed form is used in training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from numerics.training.problem import COPIES, checked_latent_dim
from numerics.training.stop import Stop
from theory import validation
from theory.moments import as_moments

__all__ = ["AutoencoderRuns", "decoders_while_training", "train_autoencoder"]

GRADIENT_TOLERANCE = 1e-8
FIRST_STEP, LONGER, SHORTER = 0.1, 1.1, 0.5  # a step of enough decrease grows, another is undone and halved
ENOUGH = 0.5  # of the decrease that the gradient predicts
ROUNDING = 1e-13  # of the variance: smaller changes of the distortion are rounding, and the step length is kept


@dataclass(frozen=True, eq=False)
class AutoencoderRuns:
    """The results of training from R starts.

    Attributes
    ----------
    decoders : (R, D, K) array
    encoders : (R, K, D) array
    distortions : (R,) array
        expected squared errors, in squared units of the data.
    gradient_norms : (R,) array
        Euclidean, over decoder and encoder, for data in units in which the largest eigenvalue is 1.
    steps : int
        descent steps tried, the same for all runs.
    stopped : (R,) array of Stop
        "gradient" where the gradient norm fell to the tolerance, else "max_steps".
    """

    decoders: np.ndarray
    encoders: np.ndarray
    distortions: np.ndarray
    gradient_norms: np.ndarray
    steps: int
    stopped: np.ndarray


def train_autoencoder(
    covariance, latent_dim: int, *, seeds=1, gradient_tolerance: float = GRADIENT_TOLERANCE, max_steps: int = 20_000
) -> AutoencoderRuns:
    """Train linear autoencoders from random starts by descending the exact gradient of their squared error.

    Parameters
    ----------
    covariance : (D, D) array, or Moments
        of any rank; about the mean, which a bias would model exactly.
    latent_dim : int
        K.
    seeds : int > 0, or sequence of ints
        of the random starts, all entries N(0, 1 / D); a number n stands for 0 .. n - 1.
    gradient_tolerance : float > 0
    max_steps : int
        a safety net; reaching it is reported in `stopped`.

    Returns
    -------
    AutoencoderRuns

    Raises
    ------
    ValueError
        for arguments that do not fit.
    """
    tolerance = validation.positive("gradient_tolerance", gradient_tolerance)
    max_steps = validation.count("max_steps", max_steps)
    descent, unit = _start(covariance, latent_dim, seeds)
    descent.run(tolerance, max_steps)
    return AutoencoderRuns(
        decoders=descent.maps[:, 0],
        encoders=descent.maps[:, 1].mT,
        distortions=descent.losses * unit,
        gradient_norms=descent.norms,
        steps=descent.steps,
        stopped=np.array([Stop.GRADIENT if norm <= tolerance else Stop.MAX_STEPS for norm in descent.norms], object),
    )


def decoders_while_training(covariance, latent_dim: int, steps: Sequence[int], *, seeds=1) -> np.ndarray:
    """The decoders of `train_autoencoder` after each of some increasing numbers of steps, an (S, R, D, K) array."""
    descent, _ = _start(covariance, latent_dim, seeds)
    decoders = []
    for count in steps:
        descent.run(GRADIENT_TOLERANCE, count)
        decoders.append(descent.maps[:, 0])
    return np.array(decoders)


class _Descent:
    """Descents from R starts, all at the same step, which can be continued.

    Parameters
    ----------
    covariance : (D, D) array
    maps : (R, 2, D, K) array
        for each start the decoder and the transposed encoder.
    """

    def __init__(self, covariance: np.ndarray, maps: np.ndarray):
        self.covariance, self.maps, self.steps = covariance, maps, 0
        self.lengths = np.full(len(maps), FIRST_STEP)
        self.losses, self.gradients = _value_and_gradient(covariance, maps)
        self.norms = _norms(self.gradients)

    def run(self, tolerance: float, max_steps: int) -> None:
        """Go on until all gradients are within the tolerance, or to a number of steps in all."""
        resolution = ROUNDING * np.trace(self.covariance)
        while np.any(self.norms > tolerance) and self.steps < max_steps:
            self.steps += 1
            tried = self.maps - self.lengths[:, np.newaxis, np.newaxis, np.newaxis] * self.gradients
            value, gradients = _value_and_gradient(self.covariance, tried)
            predicted = self.lengths * self.norms**2
            resolved = predicted > resolution
            better = ~resolved | (self.losses - value >= ENOUGH * predicted)
            self.losses = np.where(better, value, self.losses)
            self.norms = np.where(better, _norms(gradients), self.norms)
            moved = better[:, np.newaxis, np.newaxis, np.newaxis]
            self.maps, self.gradients = np.where(moved, tried, self.maps), np.where(moved, gradients, self.gradients)
            self.lengths = np.where(resolved, np.where(better, LONGER, SHORTER), 1.0) * self.lengths


def _start(covariance, latent_dim: int, seeds) -> tuple[_Descent, float]:
    """The descent at its starts, for data in units in which the largest eigenvalue is 1, and that unit."""
    covariance = validation.covariance_matrix("covariance", as_moments(covariance).covariance)
    latent_dim = checked_latent_dim(latent_dim, len(covariance))
    seeds = validation.seeds("seeds", seeds, bytes_each=COPIES * 16 * len(covariance) * max(latent_dim, 1))
    unit = float(np.linalg.eigvalsh(covariance).max(initial=0.0)) or 1.0
    shape = (2, len(covariance), latent_dim)
    maps = np.reshape([np.random.default_rng(seed).standard_normal(shape) for seed in seeds], (len(seeds), *shape))
    return _Descent(covariance / unit, maps / np.sqrt(max(len(covariance), 1))), unit


def _value_and_gradient(covariance: np.ndarray, maps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distortions of pairs of a decoder and a transposed encoder, (R, 2, D, K), and their gradients."""
    decoders, encoders = maps[:, 0], maps[:, 1]
    error = decoders @ encoders.mT - np.eye(len(covariance))
    spread = np.tensordot(error, covariance, 1)  # one product, not one for each start
    gradients = np.empty_like(maps)
    np.matmul(spread, encoders, out=gradients[:, 0])
    np.matmul(spread.mT, decoders, out=gradients[:, 1])
    return np.sum(error * spread, axis=(1, 2)), 2 * gradients


def _norms(gradients: np.ndarray) -> np.ndarray:
    return np.sqrt(np.sum(gradients**2, axis=(1, 2, 3)))
