"""What every contestant solves: the textbook objective on a dense covariance, from the same start, by the same Adam.

With R = S^(1/2) the square root of the covariance, the peers receive

    parameters   W (D x K), B (D x K), l (K), log s2,      V = B^T R^-1,   Q = diag(exp(2 l))
    distortion = tr S - 2 tr(W B^T R) + tr(W^T W (B^T B + Q))
    rate       = [ tr(B^T B + Q) - K ] / 2 - sum l
    loss       = distortion / (2 s2) + (D/2) log(2 pi s2) + beta rate

B is the encoder of whitened data. Adam works parameter by parameter and so depends on the coordinates: in these it
takes the path that training here takes if R is diagonal. The peers receive R as a dense matrix and do not use that it
is diagonal.

In a minibatch the expectations over data and codes become a mean over rows x_i, and R is unknown: the parameter is V^T
instead of B. With codes z_i = V x_i + exp(l) e_i, e_i ~ N(0, I): distortion = mean |x_i - W z_i|^2 and
rate = [ mean |V x_i|^2 + tr Q - K ] / 2 - sum l.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

__all__ = [
    "DECAYS",
    "EPSILON",
    "LEARNING_RATE",
    "ClosedForm",
    "DataMoments",
    "Descent",
    "MinibatchDescent",
    "Parameters",
    "eigenvalues",
]

LEARNING_RATE, DECAYS, EPSILON = 0.01, (0.9, 0.999), 1e-8  # of Adam
BLOCK = 2**17  # random numbers that are drawn together, as in `train_minibatch`
SMALLEST_EIGENVALUE = 0.01  # the largest is 1, which leaves the units of training as they are


class Parameters(NamedTuple):
    """The parameters of a model, or of many along a leading axis: (..., D, K) twice, (..., K) and (...)."""

    decoder: np.ndarray
    encoder: np.ndarray
    log_scales: np.ndarray
    log_noise: np.ndarray


@dataclass(frozen=True, eq=False)
class Descent:
    """Full-batch training: one run for each beta and seed, or a single one, which has no leading axis.

    Attributes
    ----------
    eigenvalues : (D,) array
        of the covariance, descending from 1; the principal axes are the coordinates.
    latent_dim : int
    betas, seeds : sequences
    start : Parameters
        of all runs, seeds fastest.
    steps : int
    """

    eigenvalues: np.ndarray
    latent_dim: int
    betas: tuple[float, ...]
    seeds: tuple[int, ...]
    start: Parameters
    steps: int

    @property
    def root(self) -> np.ndarray:
        """R, a dense (D, D) array, here diagonal."""
        return np.diag(np.sqrt(self.eigenvalues))

    @property
    def weights(self) -> np.ndarray:
        """The beta of every run, with the leading axis of `start`."""
        return np.repeat(self.betas, len(self.seeds)).reshape(np.shape(self.start.log_noise))


@dataclass(frozen=True, eq=False)
class MinibatchDescent:
    """Training on fresh rows and fresh noise in every step.

    Attributes
    ----------
    rows : (N, D) array
        centred data.
    beta : float
    start : Parameters
    steps, batch_size : int
    """

    rows: np.ndarray
    beta: float
    start: Parameters
    steps: int
    batch_size: int

    def blocks(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Which rows, (n, batch_size), and which noise, (n, K, batch_size), for some steps n at a time.

        The same at every call: each contestant draws them in the time that is measured, so results can be compared.
        """
        rng, latent_dim = np.random.Generator(np.random.SFC64(0)), len(self.start.log_scales)  # the fastest there is
        block = max(BLOCK // (self.batch_size * latent_dim), 1)
        for first in range(0, self.steps, block):
            steps = min(block, self.steps - first)
            picks = rng.integers(len(self.rows), size=(steps, self.batch_size))
            yield picks, rng.standard_normal((steps, latent_dim, self.batch_size))

    def draw(self) -> tuple[np.ndarray, np.ndarray]:
        """The blocks of all steps, one after another."""
        picks, noise = zip(*self.blocks(), strict=True)
        return np.concatenate(picks), np.concatenate(noise)


@dataclass(frozen=True, eq=False)
class ClosedForm:
    """The optimum at beta = 1 from data: its decoder, each column with its largest entry positive, and its noise.

    Attributes
    ----------
    data : (N, D) array
    latent_dim : int
    """

    data: np.ndarray
    latent_dim: int


@dataclass(frozen=True, eq=False)
class DataMoments:
    """The covariance of data, divided by their number.

    Attributes
    ----------
    mapped : (N, D) array of float32
        a memory-mapped file.
    data : (N, D) array of floats
        the same numbers in memory.
    """

    mapped: np.ndarray
    data: np.ndarray


def eigenvalues(data_dim: int) -> np.ndarray:
    """A spectrum that falls geometrically from 1, shape (D,)."""
    return np.geomspace(1.0, SMALLEST_EIGENVALUE, data_dim)
