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

    Two more methods are used if they exist. `expected_log_density_and_slopes(means, covariances)` takes stacks of
    codes, means (..., K) and covariances (..., K, K), and returns the expected log densities (...), and their
    derivatives in the means (..., K) and in the covariances (..., K, K, symmetric); without it gradients are computed
    by differences of `expected_log_density`. `components()` returns the list of (weight, mean, covariance) of a finite
    mixture of Gaussians; a distribution of factors must have it.

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
