"""Singular values to the digits that a matrix determines, in whatever units its rows and columns are."""

from __future__ import annotations

import numpy as np
import scipy.linalg

__all__ = ["GRADED", "ROUNDING", "principal_axes"]

GRADED = 1e-4  # ratio of singular values below which the smaller keep fewer than twelve digits
EQUILIBRATIONS = 5  # of rows and columns in turn; they bring most matrices to norms within a few percent of one
ROUNDING = 8  # units of rounding per row or column that an entry of a matrix of products may carry


def principal_axes(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Singular value decomposition W = left diag(singular) axes^T with all K latent directions.

    Singular values keep twice the digits of the eigenvalues of W^T W. How many of them are zero is decided on the
    matrix scaled to rows and columns of norm one, where every entry has the same rounding error, so that units of
    latents or data, such as a column 10^16 times smaller than another, have no influence. If the singular values spread
    over more than four decades, one-sided Jacobi rotations keep the digits of the smallest
    (`scipy.linalg.lapack.dgejsv`; Drmac and Veselic 2008). For K > D the last K - D columns of `left` are zero.

    Parameters
    ----------
    matrix : (D, K) array, W

    Returns
    -------
    left : (D, K) array
        orthonormal columns where `singular` is positive.
    singular : (K,) array, descending
    axes : (K, K) array, orthogonal
    """
    data_dim, latent_dim = matrix.shape
    left, singular, right = np.linalg.svd(matrix, full_matrices=latent_dim > data_dim)
    axes = right.T
    if _is_graded(singular, zeros=True):
        rank = _rank(matrix)
        if any(map(_is_graded, (singular[:rank], *(np.linalg.norm(matrix, axis=axis) for axis in (0, 1))))):
            if latent_dim > data_dim:
                axes, singular, left = _by_jacobi_rotations(matrix.T, full=True)
            else:
                left, singular, axes = _by_jacobi_rotations(matrix, full=False)
        singular = np.where(np.arange(len(singular)) < rank, singular, 0.0)
    if missing := max(0, latent_dim - data_dim):
        left, singular = np.pad(left, ((0, 0), (0, missing))), np.concatenate([singular, np.zeros(missing)])
    return left, singular, axes


def _is_graded(sizes: np.ndarray, zeros: bool = False) -> bool:
    """Whether sizes spread over more than four decades; zeros count only with `zeros`."""
    sizes = sizes if zeros else sizes[sizes > 0]
    return bool(sizes.size) and sizes.min() < GRADED * sizes.max()


def _by_jacobi_rotations(matrix: np.ndarray, full: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Singular value decomposition of a matrix with rows >= columns, each value with a small relative error."""
    scale = np.abs(matrix).max()
    values, left, right, work, _, info = scipy.linalg.lapack.dgejsv(
        matrix / scale,
        joba=2,  # accurate for a diagonal times a well-conditioned matrix times a diagonal
        jobu=1 if full else 0,
        jobv=0,
        jobr=0,
        jobp=0,
    )
    if info:
        raise np.linalg.LinAlgError(f"dgejsv: info = {info}")
    return left, values * (work[0] / work[1] * scale), right


def _rank(matrix: np.ndarray) -> int:
    """Number of singular values beyond rounding, of the matrix scaled until rows and columns have norm close to one."""
    scaled = matrix
    for _ in range(EQUILIBRATIONS):
        for axis in (0, 1):
            norms = np.linalg.norm(scaled, axis=axis, keepdims=True)
            scaled = np.divide(scaled, norms, out=np.zeros(scaled.shape), where=norms > 0)
    singular = np.linalg.svd(scaled, compute_uv=False)
    return np.count_nonzero(singular > ROUNDING * max(matrix.shape) * np.finfo(float).eps * singular.max(initial=0.0))
