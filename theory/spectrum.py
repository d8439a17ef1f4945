"""The principal axes of a matrix, with every direction of the latent space; all eigenvalues with few eigenvectors."""

from __future__ import annotations

import numpy as np
import scipy.linalg

__all__ = ["leading_modes", "principal_axes"]

SMALL = 200  # data dimensions: for fewer, all eigenvectors cost no more than the calls that leave some out
FEW = 1 / 8  # of the eigenvectors: for twice as many, all of them cost no more


def leading_modes(covariance: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """All eigenvalues of a covariance, ascending, and the eigenvectors of at least the `count` largest.

    Where few of many eigenvectors are wanted: S = H T H^T by Householder reflections with T tridiagonal, all
    eigenvalues of T, its last eigenvectors y, and H y. This leaves out about half of the work. The eigenvectors of T
    are checked, which costs next to nothing: if not T y = l y and y orthonormal up to rounding (which close
    eigenvalues may prevent), all eigenvectors are computed by `numpy.linalg.eigh`, as for small matrices.

    Parameters
    ----------
    covariance : (D, D) array, symmetric
    count : int >= 0

    Returns
    -------
    eigenvalues : (D,) array, ascending, with their rounding errors
    directions : (D, n) array, count <= n or n = D
        in columns, those of the last n eigenvalues.
    """
    size = len(covariance)
    if size >= SMALL and 0 < count <= FEW * size:
        modes = _by_reflections(covariance, count)
        if modes is not None:
            return modes
    return np.linalg.eigh(covariance)


def _by_reflections(covariance: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray] | None:
    """What `leading_modes` returns, with just `count` eigenvectors, or `None` if these are not accurate."""
    size = len(covariance)
    work = int(scipy.linalg.lapack.dsytrd_lwork(size, lower=1)[0])
    # A symmetric matrix is its transpose, whose layout in memory is the one that LAPACK wants.
    reflections, diagonal, beside, factors, _ = scipy.linalg.lapack.dsytrd(covariance.T, lower=1, lwork=work)
    try:
        values = scipy.linalg.eigvalsh_tridiagonal(diagonal, beside)
        _, vectors = scipy.linalg.eigh_tridiagonal(
            diagonal, beside, select="i", select_range=(size - count, size - 1), lapack_driver="stemr"
        )
    except np.linalg.LinAlgError:
        return None
    residual = (diagonal[:, np.newaxis] - values[size - count :]) * vectors
    residual[1:] += beside[:, np.newaxis] * vectors[:-1]
    residual[:-1] += beside[:, np.newaxis] * vectors[1:]
    rounding = size * np.finfo(float).eps
    accurate = np.abs(residual).max() <= rounding * np.abs(values).max()
    orthonormal = np.abs(vectors.T @ vectors - np.eye(count)).max() <= rounding
    if not (accurate and orthonormal):
        return None
    turned, _, _ = scipy.linalg.lapack.dormqr("L", "N", reflections[1:, :-1], factors, vectors[1:], size * count)
    return values, np.vstack([vectors[:1], turned])


def principal_axes(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Singular value decomposition W = left diag(singular) axes^T with all K latent directions.

    Singular values keep twice the digits of the eigenvalues of W^T W. Those below rounding (larger side x machine
    epsilon x largest) are set to zero, and so is what `left` would hold for them when K > D.

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
    blind = max(0, latent_dim - data_dim)
    singular = np.concatenate([singular, np.zeros(blind)])
    tolerance = max(matrix.shape) * np.finfo(float).eps * singular.max(initial=0.0)
    return np.pad(left, ((0, 0), (0, blind))), np.where(singular > tolerance, singular, 0.0), right.T
