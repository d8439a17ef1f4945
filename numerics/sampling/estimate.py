"""The mean of independent draws with its standard error."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

__all__ = ["Estimate"]


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
