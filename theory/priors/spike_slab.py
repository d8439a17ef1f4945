"""A product of identical densities with a spike at zero, a prior for sparse latents."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theory import validation
from theory.priors import signed_permutations
from theory.priors.arguments import checked_codes, checked_latent_dim, checked_latents, checked_values
from theory.priors.plane_nodes import mean_log_density, mixture_nodes, product_nodes
from theory.priors.protocol import of_one_code
from theory.priors.quadrature import gaussian_expectation, softplus, softplus_and_derivatives, sum_of_latents

__all__ = ["SpikeSlabPrior"]

# Log odds of spike against slab at which the integrals are divided; below the smallest the spike is negligible.
ODDS = np.array([-40.0, -20, -10, -5, -2, 2, 5, 10, 20, 40, 80, 160, 320, 640])


@dataclass(frozen=True)
class SpikeSlabPrior:
    """Product of identical sparse densities: (1 - g) N(0, 1) + g N(0, spike^2).

    Parameters
    ----------
    latent_dim : int
    spike_probability : float, g, strictly between 0 and 1
    spike_deviation : float, from 1e-50 to less than 1
        standard deviation of the spike. (At 0 and 1 the prior is degenerate or Gaussian: use `GaussianPrior`.)

    Examples
    --------
    >>> from theory.priors import SpikeSlabPrior
    >>> prior = SpikeSlabPrior(latent_dim=2, spike_probability=0.8, spike_deviation=0.05)
    >>> prior.covariance.round(4)
    array([[0.202, 0.   ],
           [0.   , 0.202]])
    """

    latent_dim: int
    spike_probability: float = 0.8
    spike_deviation: float = 0.05

    def __post_init__(self):
        object.__setattr__(self, "latent_dim", checked_latent_dim("latent_dim", self.latent_dim))
        for name, check in (("spike_probability", validation.positive), ("spike_deviation", validation.scale)):
            value = check(name, getattr(self, name))
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
        return self._marginal(checked_latents(latents, self.latent_dim)).sum(axis=-1)

    def marginal_log_density(self, values) -> np.ndarray:
        """log density of one latent, entry by entry."""
        return self._marginal(checked_values(values))

    def sample(self, n: int, rng) -> np.ndarray:
        """Draw n latents, shape (n, K); `rng` is a generator or a seed."""
        n = validation.count("n", n, bytes_each=16 * self.latent_dim)
        rng = validation.random_generator("rng", rng)
        is_spike = rng.random((n, self.latent_dim)) < self.spike_probability
        return rng.standard_normal((n, self.latent_dim)) * np.where(is_spike, self.spike_deviation, 1.0)

    expected_log_density = of_one_code

    def expected_log_density_and_slopes(self, means, covariances) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """E log p(z) for stacks of codes, and its derivatives in means and covariances.

        The log density is that of the slab, whose mean is closed, and log(1 + odds of the spike), which vanishes away
        from zero: a sum over latents, each by quadrature (1e-12 of its largest part). Parameters and returns as for
        `theory.priors.Prior`.
        """
        means, covariances = checked_codes(means, covariances, self.latent_dim)
        variances = np.diagonal(covariances, axis1=-2, axis2=-1)
        spike = self.spike_deviation
        # Where the odds take the values of ODDS, which lie densely where spike and slab are equally likely.
        edges = spike * np.sqrt(2 * (self._log_odds - ODDS[self._log_odds > ODDS]) / (1 - spike**2))
        breaks = np.concatenate([-edges, [0.0], edges])
        excess, to_mean, to_variance = gaussian_expectation(self._excess, means, variances, breaks, spike)
        return sum_of_latents(self._slab(means**2 + variances) + excess, to_mean - means, to_variance - 0.5)

    def components(self) -> list[tuple[float, np.ndarray, np.ndarray]]:
        """(weight, mean, covariance) of the 2^K Gaussians of the mixture."""
        # Each component takes some hundred bytes as a Python object, besides its covariance.
        validation.count("latent_dim", self.latent_dim, maximum=30)
        validation.count("2^latent_dim", 2**self.latent_dim, bytes_each=8 * self.latent_dim**2 + 500)
        mixture = []
        for index in np.ndindex((2,) * self.latent_dim):
            slab = np.array(index, dtype=bool)
            weight = np.prod(np.where(slab, 1 - self.spike_probability, self.spike_probability))
            variances = np.where(slab, 1.0, self.spike_deviation**2)
            mixture.append((float(weight), np.zeros(self.latent_dim), np.diag(variances)))
        return mixture

    symmetries, is_symmetry = signed_permutations.random_symmetry, signed_permutations.is_symmetry

    def nodes(self, count: int) -> tuple[np.ndarray, np.ndarray, float]:
        """Nodes and masses for expectations over two latents, and E log p(z), as for `theory.priors.Prior`."""
        g = self.spike_probability
        line = mixture_nodes([(g, 0.0, self.spike_deviation), (1 - g, 0.0, 1.0)], count)
        return *product_nodes([line, line], self.covariance), mean_log_density(self)

    @property
    def _log_odds(self) -> float:
        """log of spike over slab at zero."""
        g = self.spike_probability
        return float(np.log(g) - np.log1p(-g) - np.log(self.spike_deviation))

    def _marginal(self, values: np.ndarray) -> np.ndarray:
        """log density of one latent."""
        return self._slab(values**2) + softplus(self._odds(values / self.spike_deviation))

    def _odds(self, scaled: np.ndarray) -> np.ndarray:
        """log of spike over slab, from the value of a latent in deviations of the spike."""
        return self._log_odds - scaled**2 * ((1 - self.spike_deviation**2) / 2)

    def _slab(self, squares: np.ndarray) -> np.ndarray:
        """log of the slab's part of the density of one latent, or its expectation from the mean square."""
        return np.log1p(-self.spike_probability) - (np.log(2 * np.pi) + squares) / 2

    def _excess(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """log(1 + odds of the spike) of one latent, and its first two derivatives."""
        spike = self.spike_deviation
        narrow, scaled = 1 - spike**2, values / spike
        return softplus_and_derivatives(self._odds(scaled), -scaled * narrow / spike, -narrow / spike**2)

    @property
    def isotropic_range(self) -> tuple[float, float]:
        """The least KL(N(0, b I) || p) is at a log b between these."""
        return 2 * np.log(self.spike_deviation) - 1, 1.0
