"""The exact mutual information of two Gaussian variables that are cut into bins.

Usual scores of disentanglement count variables in bins of equal width. For two standard normal variables of correlation
r, both cut at the same edges, the probability of each cell is a second difference of

    P(X <= x, Y <= y) = [Phi(x) + Phi(y) - d]/2 - T(x, (y - r x)/(x q)) - T(y, (x - r y)/(y q)),    q = sqrt(1 - r^2),

with T Owen's function and d = 1 if x y < 0, or if x y = 0 and x + y < 0, else 0.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.special import ndtr, owens_t, xlogy

from theory import validation

__all__ = ["binned_entropy", "binned_information", "bivariate_normal", "check_bins", "discrete_entropy"]

MOST_BINS = 1000  # with more the cells take minutes, and the information equals the continuous one to three digits
MOST_CELLS = 2**16  # at once, of all correlations together
# Normal variables beyond the largest edge have probability 0, and edges below the smallest act like 0, to all digits.
LARGEST_EDGE, SMALLEST_EDGE = 50.0, 1e-100


def binned_information(correlations, bins: int, half_width: float) -> np.ndarray:
    """Mutual information of two normal variables that are both cut into bins, in nats.

    Bins of equal width between -half_width and half_width standard deviations, the outer ones open. Never more than the
    continuous -1/2 log(1 - r^2), and `binned_entropy` at correlation 1 or -1.

    Parameters
    ----------
    correlations : array, -1 to 1
    bins : int, 2 to 1000
    half_width : float > 0, in standard deviations

    Returns
    -------
    array, of the shape of `correlations`

    Raises
    ------
    ValueError
        if an argument is out of its range.
    """
    correlations = _correlations("correlations", correlations)
    edges, marginal, entropy = _cut(*_checked_bins(bins, half_width))
    # Of two variables that determine each other the information is the entropy of one, as the edges are symmetric.
    information = np.where(np.abs(correlations) == 1, entropy, 0.0)
    inside = (correlations != 0) & (np.abs(correlations) < 1)
    values, found = correlations[inside], []
    at_once = max(1, MOST_CELLS // (len(edges) + 1) ** 2)
    for start in range(0, len(values), at_once):
        cells = _cells(edges, marginal, values[start : start + at_once])
        found.extend(np.maximum(2 * entropy + xlogy(cells, cells).sum(axis=(1, 2)), 0.0))
    information[inside] = found
    return information


def _cells(edges: np.ndarray, marginal: np.ndarray, correlations: np.ndarray) -> np.ndarray:
    """The probabilities of all cells for correlations (n,) that are not 0, 1 or -1: (n, bins, bins)."""
    below, x = edges[: len(edges) // 2, np.newaxis], edges[: (len(edges) + 1) // 2, np.newaxis]
    half = _tail(x, edges, correlations[:, np.newaxis, np.newaxis])
    # T(h, a) is even in h, and the slope a the same at -x and -y; exchanging x and y transposes.
    tails = np.concatenate([half, half[:, : len(below)][:, ::-1, ::-1]], axis=1)
    cumulative = np.zeros((len(correlations), len(edges) + 2, len(edges) + 2))
    cumulative[:, -1], cumulative[:, :, -1] = marginal, marginal
    cumulative[:, 1:-1, 1:-1] = _without_tails(edges[:, np.newaxis], edges) - (tails + tails.mT)
    cells = np.diff(np.diff(cumulative, axis=1), axis=2)
    return np.maximum(cells, 0.0, out=cells)  # negative cells are rounding of probabilities that are zero to all digits


def binned_entropy(bins: int, half_width: float) -> float:
    """Entropy of a normal variable cut into bins of equal width within +-half_width standard deviations, in nats."""
    return _cut(*_checked_bins(bins, half_width))[2]


def discrete_entropy(probabilities: np.ndarray) -> float:
    """- sum p log p, in nats, of probabilities >= 0 that add up to 1; zeros contribute nothing."""
    probabilities = validation.real_array("probabilities", probabilities)
    within = np.all((probabilities >= 0) & (probabilities <= 1 + 1e-8))
    if not (within and abs(probabilities.sum() - 1) <= 1e-8):
        raise ValueError("probabilities must be >= 0 and add up to 1; divide them by their sum")
    positive = probabilities[probabilities > 0]
    return max(0.0, float(-np.sum(positive * np.log(positive))))  # negative only if the sum exceeds 1 by rounding


def bivariate_normal(x, y, correlation: float) -> np.ndarray:
    """P(X <= x, Y <= y) of standard normal variables of a given correlation.

    Parameters
    ----------
    x, y : arrays that broadcast; infinite values are fine
    correlation : float, -1 to 1

    Returns
    -------
    array, of the shape of x and y together
    """
    correlation = float(_correlations("correlation", validation.number("correlation", correlation)))
    x, y = _clipped("x", x), _clipped("y", y)
    try:
        x, y = np.broadcast_arrays(x, y)
    except ValueError:
        raise ValueError(f"x and y must have shapes that broadcast, got {x.shape} and {y.shape}; reshape one") from None
    if abs(correlation) == 1:
        return np.minimum(ndtr(x), ndtr(y)) if correlation > 0 else np.maximum(ndtr(x) - ndtr(-y), 0.0)
    return _without_tails(x, y) - _tail(x, y, correlation) - _tail(y, x, correlation)


def _without_tails(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """[Phi(x) + Phi(y) - d]/2."""
    opposite = (x * y < 0) | ((x * y == 0) & (x + y < 0))
    return (ndtr(x) + ndtr(y) - opposite) / 2


def _tail(a, b, correlation) -> np.ndarray:
    """T(a, (b - r a)/(a q)), for correlations between -1 and 1 that broadcast with a and b."""
    rest = np.sqrt((1 - correlation) * (1 + correlation))
    nearest = np.where(np.abs(correlation) > 0.5, np.sign(correlation), 0.0)
    # At a = 0 the slope is infinite with the sign of b; at a = b = 0 it is (1 - r)/q.
    slope = np.where(b == 0, (1 - correlation) / rest, np.copysign(np.inf, b))
    # b - r a without cancellation if r is near 1 or -1 and b near a or -a
    difference = (b - nearest * a) + (nearest - correlation) * a
    slope = np.divide(difference, a * rest, out=np.broadcast_to(slope, difference.shape).copy(), where=a != 0)
    return owens_t(a, slope)


def check_bins(bins: int | None, half_width: float) -> tuple[int | None, float]:
    """`bins` as an int, or None for no bins, and `half_width` as a float, if they are in their ranges."""
    half_width = validation.positive("half_width", half_width)
    return None if bins is None else validation.count("bins", bins, minimum=2, maximum=MOST_BINS), half_width


def _checked_bins(bins: int, half_width: float) -> tuple[int, float]:
    return check_bins(validation.count("bins", bins), half_width)


@lru_cache
def _cut(bins: int, half_width: float) -> tuple[np.ndarray, np.ndarray, float]:
    """The inner edges of bins, symmetric about zero; the normal distribution at all edges; and the entropy."""
    edges = _clipped("half_width", half_width * (np.arange(2 - bins, bins, 2) / bins))
    marginal = np.concatenate([[0.0], ndtr(edges), [1.0]])
    for array in (edges, marginal):
        array.setflags(write=False)
    return edges, marginal, discrete_entropy(np.diff(marginal))


def _clipped(name: str, values) -> np.ndarray:
    """Arguments of a normal distribution function, clipped so that no product of them over- or underflows."""
    values = validation.real_array(name, values)
    if np.isnan(values).any():
        raise ValueError(f"{name} must be numbers, some are NaN; remove them")
    return np.where(np.abs(values) < SMALLEST_EDGE, 0.0, np.clip(values, -LARGEST_EDGE, LARGEST_EDGE))


def _correlations(name: str, values) -> np.ndarray:
    values = validation.real_array(name, values)
    if not np.all(np.abs(values) <= 1):
        raise ValueError(f"{name} must be from -1 to 1; pass correlations, not covariances")
    return values
