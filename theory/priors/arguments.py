"""Checks of the arguments of priors: latents, values of one latent, Gaussian codes, and their sizes."""

from __future__ import annotations

import numpy as np

from theory import validation

__all__ = [
    "LONGEST",
    "SHORTEST",
    "checked_code",
    "checked_codes",
    "checked_latent_dim",
    "checked_latents",
    "checked_values",
    "within",
]

# Lengths outside these bounds are refused: within them no square of (length / variance) overflows.
SHORTEST, LONGEST = 1e-50, 1e50


def checked_latent_dim(name: str, value: int) -> int:
    """A number of latents whose covariance fits into memory."""
    size = validation.count(name, value)
    return validation.count(name, size, bytes_each=8 * size)


def checked_latents(latents, latent_dim: int) -> np.ndarray:
    """Latents as a float array of shape (..., K)."""
    latents = validation.real_array("latents", latents)
    if latents.ndim == 0 or latents.shape[-1] != latent_dim:
        raise ValueError(f"latents must have shape (..., {latent_dim}), got {latents.shape}; pass one point per row")
    return within("latents", latents, LONGEST)


def checked_values(values) -> np.ndarray:
    """Values of one latent, of any shape, as floats."""
    return within("values", validation.real_array("values", values), LONGEST)


def checked_code(mean, covariance, latent_dim: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean (K,) and covariance (K, K) of a Gaussian code."""
    mean = validation.vector("mean", mean, latent_dim)
    covariance = validation.covariance_matrix("covariance", covariance, latent_dim)
    return within("mean", mean, LONGEST), within("covariance", covariance, LONGEST**2)


def checked_codes(means, covariances, latent_dim: int) -> tuple[np.ndarray, np.ndarray]:
    """Means (..., K) and covariances (..., K, K) of Gaussian codes; not checked to be positive definite."""
    means = validation.real_array("means", means)
    covariances = validation.real_array("covariances", covariances)
    shape = (*means.shape[:-1], latent_dim, latent_dim)
    if means.ndim == 0 or means.shape[-1] != latent_dim:
        raise ValueError(f"means must have shape (..., {latent_dim}), got {means.shape}; pass one mean per row")
    if covariances.shape != shape:
        raise ValueError(f"covariances must have shape {shape}, got {covariances.shape}; pass one for each mean")
    return within("means", means, LONGEST), within("covariances", covariances, LONGEST**2)


def within(name: str, array: np.ndarray, largest: float) -> np.ndarray:
    """Return `array` if its entries are finite and at most `largest` in size."""
    if not (np.abs(array) <= largest).all():
        raise ValueError(f"{name} must be finite and at most {largest:g} in size; remove NaN, or change the units")
    return array
