"""Products of identical densities: Student-t for heavy tails, spike and slab for sparsity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from theory import validation
from theory.priors.aggregate import kernel_mean
from theory.priors.arguments import (
    LONGEST,
    checked_code,
    checked_codes,
    checked_latent_dim,
    checked_latents,
    checked_values,
)
from theory.priors.quadrature import REACH, gaussian_expectation, log_gamma_step, softplus_and_derivatives
from theory.priors.signed_permutations import is_signed_permutation, random_signed_permutation

__all__ = ["SpikeSlabPrior", "StudentPrior", "student_log_normaliser"]

# Log odds of spike against slab at which the integrals are divided; below the smallest the spike is negligible.
ODDS = np.array([-40.0, -20, -10, -5, -2, 2, 5, 10, 20, 40, 80, 160, 320, 640])


@dataclass(frozen=True)
class StudentPrior:
    """Product of identical Student-t densities (location 0, scale 1).

    Parameters
    ----------
    degrees_of_freedom : float, from 1e-100 to 1e100
    latent_dim : int

    Examples
    --------
    >>> from theory.priors import StudentPrior
    >>> prior = StudentPrior(degrees_of_freedom=4.0, latent_dim=2)
    >>> round(prior.expected_log_density([0.0, 0.0], [[1.0, 0.0], [0.0, 1.0]]), 4)
    -2.9304
    """

    degrees_of_freedom: float
    latent_dim: int

    def __post_init__(self):
        degrees_of_freedom = validation.scale("degrees_of_freedom", self.degrees_of_freedom)
        object.__setattr__(self, "degrees_of_freedom", degrees_of_freedom)
        object.__setattr__(self, "latent_dim", checked_latent_dim("latent_dim", self.latent_dim))

    @property
    def covariance(self) -> np.ndarray:
        """nu / (nu - 2) I; the variances are infinite for nu <= 2."""
        nu = self.degrees_of_freedom
        covariance = np.zeros((self.latent_dim, self.latent_dim))
        np.fill_diagonal(covariance, nu / (nu - 2) if nu > 2 else np.inf)
        return covariance

    def log_density(self, latents) -> np.ndarray:
        """log p(z) of latents of shape (..., K), in nats."""
        return self._marginal(checked_latents(latents, self.latent_dim))[0].sum(axis=-1)

    def marginal_log_density(self, values) -> np.ndarray:
        """log density of one latent, entry by entry."""
        return self._marginal(checked_values(values))[0]

    def sample(self, n: int, rng) -> np.ndarray:
        """Draw n latents, shape (n, K); `rng` is a generator or a seed."""
        n = validation.count("n", n, bytes_each=8 * self.latent_dim)
        drawn = validation.random_generator("rng", rng).standard_t(self.degrees_of_freedom, (n, self.latent_dim))
        if not np.isfinite(drawn).all():
            raise ValueError(
                f"degrees_of_freedom must be larger to draw latents, got {self.degrees_of_freedom:g}: some draws "
                "overflow; pass about 0.1 or more"
            )
        return drawn

    def expected_log_density(self, mean, covariance) -> float:
        """E log p(z), z ~ N(mean, covariance): a sum over latents, each by quadrature (1e-12 of its largest part)."""
        mean, covariance = checked_code(mean, covariance, self.latent_dim)
        return float(self.expected_log_density_and_slopes(mean, covariance)[0])

    def expected_log_density_and_slopes(self, means, covariances) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """E log p(z) for stacks of codes, and its derivatives in means and covariances.

        Parameters and returns as for `theory.priors.Prior`.
        """
        means, covariances = checked_codes(means, covariances, self.latent_dim)
        variances = np.diagonal(covariances, axis1=-2, axis2=-1)
        core = np.sqrt(self.degrees_of_freedom)
        # log(1 + u^2 / nu) is smooth between u and 4 u; a core narrower than 1e-20 of the code has no weight.
        reach = np.abs(means) + REACH * np.sqrt(variances)
        first = np.maximum(core, 1e-20 * reach)[..., np.newaxis]
        steps = np.ceil(np.log(np.max(reach / first[..., 0], initial=1.0)) / np.log(4))
        ladder = first * 4.0 ** np.arange(steps + 1)
        breaks = np.concatenate([-ladder, np.zeros_like(first), ladder], axis=-1)
        return _sum_of_latents(*gaussian_expectation(self._marginal, means, variances, breaks, core))

    def symmetries(self, rng) -> np.ndarray:
        """A random signed permutation, uniform; `rng` is a generator or a seed."""
        return random_signed_permutation(self.latent_dim, rng)

    def is_symmetry(self, matrix) -> bool:
        """Whether the matrix is a signed permutation, up to rounding."""
        return is_signed_permutation(validation.matrix("matrix", matrix, (self.latent_dim,) * 2))

    def _marginal(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """log density of one latent and its first two derivatives."""
        nu = self.degrees_of_freedom
        at_zero = log_gamma_step(nu / 2) - np.log(nu * np.pi) / 2
        ratio = values / np.sqrt(nu)
        tail = 1 / (1 + ratio**2)
        value = at_zero - (nu + 1) / 2 * np.log1p(ratio**2)
        return value, -(1 + 1 / nu) * tail * values, -(1 + 1 / nu) * tail * (2 * tail - 1)

    def log_normaliser(self, beta: float) -> float:
        """log of the integral of p^beta, see `student_log_normaliser`."""
        return student_log_normaliser(self.degrees_of_freedom, beta, latent_dim=self.latent_dim)

    @property
    def isotropic_range(self) -> tuple[float, float]:
        """The least KL(N(0, b I) || p) is at a log b between these; they are equal if nu < 1, where it is known.

        (nu + 1) E[b e^2 / (nu + b e^2)] = 1 is E[nu / (nu + b e^2)] = nu / (nu + 1), without a difference that cancels
        at small nu.
        """
        nu = self.degrees_of_freedom
        low, high = np.log(nu / (nu + 1)) - 1, np.log(2 + 4 / nu) + 1
        if nu < 1:
            high = min(high, np.log(LONGEST**2) - 1e-9)
            low = high = brentq(lambda at: kernel_mean(np.exp(at), nu) - nu / (nu + 1), low, high, xtol=1e-14)
        return low, high


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
        latents = checked_latents(latents, self.latent_dim)
        return (self._slab(latents**2) + self._excess(latents)[0]).sum(axis=-1)

    def marginal_log_density(self, values) -> np.ndarray:
        """log density of one latent, entry by entry."""
        values = checked_values(values)
        return self._slab(values**2) + self._excess(values)[0]

    def sample(self, n: int, rng) -> np.ndarray:
        """Draw n latents, shape (n, K); `rng` is a generator or a seed."""
        n = validation.count("n", n, bytes_each=16 * self.latent_dim)
        rng = validation.random_generator("rng", rng)
        is_spike = rng.random((n, self.latent_dim)) < self.spike_probability
        return rng.standard_normal((n, self.latent_dim)) * np.where(is_spike, self.spike_deviation, 1.0)

    def expected_log_density(self, mean, covariance) -> float:
        """E log p(z), z ~ N(mean, covariance): a sum over latents, each by quadrature (1e-12 of its largest part)."""
        mean, covariance = checked_code(mean, covariance, self.latent_dim)
        return float(self.expected_log_density_and_slopes(mean, covariance)[0])

    def expected_log_density_and_slopes(self, means, covariances) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """E log p(z) for stacks of codes, and its derivatives in means and covariances.

        The log density is that of the slab, whose mean is closed, and log(1 + odds of the spike), which vanishes away
        from zero. Parameters and returns as for `theory.priors.Prior`.
        """
        means, covariances = checked_codes(means, covariances, self.latent_dim)
        variances = np.diagonal(covariances, axis1=-2, axis2=-1)
        spike = self.spike_deviation
        # Where the odds take the values of ODDS, which lie densely where spike and slab are equally likely.
        edges = spike * np.sqrt(2 * (self._log_odds - ODDS[self._log_odds > ODDS]) / (1 - spike**2))
        breaks = np.concatenate([-edges, [0.0], edges])
        excess, to_mean, to_variance = gaussian_expectation(self._excess, means, variances, breaks, spike)
        return _sum_of_latents(self._slab(means**2 + variances) + excess, to_mean - means, to_variance - 0.5)

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

    def symmetries(self, rng) -> np.ndarray:
        """A random signed permutation, uniform; `rng` is a generator or a seed."""
        return random_signed_permutation(self.latent_dim, rng)

    def is_symmetry(self, matrix) -> bool:
        """Whether the matrix is a signed permutation, up to rounding."""
        return is_signed_permutation(validation.matrix("matrix", matrix, (self.latent_dim,) * 2))

    @property
    def _log_odds(self) -> float:
        """log of spike over slab at zero."""
        g = self.spike_probability
        return float(np.log(g) - np.log1p(-g) - np.log(self.spike_deviation))

    def _slab(self, squares: np.ndarray) -> np.ndarray:
        """log of the slab's part of the density of one latent, or its expectation from the mean square."""
        return np.log1p(-self.spike_probability) - (np.log(2 * np.pi) + squares) / 2

    def _excess(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """log(1 + odds of the spike) of one latent, and its first two derivatives."""
        spike = self.spike_deviation
        narrow, scaled = 1 - spike**2, values / spike
        odds = self._log_odds - scaled**2 * narrow / 2
        return softplus_and_derivatives(odds, -scaled * narrow / spike, -narrow / spike**2)

    @property
    def isotropic_range(self) -> tuple[float, float]:
        """The least KL(N(0, b I) || p) is at a log b between these."""
        return 2 * np.log(self.spike_deviation) - 1, 1.0


def _sum_of_latents(values, to_means, to_variances) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The expectation of a sum over latents, and its derivatives in the mean and the covariance of the code."""
    return values.sum(axis=-1), to_means, to_variances[..., np.newaxis] * np.eye(to_variances.shape[-1])


def student_log_normaliser(degrees_of_freedom: float, beta: float, *, latent_dim: int = 1) -> float:
    """log F for a product of Student-t densities; infinite unless beta (nu + 1) > 1.

    log F = K { (1 - beta)/2 log(nu pi) + beta [log Gamma((nu+1)/2) - log Gamma(nu/2)] + log Gamma(b) - log Gamma(b +
    1/2) } with b = (beta (nu + 1) - 1)/2 > 0: annealing makes tails heavier for beta < 1, until the annealed prior
    cannot be normalised and the identity of `annealed_terms` no longer makes sense. Exact.

    Parameters
    ----------
    degrees_of_freedom, beta : float from 1e-100 to 1e100, nu and beta
    latent_dim : int, K

    Returns
    -------
    float, in nats

    Raises
    ------
    ValueError
        if an argument is out of its range.

    Notes
    -----
    The condition is that of Mathieu et al. (2019), Theorem 1, that F be finite.

    Examples
    --------
    >>> from theory.priors import student_log_normaliser
    >>> round(student_log_normaliser(3.0, beta=2.0), 4), student_log_normaliser(3.0, beta=0.25)
    (-1.4709, inf)
    """
    nu = validation.scale("degrees_of_freedom", degrees_of_freedom)
    beta = validation.scale("beta", beta)
    latent_dim = validation.count("latent_dim", latent_dim)
    if latent_dim == 0:
        return 0.0
    excess = (beta * nu + (beta - 1)) / 2
    if excess <= 0:
        return np.inf
    # log p(0) and the log of the integral of (1 + y^2 / nu)^-(excess + 1/2), each relative to sqrt(nu pi).
    at_zero, integral = log_gamma_step(nu / 2), -log_gamma_step(excess)
    return float(latent_dim * ((1 - beta) / 2 * np.log(nu * np.pi) + beta * at_zero + integral))
