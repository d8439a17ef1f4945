"""Expectations of quadratic functions of Gaussian vectors from a few points, exact to rounding.

The points sqrt(n) e_i and -sqrt(n) e_i, i = 1 ... n, with equal weights have the moments of a standard normal vector up
to the third. What the inference errors and the parts of the loss average is quadratic in the factors and noises, since
log densities of Gaussians are: their means over these points are the expectations, without the noise of Monte Carlo.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from numerics.sampling.monte_carlo import Source, elbo_values, error_values
from theory.model import GenerativeModel, LinearVAE, mean_offset
from theory.moments import as_moments

__all__ = ["elbo_terms_by_cubature", "errors_by_cubature", "mean_of_quadratic", "points_of_normal"]


def points_of_normal(size: int) -> np.ndarray:
    """Points (2 n, n) whose averages are those of n standard normal numbers for every polynomial of degree three."""
    return np.sqrt(size) * np.vstack([np.eye(size), -np.eye(size)])


def mean_of_quadratic(values: Callable[[Source], dict[str, np.ndarray]], size: int) -> dict[str, float]:
    """The expectations of quadratic functions of `size` standard normal numbers, which they take from a source."""
    points, taken = points_of_normal(size), 0

    def source(count: int) -> np.ndarray:
        nonlocal taken
        taken += count
        return points[:, taken - count : taken]

    means = {name: float(np.mean(found)) for name, found in values(source).items()}
    if taken != size:
        raise ValueError(f"size must be the number of normal numbers that the values take, {taken}, got {size}")
    return means


def errors_by_cubature(truth: GenerativeModel, vae: LinearVAE) -> dict[str, float]:
    """The four errors that `numerics.sampling.monte_carlo.sample_errors` estimates, to rounding."""
    return mean_of_quadratic(error_values(truth, vae), 2 * truth.latent_dim + truth.data_dim)


def elbo_terms_by_cubature(vae: LinearVAE, covariance) -> dict[str, float]:
    """The parts of the loss that `numerics.sampling.monte_carlo.sample_elbo_terms` estimates, to rounding."""
    values = elbo_values(vae, as_moments(covariance).covariance, mean_offset(vae, covariance))
    return mean_of_quadratic(values, vae.data_dim + vae.latent_dim)
