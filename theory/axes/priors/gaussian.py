"""Gaussian priors: isotropic, anisotropic, in independent subspaces, and in two levels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theory import gaussian, validation
from theory.axes.priors.shared import checked_code, checked_latents, prior_covariance

__all__ = ["GaussianPrior"]


@dataclass(frozen=True, eq=False)
class GaussianPrior:
    """N(0, Pi), Pi positive definite.

    Parameters
    ----------
    covariance : (K, K) array, Pi
    """

    covariance: np.ndarray

    def __post_init__(self):
        object.__setattr__(self, "covariance", prior_covariance(validation.matrix("covariance", self.covariance)))

    @classmethod
    def isotropic(cls, latent_dim: int, variance: float = 1.0) -> GaussianPrior:
        """N(0, v I)."""
        return cls(validation.positive("variance", variance) * np.eye(validation.count("latent_dim", latent_dim)))

    @classmethod
    def anisotropic(cls, variances) -> GaussianPrior:
        """Independent latents of the given (K,) variances."""
        return cls(np.diag(validation.vector("variances", validation.positive_array("variances", variances))))

    @classmethod
    def from_pca(cls, data_covariance, latent_dim: int) -> GaussianPrior:
        """Independent latents whose variances are the K largest eigenvalues of the data covariance, descending."""
        data_covariance = validation.covariance_matrix("data_covariance", data_covariance)
        latent_dim = validation.count("latent_dim", latent_dim)
        variances = validation.non_negative_spectrum("data_covariance", np.linalg.eigvalsh(data_covariance))
        rank = np.count_nonzero(variances)
        if latent_dim > rank:
            raise ValueError(f"latent_dim must be at most the rank of data_covariance, {rank}, got {latent_dim}")
        return cls.anisotropic(variances[:latent_dim])

    @classmethod
    def block(cls, blocks) -> GaussianPrior:
        """Independent subspaces: block-diagonal covariance with the given (k, k) blocks, in order."""
        blocks = [validation.covariance_matrix(f"blocks[{index}]", block) for index, block in enumerate(blocks)]
        latent_dim = sum(map(len, blocks))
        covariance, start = np.zeros((latent_dim, latent_dim)), 0
        for block in blocks:
            covariance[start : start + len(block), start : start + len(block)] = block
            start += len(block)
        return cls(covariance)

    @classmethod
    def two_level(cls, loading, noise_variance: float) -> GaussianPrior:
        """A hierarchy: upper latents u ~ N(0, I), lower ones N(B u, v I); z = (u, lower).

        Covariance [[I, B^T], [B, B B^T + v I]].

        Parameters
        ----------
        loading : (lower, upper) array, B
        noise_variance : float > 0, v
        """
        loading = validation.matrix("loading", loading)
        noise_variance = validation.positive("noise_variance", noise_variance)
        lower, upper = loading.shape
        below = loading @ loading.T + noise_variance * np.eye(lower)
        return cls(np.block([[np.eye(upper), loading.T], [loading, below]]))

    @property
    def latent_dim(self) -> int:
        return len(self.covariance)

    def log_density(self, latents) -> np.ndarray:
        """log p(z) of latents of shape (..., K), in nats."""
        latents = checked_latents(latents, self.latent_dim)
        mahalanobis = np.sum(latents * np.linalg.solve(self.covariance, latents[..., None])[..., 0], axis=-1)
        return -(mahalanobis + self.latent_dim * np.log(2 * np.pi) + gaussian.log_determinant(self.covariance)) / 2

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Draw n latents, shape (n, K)."""
        return rng.standard_normal((n, self.latent_dim)) @ np.linalg.cholesky(self.covariance).T

    def expected_log_density(self, mean, covariance) -> float:
        """E log p(z), z ~ N(mean, covariance): -1/2 [K log 2 pi + log det Pi + tr(Pi^-1 (C + m m^T))]. Exact."""
        mean, covariance = checked_code(mean, covariance, self.latent_dim)
        trace = np.trace(np.linalg.solve(self.covariance, covariance + np.outer(mean, mean)))
        return float(-(trace + self.latent_dim * np.log(2 * np.pi) + gaussian.log_determinant(self.covariance)) / 2)

    def components(self) -> list[tuple[float, np.ndarray, np.ndarray]]:
        """(weight, mean, covariance) of the one Gaussian that it is."""
        return [(1.0, np.zeros(self.latent_dim), self.covariance)]

    def symmetries(self, rng: np.random.Generator) -> np.ndarray:
        """A random member of Pi^(1/2) O(K) Pi^(-1/2), uniform on O(K)."""
        root = np.linalg.cholesky(self.covariance)
        basis, triangle = np.linalg.qr(rng.standard_normal(self.covariance.shape))
        return root @ (basis * np.sign(np.diagonal(triangle))) @ np.linalg.inv(root)

    def is_symmetry(self, matrix) -> bool:
        """Whether M Pi M^T = Pi, up to rounding."""
        matrix = validation.matrix("matrix", matrix, self.covariance.shape)
        root = np.linalg.cholesky(self.covariance)
        whitened = np.linalg.solve(root, matrix @ root)
        return bool(np.abs(whitened @ whitened.T - np.eye(self.latent_dim)).max(initial=0.0) < validation.ROUNDING)
