"""Signed permutations: the symmetries of every prior family that is not Gaussian, as methods of its class."""

from __future__ import annotations

import numpy as np

from theory import validation

__all__ = ["is_symmetry", "random_symmetry"]


def random_symmetry(prior, rng) -> np.ndarray:
    """A random signed permutation of the latents, uniform; `rng` is a generator or a seed."""
    rng, size = validation.random_generator("rng", rng), prior.latent_dim
    return np.eye(size)[rng.permutation(size)] * rng.choice([-1.0, 1.0], size)


def is_symmetry(prior, matrix) -> bool:
    """Whether the matrix has a single +-1 in each row and column and zeros elsewhere, up to rounding."""
    matrix = validation.matrix("matrix", matrix, (prior.latent_dim,) * 2)
    rounded = np.round(matrix)
    close = np.abs(matrix - rounded).max(initial=0.0) < validation.ROUNDING
    ones = np.abs(rounded)
    return bool(close and np.all(ones.sum(axis=0) == 1) and np.all(ones.sum(axis=1) == 1))
