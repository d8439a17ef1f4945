"""Sums of the products of centred observations, taken block by block: exact at any offset, from one reading.

**Offset.** A reference c is subtracted from each observation, which is exact where the offset is large (Sterbenz):
y = x - c, with c the first observation in the first block, and the mean of the first block, rounded, in the others.
The products of a block are then about its own mean d if d is far from the reference in units of the spread so far;
otherwise about the reference, and n d d^T is taken away at the end, which loses no digits as d is small.

**Between blocks.** Two sets of n_1 and n_2 observations, with means a distance v apart, have together the products of
both and n_1 n_2 / (n_1 + n_2) v v^T. The mean is a sum of two floats, reference + offset, so that it is known to the
rounding of the spread.

**Speed.** The product of a block with itself is most of the work. The rows come into the block in strips, each copied,
centred and added up while it is in the cache. This is left to NumPy, which works on one thread: small tasks of the
linear algebra library wait longer for its threads than they take, and much longer on a machine that others use.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.linalg.blas import dsyrk

from theory import validation

__all__ = [
    "LEAST_VARIANCE",
    "STRIP_ROWS",
    "CentredSums",
    "block_rows",
    "centred_rows",
    "mirrored",
    "refuse_extremes",
    "sum_of_two",
]

BLOCK_NUMBERS = 2**21  # of a block, 16 MiB: a product of so many rows runs near the speed of one of all rows
LEAST_ROWS = 512  # of a block, however many the columns
STRIP_NUMBERS = 2**15  # of rows that are centred at a time, so that they stay in the cache
STRIP_ROWS = 128  # rows of a D x D matrix that are changed at a time, so that they stay in the cache
ABOVE = np.triu(np.ones((STRIP_ROWS, STRIP_ROWS), dtype=bool), 1)
PENDING = 64  # differences of means that are added together
FAR = 2.0  # square of the distance of a block from the reference, in variances, from which it gets its own mean

# The least variance of a column that is not constant: in a smaller one, squares that underflow would change its last
# digits.
LEAST_VARIANCE = float(np.finfo(float).tiny / np.finfo(float).eps)


def block_rows(data_dim: int) -> int:
    """Observations of D numbers in a block."""
    return max(LEAST_ROWS, BLOCK_NUMBERS // data_dim)


def strip_rows(data_dim: int) -> int:
    """Observations of D numbers in a strip."""
    return max(1, STRIP_NUMBERS // data_dim)


class CentredSums:
    """Count, mean and products of the observations that were added.

    Parameters
    ----------
    data_dim : int, D
    rows : int, optional
        the number of observations that will come, if it is known.
    first_row : int
        the number of the first of them in the data, for error messages.
    """

    def __init__(self, data_dim: int, rows: int | None = None, first_row: int = 0):
        validation.fits_into_memory(
            f"the covariance of data with {data_dim} columns", 8 * data_dim**2, "pass fewer columns"
        )
        self.count, self._first_row = 0, first_row
        size = block_rows(data_dim)
        self._block = np.empty((size if rows is None else min(size, rows), data_dim))
        self._filled, self._sums = 0, np.zeros(data_dim)  # of the rows of the block that are centred
        self._reference: np.ndarray | None = None
        self._repeated = np.empty((min(strip_rows(data_dim), len(self._block)), data_dim))  # what is subtracted
        self._offset = np.zeros(data_dim)  # of the mean from the reference
        self._products = np.zeros((data_dim, data_dim), order="F")  # its lower triangle
        self._between, self._removed = _Pending(data_dim, 1.0), _Pending(data_dim, -1.0)
        self._spread = np.zeros(data_dim)  # largest distances from the reference in columns of hardly any variance

    def add(self, rows: np.ndarray) -> None:
        """Add observations, an (n, D) array of real numbers of any type."""
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):  # longer floats may become infinite
            while len(rows):
                if self._reference is None:
                    self._reference = np.array(rows[0], dtype=float)
                if not self._filled:
                    self._repeated[:] = self._reference
                first = self._filled - self._filled % len(self._repeated)
                last = min(first + len(self._repeated), len(self._block))
                some, rows = rows[: last - self._filled], rows[last - self._filled :]
                self._block[self._filled : self._filled + len(some)] = some
                self._filled += len(some)
                if self._filled == last:
                    self._sums += subtract(self._repeated, self._block[first:last])
                if self._filled == len(self._block):
                    self._reduce()

    def moments(self) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
        """Count, mean, the remainder of the mean's rounding, and covariance (divided by the count)."""
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            if self._filled:
                rest = self._block[self._filled - self._filled % len(self._repeated) : self._filled]
                self._sums += subtract(self._repeated, rest)
                self._reduce()
            for pending in (self._between, self._removed):
                self._products = pending.added_to(self._products)
            self._products /= self.count
        refuse_extremes(np.diagonal(self._products), self._spread)
        mean, remainder = sum_of_two(self._reference, self._offset)
        return self.count, mean, remainder, mirrored(self._products)

    def _reduce(self) -> None:
        """Take the block, which is centred by the reference, into the products."""
        rows, mean = self._block[: self._filled], self._sums / self._filled
        refuse_not_finite(mean, rows, self._reference, self._first_row + self.count)
        first, total = self.count == 0, self.count + len(rows)
        far = first or np.any(self.count * mean**2 > FAR * np.diagonal(self._products))
        if far:
            self._repeated[:] = mean
            for strip in strips(rows):
                strip -= self._repeated[: len(strip)]
        else:
            self._products = self._removed.put(np.sqrt(len(rows)) * mean, self._products)
        self._products = dsyrk(1.0, rows.T, beta=1.0, c=self._products, lower=1, overwrite_c=1)
        squares = np.diagonal(self._products)
        if not np.isfinite(squares).all():
            column = int(np.argmin(np.isfinite(squares)))
            raise too_large(column, np.abs(rows[:, column]).max())
        small = np.flatnonzero(squares < total * LEAST_VARIANCE)
        if small.size:  # hardly ever: the numbers of a column lie far apart in memory
            distances = np.abs(rows[:, small] + far * mean[small]).max(axis=0)
            self._spread[small] = np.maximum(self._spread[small], distances)
        if first:
            self._reference, self._offset = sum_of_two(self._reference, mean)
        else:
            apart = mean - self._offset
            share = len(rows) / total
            self._products = self._between.put(np.sqrt(self.count * share) * apart, self._products)
            self._offset += share * apart
        self.count, self._filled = total, 0
        self._sums[:] = 0.0


class _Pending:
    """Vectors v whose products, weight v v^T, are added to a matrix many at a time."""

    def __init__(self, data_dim: int, weight: float):
        self._vectors, self._weight, self._count = np.empty((PENDING, data_dim)), weight, 0

    def put(self, vector: np.ndarray, products: np.ndarray) -> np.ndarray:
        self._vectors[self._count] = vector
        self._count += 1
        return self.added_to(products) if self._count == PENDING else products

    def added_to(self, products: np.ndarray) -> np.ndarray:
        vectors, self._count = self._vectors[: self._count], 0
        if not len(vectors):
            return products
        return dsyrk(self._weight, vectors.T, beta=1.0, c=products, lower=1, overwrite_c=1)


def strips(rows: np.ndarray) -> Iterator[np.ndarray]:
    """Rows, so many at a time that they stay in the cache."""
    size = strip_rows(rows.shape[1])
    return (rows[first : first + size] for first in range(0, len(rows), size))


def subtract(repeated: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Subtract a reference from rows, in place, and return the sums of the differences.

    `repeated` holds the reference as many times as there are rows, or more: NumPy takes twice as long for one row less
    another at a time.
    """
    rows -= repeated[: len(rows)]
    return np.einsum("ij->j", rows)


def centred_rows(rows: np.ndarray, reference: np.ndarray, before: int) -> np.ndarray:
    """Subtract a reference from rows, in place, and return the mean of the differences.

    Raises
    ------
    ValueError
        for NaN and infinities; `before` is the number of rows that came before these.
    """
    repeated = np.tile(reference, (min(strip_rows(len(reference)), len(rows)), 1))
    mean = sum(subtract(repeated, strip) for strip in strips(rows)) / len(rows)
    refuse_not_finite(mean, rows, reference, before)
    return mean


def refuse_not_finite(mean: np.ndarray, rows: np.ndarray, reference: np.ndarray, before: int) -> None:
    """Refuse rows less a reference, by their mean, if they are not all finite or their sum overflows."""
    if not np.isfinite(mean).all():
        _name_not_finite(rows, reference, before)
        column = int(np.argmin(np.isfinite(mean)))
        raise too_large(column, np.abs(rows[:, column]).max())


def _name_not_finite(differences: np.ndarray, reference: np.ndarray, before: int) -> None:
    """Name the first entry that is not finite, if there is one, from differences to the reference."""
    columns = np.flatnonzero(~np.isfinite(reference))
    place = (0, int(columns[0])) if columns.size else validation.first_not_finite(differences)
    if place is None:
        return
    row, column = place
    value = (reference if columns.size else differences[row])[column]
    if np.isinf(value) and np.abs(reference[column]) > np.finfo(float).max / 4 and not columns.size:
        raise too_large(column, np.abs(reference[column]))
    raise ValueError(
        f"data must be finite, row {before + row}, column {column} (counted from 0) is {value}; remove or replace NaN "
        "and infinite entries"
    )


def too_large(column: int, size: float) -> ValueError:
    """The error to raise for a column whose squares overflow."""
    return ValueError(
        f"data must have squares within the range of floats, those of column {column} (counted from 0, up to "
        f"{size:.3g} from another) are too large; rescale it, for example divide by its largest"
    )


def refuse_extremes(variances: np.ndarray, spread: np.ndarray) -> None:
    """Refuse columns whose squares overflow or underflow, by their variances and their largest distances from a value.

    The distances count where the squares underflow: they are zero in a constant column, which is no fault.
    """
    if not np.isfinite(variances).all():
        column = int(np.argmin(np.isfinite(variances)))
        raise too_large(column, spread[column])
    for column in np.flatnonzero((variances < LEAST_VARIANCE) & (spread > 0)):
        raise ValueError(
            f"data must have squares within the range of floats, those of column {column} (counted from 0, "
            f"spread {spread[column]:.3g}) are too small; rescale it, for example divide by its spread"
        )


def mirrored(products: np.ndarray) -> np.ndarray:
    """A symmetric matrix, in the usual memory order, from the lower triangle of one in Fortran's, which it replaces."""
    size = len(products)
    for first in range(0, size, STRIP_ROWS):
        last = first + STRIP_ROWS
        square = products[first:last, first:last]
        np.copyto(square, square.T, where=ABOVE[: len(square), : len(square)])
        products[first:last, last:] = products[last:, first:last].T
    return products.T  # symmetric: its transpose has the usual memory order


def sum_of_two(large: np.ndarray, small: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rounded sum of two floats, and its exact error (Knuth)."""
    total = large + small
    added = total - large
    return total, (large - (total - added)) + (small - added)
