"""Products of identical densities: Student-t for heavy tails, spike and slab for sparsity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from theory import validation
from theory.axes.priors.shared import (
    checked_code,
    checked_latents,
    is_signed_permutation,
    random_signed_permutation,
    sum_of_marginals,
)

__all__ = ["SpikeSlabPrior", "StudentPrior"]


@dataclass(frozen=True)
class StudentPrior:
    """Product of identical Student-t densities (location 0, scale 1).

    Parameters
    ----------
    degrees_of_freedom : float > 0
    latent_dim : int
    """

    degrees_of_freedom: float
    latent_dim: int

    def __post_init__(self):
        degrees_of_freedom = validation.positive("degrees_of_freedom", self.degrees_of_freedom)
        object.__setattr__(self, "degrees_of_freedom", degrees_of_freedom)
        object.__setattr__(self, "latent_dim", validation.count("latent_dim", self.latent_dim))

    @property
    def covariance(self) -> np.ndarray:
        """nu / (nu - 2) I; the variances are infinite for nu <= 2."""
        nu = self.degrees_of_freedom
        covariance = np.zeros((self.latent_dim, self.latent_dim))
        np.fill_diagonal(covariance, nu / (nu - 2) if nu > 2 else np.inf)
        return covariance

    def log_density(self, latents) -> np.ndarray:
        """log p(z) of latents of shape (..., K), in nats."""
        return self.marginal_log_density(checked_latents(latents, self.latent_dim)).sum(axis=-1)

    def marginal_log_density(self, values) -> np.ndarray:
        """log density of one latent, entry by entry."""
        nu = self.degrees_of_freedom
        at_zero = gammaln((nu + 1) / 2) - gammaln(nu / 2) - np.log(nu * np.pi) / 2
        return at_zero - (nu + 1) / 2 * np.log1p(np.asarray(values) ** 2 / nu)

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Draw n latents, shape (n, K)."""
        return rng.standard_t(self.degrees_of_freedom, (n, self.latent_dim))

    def expected_log_density(self, mean, covariance) -> float:
        """E log p(z), z ~ N(mean, covariance): a sum over latents, each by quadrature (1e-10 relative or better)."""
        mean, covariance = checked_code(mean, covariance, self.latent_dim)
        return sum_of_marginals(self.marginal_log_density, mean, covariance, np.sqrt(self.degrees_of_freedom))

    def symmetries(self, rng: np.random.Generator) -> np.ndarray:
        """A random signed permutation, uniform."""
        return random_signed_permutation(self.latent_dim, rng)

    def is_symmetry(self, matrix) -> bool:
        """Whether the matrix is a signed permutation, up to rounding."""
        return is_signed_permutation(validation.matrix("matrix", matrix, (self.latent_dim,) * 2))


@dataclass(frozen=True)
class SpikeSlabPrior:
    """Product of identical sparse densities: (1 - g) N(0, 1) + g N(0, spike^2).

    Parameters
    ----------
    latent_dim : int
    spike_probability : float, g, strictly between 0 and 1
    spike_deviation : float, strictly between 0 and 1
        standard deviation of the spike. (At the excluded ends the prior is Gaussian: use `GaussianPrior`.)
    """

    latent_dim: int
    spike_probability: float = 0.8
    spike_deviation: float = 0.05

    def __post_init__(self):
        object.__setattr__(self, "latent_dim", validation.count("latent_dim", self.latent_dim))
        for name in ("spike_probability", "spike_deviation"):
            value = validation.positive(name, getattr(self, name))
            if not value < 1:
                raise ValueError(f"{name} must be below 1, got {value!r}; at 1 and above use GaussianPrior")
            object.__setattr__(self, name, value)

    @property
    def covariance(self) -> np.ndarray:
        """(1 - g + g spike^2) I."""
        g = self.spike_probability
        return (1 - g + g * self.spike_deviation**2) * np.eye(self.latent_dim)

    def log_density(self, latents) -> np.ndarray:
        """log p(z) of latents of shape (..., K), in nats."""
        return self.marginal_log_density(checked_latents(latents, self.latent_dim)).sum(axis=-1)

    def marginal_log_density(self, values) -> np.ndarray:
        """log density of one latent, entry by entry."""
        squares = np.asarray(values) ** 2
        g, spike = self.spike_probability, self.spike_deviation
        spikes = np.log(g / spike) - squares / (2 * spike**2)
        return np.logaddexp(np.log1p(-g) - squares / 2, spikes) - np.log(2 * np.pi) / 2

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Draw n latents, shape (n, K)."""
        is_spike = rng.random((n, self.latent_dim)) < self.spike_probability
        return rng.standard_normal((n, self.latent_dim)) * np.where(is_spike, self.spike_deviation, 1.0)

    def expected_log_density(self, mean, covariance) -> float:
        """E log p(z), z ~ N(mean, covariance): a sum over latents, each by quadrature (1e-10 relative or better)."""
        mean, covariance = checked_code(mean, covariance, self.latent_dim)
        return sum_of_marginals(self.marginal_log_density, mean, covariance, self.spike_deviation)

    def components(self) -> list[tuple[float, np.ndarray, np.ndarray]]:
        """(weight, mean, covariance) of the 2^K Gaussians of the mixture."""
        found = []
        for index in np.ndindex((2,) * self.latent_dim):
            slab = np.array(index, dtype=bool)
            weight = np.prod(np.where(slab, 1 - self.spike_probability, self.spike_probability))
            variances = np.where(slab, 1.0, self.spike_deviation**2)
            found.append((float(weight), np.zeros(self.latent_dim), np.diag(variances)))
        return found

    def symmetries(self, rng: np.random.Generator) -> np.ndarray:
        """A random signed permutation, uniform."""
        return random_signed_permutation(self.latent_dim, rng)

    def is_symmetry(self, matrix) -> bool:
        """Whether the matrix is a signed permutation, up to rounding."""
        return is_signed_permutation(validation.matrix("matrix", matrix, (self.latent_dim,) * 2))
