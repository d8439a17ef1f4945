"""The control without KL: a linear autoencoder x -> W V x trained by gradients, which finds the best plane, no axes.

    distortion = E ||x - W V x||^2 = tr (I - W V) S (I - W V)^T,    S the covariance of x

At the minimum W V projects on the span of the K leading eigenvectors. W and V are fixed only up to W G, G^-1 V with any
regular G, so nothing in the loss prefers axes. The start (Gaussian entries) and the descent (steps along the gradient,
their lengths chosen from losses alone) are invariant under rotations of the latents, hence so is the distribution
of their ends: the right singular vectors of W are uniform over all rotations. No closed form is used in training.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from numerics.training.problem import COPIES, checked_latent_dim
from numerics.training.stop import Stop
from theory import validation
from theory.moments import as_moments

__all__ = ["AutoencoderRuns", "train_autoencoder"]

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
    covariance, latent_dim: int, *, seeds=1, gradient_tolerance: float = 1e-8, max_steps: int = 20_000
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
    covariance = validation.covariance_matrix("covariance", as_moments(covariance).covariance)
    latent_dim = checked_latent_dim(latent_dim, len(covariance))
    tolerance = validation.positive("gradient_tolerance", gradient_tolerance)
    max_steps = validation.count("max_steps", max_steps)
    seeds = validation.seeds("seeds", seeds, bytes_each=COPIES * 16 * len(covariance) * max(latent_dim, 1))
    unit = float(np.linalg.eigvalsh(covariance).max(initial=0.0)) or 1.0
    scaled, data_dim = covariance / unit, len(covariance)

    start = [np.random.default_rng(seed).standard_normal((2, data_dim, latent_dim)) for seed in seeds]
    start = np.reshape(start, (len(start), 2, data_dim, latent_dim)) / np.sqrt(max(data_dim, 1))
    decoders, encoders = start[:, 0], start[:, 1].swapaxes(1, 2)
    lengths = np.full((len(start), 1, 1), FIRST_STEP)
    losses, to_decoders, to_encoders = _value_and_gradient(scaled, decoders, encoders)
    steps = 0
    while np.any(_norms(to_decoders, to_encoders) > tolerance) and steps < max_steps:
        steps += 1
        tried = decoders - lengths * to_decoders, encoders - lengths * to_encoders
        value, *gradients = _value_and_gradient(scaled, *tried)
        predicted = lengths[:, 0, 0] * _norms(to_decoders, to_encoders) ** 2
        resolved = predicted > ROUNDING * np.trace(scaled)
        better = (~resolved | (losses - value >= ENOUGH * predicted))[:, np.newaxis, np.newaxis]
        losses = np.where(better[:, 0, 0], value, losses)
        decoders, encoders = np.where(better, tried[0], decoders), np.where(better, tried[1], encoders)
        to_decoders, to_encoders = (
            np.where(better, gradients[0], to_decoders),
            np.where(better, gradients[1], to_encoders),
        )
        lengths = np.where(resolved[:, np.newaxis, np.newaxis], np.where(better, LONGER, SHORTER), 1.0) * lengths
    norms = _norms(to_decoders, to_encoders)
    return AutoencoderRuns(
        decoders=decoders,
        encoders=encoders,
        distortions=losses * unit,
        gradient_norms=norms,
        steps=steps,
        stopped=np.array([Stop.GRADIENT if norm <= tolerance else Stop.MAX_STEPS for norm in norms], dtype=object),
    )


def _value_and_gradient(covariance, decoders, encoders) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    error = decoders @ encoders - np.eye(len(covariance))
    spread = error @ covariance
    value = np.sum(error * spread, axis=(1, 2))
    return value, 2 * spread @ encoders.swapaxes(1, 2), 2 * decoders.swapaxes(1, 2) @ spread


def _norms(to_decoders: np.ndarray, to_encoders: np.ndarray) -> np.ndarray:
    return np.sqrt(np.sum(to_decoders**2, axis=(1, 2)) + np.sum(to_encoders**2, axis=(1, 2)))
