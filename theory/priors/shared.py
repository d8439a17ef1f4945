"""What the priors share: expectations over one Gaussian variable, signed permutations, and the checks of codes.

The expectation of a function under N(m, v) is a sum over Gauss-Legendre nodes between breaks that follow both the code
(its mean, 4.5 and 9 deviations to each side) and the function (its own breaks: the edges of a spike, the valley between
two modes, a geometric ladder about the core of a Student-t). So neither a code much narrower than a feature nor one
much wider is missed. Nodes are placed in e = (u - m) / sqrt(v), which stays exact where m + sqrt(v) e rounds to m.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import gammaln

from theory import validation

__all__ = [
    "checked_code",
    "checked_codes",
    "checked_latent_dim",
    "checked_latents",
    "checked_values",
    "gaussian_expectation",
    "is_signed_permutation",
    "log_gamma_step",
    "prior_covariance",
    "random_signed_permutation",
    "softplus_and_derivatives",
    "within",
]

# Lengths outside these bounds are refused: within them no square of (length / variance) overflows.
SHORTEST, LONGEST = 1e-50, 1e50

# At nine standard deviations a Gaussian is at 3e-18 of its peak. Sixteen Gauss-Legendre nodes integrate it to rounding
# over half of that; they do as well with the features between their breaks, whose poles are farther than the ends.
REACH = 9.0
CODE_BREAKS = REACH * np.array([-1, -0.5, 0, 0.5, 1])
NODES, WEIGHTS = np.polynomial.legendre.leggauss(16)


def gaussian_expectation(
    function: Callable, mean: np.ndarray, variance: np.ndarray, breaks: np.ndarray, width: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """E f(u) for u ~ N(m, v), and its derivatives in m and v, for many Gaussians at once.

    The derivatives are E f' and E f''/2, or, which is the same, E f e / sqrt(v) and E f (e^2 - 1) / (2 v). The former
    keep their digits where f is smooth on the scale of the code, the latter where the code is wider than a feature.

    Parameters
    ----------
    function : callable
        of an array; f, f' and f'', entry by entry. Smooth but for features about zero, of at most polynomial growth.
    mean, variance : arrays of one shape; variance >= 0
    breaks : array, of shape (n,) or that of the mean and one more axis
        where f changes: on each side of a break f is smooth on the scale of the distance to the next.
    width : float > 0
        of the narrowest feature.

    Returns
    -------
    value, to_mean, to_variance : arrays of the shape of the mean
        the derivatives are those of the limit v -> 0 where v = 0.
    """
    mean, variance = mean[..., np.newaxis], variance[..., np.newaxis]
    deviation = np.sqrt(variance)
    divisor = np.where(deviation > 0, deviation, 1.0)
    with np.errstate(over="ignore"):
        ends = np.clip((breaks - mean) / divisor, -REACH, REACH)
    ends = np.sort(np.concatenate([ends, np.broadcast_to(CODE_BREAKS, (*mean.shape[:-1], len(CODE_BREAKS)))], axis=-1))
    ends = ends[..., np.append(True, (np.diff(ends) > 0).any(axis=tuple(range(ends.ndim - 1))))]
    halves, middles = np.diff(ends)[..., np.newaxis] / 2, (ends[..., 1:] + ends[..., :-1])[..., np.newaxis] / 2
    shape = (*mean.shape[:-1], halves.shape[-2] * len(NODES))
    away = (middles + halves * NODES).reshape(shape)
    weights = (halves * WEIGHTS).reshape(shape) * np.exp(-(away**2) / 2) / np.sqrt(2 * np.pi)
    value, first, second = function(mean + deviation * away)
    smooth = (deviation <= width) | (np.abs(mean) >= REACH * deviation)
    with np.errstate(over="ignore"):  # of the form that is not taken
        to_mean = np.where(smooth, first, value * away / divisor)
        to_variance = np.where(smooth, second / 2, value * (away**2 - 1) / divisor / divisor / 2)
    return np.sum(weights * value, axis=-1), np.sum(weights * to_mean, axis=-1), np.sum(weights * to_variance, axis=-1)


def softplus_and_derivatives(odds, slope, curvature) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """log(1 + exp h) of a function h of u, and its first two derivatives in u, from those of h."""
    share = np.exp(-np.logaddexp(0, -odds))
    other = np.exp(-np.logaddexp(0, odds))
    return np.logaddexp(0, odds), share * slope, share * curvature + (share * slope) * (other * slope)


def log_gamma_step(x: float) -> float:
    """log G(x + 1/2) - log G(x) for x > 0, G the Gamma function, to rounding.

    The difference of two `gammaln`, and `betaln`, lose all digits as x grows, where Stirling's series has
    them.
    """
    if x < 16:
        return float(gammaln(x + 0.5) - gammaln(x))
    inverse = 1 / x
    terms = np.array([-1 / 8, 1 / 192, -1 / 640, 17 / 14336, -31 / 18432])
    return float(np.log(x) / 2 + terms @ inverse ** np.arange(1, 11, 2))


def is_signed_permutation(matrix: np.ndarray) -> bool:
    """Whether a square matrix has a single +-1 in each row and column and zeros elsewhere, up to rounding."""
    rounded = np.round(matrix)
    close = np.abs(matrix - rounded).max(initial=0.0) < validation.ROUNDING
    ones = np.abs(rounded)
    return bool(close and np.all(ones.sum(axis=0) == 1) and np.all(ones.sum(axis=1) == 1))


def random_signed_permutation(size: int, rng) -> np.ndarray:
    """A signed permutation matrix, uniform; `rng` is a generator or a seed."""
    rng = validation.random_generator("rng", rng)
    return np.eye(size)[rng.permutation(size)] * rng.choice([-1.0, 1.0], size)


def checked_latent_dim(name: str, value: int) -> int:
    """A number of latents whose covariance fits into memory."""
    size = validation.count(name, value)
    return validation.count(name, size, bytes_each=8 * size)


def checked_latents(latents, latent_dim: int) -> np.ndarray:
    """Latents as a float array of shape (..., K)."""
    latents = validation.real_array("latents", latents)
    if latents.ndim == 0 or latents.shape[-1] != latent_dim:
        raise ValueError(f"latents must have shape (..., {latent_dim}), got {latents.shape}; pass one point a row")
    return within("latents", latents, LONGEST)


def checked_values(values) -> np.ndarray:
    """Values of one latent, of any shape, as floats."""
    return within("values", validation.real_array("values", values), LONGEST)


def checked_code(mean, covariance, latent_dim: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean (K,) and covariance (K, K) of a Gaussian code."""
    mean = validation.vector("mean", mean, latent_dim)
    covariance = validation.covariance_matrix("covariance", covariance, latent_dim)
    return within("mean", mean, LONGEST), within("covariance", covariance, LONGEST**2)


def checked_codes(means, covariances, latent_dim: int) -> tuple[np.ndarray, np.ndarray]:
    """Means (..., K) and covariances (..., K, K) of Gaussian codes; that these are covariances is not checked."""
    means = validation.real_array("means", means)
    covariances = validation.real_array("covariances", covariances)
    shape = (*means.shape[:-1], latent_dim, latent_dim)
    if means.ndim == 0 or means.shape[-1] != latent_dim:
        raise ValueError(f"means must have shape (..., {latent_dim}), got {means.shape}; pass one mean a row")
    if covariances.shape != shape:
        raise ValueError(f"covariances must have shape {shape}, got {covariances.shape}; pass one for each mean")
    return within("means", means, LONGEST), within("covariances", covariances, LONGEST**2)


def prior_covariance(prior, latent_dim: int | None = None, name: str = "prior") -> np.ndarray:
    """The covariance of a Gaussian prior, positive definite; `None` stands for the identity."""
    if prior is None and latent_dim is not None:
        return np.eye(latent_dim)
    prior = validation.covariance_matrix(name, prior, latent_dim)
    variances = np.diagonal(prior)
    if not np.all((variances >= SHORTEST**2) & (variances <= LONGEST**2)):
        raise ValueError(
            f"{name} must be positive definite with variances between {SHORTEST**2:g} and {LONGEST**2:g}, they lie "
            f"between {variances.min():g} and {variances.max():g}; change the units of the latents, or remove those "
            "that it allows no variance"
        )
    try:
        np.linalg.cholesky(prior)
    except np.linalg.LinAlgError:
        raise ValueError(f"{name} must be positive definite; remove the latents that it allows no variance") from None
    return prior


def within(name: str, array: np.ndarray, largest: float) -> np.ndarray:
    """Return `array` if its entries are finite and no larger than said."""
    if not np.all(np.abs(array) <= largest):
        raise ValueError(f"{name} must be finite and at most {largest:g} in size; remove NaN, or change the units")
    return array
