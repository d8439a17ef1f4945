"""Random inputs that the ties share."""

from __future__ import annotations

import numpy as np

import theory

__all__ = ["random_covariance", "random_model"]


def random_covariance(size: int, rng: np.random.Generator) -> np.ndarray:
    """A positive definite matrix."""
    root = rng.standard_normal((size, size + 2))
    return root @ root.T / size


def random_model(
    data_dim: int, latent_dim: int, rng: np.random.Generator, *, with_mean: bool = False, share: float = 1.0
) -> theory.LinearVAE:
    """A VAE of a full posterior covariance that is optimal for nothing; `share` scales the posterior covariance."""
    return theory.LinearVAE(
        rng.standard_normal((data_dim, latent_dim)),
        rng.standard_normal((latent_dim, data_dim)),
        share * (random_covariance(latent_dim, rng) / 2 + 0.05 * np.eye(latent_dim)),
        0.6,
        rng.standard_normal(data_dim) if with_mean else None,
    )
