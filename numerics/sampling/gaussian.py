"""Gaussian draws and log densities for the experiments, which share no code with `theory`."""

from __future__ import annotations

import math

import numpy as np
from scipy.linalg.blas import dtrsm

__all__ = [
    "draw_gaussian",
    "log_density",
    "log_density_of_squares",
    "log_sum",
    "row_squares",
    "square_root",
    "triangle",
]


def draw_gaussian(shape: int | tuple[int, ...], root: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draws of N(0, R R^T) along the last axis, as many as `shape` says; R has any number of columns."""
    shape = shape if isinstance(shape, tuple) else (shape,)
    return rng.standard_normal((*shape, root.shape[1])) @ root.T


def log_density(differences: np.ndarray, root: np.ndarray) -> np.ndarray:
    """log N(difference; 0, L L^T) along the last axis of `differences` (..., k), by a lower triangle L."""
    rows = differences.reshape(math.prod(differences.shape[:-1]), len(root))
    if not np.all(np.diagonal(root)):
        raise np.linalg.LinAlgError("a Gaussian without a density: its covariance is singular")
    standardised = dtrsm(1.0, root, rows.T, lower=1) if rows.size else rows.T
    squares = row_squares(standardised.T).reshape(differences.shape[:-1])
    return log_density_of_squares(squares, root)


def row_squares(rows: np.ndarray) -> np.ndarray:
    """The squared length of each row; by a product, which takes a quarter of the time of a sum over short rows."""
    return np.square(rows) @ np.ones(rows.shape[1])


def log_density_of_squares(squares: np.ndarray, root: np.ndarray) -> np.ndarray:
    """log N(difference; 0, L L^T) by the squared lengths |L^-1 difference|^2, for a lower triangle L."""
    log_norm = np.sum(np.log(np.abs(np.diagonal(root)))) + len(root) / 2 * np.log(2 * np.pi)
    return -0.5 * squares - log_norm


def log_sum(exponents: np.ndarray, axis: int) -> np.ndarray:
    """The logarithm of the sum of exponentials of real numbers along an axis, without overflow.

    For arrays of the sizes here a third of the time of `scipy.special.logsumexp`.
    """
    top = exponents.max(axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        return np.log(np.exp(exponents - top).sum(axis=axis)) + top.squeeze(axis)


def square_root(covariance: np.ndarray) -> np.ndarray:
    """A matrix R with R R^T = C; C may be singular."""
    variances, directions = np.linalg.eigh(covariance)
    return directions * np.sqrt(np.maximum(variances, 0.0))


def triangle(*factors: np.ndarray) -> np.ndarray:
    """A lower triangle L with L L^T = sum F F^T; forming the sum would lose its small parts."""
    return np.linalg.qr(np.hstack(factors).T, mode="r").T
