"""Moments of a Dask array or data frame: each block is reduced where it lies, and the moments are added in pairs.

What travels between workers is the moments of blocks, D x D numbers, or as many rows as are fewer than D; never the
data, unless an array is divided along its columns, whose parts are then joined first.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from theory.moments.statistics import Statistics, joined

__all__ = ["statistics_of_blocks"]


def statistics_of_blocks(data, of_block: Callable) -> Statistics | None:
    """Those of a two-dimensional Dask collection, computed by the scheduler that is in use; None if it is empty.

    Parameters
    ----------
    data : Dask array or data frame
    of_block : callable
        from a block and the number of its first row to its statistics.
    """
    from dask import delayed

    if getattr(data, "ndim", 2) != 2:
        raise ValueError(f"data must be a matrix, got a Dask array of shape {data.shape}; pass a two-dimensional one")
    lengths = [np.nan]
    if hasattr(data, "chunks"):
        if data.numblocks[1] > 1:
            data = data.rechunk({1: -1})
        lengths = data.chunks[0]
    parts = np.ravel(data.to_delayed())
    known = len(lengths) == len(parts) and not np.isnan(lengths).any()
    firsts = np.concatenate([[0], np.cumsum(lengths[:-1])]).astype(int).tolist() if known else [0] * len(parts)
    reduce, join = delayed(of_block, pure=False), delayed(joined, pure=False)
    found = [reduce(part, first) for part, first in zip(parts, firsts, strict=True)]
    while len(found) > 1:
        found = [join(*found[at : at + 2]) for at in range(0, len(found), 2)]
    return found[0].compute() if found else None
