"""Expectations of quadratic functions of Gaussian vectors from a few points, exact to rounding.

The points sqrt(n) e_i and -sqrt(n) e_i, i = 1 ... n, with equal weights have the moments of a standard normal vector up
to the third. What the inference errors and the parts of the loss average is quadratic in the factors and noises, since
log densities of Gaussians are: their means over these points are the expectations, without the noise of Monte Carlo.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from numerics.sampling.gaussian import log_density, triangle
from numerics.sampling.monte_carlo import Source, elbo_values, error_values
from theory.model import GenerativeModel, LinearVAE, mean_offset
from theory.moments import as_moments

__all__ = [
    "correlations_by_cubature",
    "elbo_terms_by_cubature",
    "errors_by_cubature",
    "mean_of_quadratic",
    "points_of_normal",
]


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


def correlations_by_cubature(root: np.ndarray, groups: Sequence[Sequence[int]]) -> tuple[float, np.ndarray]:
    """Total correlation of the codes R n between groups of latents, and within each group; n is standard normal."""

    def log_density_of(codes: np.ndarray, latents: Sequence[int]) -> np.ndarray:
        return log_density(codes[:, latents], triangle(root[latents]))

    def values(source: Source) -> dict[str, np.ndarray]:
        codes = source(root.shape[1]) @ root.T
        inside = [log_density_of(codes, list(group)) for group in groups]
        single = [sum(log_density_of(codes, [latent]) for latent in group) for group in groups]
        found = {f"within {number}": inside[number] - single[number] for number in range(len(groups))}
        return found | {"between": log_density_of(codes, list(range(len(root)))) - sum(inside)}

    *within, between = mean_of_quadratic(values, root.shape[1]).values()
    return between, np.array(within)
