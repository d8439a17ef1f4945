"""Gaussian draws and log densities for the experiments, which share no code with `theory`."""

from __future__ import annotations

import math

import numpy as np

__all__ = ["draw_gaussian", "log_density", "square_root"]


def draw_gaussian(count: int, root: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """`count` draws of N(0, R R^T), one per row."""
    return rng.standard_normal((count, len(root))) @ root.T


def log_density(differences: np.ndarray, root: np.ndarray) -> np.ndarray:
    """log N(difference; 0, L L^T) along the last axis of `differences` (..., k), by a lower triangle L."""
    standardised = np.linalg.solve(root, differences.reshape(math.prod(differences.shape[:-1]), len(root)).T)
    squares = np.sum(standardised**2, axis=0).reshape(differences.shape[:-1])
    log_root = np.sum(np.log(np.abs(np.diagonal(root))))
    return -squares / 2 - log_root - len(root) / 2 * np.log(2 * np.pi)


def square_root(covariance: np.ndarray) -> np.ndarray:
    """A matrix R with R R^T = C; C may be singular."""
    variances, directions = np.linalg.eigh(covariance)
    return directions * np.sqrt(np.maximum(variances, 0.0))
