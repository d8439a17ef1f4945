"""The mean of independent draws with its standard error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Estimate"]


@dataclass(frozen=True)
class Estimate:
    """The mean of independent draws and its standard error, in the units of the quantity."""

    value: float
    standard_error: float

    @classmethod
    def of(cls, draws) -> Estimate:
        """From two draws or more, one number each."""
        draws = np.asarray(draws, dtype=float)
        return cls(float(draws.mean()), float(draws.std(ddof=1) / np.sqrt(len(draws))))
