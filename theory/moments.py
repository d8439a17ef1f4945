"""The moments of data: count, mean and covariance, which is all that the theory needs of a data set."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.linalg.blas import dgemv, dsyrk

from theory import validation

__all__ = ["Moments", "as_moments", "set_fields"]

BLOCK_ROWS = 512  # rows of data, at least, that are centred at a time: few enough to stay in the cache
STRIP_ROWS = 128  # rows of a matrix that are mirrored at a time, for the same reason

# The least variance of a column that is not constant: in a smaller one, squares that underflow would change its last
# digits.
LEAST_VARIANCE = float(np.finfo(float).tiny / np.finfo(float).eps)


@dataclass(frozen=True, eq=False)
class Moments:
    """Count, mean and (maximum likelihood, divided by N) covariance of a data set.

    Parameters
    ----------
    count : int >= 0
    mean : (D,) array
    covariance : (D, D) array, symmetric

    Raises
    ------
    ValueError
        for a count that is not a whole number, shapes that do not fit, NaN, or a covariance that is not symmetric.

    Notes
    -----
    A covariance in double precision determines its eigenvalues up to about D eps l_1, with eps = 2.2e-16 and l_1 the
    largest. A smaller eigenvalue is rounding and counts as zero; one that is a thousand times larger has three digits,
    and so has the noise that is learned from such eigenvalues. If so small a variance matters, take the singular
    values of the centred data, whose squares over N are the same eigenvalues: they keep twice the digits.

    The mean is rounded to floats. The remainder of that rounding is stored in `_remainder` (zero in moments made by
    hand), so that the mean is known to the rounding of the spread, not of the offset: the merged covariance of two data
    sets depends on the difference of their means.

    Examples
    --------
    >>> from theory import Moments
    >>> moments = Moments.of([[0.0, 1.0], [2.0, 1.0], [4.0, 4.0]])
    >>> moments.count, moments.mean, moments.covariance.round(3)
    (3, array([2., 2.]), array([[2.667, 2.   ],
           [2.   , 2.   ]]))
    """

    count: int
    mean: np.ndarray
    covariance: np.ndarray
    _remainder: np.ndarray = field(init=False, repr=False)

    def __post_init__(self):
        covariance = validation.symmetric_matrix("covariance", self.covariance)
        set_fields(
            self,
            count=validation.count("count", self.count),
            covariance=covariance,
            mean=validation.vector("mean", self.mean, len(covariance)),
            _remainder=np.zeros(len(covariance)),
        )

    @classmethod
    def of(cls, data) -> Moments:
        """Moments of observations, one in each row.

        Exact up to rounding relative to the spread of each column, however far the data lie from zero. A constant
        column is fine: its variance is exactly zero, which is a result.

        Parameters
        ----------
        data : (N, D) array, N >= 2, D >= 1
            or a data frame whose columns are all numbers.

        Returns
        -------
        Moments

        Raises
        ------
        ValueError
            for NaN, masked entries, or anything else that is not an array of real numbers; for fewer than two rows or
            no column; for a covariance that does not fit into memory, or whose entries overflow or underflow.

        Notes
        -----
        Rows are taken in blocks. From each row of a block the first row is subtracted, which is exact if the offset is
        large (Sterbenz), and then the mean d of the differences; the products of the centred rows are summed. The mean
        of the block is first row + d, kept as a sum of two parts. The spread of the means of the blocks is added at the
        end, since sum (x - m)(x - m)^T = sum within blocks + sum over blocks n_b (m_b - m)(m_b - m)^T.
        """
        checked = validation.observations("data", data, finite=False)
        count, data_dim = checked.shape
        validation.fits_into_memory(
            f"the covariance of data with {data_dim} columns", 8 * data_dim**2, "pass fewer columns"
        )
        with np.errstate(invalid="ignore", over="ignore", under="ignore"):
            covariance, mean, remainder = _centred_products(checked)
        variances = np.diagonal(covariance)
        if not np.isfinite(variances).all():  # rare; only then are the entries read again, to name the cause
            validation.observations("data", data)
            column = int(np.argmin(np.isfinite(variances)))
            raise ValueError(
                f"data must have squares within the range of floats, those of column {column} (counted from 0, up to "
                f"{np.abs(checked[:, column]).max():.3g}) are too large; rescale it, for example divide by its largest"
            )
        for column in np.flatnonzero(variances < LEAST_VARIANCE):
            centred = checked[:, column] - checked[0, column]
            if centred.any():
                raise ValueError(
                    f"data must have squares within the range of floats, those of column {column} (counted from 0, "
                    f"spread {np.abs(centred).max():.3g}) are too small; rescale it, for example divide by its spread"
                )
        return cls._of_checked(count, mean, covariance, remainder)

    def __add__(self, other: Moments) -> Moments:
        """The moments of two data sets together, exact up to rounding relative to their spread.

        n S = n_1 S_1 + n_2 S_2 + (n_1 n_2 / n) d d^T, with d the difference of the means.
        """
        if not isinstance(other, Moments):
            return NotImplemented
        if len(self.mean) != len(other.mean):
            raise ValueError(
                f"moments must have the same dimensions to be added, got {len(self.mean)} and {len(other.mean)}; pass "
                "moments of the same variables"
            )
        count = self.count + other.count
        if not count:
            raise ValueError("moments must have a count to be added, both have none; pass those of observations")
        share = other.count / count
        apart = (other.mean - self.mean) + (other._remainder - self._remainder)
        covariance = (1 - share) * self.covariance + share * other.covariance
        covariance += (1 - share) * share * np.outer(apart, apart)
        mean, remainder = _sum_of_two(self.mean, self._remainder + share * apart)
        return Moments._of_checked(count, mean, covariance, remainder)

    @classmethod
    def _of_checked(cls, count: int, mean: np.ndarray, covariance: np.ndarray, remainder: np.ndarray) -> Moments:
        """From what is known to be right: in many dimensions the checks cost as much as some of the work."""
        moments = object.__new__(cls)
        set_fields(moments, count=count, mean=mean, covariance=covariance, _remainder=remainder)
        return moments


def _centred_products(data: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Covariance, mean, and the remainder of the mean's rounding, of an (N, D) array; not finite if the data are not.

    Only one triangle of the products is summed, by the library that also computes eigenvectors: the threads of two
    libraries would compete for the same cores.
    """
    count, data_dim = data.shape
    products = np.zeros((data_dim, data_dim), order="F")
    rows = max(BLOCK_ROWS, data_dim)  # so many that reading and writing the sum for each block costs little
    scratch = np.empty((min(rows, count), data_dim))
    ones = np.ones(len(scratch))
    shares, offsets = [], []  # of each block: its share of the rows, and its mean minus the first row of the data
    for first in range(0, count, rows):
        block = data[first : first + rows]
        centred = np.subtract(block, block[0], out=scratch[: len(block)])
        shift = dgemv(1 / len(block), centred.T, ones[: len(block)])
        centred -= shift
        products = dsyrk(1 / count, centred.T, beta=1.0, c=products, lower=1, overwrite_c=1)
        shares.append(len(block) / count)
        offsets.append((block[0] - data[0]) + shift)
    overall = np.array(shares) @ np.array(offsets)
    between = (np.array(offsets) - overall) * np.sqrt(shares)[:, np.newaxis]
    products = dsyrk(1.0, between.T, beta=1.0, c=products, lower=1, overwrite_c=1)
    for first in range(0, data_dim, STRIP_ROWS):
        last = first + STRIP_ROWS
        square = np.tril(products[first:last, first:last])
        products[first:last, first:last] = square + np.tril(square, -1).T
        products[first:last, last:] = products[last:, first:last].T
    mean, remainder = _sum_of_two(data[0], overall)
    return products.T, mean, remainder  # symmetric: its transpose has the usual memory order


def _sum_of_two(large: np.ndarray, small: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rounded sum of two floats, and its exact error (Knuth)."""
    total = large + small
    added = total - large
    return total, (large - (total - added)) + (small - added)


def as_moments(covariance, *, or_eigenvalues: bool = False) -> Moments:
    """`Moments` from a covariance matrix or `Moments`; with a bare covariance count and mean are 0.

    With `or_eigenvalues` a vector is taken as the eigenvalues of a diagonal covariance, descending.
    """
    if isinstance(covariance, Moments):
        moments = covariance
    else:
        if or_eigenvalues:
            covariance = validation.real_array("covariance", covariance)
            if covariance.ndim == 2 and covariance.shape[0] != covariance.shape[1]:
                raise ValueError(
                    f"covariance must be square, got {covariance.shape[0]} x {covariance.shape[1]}; pass a covariance, "
                    "not the data, or theory.Moments.of(data)"
                )
            if covariance.ndim == 1:
                spectrum = validation.stated_spectrum("covariance", validation.vector("covariance", covariance))
                covariance = np.diag(spectrum)
        symmetric = validation.symmetric_matrix("covariance", covariance)
        zeros = np.zeros(len(symmetric))
        moments = Moments._of_checked(0, zeros, symmetric, zeros)
    validation.within_decades("covariance", moments.covariance, validation.VARIANCE_DECADES)
    return moments


def set_fields(record, **fields) -> None:
    """Set the checked fields of a frozen record."""
    for name, value in fields.items():
        object.__setattr__(record, name, value)
