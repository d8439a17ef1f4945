"""Slopes of what is trained, by differences."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["SHIFTS", "slope_of"]

SHIFTS = (-2, -1, 1, 2)  # in steps, of the places of the values


def slope_of(values: Sequence[float], step: float) -> float:
    """The slope at the middle of four values, at `SHIFTS` steps from it; off by step^4 times a fifth derivative."""
    return (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * step)
