"""The moments of data: count, mean and covariance, which is all that the theory needs of a data set."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from theory import validation
from theory.moments.reading import statistics_of
from theory.moments.statistics import Statistics, joined

__all__ = ["Moments", "as_moments", "set_fields"]


@dataclass(frozen=True, eq=False, init=False, repr=False)
class Moments:
    """Count, mean and (maximum likelihood, divided by N) covariance of a data set.

    Parameters
    ----------
    count : int >= 0
    mean : (D,) array
    covariance : (D, D) array, symmetric

    Attributes
    ----------
    data_dim : int, D
    variances : (D,) array
        the diagonal of the covariance.
    are_few : bool
        whether observations are kept that are fewer than their variables.
    rows : CentredRows, SparseRows or None
        the centred observations, where they stand for the covariance.

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

    Of fewer observations than variables, N < D, the centred observations are kept, and `covariance` is made only where
    it is asked for. `optimum`, `data_report` and what takes eigenvalues do without it.

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

    def __init__(self, count: int, mean, covariance):
        covariance = validation.symmetric_matrix("covariance", covariance)
        set_fields(
            self,
            count=validation.count("count", count),
            covariance=covariance,
            mean=validation.vector("mean", mean, len(covariance)),
            rows=None,
            _remainder=np.zeros(len(covariance)),
        )

    @classmethod
    def of(cls, data) -> Moments:
        """Moments of observations, one in each row; of arrays that are larger than memory too.

        Exact up to rounding relative to the spread of each column, however far the data lie from zero. A constant
        column is fine: its variance is exactly zero, which is a result.

        Parameters
        ----------
        data : (N, D) array, N >= 2, D >= 1
            or a data frame whose columns are all numbers; a memory-mapped file, read block by block; a sparse matrix,
            which is not filled; a list or an iterator of such arrays (chunks of n x D) or an iterator of rows; a Dask
            array or data frame, of which each block is reduced where it lies. Whole numbers beyond 2^53 are rounded to
            floats first.

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
        Rows are taken in blocks, and each number is read once. From each row a reference close to it is subtracted,
        which is exact if the offset is large (Sterbenz); the products of what remains are summed, and the spread of the
        means of the blocks is added, since sum (x - m)(x - m)^T = sum within blocks + sum over blocks
        n_b (m_b - m)(m_b - m)^T. See `theory.moments.sums`.

        Examples
        --------
        >>> import numpy as np
        >>> from theory import Moments
        >>> chunks = (np.arange(8.0).reshape(4, 2) + 100 * part for part in range(3))
        >>> moments = Moments.of(chunks)
        >>> moments.count, moments.mean
        (12, array([103., 104.]))
        """
        return cls.of_statistics(statistics_of(data))

    @cached_property
    def covariance(self) -> np.ndarray:
        """The covariance, (D, D); of fewer observations than variables it is made here."""
        return self.statistics().full_covariance()

    @property
    def data_dim(self) -> int:
        return len(self.mean)

    @property
    def are_few(self) -> bool:
        return self.rows is not None and self.count < self.data_dim

    @cached_property
    def variances(self) -> np.ndarray:
        return np.diagonal(self.covariance) if self.rows is None else self.rows.variances

    def __repr__(self) -> str:
        if self.rows is None:
            return f"Moments(count={self.count!r}, mean={self.mean!r}, covariance={self.covariance!r})"
        return f"Moments(count={self.count!r}, mean={self.mean!r}, {self.data_dim} variables)"

    def __add__(self, other: Moments) -> Moments:
        """The moments of two data sets together, exact up to rounding relative to their spread.

        n S = n_1 S_1 + n_2 S_2 + (n_1 n_2 / n) d d^T, with d the difference of the means.
        """
        if not isinstance(other, Moments):
            return NotImplemented
        if self.data_dim != other.data_dim:
            raise ValueError(
                f"moments must have the same dimensions to be added, got {self.data_dim} and {other.data_dim}; pass "
                "moments of the same variables"
            )
        if not self.count + other.count:
            raise ValueError("moments must have a count to be added, both have none; pass those of observations")
        return Moments.of_statistics(joined(self.statistics(), other.statistics()))

    def __radd__(self, other: int) -> Moments:
        """The same: `sum` begins with 0."""
        return self if isinstance(other, int) and other == 0 else NotImplemented

    def standardized(self) -> Moments:
        """Those of columns less their mean, divided by their standard deviation; constant ones are zero."""
        varies = self.variances > 0
        scales = np.divide(1.0, np.sqrt(self.variances), out=np.zeros(self.data_dim), where=varies)
        zeros = np.zeros(self.data_dim)
        if self.rows is not None:
            return Moments.of_statistics(Statistics(self.count, zeros, zeros, rows=self.rows.scaled(scales)))
        correlations = self.covariance * scales * scales[:, np.newaxis]
        np.fill_diagonal(correlations, varies)
        return Moments.of_statistics(Statistics(self.count, zeros, zeros, correlations))

    def statistics(self) -> Statistics:
        """Count, mean and covariance as they are joined with others."""
        covariance = self.covariance if self.rows is None else None
        return Statistics(self.count, self.mean, self._remainder, covariance, self.rows)

    @classmethod
    def of_statistics(cls, found: Statistics) -> Moments:
        """From what is known to be right: in many dimensions the checks cost as much as some of the work."""
        moments = object.__new__(cls)
        set_fields(moments, count=found.count, mean=found.mean, rows=found.rows, _remainder=found.remainder)
        if found.covariance is not None:
            set_fields(moments, covariance=found.covariance)
        return moments


def as_moments(covariance, *, or_eigenvalues: bool = False) -> Moments:
    """`Moments` from a covariance matrix or `Moments`; with a bare covariance count and mean are 0.

    With `or_eigenvalues` a vector is taken as the eigenvalues of a diagonal covariance, descending.
    """
    if isinstance(covariance, Moments):
        moments = covariance
    else:
        if hasattr(covariance, "__dask_graph__") or hasattr(covariance, "tocsr"):
            raise ValueError(
                f"covariance must be an array in memory, got {validation.shown(covariance)}; pass Moments.of(data), if "
                "these are observations, or the covariance as an array"
            )
        if or_eigenvalues:
            covariance = validation.real_array("covariance", covariance)
            if covariance.ndim == 2 and covariance.shape[0] != covariance.shape[1]:
                raise ValueError(
                    f"covariance must be square, got {covariance.shape[0]} x {covariance.shape[1]}; pass a covariance, "
                    "not the data, or theory.Moments.of(data)"
                )
            if covariance.ndim == 1:
                spectrum = validation.stated_spectrum("covariance", validation.vector("covariance", covariance))
                validation.fits_into_memory(
                    f"a covariance of {len(spectrum)} variables",
                    8 * len(spectrum) ** 2,
                    "pass a LinearOperator and its trace, or take operating_point, which needs no matrix",
                )
                covariance = np.diag(spectrum)
        symmetric = validation.symmetric_matrix("covariance", covariance)
        zeros = np.zeros(len(symmetric))
        moments = Moments.of_statistics(Statistics(0, zeros, zeros, symmetric))
    sizes = moments.covariance if moments.rows is None else moments.variances  # no entry is larger
    validation.within_decades("covariance", sizes, validation.VARIANCE_DECADES)
    return moments


def set_fields(record, **fields) -> None:
    """Set the checked fields of a frozen record."""
    for name, value in fields.items():
        object.__setattr__(record, name, value)
