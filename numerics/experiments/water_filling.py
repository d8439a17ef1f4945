"""Shannon's curve of a Gaussian source by bisection in the water level, without the formulas of `theory.learning`."""

from __future__ import annotations

import numpy as np

__all__ = ["shannon_distortion", "shannon_rate"]

LOWEST = 1e-12  # water level, in units of the largest variance
STEPS = 200


def shannon_distortion(spectrum: np.ndarray, rate: float) -> float:
    """The least mean squared error of a code of this rate (nats): min(variance, level), summed over the modes."""
    return _at_level(spectrum, lambda level: _rate(spectrum, level) < rate)[1]


def shannon_rate(spectrum: np.ndarray, distortion: float) -> float:
    """The least rate (nats) of a code of this mean squared error."""
    return _at_level(spectrum, lambda level: np.minimum(spectrum, level).sum() > distortion)[0]


def _at_level(spectrum: np.ndarray, too_high) -> tuple[float, float]:
    """Rate and distortion at the largest level that is not too high."""
    low, high = LOWEST * float(np.max(spectrum)), float(np.max(spectrum))
    for _ in range(STEPS):
        level = np.sqrt(low * high)
        low, high = (low, level) if too_high(level) else (level, high)
    return _rate(spectrum, low), float(np.minimum(spectrum, low).sum())


def _rate(spectrum: np.ndarray, level: float) -> float:
    return float(np.log(np.maximum(spectrum / level, 1)).sum() / 2)
