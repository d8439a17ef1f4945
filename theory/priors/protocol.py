"""The protocol of a prior, and the check that an object follows it: the families here and a user's own alike."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np

from theory import validation

__all__ = ["Prior", "checked_factors", "checked_prior", "expectation_and_slopes"]

# The error of central differences is the square of the step plus rounding over the step, both a few 1e-11.
STEP = 3e-6


@runtime_checkable
class Prior(Protocol):
    """A prior of K latents: any object with these three members.

    Optional members, and what uses them:

    `expected_log_density_and_slopes(means, covariances)`
        for stacks of codes, means (..., K) and covariances (..., K, K): the expected log densities (...), and their
        derivatives in the means (..., K) and in the covariances (..., K, K, symmetric). Training and the nearest
        Gaussian; without it they take central differences of `expected_log_density`, which must then be smooth to
        1e-11: a quadrature must divide the line where the log density has an edge (`theory.priors.quadrature`).
    `log_normaliser(beta)`
        log of the integral of p^beta, infinite where that is. `annealed_terms`, which refuses a prior without it.
    `nearest_gaussian()`, or `isotropic_range`
        the covariance C of least KL(N(0, C) || p) with that divergence; or, where it is known to be b I, two bounds of
        log b. `nearest_gaussian` and `prior_optimum`, which without them search over all covariances.
    `components()`
        the list of (weight, mean, covariance) of a finite mixture of Gaussians. A distribution of factors needs it.
    `scales`
        a typical size of each latent, (K,). The units of training; ones without it.
    `nodes(count)`
        of a prior of two latents: points (n, 2) and masses (n,) of a quadrature over the prior with `count` nodes along
        an axis, smooth in what it integrates, and E log p(z). Training with alpha > 0, which is refused without it.
    `covariance`, `sample(n, rng)`
        the covariance (K, K), and n draws (n, K).

    Examples
    --------
    >>> from theory.priors import Prior, StudentPrior
    >>> isinstance(StudentPrior(4.0, 2), Prior), isinstance("text", Prior)
    (True, False)
    """

    @property
    def latent_dim(self) -> int:
        """K."""

    def log_density(self, latents) -> np.ndarray:
        """log p(z) of latents of shape (..., K), in nats."""

    def expected_log_density(self, mean, covariance) -> float:
        """E log p(z) for z ~ N(mean, covariance), (K,) and (K, K), in nats."""


def checked_prior(name: str, value) -> Prior:
    """Return `value` if it is a prior; the error lists what is missing."""
    return _with_members(name, value, ("latent_dim", "log_density", "expected_log_density"), "a prior")


def checked_factors(name: str, value):
    """Return `value` if it is a distribution of factors that is a finite mixture of Gaussians."""
    return _with_members(name, value, ("latent_dim", "components"), "a finite mixture of Gaussians")


def expectation_and_slopes(prior: Prior, means, covariances) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """E log p(z) for stacks of codes, and its derivatives in means and covariances.

    Parameters
    ----------
    prior : Prior
    means : (..., K) array
    covariances : (..., K, K) array, positive definite

    Returns
    -------
    values : (...) array, nats
    to_means : (..., K) array
    to_covariances : (..., K, K) array, symmetric
    """
    if hasattr(prior, "expected_log_density_and_slopes"):
        return prior.expected_log_density_and_slopes(means, covariances)
    shape = means.shape[:-1]
    pairs = zip(means.reshape(-1, means.shape[-1]), covariances.reshape(-1, *covariances.shape[-2:]), strict=True)
    values, to_means, to_covariances = zip(*(_by_differences(prior, *pair) for pair in pairs), strict=True)
    if not np.isfinite(values).all():
        raise ValueError(
            f"prior must have a finite expected log density, that of {type(prior).__name__} is not; correct its method "
            "expected_log_density"
        )
    return (
        np.reshape(values, shape),
        np.reshape(to_means, means.shape),
        np.reshape(to_covariances, covariances.shape),
    )


def _by_differences(prior: Prior, mean, covariance) -> tuple[float, np.ndarray, np.ndarray]:
    """The same for one code, by central differences in steps that follow its deviations."""
    size, deviations = len(mean), np.sqrt(np.diagonal(covariance))
    to_mean, to_covariance = np.zeros(size), np.zeros((size, size))
    for j in range(size):
        step = np.zeros(size)
        step[j] = STEP * deviations[j]
        rise = prior.expected_log_density(mean + step, covariance) - prior.expected_log_density(mean - step, covariance)
        to_mean[j] = rise / (2 * step[j])
        for k in range(j + 1):
            change = np.zeros((size, size))
            change[j, k] = change[k, j] = STEP * deviations[j] * deviations[k]
            above, below = (prior.expected_log_density(mean, covariance + sign * change) for sign in (1, -1))
            # An off-diagonal entry changes together with its mirror image.
            to_covariance[j, k] = to_covariance[k, j] = (above - below) / (2 * np.sum(change))
    return prior.expected_log_density(mean, covariance), to_mean, to_covariance


def _with_members(name: str, value, members: tuple[str, ...], kind: str):
    missing = [member for member in members if isinstance(value, type) or not hasattr(value, member)]
    if missing:
        got = f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__
        raise ValueError(
            f"{name} must be {kind}, got {got}, which lacks {', '.join(missing)}; pass a GaussianPrior, SpikeSlabPrior "
            "or ClusterPrior, or an object of your own that has them"
        )
    validation.count(f"{name}.latent_dim", value.latent_dim)
    return value
