"""What the priors share: expectations over one Gaussian variable, signed permutations, and the checks of codes.

The expectations of a log density under a Gaussian variable are good to near machine precision, narrow features
included. With u = s sinh(y) the trapezoid rule in y converges exponentially: close to zero the nodes lie densely, at a
spacing set by the scale s of the function's narrowest feature (a spike, the valley between two modes, the core of a
Student-t), further out ever more widely. Gauss-Hermite nodes spread with the variable and miss a much narrower feature.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from theory import gaussian, validation

__all__ = [
    "checked_code",
    "checked_latents",
    "gaussian_expectation",
    "is_signed_permutation",
    "prior_covariance",
    "random_signed_permutation",
    "sum_of_marginals",
]

# At twelve standard deviations a Gaussian is at 1e-32 of its peak. With these nodes the spacing in y is .03 or less
# (for variables up to 1e13 times as wide as the feature), against a strip of half-width .1 or more in which the log
# densities of the priors are analytic; and it is at most 1/80 of a standard deviation where the map is linear.
REACH = 12.0
NODES = 2001


def gaussian_expectation(function: Callable, mean: float, variance: float, scale: float) -> float:
    """E f(u) for u ~ N(mean, variance), with f smooth but for features at zero of width `scale` or more.

    Parameters
    ----------
    function : callable, of an array, entry by entry
        of at most polynomial growth.
    mean : float
    variance : float >= 0
    scale : float > 0

    Returns
    -------
    float
    """
    if variance == 0:
        return float(function(np.array([mean]))[0])
    deviation = np.sqrt(variance)
    ends = np.arcsinh((mean + np.array([-REACH, REACH]) * deviation) / scale)
    nodes, spacing = np.linspace(*ends, NODES, retstep=True)
    values = scale * np.sinh(nodes)
    weights = np.exp(-(((values - mean) / deviation) ** 2) / 2) * np.cosh(nodes)
    return float(np.sum(weights * function(values)) * spacing * scale / (deviation * np.sqrt(2 * np.pi)))


def is_signed_permutation(matrix: np.ndarray) -> bool:
    """Whether a square matrix has a single +-1 in each row and column and zeros elsewhere, up to rounding."""
    rounded = np.round(matrix)
    close = np.abs(matrix - rounded).max(initial=0.0) < validation.ROUNDING
    ones = np.abs(rounded)
    return bool(close and np.all(ones.sum(axis=0) == 1) and np.all(ones.sum(axis=1) == 1))


def random_signed_permutation(size: int, rng: np.random.Generator) -> np.ndarray:
    """A signed permutation matrix, uniform."""
    return np.eye(size)[rng.permutation(size)] * rng.choice([-1.0, 1.0], size)


def sum_of_marginals(function: Callable, mean: np.ndarray, covariance: np.ndarray, scale: float) -> float:
    """sum_j E f(z_j) for a Gaussian code, by `gaussian_expectation`."""
    pairs = zip(mean, np.diagonal(covariance), strict=True)
    return float(sum(gaussian_expectation(function, centre, variance, scale) for centre, variance in pairs))


def checked_latents(latents, latent_dim: int) -> np.ndarray:
    """Latents as a float array of shape (..., K)."""
    latents = np.asarray(latents, dtype=float)
    if latents.ndim == 0 or latents.shape[-1] != latent_dim:
        raise ValueError(f"latents must have shape (..., {latent_dim}), got {latents.shape}")
    return latents


def checked_code(mean, covariance, latent_dim: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean (K,) and covariance (K, K) of a Gaussian code."""
    mean = validation.vector("mean", mean, latent_dim)
    return mean, validation.covariance_matrix("covariance", covariance, latent_dim)


def prior_covariance(prior, latent_dim: int | None = None) -> np.ndarray:
    """The covariance of a Gaussian prior, positive definite; `None` stands for the identity."""
    if prior is None:
        return np.eye(latent_dim)
    prior = validation.covariance_matrix("prior", prior, latent_dim)
    if not np.isfinite(gaussian.log_determinant(prior)):
        raise ValueError("prior must be positive definite; remove the latents that it allows no variance")
    return prior
