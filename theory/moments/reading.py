"""From data of any kind to their moments: arrays, mapped files, sparse matrices, chunks.

An array is taken a block at a time, whatever its type of numbers. So is what can be sliced, such as a memory-mapped
file (or a data set of h5py or zarr), of which never more than a block is in memory. An iterator is read once.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator, Mapping, Set

import numpy as np

from theory import validation
from theory.moments.gathered import Gathered
from theory.moments.statistics import Statistics, joined, of_stacked

__all__ = ["slices_of", "statistics_of", "statistics_of_block"]

SLICE_NUMBERS = 2**20  # numbers that are taken together from an array that is not in memory


def statistics_of(data) -> Statistics:
    """Those of observations in any form that `Moments.of` takes."""
    if hasattr(data, "__dask_graph__") and hasattr(data, "to_delayed"):
        from theory.moments.dask_blocks import statistics_of_blocks

        found = statistics_of_blocks(data, statistics_of_block)
    elif hasattr(data, "tocsr"):
        found = _of_sparse(data)
    elif _is_chunks(data):
        found = _of_chunks(data)
    else:
        return _of_array(data)
    if found is None or found.count < 2:
        rows = 0 if found is None else found.count
        raise ValueError(f"data must have at least two rows, got {rows}; pass one observation per row")
    return found


def statistics_of_block(block, first_row: int = 0) -> Statistics | None:
    """Those of some of the observations, one or more; None if there is none. `first_row` is for error messages."""
    if hasattr(block, "tocsr"):
        return _of_sparse(block, first_row)
    rows = _numbers(block)
    if rows.ndim != 2:
        raise ValueError(f"data must be a matrix, got a block of shape {rows.shape}; pass blocks of n x D")
    if not rows.shape[1]:
        raise ValueError(
            f"data must have at least one column, got a block of shape {rows.shape}; pass one per variable"
        )
    return _of_rows(rows, first_row) if len(rows) else None


def _of_array(data) -> Statistics:
    rows = _numbers(data)
    if len(rows.shape) != 2 or rows.shape[0] < 2 or not rows.shape[1]:
        validation.observations("data", rows[:] if rows.shape else rows)  # says what is wrong
    try:
        return _of_rows(rows)
    except ValueError:
        if rows is not data:
            validation.observations("data", data)  # names the column of a data frame by its label
        raise


def _of_rows(rows, first_row: int = 0) -> Statistics:
    """Those of an (n, D) array of real numbers, n >= 1."""
    count, data_dim = rows.shape
    gathered = Gathered(data_dim, count, first_row)
    for part in slices_of(rows):
        gathered.add(part)
    return gathered.statistics()


def _of_sparse(data, first_row: int = 0) -> Statistics | None:
    return of_stacked([_checked_sparse(data, first_row)])


def _checked_sparse(data, first_row: int):
    from scipy.sparse import csr_array

    if data.dtype.kind not in "iuf" or data.ndim != 2:
        raise ValueError(
            f"data must be a matrix of real numbers, got a sparse {data.dtype} of shape {data.shape}; pass numbers"
        )
    matrix = csr_array(data, dtype=float, copy=True)
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    if not matrix.shape[1]:
        raise ValueError(f"data must have at least one column, got a sparse array of shape {data.shape}")
    if not np.isfinite(matrix.data).all():
        at = int(np.argmin(np.isfinite(matrix.data)))
        row = first_row + int(np.searchsorted(matrix.indptr, at, side="right")) - 1
        raise ValueError(
            f"data must be finite, row {row}, column {matrix.indices[at]} (counted from 0) is {matrix.data[at]}; "
            "remove or replace NaN and infinite entries"
        )
    return matrix


def _is_chunks(data) -> bool:
    """Whether data are chunks of observations: an iterator, or a sequence of matrices, or what is only iterable."""
    if isinstance(data, Iterator):
        return True
    if isinstance(data, list | tuple):
        return bool(data) and getattr(data[0], "ndim", None) == 2
    known = isinstance(data, str | bytes | bytearray | range | Mapping | Set | type)
    array_like = any(hasattr(data, name) for name in ("__array__", "columns", "dtype", "detach"))
    return isinstance(data, Iterable) and not (known or array_like)


def _of_chunks(chunks) -> Statistics | None:
    """Those of chunks of observations, each an (n, D) array, or one observation of D numbers."""
    gathered: Gathered | None = None  # of the dense chunks
    found: Statistics | None = None  # of the sparse ones, but for those
    matrices: list = []  # that take less memory than a covariance,
    stored = 0  # in bytes
    count, data_dim, labels = 0, None, None
    for index, chunk in enumerate(chunks):
        sparse = hasattr(chunk, "tocsr")
        rows = chunk if sparse else _chunk_rows(index, chunk)
        if data_dim is None:
            data_dim, labels = rows.shape[1], _labels(chunk)
        if rows.shape[1] != data_dim or not data_dim:
            raise ValueError(
                f"data must have chunks of as many columns, at least one: chunk {index} (counted from 0) has "
                f"{rows.shape[1]}, the first {data_dim}; pass the same variables in each"
            )
        if _labels(chunk) != labels:
            raise ValueError(
                f"data must have chunks of the same columns in the same order: chunk {index} (counted from 0) has "
                f"{validation.shown(_labels(chunk))}, the first {validation.shown(labels)}; sort the columns of each"
            )
        if sparse:
            matrices.append(_checked_sparse(chunk, count))
            stored += matrices[-1].data.nbytes
            if stored > 8 * data_dim**2:
                found, matrices, stored = joined(found, of_stacked(matrices)), [], 0
        else:
            gathered = gathered or Gathered(data_dim, _rows_of(chunks))
            for part in slices_of(rows):
                gathered.add(part)
        count += rows.shape[0]
    if matrices:
        found = joined(found, of_stacked(matrices))
    return joined(found, gathered.statistics() if gathered is not None else None)


def _rows_of(chunks) -> int | None:
    """The number of rows of a list of dense matrices; None if it is not known before they are read."""
    if not isinstance(chunks, list | tuple) or any(hasattr(chunk, "tocsr") for chunk in chunks):
        return None
    shapes = [getattr(chunk, "shape", ()) for chunk in chunks]
    return sum(shape[0] for shape in shapes) if all(len(shape) == 2 for shape in shapes) else None


def _labels(chunk) -> list | None:
    """The labels of the columns of a data frame."""
    columns = getattr(chunk, "columns", None)
    return None if columns is None else list(columns)


def _chunk_rows(index: int, chunk):
    rows = _numbers(chunk)
    if len(rows.shape) == 1:
        return rows[np.newaxis]
    if len(rows.shape) != 2:
        raise ValueError(
            f"data must have chunks that are matrices, or rows, chunk {index} (counted from 0) has shape "
            f"{rows.shape}; pass arrays of n x D"
        )
    return rows


def _numbers(data):
    """Data as they are if they are an array of real numbers of any type, or can be sliced like one; else as floats."""
    dtype, shape = getattr(data, "dtype", None), getattr(data, "shape", None)
    plain = type(data) in (np.ndarray, np.memmap) or not isinstance(data, np.ndarray | np.generic)
    if plain and isinstance(dtype, np.dtype) and dtype.kind in "iuf" and isinstance(shape, tuple) and len(shape) == 2:
        return data
    return validation.real_array("data", data)


def slices_of(rows) -> Iterator[np.ndarray]:
    """An array in parts, so that no more than one is in memory if it is mapped or stored elsewhere."""
    mapped = _mapped_file(rows)
    if type(rows) is np.ndarray and mapped is None:
        yield rows
        return
    step = max(1, SLICE_NUMBERS // rows.shape[1])
    for first in range(0, rows.shape[0], step):
        part, expected = rows[first : first + step], (min(step, rows.shape[0] - first), rows.shape[1])
        if not isinstance(rows, np.ndarray):  # others may give masked entries, or ask to be sliced in another way
            part = validation.real_array("data", part)
        if part.shape != expected:
            raise ValueError(
                f"data must give {expected} numbers for [{first}:{first + step}], got {part.shape}; pass an array"
            )
        yield np.asarray(part)
        if mapped is not None:
            mapped.madvise(mmap.MADV_DONTNEED)  # the pages that were read no longer count as memory of this process


def _mapped_file(rows) -> mmap.mmap | None:
    """The file that an array maps, or a part of it, and shares; None for others."""
    while isinstance(rows, np.ndarray) and not isinstance(rows, np.memmap):
        rows = rows.base
    if not isinstance(rows, np.memmap) or rows.mode == "c" or not hasattr(mmap, "MADV_DONTNEED"):
        return None  # of a copy on write, what was changed would be lost
    while isinstance(rows, np.ndarray):
        rows = rows.base
    return rows
