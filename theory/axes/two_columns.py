"""The smallest change of two orthogonal columns that rotates their principal axes, in closed form.

Two columns of norms a1 >= a2, axes at angle h to them, by the sum m = s1 + s2 and the gap g = s1 - s2:

    ||E||^2 = a1^2 + a2^2 + (m^2 + g^2)/2 - sqrt((a1 + a2)^2 m^2 + 2 (a1^2 - a2^2) cos(2h) m g + (a1 - a2)^2 g^2).

Stationarity in m is a quartic. At 45 degrees ||E||^2 = (a1 - a2)^2/2 + 2 g^2 a1 a2/(a1 + a2)^2 while g <= (a1 + a2)^2 /
sqrt(2 (a1^2 + a2^2)). With the gap left free, and h <= 45 degrees,

    ||E||^2 = (a1^2 - a2^2)^2 sin^2(2h) / (2 [a1^2 + a2^2 + sqrt((a1^2 - a2^2)^2 cos^2(2h) + 4 a1^2 a2^2)]).

The closer the two norms, the smaller the change: a change of this size hides the factors from any method that follows
the directions of largest variance.
"""

from __future__ import annotations

import numpy as np

from theory import validation
from theory.axes.manipulation import Manipulation, largest_size, manipulation_to

__all__ = ["two_factor_largest_angle", "two_factor_manipulation"]


def two_factor_manipulation(loading, angle: float, *, gap: float | None = None) -> Manipulation:
    """The smallest change of two orthogonal columns that puts the principal axes at an angle to the factors.

    The closed form of the module, minimised over s1 + s2 for the given gap s1 - s2. Without a gap the cheapest gap is
    taken; from 45 degrees on that is zero, the limit of small gaps, at ||E||^2 = (a1 - a2)^2 / 2, and the axes of the
    result are then not determined.

    Parameters
    ----------
    loading : (D, 2) array, D >= 2, with orthogonal columns of any order and length
    angle : float, 0 to pi/2
        between the leading principal axis and the factor with the longer column, in radians.
    gap : float >= 0, optional
        difference s1 - s2 of the new singular values, exactly.

    Returns
    -------
    Manipulation

    Raises
    ------
    ValueError
        if the columns are not orthogonal or an argument is out of its range.

    Notes
    -----
    Exact. In the setting of Zietlow et al. (2021), for a linear loading.

    Examples
    --------
    >>> from theory.axes import two_factor_manipulation
    >>> round(two_factor_manipulation([[2.0, 0.0], [0.0, 1.9]], angle=0.7853, gap=0.0).size, 4)
    0.0707
    """
    loading, norms, longer = _two_columns(loading)
    angle = validation.non_negative("angle", angle)
    if angle > np.pi / 2:
        raise ValueError(f"angle must be at most pi/2, got {angle}; axes that differ by a sign are the same")
    cosine, sine = np.cos(angle), np.sin(angle)
    axes = np.array([[cosine, -sine], [sine, cosine]])[longer]
    gap = None if gap is None else validation.non_negative("gap", gap)
    unit = largest_size(norms, 0.0 if gap is None else gap)
    values = _free_values(norms / unit, angle) if gap is None else _given_gap(norms / unit, angle, gap / unit)
    with np.errstate(over="ignore"):
        values = validation.finite_result("loading or gap", values * unit)
    return manipulation_to(loading, axes, values)


def two_factor_largest_angle(loading, budget: float, *, gap: float | None = None) -> float:
    """The largest angle between principal axes and factors that a change of Frobenius norm `budget` can produce.

    With the gap free, sin(2h) = 2 eps sqrt(a1^2 + a2^2 - eps^2) / (a1^2 - a2^2), up to eps = (a1 - a2)/sqrt2, which
    gives 45 degrees; at that size the singular values tie and every angle is possible. With a given gap g, cos(2h) is
    the smallest value over m = s1 + s2 >= g of

        [(a1^2 + a2^2 - eps^2 + (m^2 + g^2)/2)^2 - (a1 + a2)^2 m^2 - (a1 - a2)^2 g^2] / (2 (a1^2 - a2^2) m g),

    whose stationary points solve a quadratic equation in m^2.

    Parameters
    ----------
    loading : (D, 2) array, D >= 2, with orthogonal columns
    budget : float >= 0, eps
    gap : float > 0, optional
        difference s1 - s2 of the new singular values, exactly.

    Returns
    -------
    float
        radians, 0 to pi/2; NaN if the budget is too small for the gap at every angle.

    Raises
    ------
    ValueError
        if the columns are not orthogonal or an argument is out of its range.

    Notes
    -----
    Exact; the inverse of `two_factor_manipulation`, whose size rises with the angle.

    Examples
    --------
    >>> from theory.axes import two_factor_largest_angle
    >>> round(two_factor_largest_angle([[2.0, 0.0], [0.0, 1.9]], budget=0.05), 4)
    0.3928
    """
    _, norms, _ = _two_columns(loading)
    budget = validation.non_negative("budget", budget)
    gap = None if gap is None else validation.positive("gap", gap)
    unit = largest_size(norms, budget, 0.0 if gap is None else gap)
    norms, budget = norms / unit, budget / unit
    total, difference = float(norms @ norms), float((norms[0] - norms[1]) * (norms[0] + norms[1]))
    if gap is None:
        if budget >= (norms[0] - norms[1]) / np.sqrt(2):
            return np.pi / 2
        sine = 2 * budget * np.sqrt(total - budget**2) / difference
        return float(np.arcsin(min(sine, 1.0)) / 2)  # rounding may take it above 1
    gap = gap / unit
    sum_squared, rest = (norms[0] + norms[1]) ** 2, (norms[0] - norms[1]) ** 2 * gap**2
    offset = total + gap**2 / 2 - budget**2
    if offset + gap**2 / 2 <= 0:  # the change may be larger than A and the changed loading together
        return np.pi / 2
    lean = sum_squared - offset
    root = np.sqrt(max(lean**2 + 3 * (offset**2 - rest), 0.0))
    stationary = np.sqrt(max(2 * (lean + root) / 3, 0.0))
    sums = np.array([gap, max(gap, stationary)])
    # A difference of squares as a product: the angle depends on its first factor, a sum of small terms.
    half = (norms[0] - norms[1]) / np.sqrt(2)
    nearly = (half - budget) * (half + budget) + gap**2 / 2 + (sums - norms.sum()) ** 2 / 2
    excesses = nearly * (offset + sums**2 / 2 + norms.sum() * sums) - rest
    with np.errstate(over="ignore"):  # for a tiny gap
        best = np.argmin(excesses / sums)
    excess, m = float(excesses[best]), float(sums[best])
    scale = 2 * difference * m * gap
    if excess > scale:
        return np.nan
    if excess <= -scale:
        return np.pi / 2
    return float(np.arccos(excess / scale) / 2)


def _free_values(norms: np.ndarray, angle: float) -> np.ndarray:
    """The best singular values: the leading eigenvector of a quadratic form, while they are in descending order."""
    if angle >= np.pi / 4:
        return np.full(2, norms.sum() / 2)
    difference = (norms[0] ** 2 - norms[1] ** 2) * np.cos(2 * angle)
    half = np.array([[difference, 2 * norms[0] * norms[1]], [2 * norms[0] * norms[1], -difference]]) / 2
    largest = np.linalg.eigh(half + np.eye(2) * (norms @ norms) / 2)
    return np.abs(largest.eigenvectors[:, 1]) * np.sqrt(largest.eigenvalues[1])


def _given_gap(norms: np.ndarray, angle: float, gap: float) -> np.ndarray:
    """The best singular values of a given gap: the best root of the quartic in m = s1 + s2, or m = gap."""
    alpha = norms.sum() ** 2
    kappa = (norms[0] ** 2 - norms[1] ** 2) * np.cos(2 * angle) * gap
    gamma = (norms[0] - norms[1]) ** 2 * gap**2
    roots = np.roots([alpha, 2 * kappa, gamma - alpha**2, -2 * alpha * kappa, -(kappa**2)]).real
    # Every m >= gap is feasible, so the real parts of complex roots do no harm. If both columns are zero there are no
    # roots, and `gap` itself is best.
    m = np.append(np.maximum(roots, gap), gap)
    cost = m**2 / 2 - np.sqrt(np.maximum(alpha * m**2 + 2 * kappa * m + gamma, 0.0))
    best = m[np.argmin(cost)]
    return np.array([(best + gap) / 2, (best - gap) / 2])


def _two_columns(loading) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """The checked loading, its column norms in descending order, and the position of each column in that order."""
    loading = validation.matrix("loading", loading, (None, 2))
    if len(loading) < 2:
        raise ValueError(f"loading must have at least two rows, got {len(loading)}; add a row of zeros")
    unit = largest_size(loading)
    gram = (loading / unit).T @ (loading / unit)
    if abs(gram[0, 1]) > validation.ROUNDING * max(gram[0, 0], gram[1, 1]):
        raise ValueError(
            f"loading must have orthogonal columns, their product is {gram[0, 1]:.3g} if the largest entry is 1; "
            "use smallest_manipulation for other columns"
        )
    norms = validation.finite_result("loading", np.linalg.norm(loading / unit, axis=0) * unit)
    swapped = norms[1] > norms[0]
    return loading, norms[::-1] if swapped else norms, [1, 0] if swapped else [0, 1]
