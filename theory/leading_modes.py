"""The leading eigenvalues and eigenvectors of a covariance, where few of many are wanted.

`leading_modes` also gives all eigenvalues; `leading_pairs` gives no others, and takes a dozen products where the
spectrum has a gap.
"""

from __future__ import annotations

import numpy as np
import scipy.linalg
from scipy.linalg.blas import dgemm

__all__ = ["leading_modes", "leading_pairs"]


SMALL = 200  # data dimensions: for fewer, all eigenvectors cost no more than the calls that leave some out
FEW = 1 / 8  # of the eigenvectors: for twice as many, all of them cost no more
GUARDS = 8  # directions that are iterated besides those that are wanted, at least
PRODUCTS = 30  # with the covariance, from which on its tridiagonal form would have been cheaper
TRIAL = 5  # products after which the rate of convergence shows, by the last two of them


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


def leading_pairs(covariance: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The `count` largest eigenvalues of a covariance, ascending, and their eigenvectors, and no others.

    Subspace iteration: X <- an orthonormal basis of S X from random directions, some more than are wanted, until the
    eigenvectors in their span are those of S up to rounding. An error falls by the ratio of the first eigenvalue left
    out to the last one wanted with each product, so that spectra with a gap take a dozen. Where the first products show
    that it would take too many, and for small matrices, `leading_modes` finds the answer.

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
    if size >= SMALL and 0 < count <= FEW * size:
        pairs = _by_products(covariance, count)
        if pairs is not None:
            return pairs
    values, directions = leading_modes(covariance, count)
    return values[size - count :], directions[:, directions.shape[1] - count :]


def _by_products(covariance: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray] | None:
    """What `leading_pairs` returns, or `None` where that would take too many products.

    All by SciPy's library: NumPy has another, and the threads of the two would stand in each other's way.
    """
    size = len(covariance)
    rounding = size * np.finfo(float).eps
    columns = count + max(GUARDS, count // 2)
    image = np.random.default_rng(0).standard_normal((size, columns))
    error = np.inf
    for product in range(1, PRODUCTS + 1):
        basis = scipy.linalg.qr(image, mode="economic", check_finite=False)[0]
        image = dgemm(1.0, covariance.T, basis)  # the transpose is the same, in the order of memory of LAPACK
        if product < TRIAL - 1:
            continue
        values, turn = scipy.linalg.eigh(dgemm(1.0, basis, image, trans_a=1), check_finite=False)
        values, turn = values[-count:], turn[:, -count:]
        directions = dgemm(1.0, basis, turn)
        previous, error = error, np.abs(dgemm(1.0, image, turn) - directions * values).max()
        if error <= rounding * values[-1]:
            return values, directions
        if product >= TRIAL:
            rate = error / previous
            missing = np.log(rounding * values[-1] / error) / np.log(rate) if rate < 1 else np.inf
            if product + missing > PRODUCTS:
                return None
    return None
