"""Readers: observations, covariances, matrices and vectors from files, or from short text on a command line.

**Files.** `.npy`, `.npz` (`FILE.npz:KEY` picks one of several arrays; see `theory.interface.array_file`), and `.csv` or
`.tsv`, that is, UTF-8 text with commas or tabs between columns and at most one header line, where blank lines and
comments are ignored (see `theory.interface.text_table`). Nothing is ever unpickled.

**Text.** `3,2,1` is a vector, `1,.9;0,.436` a matrix, row by row.

**Errors.** Every error is a `ValueError` that names the file, the first faulty place and the remedy. Constant columns
are valid: zero variance is a result.

**Header.** In each reader, `header` states whether the first line of a `.csv` file holds the names of the columns. By
default it does if it has no number, and a line that could be either is refused: column numbers (`0,1,2`), or names that
are almost numbers.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from theory import validation
from theory.interface.array_file import array_names, map_array, read_array
from theory.interface.text_table import cell_number, read_table
from theory.moments import Moments

__all__ = [
    "check_finite",
    "checked_file",
    "map_data",
    "map_or_read",
    "moments_of",
    "read_archive",
    "read_columns",
    "read_covariance",
    "read_data",
    "read_matrices",
    "read_matrix",
    "read_moments",
    "read_vector",
]

DELIMITERS = {".csv": ",", ".tsv": "\t"}  # of text, by the kind of file
CHECKED_ROWS = 4096  # that are looked at together
EXTENSIONS = (".npy", ".npz", *DELIMITERS)


def read_data(path, header: bool | None = None) -> np.ndarray:
    """Observations from a file, one per row.

    Parameters
    ----------
    path : str or path
        `.npy`, `.npz` (one 2-d array, or `FILE.npz:KEY`), `.csv` or `.tsv`.
    header : bool, optional
        whether the first line of a text file holds names of columns; by default it does if it has no number.

    Returns
    -------
    (N, D) float array, N >= 2, D >= 1, all finite

    Raises
    ------
    ValueError
        if the file is missing, empty or of another kind, or if it holds text, rows of unequal length, NaN, or fewer
        than two rows.
    """
    return read_columns(path, header)


def read_columns(
    path, header: bool | None = None, delimiter: str | None = None, keep: Sequence[int] | None = None
) -> np.ndarray:
    """`read_data` of some columns, counted from 0, of a text file in which the others may hold any text.

    The delimiter is a comma by default, or a tab in a `.tsv` file.
    """
    return _several_rows(path, _load(path, 2, header, delimiter, keep))


def map_data(path, header: bool | None = None) -> np.ndarray:
    """The same for a `.npy` file without reading it: an array of any real type, whose entries may not be finite."""
    refuse_header(header, f"{path} is not a .csv file")
    array = map_array(checked_file(path)[0])
    _check_shape(path, array, (2,), "rows and columns")
    return _several_rows(path, array)


def map_or_read(path, header: bool | None = None) -> np.ndarray:
    """`map_data` of a `.npy` file, `read_data` of others."""
    mapped = checked_file(path)[0].suffix.lower() == ".npy"
    return map_data(path, header) if mapped else read_data(path, header)


def _several_rows(path, data: np.ndarray) -> np.ndarray:
    if len(data) < 2:
        raise ValueError(f"{path}: must have at least two rows, it has one; put one observation in each row")
    return data


def read_moments(path, header: bool | None = None) -> Moments:
    """Count, mean and covariance (divided by N) of the observations in a file, which a `.npy` file is not read into."""
    if header is not None:
        validation.flag("header", header)
    return moments_of(path, map_or_read(path, header))


def moments_of(source, data) -> Moments:
    """`Moments.of`, with the name of their source in errors."""
    try:
        return Moments.of(data)
    except ValueError as error:
        if isinstance(data, np.ndarray):
            check_finite(source, data)
        raise ValueError(f"{source}: {error}") from None


def read_covariance(path, header: bool | None = None) -> np.ndarray:
    """A covariance matrix, (D, D), symmetric and positive semi-definite, from a file as in `read_data`.

    Raises
    ------
    ValueError
        if the file cannot be read, or does not hold a covariance matrix.
    """
    return validation.covariance_matrix(f"the covariance in {path}", _load(path, 2, header))


def read_matrix(name: str, source: str, header: bool | None = None) -> np.ndarray:
    """A matrix from text such as "1,.9;0,.436" or from a file; `name` is the argument for error messages."""
    validation.instance(name, source, str, "pass text such as '1,.9;0,.436', or the path of a file as text")
    rows = [row.split(",") for row in source.split(";")]
    values = [cell_number(cell) for row in rows for cell in row]
    if None in values:
        return _from_file(name, source, 2, header, example="1,.9;0,.436")
    refuse_header(header, f"{name} is text")
    widths = sorted({len(row) for row in rows})
    if len(widths) > 1:
        raise ValueError(
            f"{name} must have rows of one length, {validation.shown(source)} has {widths}; separate rows by ';'"
        )
    return validation.matrix(name, np.array(values).reshape(len(rows), -1))


def read_matrices(name: str, source: str, header: bool | None = None) -> np.ndarray:
    """A matrix as in `read_matrix`, or from a `.npy` or `.npz` file also a stack of matrices, (M, D, K)."""
    validation.instance(name, source, str, "pass the path of a file as text")
    if _split_key(source)[0].suffix.lower() not in (".npy", ".npz"):
        return read_matrix(name, source, header)
    return _from_file(name, source, (2, 3), header, example="1,.9;0,.436")


def read_vector(name: str, source: str, header: bool | None = None) -> np.ndarray:
    """A vector from text such as "3,2,1" or from a file (one row or one column); `name` is as for `read_matrix`."""
    validation.instance(name, source, str, "pass text such as '3,2,1', or the path of a file as text")
    values = [cell_number(cell) for cell in source.split(",")]
    if None in values:
        return _from_file(name, source, 1, header, example="3,2,1")
    refuse_header(header, f"{name} is text")
    return validation.vector(name, np.array(values))


def read_archive(path, dimensions: Mapping[str, int]) -> tuple[dict[str, np.ndarray], list[str]]:
    """The arrays of an `.npz` archive that have one of the given names, checked, and the names of all others.

    Parameters
    ----------
    path : str or path
    dimensions : mapping from names to numbers of dimensions

    Returns
    -------
    arrays : dict of float arrays by name, all finite
    others : list of str

    Raises
    ------
    ValueError
        if the file is not an archive, or one of the named arrays is not usable.
    """
    validation.instance("path", path, (str, os.PathLike), "pass the path of a file")
    file = Path(path)
    _check_file(file)
    if file.suffix.lower() != ".npz":
        raise ValueError(f"{file}: must be an .npz archive of named arrays; save it with numpy.savez")
    names = array_names(file)
    arrays = {name: _load(f"{file}:{name}", ndim, None) for name, ndim in dimensions.items() if name in names}
    return arrays, [name for name in names if name not in dimensions]


def _from_file(name: str, source: str, ndim: int | tuple[int, ...], header: bool | None, example: str) -> np.ndarray:
    if _split_key(source)[0].suffix.lower() not in EXTENSIONS:
        kinds = ", ".join(EXTENSIONS)
        raise ValueError(
            f"{name} must be numbers such as {example!r} or a file ({kinds}), got {validation.shown(source)}"
        )
    try:
        return _load(source, ndim, header)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def checked_file(path) -> tuple[Path, str | None]:
    """The file of a path, which can be read and is of a known kind, and the KEY of FILE.npz:KEY."""
    validation.instance("path", path, (str, os.PathLike), "pass the path of a file")
    file, key = _split_key(path)
    _check_file(file)
    return file, key


def _load(
    path,
    ndim: int | tuple[int, ...],
    header: bool | None,
    delimiter: str | None = None,
    keep: Sequence[int] | None = None,
) -> np.ndarray:
    """The array of a file, checked: numbers only, `ndim` dimensions (or one of several numbers of them), all finite."""
    if header is not None:
        validation.flag("header", header)
    file, key = checked_file(path)
    ndims = ndim if isinstance(ndim, tuple) else (ndim,)
    usual = DELIMITERS.get(file.suffix.lower())
    if usual is not None:
        array = read_table(file, header, delimiter or usual, keep)
    else:
        refuse_header(header, f"{file} is not a .csv file")
        array = read_array(file, key, *ndims)
    if ndim == 1 and array.ndim == 2 and 1 in array.shape:
        array = array.ravel()
    _check_shape(path, array, ndims, "one row or one column" if ndim == 1 else "rows and columns")
    check_finite(path, array)
    return array


def _check_shape(path, array: np.ndarray, ndims: tuple[int, ...], wanted: str) -> None:
    if array.ndim not in ndims:
        raise ValueError(f"{path}: must hold {wanted}, its array has shape {array.shape}; reshape it before saving")
    if array.size == 0:
        raise ValueError(f"{path}: holds no numbers, its array has shape {array.shape}; save the numbers again")


def check_finite(path, array: np.ndarray, columns: Sequence[int] | None = None) -> None:
    """Refuse NaN and infinities, by the place in the file; only in some columns, counted from 0, if they are given."""
    for first in range(0, len(array), CHECKED_ROWS):
        rows = array[first : first + CHECKED_ROWS]
        found = validation.first_not_finite(rows if columns is None else rows[:, columns])
        if found is not None:
            place = (first + found[0], *(found[1:] if columns is None else [columns[found[1]]]))
            named = ", ".join(f"{side} {index + 1}" for side, index in zip(("row", "column"), place, strict=False))
            raise ValueError(
                f"{path}: {named} (counted from 1) is {array[place]}; remove or fill in the values that are not finite"
            )


def refuse_header(header: bool | None, what: str) -> None:
    """Refuse the argument `header` where there is no text file that could have one."""
    if header is not None:
        raise ValueError(f"header is for the first line of a .csv file, but {what}; leave it out")


def _split_key(path) -> tuple[Path, str | None]:
    """Split FILE.npz:KEY; every other path has no key."""
    text = str(path)
    before, separator, key = text.rpartition(":")
    if separator and before.lower().endswith(".npz"):
        return Path(before), key
    return Path(text), None


def _check_file(file: Path) -> None:
    try:
        kind = file.stat().st_mode
    except FileNotFoundError:
        raise ValueError(f"{file}: no such file; check the path, relative to {Path.cwd()}") from None
    except (OSError, ValueError) as error:  # a folder without permission, a name that is too long or has a NUL
        reason = getattr(error, "strerror", None) or error
        raise ValueError(f"{str(file)!r}: cannot be found ({reason}); check the path") from None
    if stat.S_ISDIR(kind):
        raise ValueError(f"{file}: is a folder; name a file in it")
    if file.suffix.lower() not in EXTENSIONS:
        raise ValueError(f"{file}: cannot read files of kind {file.suffix!r}; save as {', '.join(EXTENSIONS)}")
    if not stat.S_ISREG(kind):  # reading a pipe may never end, and is possible only once
        raise ValueError(f"{file}: is a pipe or a device, not a regular file; save the numbers into a file")
    try:
        with file.open("rb") as opened:
            empty = not opened.read(1)
    except OSError as error:
        raise ValueError(f"{file}: cannot be opened ({error.strerror}); check its permissions") from None
    if empty:
        raise ValueError(f"{file}: is empty; save the numbers again")
