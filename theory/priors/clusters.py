"""Four clusters in the plane, a prior for data that fall into groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theory import validation
from theory.priors import signed_permutations
from theory.priors.arguments import checked_codes, checked_latents
from theory.priors.plane_nodes import mean_log_density, mixture_nodes, product_nodes
from theory.priors.protocol import of_one_code
from theory.priors.quadrature import gaussian_expectation, softplus_and_derivatives

__all__ = ["ClusterPrior"]

# The density is a product along the diagonals z_1 + z_2 and z_1 - z_2.
DIAGONALS = np.array([[1.0, 1.0], [1.0, -1.0]])

# Log odds of the farther mode against the nearer at which the integrals are divided.
ODDS = np.array([-40.0, -20, -10, -5, -2, 2, 5, 10, 20, 40])


@dataclass(frozen=True)
class ClusterPrior:
    """Four equal clusters in the plane: N(., v I) around (0, +-d) and (+-d, 0).

    Along the diagonals of the plane it is a product of two identical two-mode densities.

    Parameters
    ----------
    distance : float, d, from 1e-50 to 1e50
    variance : float, v, from 1e-100 to 1e100

    Examples
    --------
    >>> from theory.priors import ClusterPrior
    >>> prior = ClusterPrior(distance=1.0, variance=0.03)
    >>> prior.covariance, round(prior.expected_log_density([1.0, 0.0], [[0.03, 0.0], [0.0, 0.03]]), 4)
    (array([[0.53, 0.  ],
           [0.  , 0.53]]), -0.7175)
    """

    distance: float = 1.0
    variance: float = 0.03

    def __post_init__(self):
        object.__setattr__(self, "distance", validation.scale("distance", self.distance, validation.AMPLITUDE_DECADES))
        object.__setattr__(self, "variance", validation.scale("variance", self.variance))

    @property
    def latent_dim(self) -> int:
        return 2

    @property
    def covariance(self) -> np.ndarray:
        """(d^2 / 2 + v) I."""
        return (self.distance**2 / 2 + self.variance) * np.eye(2)

    def log_density(self, latents) -> np.ndarray:
        """log p(z) of latents of shape (..., 2), in nats."""
        latents = np.abs(checked_latents(latents, 2))
        first, second = latents[..., 0], latents[..., 1]
        large, small = np.maximum(first, second), np.minimum(first, second)
        # Of the nearest cluster, and the odds of the other mode along each diagonal, whose product is that of them all.
        nearest = ((large - self.distance) ** 2 + small**2) / (-2 * self.variance)
        steepness = self.distance / self.variance
        along, across = np.exp(-steepness * (large + small)), np.exp(-steepness * (large - small))
        return nearest + np.log1p(along + across + along * across) - np.log(8 * np.pi * self.variance)

    def sample(self, n: int, rng) -> np.ndarray:
        """Draw n latents, shape (n, 2); `rng` is a generator or a seed."""
        n = validation.count("n", n, bytes_each=40)
        rng = validation.random_generator("rng", rng)
        means = np.array([mean for _, mean, _ in self.components()])
        return means[rng.integers(4, size=n)] + np.sqrt(self.variance) * rng.standard_normal((n, 2))

    expected_log_density = of_one_code

    def expected_log_density_and_slopes(self, means, covariances) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """E log p(z) for stacks of codes, and its derivatives in means and covariances.

        log p(z) = -log(8 pi v) + sum over u = z_1 + z_2, z_1 - z_2 of -(u - d)^2 / (4 v) + log(1 + exp(-u d / v)):
        the mode on the side of the code's mean, whose expectation is closed, and the odds of the other, which do not
        cancel. By two one-dimensional quadratures (1e-12 of the largest part).
        Parameters and returns as for `theory.priors.Prior`.
        """
        means, covariances = checked_codes(means, covariances, 2)
        v, steepness = self.variance, self.distance / self.variance
        along = means @ DIAGONALS.T
        sides = np.where(along < 0, -1.0, 1.0)
        centres, spreads = np.abs(along), np.einsum("jk,...kl,jl->...j", DIAGONALS, covariances, DIAGONALS)
        spreads = np.maximum(spreads, 0.0)  # a perfect correlation, up to rounding
        # u - d with the larger of the two latents first, from which d is subtracted without rounding.
        first = np.argmax(np.abs(means), axis=-1, keepdims=True)
        large = np.take_along_axis(means, first, axis=-1) * np.take(DIAGONALS.T, first[..., 0], axis=0)
        small = np.take_along_axis(means, 1 - first, axis=-1) * np.take(DIAGONALS.T, 1 - first[..., 0], axis=0)
        deviations = (sides * large - self.distance) + sides * small

        def odds(values):
            return softplus_and_derivatives(-steepness * values, -steepness, 0.0)

        excess, to_centre, to_spread = gaussian_expectation(odds, centres, spreads, ODDS / steepness, 1 / steepness)
        values = np.sum(excess - (deviations**2 + spreads) / (4 * v), axis=-1) - np.log(8 * np.pi * v)
        to_means = (sides * (to_centre - deviations / (2 * v))) @ DIAGONALS
        to_covariances = np.einsum("...j,jk,jl->...kl", to_spread - 1 / (4 * v), DIAGONALS, DIAGONALS)
        return values, to_means, to_covariances

    def components(self) -> list[tuple[float, np.ndarray, np.ndarray]]:
        """(weight, mean, covariance) of the four clusters."""
        axes = self.distance * np.concatenate([np.eye(2), -np.eye(2)])
        return [(0.25, mean, self.variance * np.eye(2)) for mean in axes]

    symmetries, is_symmetry = signed_permutations.random_symmetry, signed_permutations.is_symmetry

    def nodes(self, count: int) -> tuple[np.ndarray, np.ndarray, float]:
        """Nodes and masses for expectations over the plane, and E log p(z), as for `theory.priors.Prior`."""
        mode, deviation = self.distance / np.sqrt(2), np.sqrt(self.variance)
        line = mixture_nodes([(0.5, -mode, deviation), (0.5, mode, deviation)], count)
        return *product_nodes([line, line], self.covariance, DIAGONALS / np.sqrt(2)), mean_log_density(self)

    @property
    def isotropic_range(self) -> tuple[float, float]:
        """The least KL(N(0, b I) || p) is at a log b between these."""
        return np.log(self.variance) - 1, 2 * np.log(self.distance + np.sqrt(self.variance)) + 1

    @property
    def scales(self) -> np.ndarray:
        """The size of each latent, (2,): the distance of a mode from zero, or the deviation of a cluster."""
        return np.full(2, max(self.distance, np.sqrt(self.variance)))
