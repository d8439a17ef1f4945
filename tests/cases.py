"""The named cases that the tests of every room share.

Each is a data covariance with a known spectrum in a random orthonormal basis, and the size, beta and noise of a VAE for
it. The spectrum is kept beside the matrix, so that a test can compare with exact numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Case:
    """A covariance by its eigenvalues (descending), and a VAE of K latents to train on it.

    `critical_mode` is the index of the mode that lies exactly at its threshold for the fixed noise, or None.
    """

    name: str
    eigenvalues: tuple[float, ...]
    latent_dim: int
    beta: float
    noise_variance: float
    seed: int
    critical_mode: int | None = None

    def __str__(self) -> str:
        return self.name

    @property
    def data_dim(self) -> int:
        return len(self.eigenvalues)

    @property
    def rank(self) -> int:
        return sum(value > 0 for value in self.eigenvalues)

    @property
    def water_level(self) -> float:
        return self.beta * self.noise_variance

    @cached_property
    def basis(self) -> np.ndarray:
        """Orthonormal eigenvectors in columns, in the order of the eigenvalues."""
        return orthogonal(self.data_dim, np.random.default_rng(self.seed))

    @cached_property
    def covariance(self) -> np.ndarray:
        product = (self.basis * self.eigenvalues) @ self.basis.T
        return (product + product.T) / 2


def orthogonal(size: int, rng: np.random.Generator) -> np.ndarray:
    """An orthogonal matrix drawn uniformly (QR of a Gaussian matrix with the signs of R undone)."""
    basis, triangle = np.linalg.qr(rng.standard_normal((size, size)))
    return basis * np.where(np.diagonal(triangle) < 0, -1.0, 1.0)


DISTINCT = Case("distinct", (4.0, 2.5, 1.2, 0.6, 0.3), latent_dim=3, beta=1.5, noise_variance=0.4, seed=1)
TIED = Case("tied", (3.0, 3.0, 1.5, 0.4), latent_dim=2, beta=0.8, noise_variance=0.5, seed=2)
ISOTROPIC = Case("isotropic", (2.0, 2.0, 2.0, 2.0), latent_dim=2, beta=0.7, noise_variance=0.9, seed=3)
RANK_DEFICIENT = Case("rank_deficient", (3.0, 1.0, 0.5, 0.0, 0.0), latent_dim=2, beta=1.2, noise_variance=0.25, seed=4)
# The noise 0.8 is also the one that is learned at this beta: the second mode is at its threshold either way.
AT_THRESHOLD = Case(
    "at_threshold", (3.0, 1.0, 0.7, 0.5), latent_dim=2, beta=1.25, noise_variance=0.8, seed=5, critical_mode=1
)
ONE_DOMINANT = Case("one_dominant", (20.0, 0.5, 0.45, 0.4, 0.35), latent_dim=3, beta=2.0, noise_variance=0.5, seed=6)
ILL_CONDITIONED = Case("ill_conditioned", (100.0, 1.0, 1e-2, 1e-3), latent_dim=2, beta=1.0, noise_variance=0.05, seed=7)

CASES = (DISTINCT, TIED, ISOTROPIC, RANK_DEFICIENT, AT_THRESHOLD, ONE_DOMINANT, ILL_CONDITIONED)
