"""Global minima of functions of one variable, for the optimal beta and for the smallest change of a loading.

**Smooth costs of a positive variable** (`minima`, `global_minimum`), to the last digits of the variable. Comparing
values locates a minimum only to the square root of machine precision, so every candidate is a root of the slope: sign
changes from falling to rising on a grid in the logarithm, refined by Brent's method. For an analytic f the slope is Im
f(u + ih)/h with a tiny h, as exact as f itself: no two nearby values are subtracted.

**A quadratic minus a convex function** (`convex_minus_convex_minimum`), by branch and bound on an interval.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush

import numpy as np

__all__ = ["convex_minus_convex_minimum", "global_minimum", "log_slope", "minima"]

COMPLEX_STEP = 1e-30  # the imaginary part h; its square is far below rounding

Cost = Callable[[np.ndarray], np.ndarray]


def log_slope(cost: Cost, values: np.ndarray) -> np.ndarray:
    """d cost / d log(value), as exact as the cost, which must be analytic in its (real or complex) argument."""
    values = np.asarray(values, dtype=float)
    return cost(values * (1 + 1j * COMPLEX_STEP)).imag / COMPLEX_STEP


def minima(cost: Cost, grid: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """Every local minimum of `cost` that two neighbours of an ascending, positive grid bracket.

    `slopes` are the values of `log_slope` on the grid. A minimum narrower than the grid's spacing would be missed;
    costs that are rational or logarithmic in the variable, with poles on the negative axis only, vary no faster than
    the logarithm itself.
    """
    starts = np.flatnonzero((slopes[:-1] < 0) & (slopes[1:] >= 0))
    return np.array([_root(lambda value: log_slope(cost, [value])[0], grid[at], grid[at + 1]) for at in starts])


def global_minimum(cost: Cost, low: float, high: float, points_per_decade: int) -> float:
    """The best of the local minima of `cost` between two positive values, on a grid even in the logarithm."""
    grid = np.geomspace(low, high, int(points_per_decade * np.log10(high / low)))
    candidates = minima(cost, grid, log_slope(cost, grid))
    return float(candidates[np.argmin(cost(candidates))])


def convex_minus_convex_minimum(parts, upper: float, curvature: float, tolerance: float) -> float:
    """The minimiser in [0, upper] of a quadratic with leading coefficient `curvature` minus a convex function.

    `parts` returns the two at a point. On an interval [a, b] the quadratic is its chord minus curvature (x - a)(b - x),
    and the convex function lies below its chord, so the difference is bounded below by a parabola through its two end
    values. Intervals are halved, the one of the lowest bound first, until no bound is more than `tolerance` below the
    best value.
    """

    def lower_bound(a, b, value_a, value_b):
        width = b - a
        x = np.clip((a + b) / 2 - (value_b - value_a) / (2 * curvature * width), a, b)
        return value_a + (value_b - value_a) * (x - a) / width - curvature * (x - a) * (b - x)

    def value(x):
        quadratic, subtracted = parts(x)
        return quadratic - subtracted

    at_zero, at_upper = value(0.0), value(upper)
    best, place = min((at_zero, 0.0), (at_upper, upper))
    intervals = [(-np.inf, 0.0, upper, at_zero, at_upper)] if upper > 0 else []
    while intervals:
        bound, a, b, value_a, value_b = heappop(intervals)
        middle = (a + b) / 2
        if bound > best - tolerance or not a < middle < b:
            break
        value_m = value(middle)
        best, place = min((best, place), (value_m, middle))
        for interval in ((a, middle, value_a, value_m), (middle, b, value_m, value_b)):
            heappush(intervals, (lower_bound(*interval), *interval))
    return place


def _root(slope: Callable[[float], float], low: float, high: float) -> float:
    """The zero of a slope that rises in the bracket; an end of the bracket if it is the zero up to rounding."""
    from scipy.optimize import brentq

    if slope(low) >= 0:
        return low
    if slope(high) <= 0:
        return high
    return brentq(slope, low, high, xtol=low * 1e-15, rtol=4 * np.finfo(float).eps)
