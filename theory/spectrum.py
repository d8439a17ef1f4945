"""The principal axes of a matrix: singular values with every direction of the latent space, seen or not."""

from __future__ import annotations

import numpy as np

__all__ = ["principal_axes"]


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
