"""Centred observations that are fewer than their variables: the covariance S = C^T C / N without a D x D matrix.

The N x N matrix C C^T / N (Gram's) has the same eigenvalues but for zeros. If u is an eigenvector of it with the
eigenvalue l, C^T u / sqrt(N l) is one of S.

`CentredRows` holds C. `SparseRows` holds a sparse X with C = X - 1 m^T, which is never filled. Columns of which more
than half is stored are held centred instead, as numbers: there m may be large against the spread, and products of X
less those of m would lose their digits. In the other columns the mean square is at most twice the variance.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg.blas import dgemm, dsyrk

from theory import validation
from theory.moments.sums import centred_rows, mirrored, refuse_extremes, sum_of_two

if TYPE_CHECKING:
    from scipy.sparse import csr_array
    from scipy.sparse.linalg import LinearOperator

__all__ = ["CentredRows", "SparseRows"]

LARGE = 2000  # observations and variables
ROWS = 256  # of a product of sparse arrays that are made together
STORED = 0.5  # share of a column that is stored, beyond which it is held as numbers


@dataclass(frozen=True, eq=False)
class CentredRows:
    """C as numbers, (N, D)."""

    centred: np.ndarray

    @classmethod
    def of(cls, rows: np.ndarray, first_row: int = 0) -> tuple[CentredRows, np.ndarray, np.ndarray]:
        """Those of an (N, D) array of floats, centred in place, with the mean and the remainder of its rounding.

        `first_row` is the number of the first of them in the data, for error messages.
        """
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            reference = rows[0].copy()
            mean = centred_rows(rows, reference, first_row)
            spread = np.maximum(rows.max(axis=0), -rows.min(axis=0))
            rows -= mean
            found = cls(rows)
            refuse_extremes(found.variances, spread)
        return found, *sum_of_two(reference, mean)

    def __len__(self) -> int:
        return len(self.centred)

    @property
    def data_dim(self) -> int:
        return self.centred.shape[1]

    @property
    def nbytes(self) -> int:
        """What is stored."""
        return self.centred.nbytes

    @cached_property
    def variances(self) -> np.ndarray:
        return np.einsum("ij,ij->j", self.centred, self.centred) / len(self)

    def gram(self) -> np.ndarray:
        """C C^T / N, (N, N)."""
        return mirrored(dsyrk(1 / len(self), self.centred.T, trans=1, lower=1))

    def covariance(self) -> np.ndarray:
        """C^T C / N, (D, D)."""
        return mirrored(dsyrk(1 / len(self), self.centred.T, lower=1))

    def transposed_times(self, vectors: np.ndarray) -> np.ndarray:
        """C^T U of an (N, k) array U."""
        return dgemm(1.0, self.centred.T, vectors)

    def times(self, directions: np.ndarray) -> np.ndarray:
        """C V of a (D, k) array V."""
        return self.centred @ directions

    is_large = False  # for C C^T costs less than what can be saved

    def dense(self) -> np.ndarray:
        """C."""
        return self.centred

    def scaled(self, scales: np.ndarray) -> CentredRows:
        """C diag(scales)."""
        return CentredRows(self.centred * scales)


@dataclass(frozen=True, eq=False)
class SparseRows:
    """C = X - 1 m^T of a sparse X, (N, D).

    Attributes
    ----------
    matrix : sparse array, X, or None
        None where columns were scaled, so that there is no X that others could be put below.
    rest : sparse array
        X without the columns that are held as numbers.
    mean : (D,) array
        that of `rest`.
    columns : (p,) array
        those that are held as numbers.
    centred : (N, p) array
    """

    matrix: csr_array | None
    rest: csr_array
    mean: np.ndarray
    columns: np.ndarray
    centred: np.ndarray

    @classmethod
    def of(cls, matrix: csr_array) -> tuple[SparseRows, np.ndarray, np.ndarray]:
        """Those of a sparse array of floats, all finite, with the mean and the remainder of its rounding."""
        count, data_dim = matrix.shape
        stored = np.bincount(matrix.indices, minlength=data_dim)
        columns, rest, remainder = np.flatnonzero(stored > STORED * count), matrix, np.zeros(data_dim)
        numbers, means = CentredRows(np.empty((count, 0))), (np.empty(0), np.empty(0))
        if columns.size:
            numbers, *means = CentredRows.of(matrix[:, columns].toarray())
            rest = matrix.copy()
            rest.data[np.isin(rest.indices, columns)] = 0.0
            rest.eliminate_zeros()
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            mean = rest.sum(axis=0) / count
            found = cls(matrix, rest, mean, columns, numbers.centred)
            spread = np.zeros(data_dim)
            np.maximum.at(spread, rest.indices, np.abs(rest.data))
            refuse_extremes(found.variances, spread)
        mean = mean.copy()
        mean[columns], remainder[columns] = means
        return found, mean, remainder

    def __len__(self) -> int:
        return self.rest.shape[0]

    @property
    def data_dim(self) -> int:
        return self.rest.shape[1]

    @property
    def nbytes(self) -> int:
        """What is stored."""
        stored = [self.rest] if self.matrix is None or self.matrix is self.rest else [self.matrix, self.rest]
        sparse = sum(array.data.nbytes + array.indices.nbytes + array.indptr.nbytes for array in stored)
        return sparse + self.mean.nbytes + self.centred.nbytes

    @cached_property
    def variances(self) -> np.ndarray:
        found = self.rest.power(2).sum(axis=0) / len(self) - self.mean**2
        found[self.columns] = CentredRows(self.centred).variances
        return found

    def gram(self) -> np.ndarray:
        """C C^T / N, (N, N)."""
        along = self.rest @ self.mean
        products = _dense_product(self.rest, self.rest.T.tocsr())
        products += self.mean @ self.mean - along - along[:, np.newaxis]
        products += self.centred @ self.centred.T
        return (products + products.T) / (2 * len(self))

    def covariance(self) -> np.ndarray:
        """C^T C / N, (D, D)."""
        products = _dense_product(self.rest.T.tocsr(), self.rest) / len(self)
        products -= np.outer(self.mean, self.mean)
        across = self.rest.T @ self.centred / len(self)  # the other columns need no mean: the sums of these are zero
        products[:, self.columns] += across
        products[self.columns] += across.T
        products[np.ix_(self.columns, self.columns)] = self.centred.T @ self.centred / len(self)
        return (products + products.T) / 2

    def transposed_times(self, vectors: np.ndarray) -> np.ndarray:
        """C^T U of an (N, k) array U."""
        found = self.rest.T @ vectors - np.outer(self.mean, vectors.sum(axis=0))
        found[self.columns] += self.centred.T @ vectors
        return found

    def times(self, directions: np.ndarray) -> np.ndarray:
        """C V of a (D, k) array V."""
        return self.rest @ directions - self.mean @ directions + self.centred @ directions[self.columns]

    @property
    def is_large(self) -> bool:
        """Whether products with C cost less than C C^T or C^T C and its decomposition."""
        return min(self.rest.shape) > LARGE

    def operator(self) -> LinearOperator:
        """C^T C / N, by its products."""
        from scipy.sparse.linalg import LinearOperator

        def product(vectors):
            columns = vectors.reshape(self.data_dim, -1)
            return (self.transposed_times(self.times(columns)) / len(self)).reshape(vectors.shape)

        return LinearOperator((self.data_dim,) * 2, matvec=product, matmat=product, dtype=float)

    def dense(self) -> np.ndarray:
        """C, as numbers."""
        size = 8 * len(self) * self.data_dim
        validation.fits_into_memory(
            f"sparse data of {len(self)} x {self.data_dim}, filled,", size, "pass fewer columns"
        )
        found = self.rest.toarray()
        found -= self.mean
        found[:, self.columns] = self.centred
        return found

    def scaled(self, scales: np.ndarray) -> SparseRows:
        """C diag(scales)."""
        rest = self.rest.copy()
        rest.data *= scales[rest.indices]
        return SparseRows(None, rest, self.mean * scales, self.columns, self.centred * scales[self.columns])


def _dense_product(left: csr_array, right: csr_array) -> np.ndarray:
    """The product of two sparse arrays as numbers, made some rows at a time."""
    product = np.empty((left.shape[0], right.shape[1]))
    for first in range(0, len(product), ROWS):
        product[first : first + ROWS] = (left[first : first + ROWS] @ right).toarray()
    return product
