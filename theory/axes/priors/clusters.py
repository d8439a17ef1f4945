"""Four clusters in the plane, a prior for data that fall into groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from theory import validation
from theory.axes.priors.shared import (
    checked_code,
    checked_latents,
    is_signed_permutation,
    random_signed_permutation,
    sum_of_marginals,
)

__all__ = ["ClusterPrior"]


@dataclass(frozen=True)
class ClusterPrior:
    """Four equal clusters in the plane: N(., v I) around (0, +-d) and (+-d, 0).

    Along the diagonals of the plane it is a product of two identical two-mode densities.

    Parameters
    ----------
    distance : float > 0, d
    variance : float > 0, v
    """

    distance: float = 1.0
    variance: float = 0.03

    def __post_init__(self):
        object.__setattr__(self, "distance", validation.positive("distance", self.distance))
        object.__setattr__(self, "variance", validation.positive("variance", self.variance))

    @property
    def latent_dim(self) -> int:
        return 2

    @property
    def covariance(self) -> np.ndarray:
        """(d^2 / 2 + v) I."""
        return (self.distance**2 / 2 + self.variance) * np.eye(2)

    def log_density(self, latents) -> np.ndarray:
        """log p(z) of latents of shape (..., 2), in nats."""
        latents = checked_latents(latents, 2)
        squares = np.stack([np.sum((latents - mean) ** 2, axis=-1) for _, mean, _ in self.components()])
        return logsumexp(-squares / (2 * self.variance), axis=0) - np.log(8 * np.pi * self.variance)

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Draw n latents, shape (n, 2)."""
        means = np.array([mean for _, mean, _ in self.components()])
        return means[rng.integers(4, size=n)] + np.sqrt(self.variance) * rng.standard_normal((n, 2))

    def expected_log_density(self, mean, covariance) -> float:
        """E log p(z), z ~ N(mean, covariance), by two one-dimensional quadratures (1e-10 relative or better).

        log p(z) = -log(2 pi v) - (|z|^2 + d^2)/(2 v) + sum over u = (z_1 + z_2)/2, (z_1 - z_2)/2 of log cosh(d u / v).
        """
        mean, covariance = checked_code(mean, covariance, 2)
        diagonals = np.array([[0.5, 0.5], [0.5, -0.5]])
        steepness = self.distance / self.variance
        folded = sum_of_marginals(
            lambda values: np.logaddexp(steepness * values, -steepness * values) - np.log(2),
            diagonals @ mean,
            diagonals @ covariance @ diagonals.T,
            1 / steepness,
        )
        squares = np.trace(covariance) + mean @ mean + self.distance**2
        return float(folded - squares / (2 * self.variance) - np.log(2 * np.pi * self.variance))

    def components(self) -> list[tuple[float, np.ndarray, np.ndarray]]:
        """(weight, mean, covariance) of the four clusters."""
        axes = self.distance * np.concatenate([np.eye(2), -np.eye(2)])
        return [(0.25, mean, self.variance * np.eye(2)) for mean in axes]

    def symmetries(self, rng: np.random.Generator) -> np.ndarray:
        """A random signed permutation, uniform."""
        return random_signed_permutation(2, rng)

    def is_symmetry(self, matrix) -> bool:
        """Whether the matrix is a signed permutation, up to rounding."""
        return is_signed_permutation(validation.matrix("matrix", matrix, (2, 2)))
