"""Real data: scikit-learn's handwritten digits, and the user's observations from a file."""

from __future__ import annotations

import os

import numpy as np

from numerics.data import DATA_SETS
from theory import validation
from theory.interface.readers import read_data, refuse_header

__all__ = ["BUILT_IN", "digits", "load"]


def digits() -> np.ndarray:
    """The 1797 images of 8 x 8 pixels, grey values 0 to 16, that come with scikit-learn, one per row: (1797, 64).

    Three pixels are zero in every image, so that the covariance has rank 61.
    """
    from sklearn.datasets import load_digits

    return load_digits().data.astype(float)


BUILT_IN = dict(zip(DATA_SETS, (digits,), strict=True))


def load(source, header: bool | None = None) -> np.ndarray:
    """Observations by the name of a data set or from a file.

    Parameters
    ----------
    source : str or path
        "digits", or the path of a `.npy`, `.npz` (`FILE.npz:KEY`) or `.csv` file, one observation per row.
    header : bool, optional
        whether the first line of a `.csv` file holds names of columns; by default it does if it has no number.

    Returns
    -------
    (N, D) float array

    Raises
    ------
    ValueError
        if it is neither a data set nor a usable file, see `theory.interface.readers.read_data`.
    """
    validation.instance("source", source, (str, os.PathLike), "pass the name of a data set, or the path of a file")
    if source not in DATA_SETS:
        return read_data(source, header)
    refuse_header(header, f"{source!r} is a built-in data set")
    return BUILT_IN[source]()
