"""Eigenvalues of a covariance, and only those eigenvectors that are wanted.

All the usual methods begin with the reduction S = H T H^T by Householder reflections, with T tridiagonal. It takes
about half of the time of `numpy.linalg.eigh`, whatever the spectrum, and here it is made at most once. The methods
differ in what follows (shares of `numpy.linalg.eigh` for D = 784 and K = 16, one thread):

`leading_modes`, all eigenvalues and K eigenvectors: all eigenvectors of T by divide and conquer, as
`numpy.linalg.eigh` finds them, and the product of H with K of them instead of D (.55 to .7). Divide and conquer is
accurate for every spectrum, and fastest where eigenvalues are equal, so there is nothing to check and no second
attempt.

`leading_pairs`, K eigenvalues and eigenvectors: if the first products of S with random directions show a wide gap,
subspace iteration, without a reduction (.2); else bisection and inverse iteration on T (.35 to .5), which for K up to
D/30 never took longer than divide and conquer.

Rounding in T that keeps it from falling apart is removed first: for a covariance of low rank most of its off-diagonal
is rounding, and without it both methods for T take a third of the time.

Everything here calls the linear algebra library of SciPy. NumPy has its own, with threads of its own, and the two
compete for the same cores.
"""

from __future__ import annotations

import numpy as np
import scipy.linalg
from scipy.linalg.blas import dgemm, dsyrk
from scipy.linalg.lapack import dormqr, dsytrd, dsytrd_lwork

__all__ = ["LEAST_RESOLVED", "leading_modes", "leading_modes_and_mean"]


EPS = float(np.finfo(float).eps)
LEAST_RESOLVED = 1e-6  # share of the largest eigenvalue; a smaller one, with its rounding, has fewer than ten digits
NEGLIGIBLE = 8 * EPS  # of the largest entry of T; a smaller off-diagonal entry is rounding

LEAST_DIMENSION = 200  # data dimensions; for fewer, NumPy's one call costs no more than the calls here
LARGEST_SHARE = 1 / 30  # of the eigenvectors, up to which bisection never took longer than divide and conquer

EXTRA_DIRECTIONS = 8  # iterated besides those that are wanted, at least
PRODUCTS = range(12, 31)  # with S that may be worth it: a gap of 16 takes 12, a gap of 3 takes 27
PRODUCT_SHARE = 1 / 40  # of the reduction that a product costs, at least, times D / 1000
VAIN_SHARE = 200  # over D: a second product whose eigenvalues differ by less shows no gap


def leading_modes(covariance: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """All eigenvalues of a covariance, and the eigenvectors of the largest, by divide and conquer.

    Parameters
    ----------
    covariance : (D, D) array, symmetric
    count : int >= 0
        of the eigenvectors; more than D stands for D.

    Returns
    -------
    eigenvalues : (D,) array, ascending, with the rounding errors of the largest
    directions : (D, count) array
        in columns, those of the last eigenvalues.
    """
    size = len(covariance)
    first = max(size - count, 0)
    if size < LEAST_DIMENSION:
        values, directions = np.linalg.eigh(covariance)
        return values, directions[:, first:]
    reduced = _Tridiagonal(covariance)
    values, vectors = reduced.all_pairs()
    return values, reduced.rotated(vectors[:, first:])


def leading_modes_and_mean(covariance: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The same with, for a small share of the eigenvectors, the other eigenvalues replaced by their mean.

    Their sum is the trace minus the leading eigenvalues. If it is so small that the difference has lost its digits,
    all eigenvalues are computed; if it is rounding, they are zero.

    Parameters
    ----------
    covariance : (D, D) array, symmetric
    count : int >= 0

    Returns
    -------
    eigenvalues : (D,) array, ascending, with the rounding errors of the largest
    directions : (D, count) array
        in columns, those of the last eigenvalues.
    """
    size = len(covariance)
    if size < LEAST_DIMENSION or not 0 < count <= LARGEST_SHARE * size:
        return leading_modes(covariance, count)
    pairs = _by_products(covariance, count)
    mean = None if pairs is None else _mean_of_others(covariance, pairs[0])
    if mean is None:
        reduced = _Tridiagonal(covariance)
        values, vectors = reduced.last_pairs(count)
        pairs = values, reduced.rotated(vectors)
        mean = _mean_of_others(covariance, values)
        if mean is None:
            return reduced.eigenvalues(), pairs[1]
    values, directions = pairs
    return np.concatenate([np.full(size - count, min(mean, values[0])), values]), directions


def _mean_of_others(covariance: np.ndarray, largest: np.ndarray) -> float | None:
    """The mean of all eigenvalues but the largest, ascending, or `None` if it has lost its digits."""
    size, trace = len(covariance), np.trace(covariance)
    rest = trace - largest.sum()
    if np.abs(rest) <= size * EPS * largest[-1] / 2:
        return 0.0
    return rest / (size - len(largest)) if rest >= LEAST_RESOLVED * trace else None


class _Tridiagonal:
    """T of S = H T H^T, and H as the reflections that LAPACK stores.

    Off-diagonal entries of the size of rounding become zero, so that T falls apart into smaller matrices.
    """

    def __init__(self, covariance: np.ndarray):
        work = int(dsytrd_lwork(len(covariance), lower=1)[0])
        # The transpose is the same symmetric matrix, in the memory order of LAPACK.
        self._reflections, diagonal, off_diagonal, self._factors, _ = dsytrd(covariance.T, lower=1, lwork=work)
        off_diagonal[np.abs(off_diagonal) <= NEGLIGIBLE * np.abs(diagonal).max()] = 0.0
        self._entries = diagonal, off_diagonal

    def eigenvalues(self) -> np.ndarray:
        return scipy.linalg.eigvalsh_tridiagonal(*self._entries)

    def all_pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """All eigenvalues and eigenvectors of T, by divide and conquer."""
        return scipy.linalg.eigh_tridiagonal(*self._entries, lapack_driver="stevd")

    def last_pairs(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """The last `count` eigenvalues and eigenvectors of T, by bisection and inverse iteration.

        Inverse iteration may fail where eigenvalues are close: LAPACK then says so, or its vectors are not orthonormal.
        No such case is known, but nothing excludes one: divide and conquer then takes over, on the same T.
        """
        size = len(self._entries[0])
        try:
            values, vectors = scipy.linalg.eigh_tridiagonal(
                *self._entries, select="i", select_range=(size - count, size - 1), lapack_driver="stebz"
            )
            # The upper triangle of V^T V - 1, all that `dsyrk` computes.
            if np.abs(dsyrk(1.0, vectors, trans=1) - np.eye(count)).max() <= size * EPS:
                return values, vectors
        except np.linalg.LinAlgError:
            pass
        values, vectors = self.all_pairs()
        return values[size - count :], vectors[:, size - count :]

    def rotated(self, vectors: np.ndarray) -> np.ndarray:
        """H times vectors, in columns; the first row and column of H are those of the identity."""
        rotated, _, _ = dormqr("L", "N", self._reflections[1:, :-1], self._factors, vectors[1:], max(vectors.size, 1))
        return np.vstack([vectors[:1], rotated])


def _by_products(covariance: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray] | None:
    """The largest eigenvalues, ascending, and eigenvectors, or `None` if a reduction would cost less.

    Subspace iteration: X <- an orthonormal basis of S X from random directions, some more than are wanted, until the
    eigenvectors in their span are those of S up to rounding. A product reduces the error by the ratio of the first
    eigenvalue beyond the span to the K-th. The eigenvalues within the span show this ratio early: the second product
    shows that a spectrum is flat, the third nearly how many products are needed. It also stops where all eigenvalues
    are needed because the others are small. So a vain attempt takes two or three products.
    """
    size = len(covariance)
    rounding, most = size * EPS, min(int(PRODUCT_SHARE * size), PRODUCTS[-1])
    if most < PRODUCTS[0]:
        return None
    columns = count + max(EXTRA_DIRECTIONS, count // 2)
    start = np.random.default_rng(0).random((columns, size)).T - 0.5
    image = dgemm(1.0, covariance.T, start)  # symmetric: its transpose has LAPACK's memory order
    for product in range(2, most + 1):
        basis = scipy.linalg.qr(image, mode="economic", check_finite=False)[0]
        image = dgemm(1.0, covariance.T, basis)
        values, rotation = scipy.linalg.eigh(dgemm(1.0, basis, image, trans_a=1), check_finite=False)
        beyond, values, rotation = np.abs(values[0]), values[-count:], rotation[:, -count:]
        directions = dgemm(1.0, basis, rotation)
        error = np.abs(dgemm(1.0, image, rotation) - directions * values).max()
        if error <= rounding * values[-1]:
            return values, directions
        ratio = 1 - VAIN_SHARE / size if product == 2 else rounding ** (1 / most)
        if beyond > max(ratio * values[0], rounding * np.abs(values).max()):
            return None
        if product == 2 and _mean_of_others(covariance, values) is None:
            return None
    return None
