"""Signed permutations: the symmetries of every prior family that is not Gaussian."""

from __future__ import annotations

import numpy as np

from theory import validation

__all__ = ["is_signed_permutation", "random_signed_permutation"]


def is_signed_permutation(matrix: np.ndarray) -> bool:
    """Whether a square matrix has a single +-1 in each row and column and zeros elsewhere, up to rounding."""
    rounded = np.round(matrix)
    close = np.abs(matrix - rounded).max(initial=0.0) < validation.ROUNDING
    ones = np.abs(rounded)
    return bool(close and np.all(ones.sum(axis=0) == 1) and np.all(ones.sum(axis=1) == 1))


def random_signed_permutation(size: int, rng) -> np.ndarray:
    """A signed permutation matrix, uniform; `rng` is a generator or a seed."""
    rng = validation.random_generator("rng", rng)
    return np.eye(size)[rng.permutation(size)] * rng.choice([-1.0, 1.0], size)
