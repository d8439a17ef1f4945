"""Points of a rectangle in space: uniform on [0, 1]^2, the first axis stretched by a ratio, then rotated.

The points are put into R^3 and rotated by 45 degrees about (1, -1, 1): two directions of variance ratio^2 / 12 and
1 / 12, none in the third.
"""

from __future__ import annotations

import numpy as np

from theory import validation

__all__ = ["square_covariance", "uniform_square"]


def _placement() -> np.ndarray:
    """(3, 2): where the two axes of the rectangle lie after the rotation (Rodrigues' formula)."""
    axis, angle = np.array([1.0, -1.0, 1.0]) / np.sqrt(3), np.pi / 4
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    return (np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross)[:, :2]


def uniform_square(count: int, axis_ratio: float, rng: np.random.Generator | int) -> np.ndarray:
    """Draw points of the rectangle, rotated into space: (count, 3). `rng` is a generator or a seed."""
    axis_ratio = validation.positive("axis_ratio", axis_ratio)
    count = validation.count("count", count, bytes_each=64)
    rng = validation.random_generator("rng", rng)
    return (rng.uniform(size=(count, 2)) * [axis_ratio, 1.0]) @ _placement().T


def square_covariance(axis_ratio: float) -> np.ndarray:
    """Covariance (3, 3) of the points: variances ratio^2 / 12 and 1 / 12 along the axes of the rectangle."""
    axis_ratio = validation.positive("axis_ratio", axis_ratio)
    square = validation.finite_result("axis_ratio", axis_ratio * axis_ratio)
    return (_placement() * [square / 12, 1 / 12]) @ _placement().T
