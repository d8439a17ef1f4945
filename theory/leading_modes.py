"""The leading eigenvalues and eigenvectors of a covariance, for a small share of all eigenvectors.

`leading_modes` also computes all eigenvalues; `leading_pairs` only the leading ones, in a dozen products if the
spectrum has a gap.
"""

from __future__ import annotations

import numpy as np
import scipy.linalg
from scipy.linalg.blas import dgemm

__all__ = ["leading_modes", "leading_pairs"]


LEAST_DIMENSION = 200  # data dimensions; for fewer, computing all eigenvectors costs no more
LARGEST_SHARE = 1 / 8  # of the eigenvectors; for twice as many, computing all of them costs no more
EXTRA_DIRECTIONS = 8  # iterated besides those that are wanted, at least
MOST_PRODUCTS = 30  # with the covariance; for more, its tridiagonal form would be cheaper
RATE_PRODUCTS = 5  # products after which the last two show the rate of convergence


def leading_modes(covariance: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """All eigenvalues of a covariance, ascending, and the eigenvectors of at least the `count` largest.

    For a small share of the eigenvectors: S = H T H^T by Householder reflections with T tridiagonal, all eigenvalues of
    T, its last eigenvectors y, and H y. This saves about half of the work. The eigenvectors of T are checked at little
    cost: if T y = l y and the orthonormality of y fail beyond rounding (close eigenvalues can cause this), all
    eigenvectors are computed by `numpy.linalg.eigh`, as for small matrices.

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
    if size >= LEAST_DIMENSION and 0 < count <= LARGEST_SHARE * size:
        modes = _by_reflections(covariance, count)
        if modes is not None:
            return modes
    return np.linalg.eigh(covariance)


def _by_reflections(covariance: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray] | None:
    """The result of `leading_modes` with exactly `count` eigenvectors, or `None` if they are not accurate."""
    size = len(covariance)
    work = int(scipy.linalg.lapack.dsytrd_lwork(size, lower=1)[0])
    # The transpose is the same symmetric matrix, in the memory order of LAPACK.
    reflections, diagonal, off_diagonal, factors, _ = scipy.linalg.lapack.dsytrd(covariance.T, lower=1, lwork=work)
    try:
        values = scipy.linalg.eigvalsh_tridiagonal(diagonal, off_diagonal)
        _, vectors = scipy.linalg.eigh_tridiagonal(
            diagonal, off_diagonal, select="i", select_range=(size - count, size - 1), lapack_driver="stemr"
        )
    except np.linalg.LinAlgError:
        return None
    residual = (diagonal[:, np.newaxis] - values[size - count :]) * vectors
    residual[1:] += off_diagonal[:, np.newaxis] * vectors[:-1]
    residual[:-1] += off_diagonal[:, np.newaxis] * vectors[1:]
    rounding = size * np.finfo(float).eps
    accurate = np.abs(residual).max() <= rounding * np.abs(values).max()
    orthonormal = np.abs(vectors.T @ vectors - np.eye(count)).max() <= rounding
    if not (accurate and orthonormal):
        return None
    rotated, _, _ = scipy.linalg.lapack.dormqr("L", "N", reflections[1:, :-1], factors, vectors[1:], size * count)
    return values, np.vstack([vectors[:1], rotated])


def leading_pairs(covariance: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Only the `count` largest eigenvalues of a covariance, ascending, and their eigenvectors.

    Subspace iteration: X <- an orthonormal basis of S X from random directions, some more than are wanted, until the
    eigenvectors in their span are those of S up to rounding. Each product reduces the error by the ratio of the first
    eigenvalue beyond the span to the last one wanted, so that spectra with a gap take a dozen products. If the first
    products show that it would take too many, and for small matrices, `leading_modes` is used.

    Parameters
    ----------
    covariance : (D, D) array, symmetric
    count : int, from 0 to D

    Returns
    -------
    eigenvalues : (count,) array, ascending, with their rounding errors
    directions : (D, count) array
    """
    size = len(covariance)
    if size >= LEAST_DIMENSION and 0 < count <= LARGEST_SHARE * size:
        pairs = _by_products(covariance, count)
        if pairs is not None:
            return pairs
    values, directions = leading_modes(covariance, count)
    return values[size - count :], directions[:, directions.shape[1] - count :]


def _by_products(covariance: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray] | None:
    """The result of `leading_pairs`, or `None` if it would take too many products.

    Only with SciPy's linear algebra library: the threads of NumPy's would compete with it for the same cores.
    """
    size = len(covariance)
    rounding = size * np.finfo(float).eps
    columns = count + max(EXTRA_DIRECTIONS, count // 2)
    image = np.random.default_rng(0).standard_normal((size, columns))
    error = np.inf
    for product in range(1, MOST_PRODUCTS + 1):
        basis = scipy.linalg.qr(image, mode="economic", check_finite=False)[0]
        image = dgemm(1.0, covariance.T, basis)  # symmetric: its transpose has LAPACK's memory order
        if product < RATE_PRODUCTS - 1:
            continue
        values, rotation = scipy.linalg.eigh(dgemm(1.0, basis, image, trans_a=1), check_finite=False)
        values, rotation = values[-count:], rotation[:, -count:]
        directions = dgemm(1.0, basis, rotation)
        previous, error = error, np.abs(dgemm(1.0, image, rotation) - directions * values).max()
        if error <= rounding * values[-1]:
            return values, directions
        if product >= RATE_PRODUCTS:
            rate = error / previous
            missing = np.log(rounding * values[-1] / error) / np.log(rate) if rate < 1 else np.inf
            if product + missing > MOST_PRODUCTS:
                return None
    return None
