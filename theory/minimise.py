"""Global minima of functions of one variable: of smooth costs, and of a convex minus a convex function.

**Smooth costs of a positive variable**, to the last digits of the variable.

Comparing values finds a minimum only to the square root of machine precision, so every candidate here is a root of the
slope: sign changes from falling to rising on a grid in the logarithm, refined by Brent's method. For an analytic f the
slope is Im f(u + ih)/h with a tiny h, as exact as f itself: no two nearby values are subtracted.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush

import numpy as np

__all__ = ["convex_minus_convex_minimum", "log_slope", "minima"]

STEP = 1e-30  # of the imaginary part; its square is far below rounding

Cost = Callable[[np.ndarray], np.ndarray]


def log_slope(cost: Cost, values: np.ndarray) -> np.ndarray:
    """d cost / d log(value), as exact as the cost, which must be analytic in its (real or complex) argument."""
    values = np.asarray(values, dtype=float)
    return cost(values * (1 + 1j * STEP)).imag / STEP


def minima(cost: Cost, grid: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """Every local minimum of `cost` that two neighbours of an ascending, positive grid bracket.

    `slopes` are those on the grid, from `log_slope`. A well narrower than the grid's spacing would be missed; costs
    that are rational or logarithmic in the variable, with poles on the negative axis only, vary no faster than the
    logarithm itself.
    """
    starts = np.flatnonzero((slopes[:-1] < 0) & (slopes[1:] >= 0))
    return np.array([_root(lambda value: log_slope(cost, [value])[0], grid[at], grid[at + 1]) for at in starts])


def convex_minus_convex_minimum(parts, upper: float, curvature: float, tolerance: float) -> float:
    """The place in [0, upper] of the least (quadratic of leading coefficient `curvature`) - (convex function).

    `parts` returns both at a point. The quadratic on an interval [a, b] is its chord minus curvature (x - a)(b - x), so
    the quadratic minus the chord of the convex function is a parabola through the two end values.
    """

    def lower_bound(a, b, value_a, value_b):
        width = b - a
        x = np.clip((a + b) / 2 - (value_b - value_a) / (2 * curvature * width), a, b)
        return value_a + (value_b - value_a) * (x - a) / width - curvature * (x - a) * (b - x)

    def value(x):
        quadratic, subtracted = parts(x)
        return quadratic - subtracted

    ends = value(0.0), value(upper)
    best, place = min((ends[0], 0.0), (ends[1], upper))
    waiting = [(-np.inf, 0.0, upper, *ends)] if upper > 0 else []
    while waiting:
        bound, a, b, value_a, value_b = heappop(waiting)
        middle = (a + b) / 2
        if bound > best - tolerance or not a < middle < b:
            break
        value_m = value(middle)
        best, place = min((best, place), (value_m, middle))
        for interval in ((a, middle, value_a, value_m), (middle, b, value_m, value_b)):
            heappush(waiting, (lower_bound(*interval), *interval))
    return place


def _root(slope: Callable[[float], float], low: float, high: float) -> float:
    """The zero of a slope that rises through it; an end of the bracket that already is the zero, to rounding, is it."""
    from scipy.optimize import brentq

    if slope(low) >= 0:
        return low
    if slope(high) <= 0:
        return high
    return brentq(slope, low, high, xtol=low * 1e-15, rtol=4 * np.finfo(float).eps)
