"""What values tend to, of which two near the limit are given."""

from __future__ import annotations

import numpy as np

__all__ = ["limit_of_two"]

LARGEST_CHANGE = 1.0  # between the two, of values that stay finite


def limit_of_two(before: float, after: float) -> float:
    """The second value, or the infinity towards which the values still move."""
    change = after - before
    return float(np.copysign(np.inf, change)) if abs(change) > LARGEST_CHANGE else float(after)
