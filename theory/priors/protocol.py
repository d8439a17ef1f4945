"""The protocol of a prior, and the check that an object follows it: the families here and a user's own alike."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np

from theory import gaussian, validation
from theory.priors.arguments import checked_code

__all__ = ["Prior", "checked_factors", "checked_prior", "expectation_and_slopes", "expectations", "of_one_code"]

# The error of central differences is the square of the step plus rounding over the step, both a few 1e-11. A value that
# is accurate only to 1e-13 leaves 3e-8, below the tolerance of training, 1e-6.
STEP = 3e-6


@runtime_checkable
class Prior(Protocol):
    """A prior of K latents: any object with these three members.

    Optional members, and what uses them:

    `expected_log_density_and_slopes(means, covariances)`
        for stacks of codes, means (..., K) and covariances (..., K, K): the expected log densities (...), and their
        derivatives in the means (..., K) and in the covariances (..., K, K, symmetric). Training and the nearest
        Gaussian; without it they take central differences of `expected_log_density`. Its error must then vary by no
        more than about 1e-13 of its largest part, since the differences divide it by steps of 3e-6: a quadrature must
        divide the line where the log density has an edge (`theory.priors.quadrature`).
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
        of a prior of two latents: three values, points (n, 2), masses (n,) of sum one, and E log p(z) for z ~ p. The
        sum of masses times f(points) is E f(z), for f the log density of a mixture of Gaussians: smooth, and of the
        growth of z^2. About `count` nodes lie along an axis; training compares 64, 96 and 128. It gives a run of
        training its divergence; without it that is NaN, and alpha > 0 is refused.
    `covariance`
        (K, K), infinite on the diagonal where the prior has no variance. Training holds the nodes against it.
    `sample(n, rng)`
        n draws (n, K). Figures and checks; training does not need it.

    The families of `theory.priors` also have `symmetries(rng)`, a random matrix that keeps the density, and
    `is_symmetry(matrix)`. Only tests use them.

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


def of_one_code(prior, mean, covariance) -> float:
    """E log p(z), z ~ N(mean, covariance), in nats; the method of a class that has the one for stacks of codes."""
    mean, covariance = checked_code(mean, covariance, prior.latent_dim)
    return float(prior.expected_log_density_and_slopes(mean, covariance)[0])


def checked_prior(name: str, value) -> Prior:
    """Return `value` if it is a prior; the error lists what is missing."""
    return _with_members(name, value, ("latent_dim", "log_density", "expected_log_density"), "a prior")


def checked_factors(name: str, value):
    """Return `value` if it is a distribution of factors that is a finite mixture of Gaussians."""
    return _with_members(name, value, ("latent_dim", "components"), "a finite mixture of Gaussians")


def expectations(prior: Prior, means: np.ndarray, covariances: np.ndarray) -> np.ndarray:
    """E log p(z) for each of many codes, (n, K) and (n, K, K), together where the prior can."""
    if hasattr(prior, "expected_log_density_and_slopes"):
        return prior.expected_log_density_and_slopes(means, covariances)[0]
    return np.array([prior.expected_log_density(*code) for code in zip(means, covariances, strict=True)])


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
    # Entry by entry, B = diag(deviations). Where a step would leave the positive definite matrices, since correlations
    # are within a step of 1, along B (B E B^T with C = B B^T), which is less accurate.
    basis = np.diag(deviations)
    if not np.all(np.linalg.eigvalsh(covariance / np.outer(deviations, deviations)) > 2 * STEP):
        basis = gaussian.cholesky(covariance)
    to_mean, to_covariance = np.zeros(size), np.zeros((size, size))
    for j in range(size):
        step = np.zeros(size)
        step[j] = STEP * deviations[j]
        rise = prior.expected_log_density(mean + step, covariance) - prior.expected_log_density(mean - step, covariance)
        to_mean[j] = rise / (2 * step[j])
        for k in range(j + 1):
            unit = np.zeros((size, size))
            unit[j, k] = unit[k, j] = STEP
            change = basis @ unit @ basis.T
            above, below = (prior.expected_log_density(mean, covariance + sign * change) for sign in (1, -1))
            # An off-diagonal entry changes together with its mirror image.
            to_covariance[j, k] = to_covariance[k, j] = (above - below) / (2 * np.sum(unit))
    inverse = gaussian.solve_lower(basis, np.eye(size))
    return prior.expected_log_density(mean, covariance), to_mean, inverse.T @ to_covariance @ inverse


def _with_members(name: str, value, members: tuple[str, ...], kind: str):
    missing = [member for member in members if isinstance(value, type) or not hasattr(value, member)]
    if missing:
        got = f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__
        raise ValueError(
            f"{name} must be {kind}, got {got}, which lacks {', '.join(missing)}; pass one of the families "
            "of theory.priors that have them, or an object of your own"
        )
    validation.count(f"{name}.latent_dim", value.latent_dim)
    return value
