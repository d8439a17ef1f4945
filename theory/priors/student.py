"""A product of identical Student-t densities, a prior with heavy tails."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from theory import validation
from theory.priors import signed_permutations
from theory.priors.aggregate import kernel_mean
from theory.priors.arguments import LONGEST, checked_codes, checked_latent_dim, checked_latents, checked_values
from theory.priors.plane_nodes import product_nodes
from theory.priors.protocol import of_one_code
from theory.priors.quadrature import REACH, gaussian_expectation, log_gamma_step, sum_of_latents

__all__ = ["StudentPrior", "student_log_normaliser"]


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
        return self._log_marginal(checked_latents(latents, self.latent_dim)).sum(axis=-1)

    def marginal_log_density(self, values) -> np.ndarray:
        """log density of one latent, entry by entry."""
        return self._log_marginal(checked_values(values))

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

    expected_log_density = of_one_code

    def expected_log_density_and_slopes(self, means, covariances) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """E log p(z) for stacks of codes, and its derivatives in means and covariances.

        A sum over latents, each by quadrature (1e-12 of its largest part). Parameters and returns as for
        `theory.priors.Prior`.
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
        return sum_of_latents(*gaussian_expectation(self._marginal, means, variances, breaks, core))

    symmetries, is_symmetry = signed_permutations.random_symmetry, signed_permutations.is_symmetry

    def nodes(self, count: int) -> tuple[np.ndarray, np.ndarray, float]:
        """Nodes and masses for expectations over two latents, and E log p(z), as for `theory.priors.Prior`."""
        places, masses = self._marginal_nodes(2 * count)
        mean_log_density = 2 * np.sum(masses * self.marginal_log_density(places))
        return *product_nodes([(places, masses)] * 2, self.covariance), float(mean_log_density)

    def _marginal_nodes(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Nodes sqrt(nu) sinh(pi/2 sinh(y)), y evenly spaced, with masses: far enough out for the variance."""
        nu = self.degrees_of_freedom
        # With z = sqrt(nu) sinh(x), density times square fall as cosh(x)^(2 - nu): to 1e-16, or where points are 1e47.
        fall = 36 / max(nu - 2, 1e-3)
        inner = min(fall + np.log1p(np.sqrt(-np.expm1(-2 * fall))), 110)
        even, step = np.linspace(-1, 1, count, retstep=True)
        stretch = np.arcsinh(inner * 2 / np.pi)
        inner = np.pi / 2 * np.sinh(stretch * even)
        places = np.sqrt(nu) * np.sinh(inner)
        logarithms = np.log(np.sqrt(nu) * np.cosh(inner) * np.pi / 2 * np.cosh(stretch * even) * stretch * step)
        return places, np.exp(self.marginal_log_density(places) + logarithms)

    def _log_marginal(self, values: np.ndarray) -> np.ndarray:
        """log density of one latent."""
        nu = self.degrees_of_freedom
        at_zero = log_gamma_step(nu / 2) - np.log(nu * np.pi) / 2
        return at_zero - (nu + 1) / 2 * np.log1p((values / np.sqrt(nu)) ** 2)

    def _marginal(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """log density of one latent and its first two derivatives."""
        nu = self.degrees_of_freedom
        tail = 1 / (1 + (values / np.sqrt(nu)) ** 2)
        steepness = (1 + 1 / nu) * tail
        return self._log_marginal(values), -steepness * values, steepness * (1 - 2 * tail)

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
