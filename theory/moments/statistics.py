"""Sufficient statistics of observations: count, mean and covariance, and how those of two data sets are joined."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theory import validation
from theory.moments.few_rows import CentredRows, SparseRows
from theory.moments.sums import STRIP_ROWS, refuse_extremes, sum_of_two

__all__ = ["Statistics", "joined", "of_rows", "of_stacked"]

REMEDY = "pass fewer columns; of sparse data `optimum(..., leading_only=True)` does without"


@dataclass(frozen=True, eq=False)
class Statistics:
    """What is known of some observations.

    Attributes
    ----------
    count : int
    mean : (D,) array
    remainder : (D,) array
        of the rounding of the mean.
    covariance : (D, D) array, divided by the count; or None, if there are
    rows : CentredRows or SparseRows
        which stand for it; or None.
    """

    count: int
    mean: np.ndarray
    remainder: np.ndarray
    covariance: np.ndarray | None = None
    rows: CentredRows | SparseRows | None = None

    def __sizeof__(self) -> int:
        """The bytes of the arrays, by which Dask chooses the worker that joins two of them, and what it spills."""
        numbers = self.rows if self.covariance is None else self.covariance
        return object.__sizeof__(self) + self.mean.nbytes + self.remainder.nbytes + numbers.nbytes

    def full_covariance(self) -> np.ndarray:
        """The covariance, which is made here if rows stand for it."""
        if self.covariance is not None:
            return self.covariance
        size = len(self.mean)
        validation.fits_into_memory(f"the covariance of data with {size} columns", 8 * size**2, REMEDY)
        return self.rows.covariance()


def of_rows(count: int, rows: CentredRows | SparseRows, mean: np.ndarray, remainder: np.ndarray) -> Statistics:
    """Those of observations that are kept where they take less memory than their covariance."""
    if rows.nbytes >= 8 * len(mean) ** 2:
        return Statistics(count, mean, remainder, covariance=rows.covariance())
    return Statistics(count, mean, remainder, rows=rows)


def of_stacked(matrices: list) -> Statistics | None:
    """Those of checked sparse arrays, one below the other; None if they have no row."""
    from scipy.sparse import vstack

    matrix = matrices[0] if len(matrices) == 1 else vstack(matrices, format="csr")
    return of_rows(matrix.shape[0], *SparseRows.of(matrix)) if matrix.shape[0] else None


def joined(first: Statistics | None, second: Statistics | None = None) -> Statistics | None:
    """The statistics of two data sets together; None has no observation.

    n S = n_1 S_1 + n_2 S_2 + (n_1 n_2 / n) d d^T, with d the difference of the means.
    """
    if first is None or second is None:
        return first or second
    if len(first.mean) != len(second.mean):
        raise ValueError(
            f"data must have as many columns in each block, got {len(first.mean)} and {len(second.mean)}; pass the "
            "same variables in each"
        )
    count = first.count + second.count
    matrices = [getattr(each.rows, "matrix", None) for each in (first, second)]
    if not any(matrix is None for matrix in matrices):
        return of_stacked(matrices)
    share = second.count / count
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        apart = (second.mean - first.mean) + (second.remainder - first.remainder)
        mean, remainder = sum_of_two(first.mean, first.remainder + share * apart)
        if count < len(mean) and None not in (first.rows, second.rows):
            validation.fits_into_memory(f"data of {count} x {len(mean)}", 8 * count * len(mean), "pass fewer columns")
            centred = np.empty((count, len(mean)))
            np.subtract(first.rows.dense(), share * apart, out=centred[: first.count])
            np.add(second.rows.dense(), (1 - share) * apart, out=centred[first.count :])
            found = Statistics(count, mean, remainder, rows=CentredRows(centred))
            refuse_extremes(found.rows.variances, np.abs(apart))
        else:
            products = _joined_products(first.full_covariance(), second.full_covariance(), share, apart)
            found = Statistics(count, mean, remainder, covariance=products)
            refuse_extremes(np.diagonal(products), np.abs(apart))
    return found


def _joined_products(first: np.ndarray, second: np.ndarray, share: float, apart: np.ndarray) -> np.ndarray:
    """(1 - s) S_1 + s S_2 + s (1 - s) d d^T, some rows at a time: of many variables, a copy takes memory and time."""
    joint = np.empty(first.shape)
    for start in range(0, len(joint), STRIP_ROWS):
        strip = slice(start, start + STRIP_ROWS)
        np.multiply(1 - share, first[strip], out=joint[strip])
        joint[strip] += share * second[strip]
        joint[strip] += (1 - share) * share * np.outer(apart[strip], apart)
    return joint
