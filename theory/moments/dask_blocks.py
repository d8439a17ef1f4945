"""Moments of a Dask array or data frame: each block is reduced where it lies, and the moments are added in pairs.

What travels between workers is the moments of blocks: D x D numbers, or as many rows as are fewer than D. Data travel
only if an array is divided along its columns, whose parts are then joined first, or if Dask gives a block to a worker
that has nothing else to do.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from theory.moments.statistics import Statistics, joined

__all__ = ["statistics_of_blocks"]

BLOCK_NUMBERS = 2**23  # of a block of whole rows at most: 64 MiB, far more than D x D numbers up to D = 1,000


def statistics_of_blocks(data, of_block: Callable) -> Statistics | None:
    """Those of a two-dimensional Dask collection, computed by the scheduler that is in use; None if it is empty.

    Parameters
    ----------
    data : Dask array or data frame
    of_block : callable
        from a block and the number of its first row to its statistics.
    """
    from dask import delayed

    dimensions = getattr(data, "ndim", None)
    if not isinstance(dimensions, int) or dimensions != 2:
        several = f" of {dimensions} dimensions" if isinstance(dimensions, int) else ""
        raise ValueError(
            f"data must be a matrix, got a Dask {type(data).__name__}{several}; pass an array of two dimensions, or a "
            "data frame"
        )
    lengths = None
    if hasattr(data, "chunks"):
        if data.numblocks[1] > 1:
            data = _whole_rows(data)
        lengths = None if np.isnan(data.shape[0]) else data.chunks[0]
    parts = np.ravel(data.to_delayed())
    firsts = [None] * len(parts) if lengths is None else np.cumsum((0, *lengths[:-1])).tolist()
    reduce, join = delayed(_reduced, pure=False), delayed(joined, pure=False)
    found = [reduce(of_block, part, *where) for part, *where in zip(parts, range(len(parts)), firsts, strict=True)]
    while len(found) > 1:
        found = [join(*found[at : at + 2]) for at in range(0, len(found), 2)]
    return found[0].compute() if found else None


def _whole_rows(data):
    """An array that is divided along its columns, divided along its rows only.

    Chunks of few columns have many rows, and whole ones might not fit into memory: they are divided where that is so.
    """
    rows, columns = data.shape
    most = max(1, BLOCK_NUMBERS // columns) if columns > 0 else rows
    if data.chunksize[0] > most:  # which is false of unknown lengths
        return data.rechunk({0: most, 1: -1})
    return data.rechunk({1: -1})


def _reduced(of_block: Callable, block, number: int, first_row: int | None) -> Statistics | None:
    """The statistics of a block; `first_row` is None if the number of rows before the block is not known."""
    try:
        return of_block(block, first_row or 0)
    except ValueError as error:
        if first_row is not None:
            raise
        raise ValueError(f"{error} (in block {number}, counted from 0; rows are counted in the block)") from None
