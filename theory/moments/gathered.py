"""Observations as they come, in parts: kept while they are fewer than their variables, and summed from then on."""

from __future__ import annotations

import numpy as np

from theory import validation
from theory.moments.few_rows import CentredRows
from theory.moments.statistics import Statistics, of_rows
from theory.moments.sums import CentredSums

__all__ = ["Gathered"]

GROWTH = 1.25  # of the memory of rows whose number is not known


class Gathered:
    """The statistics of the observations that were added.

    Parameters
    ----------
    data_dim : int, D >= 1
    rows : int, optional
        the number of observations that will come, if it is known: their memory is taken, or refused, at once.
    first_row : int
        the number of the first of them in the data, for error messages.
    """

    def __init__(self, data_dim: int, rows: int | None = None, first_row: int = 0):
        self._data_dim, self._expected, self._first_row = data_dim, rows, first_row
        self._count, self._kept = 0, np.empty((0, data_dim))
        self._sums: CentredSums | None = None
        if rows is not None:
            self._make_room(rows)

    def add(self, rows: np.ndarray) -> None:
        """Add observations, an (n, D) array of real numbers of any type; they are copied."""
        count = self._count + len(rows)
        if self._sums is None:
            self._make_room(count)
        if self._sums is not None:
            self._sums.add(rows)
        else:
            with np.errstate(over="ignore", invalid="ignore"):  # longer floats may become infinite
                self._kept[self._count : count] = rows
        self._count = count

    def statistics(self) -> Statistics | None:
        """None if there is no observation; to be asked once, when all were added."""
        if not self._count:
            return None
        if self._sums is not None:
            return Statistics(*self._sums.moments())
        self._kept.resize((self._count, self._data_dim), refcheck=False)
        return of_rows(self._count, *CentredRows.of(self._kept, self._first_row))

    def _make_room(self, count: int) -> None:
        """Memory for so many rows; or sums in their place, if they are as many as the variables."""
        if max(count, self._expected or 0) >= self._data_dim:
            self._sums = CentredSums(self._data_dim, self._expected, self._first_row)
            kept, self._kept = self._kept[: self._count], np.empty((0, self._data_dim))
            self._sums.add(kept)
        elif count > len(self._kept):
            size = max(count, self._expected or min(int(GROWTH * count), self._data_dim))
            what = f"data of {size if self._expected else f'{count} or more'} x {self._data_dim}"
            validation.fits_into_memory(what, 8 * size * self._data_dim, "pass fewer columns")
            # No view of it is left, and the memory grows where it is, without a copy.
            self._kept.resize((size, self._data_dim), refcheck=False)
