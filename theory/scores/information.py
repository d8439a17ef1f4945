"""Mutual information of factors and codes, continuous or cut into bins, and the gap between the two largest (MIG)."""

from __future__ import annotations

import numpy as np

from theory.scores.binned import binned_entropy, binned_information, check_bins
from theory.scores.gaussian_code import GaussianCode, checked_gaussian_code

__all__ = ["largest_two", "mean_or_nan", "mutual_information_gap", "mutual_information_matrix"]


LEAST_ENTROPY = 1e-6  # of a binned factor, in nats; an information is a difference of entropies, with an error of 1e-16


def mutual_information_matrix(code: GaussianCode, *, bins: int | None = None, half_width: float = 4.0) -> np.ndarray:
    """Mutual information of each factor that varies with each code, in nats.

    -1/2 log(1 - r^2), infinite where one determines the other. With `bins`, that of the two variables cut into bins of
    equal width between -half_width and half_width standard deviations, the outer bins open: the cell probabilities are
    differences of the bivariate normal distribution function, which is exact in Owen's T function.

    Parameters
    ----------
    code : GaussianCode
    bins : int >= 2, optional
    half_width : float > 0, in standard deviations

    Returns
    -------
    (K', L) array, K' the number of factors that vary

    Examples
    --------
    >>> from theory.scores import GaussianCode, mutual_information_matrix
    >>> code = GaussianCode([[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]], [[0.9, 0.1], [0.2, 0.7]])
    >>> mutual_information_matrix(code).round(4)
    array([[0.8304, 0.005 ],
           [0.0204, 0.3367]])
    """
    correlations = checked_gaussian_code(code).correlations
    bins, half_width = check_bins(bins, half_width)
    if bins is not None:
        return binned_information(correlations, bins, half_width)
    size = np.abs(correlations)
    with np.errstate(divide="ignore"):
        # 1 - r^2 = (1 - r)(1 + r): near 1 use the factors, near 0 the square.
        return -np.where(size < 0.5, np.log1p(-(size**2)), np.log1p(-size) + np.log1p(size)) / 2


def mutual_information_gap(code: GaussianCode, *, bins: int | None = 20, half_width: float = 4.0) -> float:
    """MIG: how much more information the best code has on a factor than the second best, as a share, averaged.

    With `bins`, factors and codes are cut into bins (see `mutual_information_matrix`) and the gap is divided by the
    entropy of the binned factor, as usual libraries do; their bins run from the smallest to the largest of the draws,
    for 10,000 about 3.9 standard deviations each way. With `bins=None` the gap of the continuous variables is divided
    by the larger information, since the entropy of a continuous factor can be negative.

    Parameters
    ----------
    code : GaussianCode
    bins : int >= 2, or None
    half_width : float > 0, in standard deviations

    Returns
    -------
    float
        0 to 1; 1 for a code that is a signed permutation of independent factors, 0 for an independent code and if each
        best code is duplicated; NaN if no factor varies.

    Raises
    ------
    ValueError
        if an argument is out of its range.

    Notes
    -----
    A population value. In a sample, a factor independent of the code has a binned gap that shrinks as the number of
    draws grows, and a continuous gap that does not: a ratio of two informations that are both errors.

    Examples
    --------
    >>> from theory.scores import GaussianCode, mutual_information_gap
    >>> code = GaussianCode([[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]], [[0.9, 0.1], [0.2, 0.7]])
    >>> round(mutual_information_gap(code), 4), round(mutual_information_gap(code, bins=None), 4)
    (0.23, 0.9667)
    """
    first, second = largest_two(mutual_information_matrix(code, bins=bins, half_width=half_width))
    if bins is None:
        share = np.zeros(len(first))
        informed = (first > 0) & np.isfinite(second)
        share[informed] = 1 - second[informed] / first[informed]
        return mean_or_nan(share)
    entropy = binned_entropy(bins, half_width)
    if entropy < LEAST_ENTROPY:
        raise ValueError(
            f"half_width must be so small that draws fall into more than one bin, got {half_width!r}; pass about 4"
        )
    return mean_or_nan((first - second) / entropy)


def mean_or_nan(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else np.nan


def largest_two(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The largest and the second largest value of each row; a missing code counts as zero."""
    padded = np.sort(np.hstack([np.zeros((len(values), 2)), values]), axis=1)
    return padded[:, -1], padded[:, -2]
