"""Eigenvalues of a covariance, and only those eigenvectors that are wanted.

The usual methods begin with the reduction S = H T H^T by Householder reflections, with T tridiagonal. It takes a third
to a half of the time of `numpy.linalg.eigh`, whatever the spectrum, and is made at most once here. What follows on T
depends on how many eigenvectors are wanted, K of D:

up to D/8: all eigenvalues without eigenvectors, and then K eigenvectors by inverse iteration;

more, or where T falls apart into smaller matrices: all eigenvectors by divide and conquer, as in `numpy.linalg.eigh`.
It is accurate for every spectrum, and takes over should inverse iteration fail, on the same T.

Then H is multiplied by K vectors, where `numpy.linalg.eigh` multiplies it by D.

If not all eigenvalues are wanted, bisection finds K of them, for K up to D/30 in less time than all. And if the
spectrum has a gap beyond the K-th, subspace iteration needs no reduction: a dozen products of S with a few more than K
vectors. If the gap is a ratio of 16, it takes two fifths of the time of bisection for D = 784 and K = 16, and a seventh
for D = 2,000. Two or three products show whether there is a gap; without one they are lost, about 5 % of the time for
D = 784, and 2 % for D = 2,000.

Off-diagonal entries of T that are rounding are set to zero first. For a covariance of low rank that is most of them; T
then falls apart into small matrices, and its eigenvectors take a third of the time or less.

All of this is in the linear algebra library of SciPy. NumPy has one of its own, with threads of its own, and the two
compete for the same cores.
"""

from __future__ import annotations

import numpy as np
import scipy.linalg
from scipy.linalg.blas import dgemm, dsyrk
from scipy.linalg.lapack import dormqr, dstein, dsytrd, dsytrd_lwork

from theory import validation

__all__ = ["LEAST_RESOLVED", "leading_modes", "leading_modes_and_mean"]


EPS = float(np.finfo(float).eps)
LEAST_RESOLVED = 1e-6  # share of the largest eigenvalue; a smaller one, with its rounding, has fewer than ten digits
NEGLIGIBLE = 8 * EPS  # of the largest entry of T; a smaller off-diagonal entry is rounding

LEAST_DIMENSION = 200  # data dimensions; for fewer, NumPy's one call costs no more than the calls here
LARGEST_SHARE = 1 / 8  # of the eigenvectors; for more, inverse iteration may take longer than divide and conquer
SMALL_SHARE = 1 / 30  # of the eigenvalues; for more, bisection may take longer than computing all

EXTRA_DIRECTIONS = 8  # iterated besides those that are wanted, at least
PRODUCTS = range(12, 31)  # with S that may be worth it: a gap of 16 takes 12, a gap of 3 takes 27
DIMENSIONS_PER_PRODUCT = 40  # data dimensions for each product that may be worth it, since a reduction grows as D^3
FLAT = 400  # D times the relative distance of eigenvalues in the second product below which they show no gap


def leading_modes(covariance: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """All eigenvalues of a covariance, and the eigenvectors of the largest.

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
    reduced = _Tridiagonal(covariance, count)
    values, vectors = reduced.modes(size - first)
    return values, reduced.rotated(vectors)


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
    if size < LEAST_DIMENSION or not 0 < count <= SMALL_SHARE * size:
        return leading_modes(covariance, count)
    pairs = _by_products(covariance, count)
    mean = None if pairs is None else _mean_of_others(covariance, pairs[0])
    if mean is None:
        reduced = _Tridiagonal(covariance, count)
        values, vectors = reduced.pairs(count)
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

    def __init__(self, covariance: np.ndarray, count: int):
        matrices = 2 if count <= LARGEST_SHARE * len(covariance) else 4  # the covariance among them
        validation.fits_into_memory(
            f"the decomposition of a covariance of {len(covariance)} variables",
            matrices * 8 * len(covariance) ** 2,
            "pass fewer variables or latents",
        )
        work = int(dsytrd_lwork(len(covariance), lower=1)[0])
        # The transpose is the same symmetric matrix, in the memory order of LAPACK.
        self._reflections, diagonal, off_diagonal, self._factors, _ = dsytrd(covariance.T, lower=1, lwork=work)
        off_diagonal[np.abs(off_diagonal) <= NEGLIGIBLE * np.abs(diagonal).max()] = 0.0
        # Inverse iteration squares entries: of size one, none overflows.
        self._scale = max(np.abs(diagonal).max(), np.abs(off_diagonal).max()) or 1.0
        self._entries = diagonal / self._scale, off_diagonal / self._scale

    def eigenvalues(self) -> np.ndarray:
        return scipy.linalg.eigvalsh_tridiagonal(*self._entries) * self._scale

    def modes(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """All eigenvalues, ascending, and the last `count` eigenvectors of T."""
        diagonal, off_diagonal = self._entries
        size = len(diagonal)
        if 0 < count <= LARGEST_SHARE * size and off_diagonal.all():
            values = scipy.linalg.eigvalsh_tridiagonal(diagonal, off_diagonal)
            one_block = np.ones(size, dtype=np.int32), np.full(size, size, dtype=np.int32)
            vectors, failed = dstein(diagonal, off_diagonal, values[size - count :], *one_block)
            if not failed and _are_orthonormal(vectors):
                return values * self._scale, vectors
        values, vectors = scipy.linalg.eigh_tridiagonal(diagonal, off_diagonal, lapack_driver="stevd")
        return values * self._scale, vectors[:, size - count :]

    def pairs(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """The last `count` eigenvalues, ascending, and eigenvectors of T; eigenvalues by bisection."""
        size = len(self._entries[0])
        last = (size - count, size - 1)
        try:
            values, vectors = scipy.linalg.eigh_tridiagonal(
                *self._entries, select="i", select_range=last, lapack_driver="stebz"
            )
            if _are_orthonormal(vectors):
                return values * self._scale, vectors
        except np.linalg.LinAlgError:
            pass
        values, vectors = self.modes(count)
        return values[size - count :], vectors

    def rotated(self, vectors: np.ndarray) -> np.ndarray:
        """H times vectors, in columns; the first row and column of H are those of the identity."""
        rotated, _, _ = dormqr("L", "N", self._reflections[1:, :-1], self._factors, vectors[1:], max(vectors.size, 1))
        return np.vstack([vectors[:1], rotated])


def _are_orthonormal(vectors: np.ndarray) -> bool:
    """Whether inverse iteration has not failed: no case is known where it does without saying so, nor excluded."""
    size, count = vectors.shape
    upper = dsyrk(1.0, vectors, trans=1)  # the upper triangle of the products
    return bool(np.abs(upper - np.eye(count)).max() <= size * EPS)


def _by_products(covariance: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray] | None:
    """The largest eigenvalues, ascending, and eigenvectors, or `None` if a reduction would cost less.

    Subspace iteration: X <- an orthonormal basis of S X from random directions, some more than are wanted, until the
    eigenvectors in their span are those of S up to rounding. A product reduces the error by the ratio of the first
    eigenvalue beyond the span to the K-th. The eigenvalues within the span show this ratio early: the second product
    shows that a spectrum is flat, the third nearly how many products are needed. It also stops where all eigenvalues
    are needed because the others are small. So a vain attempt takes two or three products.
    """
    size = len(covariance)
    rounding, most = size * EPS, min(size // DIMENSIONS_PER_PRODUCT, PRODUCTS[-1])
    if most < PRODUCTS[0]:
        return None
    columns = count + max(EXTRA_DIRECTIONS, count // 2)
    start = np.random.default_rng(0).random((columns, size)).T - 0.5
    image = dgemm(1.0, covariance.T, start)  # symmetric: its transpose has LAPACK's memory order
    for product in range(2, most + 1):
        basis = scipy.linalg.qr(image, mode="economic", check_finite=False)[0]
        image = dgemm(1.0, covariance.T, basis)
        # Divide and conquer, whose eigenvectors are orthogonal to rounding; those of the default driver are less so.
        values, rotation = scipy.linalg.eigh(dgemm(1.0, basis, image, trans_a=1), driver="evd", check_finite=False)
        beyond, values, rotation = np.abs(values[0]), values[-count:], rotation[:, -count:]
        directions = dgemm(1.0, basis, rotation)
        error = np.abs(dgemm(1.0, image, rotation) - directions * values).max()
        if error <= rounding * values[-1]:
            return values, directions
        ratio = 1 - FLAT / size if product == 2 else rounding ** (1 / most)
        if beyond > max(ratio * values[0], rounding * np.abs(values).max()):
            return None
        if product == 2 and _mean_of_others(covariance, values) is None:
            return None
    return None
