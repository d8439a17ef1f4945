"""The mean of independent draws with its standard error, and the confidence interval of a share of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

__all__ = ["Estimate", "wilson_interval"]

TWO_SIDED = 1.959963984540054  # the quantile of the standard normal distribution at .975


@dataclass(frozen=True)
class Estimate:
    """The mean of independent draws and its standard error, in the units of the quantity; numbers, or arrays of one
    shape. From few `draws` the standard error itself is uncertain.
    """

    value: float | np.ndarray
    standard_error: float | np.ndarray
    draws: float = math.inf

    @classmethod
    def of(cls, draws, axis: int | None = None) -> Estimate:
        """From two draws or more, one number each; or from an array, with the draws along one of its axes."""
        draws = np.asarray(draws, dtype=float)
        if axis is None:
            return cls(float(draws.mean()), float(draws.std(ddof=1) / np.sqrt(len(draws))), len(draws))
        count = draws.shape[axis]
        return cls(draws.mean(axis=axis), draws.std(axis=axis, ddof=1) / np.sqrt(count), count)


def wilson_interval(share, draws: int) -> tuple[np.ndarray, np.ndarray]:
    """The ends of Wilson's 95 % score interval of the probability of an event with this share of independent draws.

        (p + z^2 / 2n -+ z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n),   z = 1.96

    the probabilities q with |p - q| <= z sqrt(q (1 - q) / n). Asymptotic in n; it stays inside [0, 1], and has a width
    at the shares 0 and 1, where the standard error of the share is 0 (Wilson 1927).

    Examples
    --------
    >>> low, high = wilson_interval([0.0, 0.5], 30)
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.0, 0.331], [0.114, 0.669])
    """
    share, extra = np.asarray(share, dtype=float), TWO_SIDED**2 / draws
    middle = share + extra / 2
    half = np.sqrt(extra * (share * (1 - share) + extra / 4))
    return np.maximum((middle - half) / (1 + extra), 0.0), np.minimum((middle + half) / (1 + extra), 1.0)
