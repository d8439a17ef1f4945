"""Expectations under one-dimensional Gaussians, by quadrature that misses no feature of the function.

The expectation of f under N(m, v) is a sum over Gauss-Legendre nodes between breaks that follow both the code (its
mean, 4.5 and 9 standard deviations to each side) and the function (its own breaks: the edges of a spike, the valley
between two modes, a geometric ladder around the core of a Student-t). So neither a code much narrower than a feature
nor one much wider is missed. Nodes are placed in e = (u - m) / sqrt(v), which stays exact where m + sqrt(v) e rounds to
m.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import gammaln

__all__ = ["REACH", "gaussian_expectation", "log_gamma_step", "softplus", "softplus_and_derivatives", "sum_of_latents"]

# At nine standard deviations a Gaussian is at 3e-18 of its peak. Sixteen Gauss-Legendre nodes integrate it to rounding
# over half of that; they do as well with the features between their breaks, whose poles are farther than the ends.
REACH = 9.0
CODE_BREAKS = REACH * np.array([-1, -0.5, 0, 0.5, 1])
NODES, WEIGHTS = np.polynomial.legendre.leggauss(16)


def gaussian_expectation(
    function: Callable, mean: np.ndarray, variance: np.ndarray, breaks: np.ndarray, width: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """E f(u) for u ~ N(m, v), and its derivatives in m and v, for many Gaussians at once.

    The derivatives are E f' and E f''/2, which equal E f e / sqrt(v) and E f (e^2 - 1) / (2 v). The former keep their
    digits where f is smooth on the scale of the code, the latter where the code is wider than a feature.

    Parameters
    ----------
    function : callable
        of an array; f, f' and f'', entry by entry. Smooth except near zero, of at most polynomial growth.
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
    shape, mean, variance = mean.shape, mean.ravel(), variance.ravel()
    deviation = np.sqrt(variance)
    divisor = np.where(deviation > 0, deviation, 1.0)
    count = breaks.shape[-1]
    edges = np.empty((len(mean), count + len(CODE_BREAKS)))
    with np.errstate(over="ignore"):
        from_mean = (breaks.reshape(-1, count) - mean[:, np.newaxis]) / divisor[:, np.newaxis]
    edges[:, :count] = np.minimum(np.maximum(from_mean, -REACH), REACH)
    edges[:, count:] = CODE_BREAKS
    edges.sort(axis=1)
    halves, middles = (edges[:, 1:] - edges[:, :-1]) / 2, (edges[:, 1:] + edges[:, :-1]) / 2
    # Of all intervals in one list, those that are not empty: breaks beyond the reach of a code leave many that are.
    which = np.flatnonzero(halves)
    owner = which // halves.shape[1]
    halves, middles = halves.ravel()[which, np.newaxis], middles.ravel()[which, np.newaxis]
    away = middles + halves * NODES
    weights = halves * WEIGHTS * np.exp(away**2 / -2)
    own_deviation, own_divisor = deviation[owner, np.newaxis], divisor[owner, np.newaxis]
    value, first, second = function(mean[owner, np.newaxis] + own_deviation * away)
    smooth = ((deviation <= width) | (np.abs(mean) >= REACH * deviation))[owner, np.newaxis]
    with np.errstate(over="ignore"):  # in the form that is not used
        to_mean = np.where(smooth, first, value * away / own_divisor)
        to_variance = np.where(smooth, second / 2, value * (away**2 - 1) / own_divisor / own_divisor / 2)

    def expected(terms):
        of_intervals = np.einsum("ij,ij->i", weights, terms) / np.sqrt(2 * np.pi)
        return np.bincount(owner, of_intervals, len(mean)).reshape(shape)

    return expected(value), expected(to_mean), expected(to_variance)


def softplus(odds) -> np.ndarray:
    """log(1 + exp h), for any h without overflow."""
    return np.maximum(odds, 0.0) + np.log1p(np.exp(-np.abs(odds)))


def softplus_and_derivatives(odds, slope, curvature) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """log(1 + exp h) of a function h of u, and its first two derivatives in u, from those of h."""
    small = np.exp(-np.abs(odds))  # the smaller of exp h and exp -h, so that nothing overflows or cancels
    larger, positive = 1 / (1 + small), odds > 0
    smaller = small * larger
    share, other = np.where(positive, larger, smaller), np.where(positive, smaller, larger)
    value = np.maximum(odds, 0.0) + np.log1p(small)
    return value, share * slope, share * curvature + (share * slope) * (other * slope)


def sum_of_latents(values, to_means, to_variances) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The expectation of a sum over latents, and its derivatives in the mean and the covariance of the code."""
    return values.sum(axis=-1), to_means, to_variances[..., np.newaxis] * np.eye(to_variances.shape[-1])


def log_gamma_step(x: float) -> float:
    """log G(x + 1/2) - log G(x) for x > 0, G the Gamma function, to rounding.

    The difference of two `gammaln`, and `betaln`, lose all digits as x grows; Stirling's series keeps them.
    """
    if x < 16:
        return float(gammaln(x + 0.5) - gammaln(x))
    inverse = 1 / x
    terms = np.array([-1 / 8, 1 / 192, -1 / 640, 17 / 14336, -31 / 18432])
    return float(np.log(x) / 2 + terms @ inverse ** np.arange(1, 11, 2))
