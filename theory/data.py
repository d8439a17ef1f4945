"""Readers: observations, covariances, matrices and vectors from files, or from the short text of a command line.

Files: `.npy`, `.npz` (`FILE.npz:KEY` picks one of several arrays) and `.csv`, that is, UTF-8 text with commas between
columns, at most one header line (a line without a single number), blank lines and everything behind `#` ignored.
Nothing is ever unpickled.
Text: `3,2,1` is a vector, `1,.9;0,.436` a matrix, row after row.

Every fault is a `ValueError` that names the file, the first place where it is at fault, and what to do. Constant
columns are no fault: zero variance is a result.
"""

from __future__ import annotations

import csv
import math
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from theory import validation
from theory.model import Moments

__all__ = ["read_covariance", "read_data", "read_matrix", "read_moments", "read_vector"]

EXTENSIONS = (".npy", ".npz", ".csv")


def read_data(path) -> np.ndarray:
    """Observations from a file, one per row.

    Parameters
    ----------
    path : str or path
        `.npy`, `.npz` (one 2-d array, or `FILE.npz:KEY`) or `.csv`.

    Returns
    -------
    (N, D) float array, N >= 2, D >= 1, all finite

    Raises
    ------
    ValueError
        if the file is missing, empty, of another kind, holds text, ragged rows, NaN, or fewer than two rows.
    """
    data = _load(path, ndim=2)
    if len(data) < 2:
        raise ValueError(f"{path}: must have at least two rows, it has one; put one observation in each row")
    return data


def read_moments(path) -> Moments:
    """Count, mean and covariance (divided by N) of the observations in a file; see `read_data`."""
    return Moments.of(read_data(path))


def read_covariance(path) -> np.ndarray:
    """A covariance matrix, (D, D), symmetric and positive semi-definite, from a file of a kind that `read_data` takes.

    Raises
    ------
    ValueError
        if the file cannot be read, or what it holds is no covariance matrix.
    """
    return validation.covariance_matrix(f"the covariance in {path}", _load(path, ndim=2))


def read_matrix(name: str, source: str) -> np.ndarray:
    """A matrix from text such as "1,.9;0,.436" or from a file; `name` is the argument that errors name."""
    rows = [row.split(",") for row in source.split(";")]
    values = [_number(cell) for row in rows for cell in row]
    if None in values:
        return _from_file(name, source, ndim=2, example="1,.9;0,.436")
    widths = sorted({len(row) for row in rows})
    if len(widths) > 1:
        raise ValueError(f"{name} must have rows of one length, {source!r} has {widths}; separate rows by ';'")
    return validation.matrix(name, np.array(values).reshape(len(rows), -1))


def read_vector(name: str, source: str) -> np.ndarray:
    """A vector from text such as "3,2,1" or from a file (one row or one column); `name` is as for `read_matrix`."""
    values = [_number(cell) for cell in source.split(",")]
    if None in values:
        return _from_file(name, source, ndim=1, example="3,2,1")
    return validation.vector(name, np.array(values))


def _from_file(name: str, source: str, ndim: int, example: str) -> np.ndarray:
    if _split_key(source)[0].suffix.lower() not in EXTENSIONS:
        kinds = ", ".join(EXTENSIONS)
        raise ValueError(f"{name} must be numbers such as {example!r} or a file ({kinds}), got {source!r}")
    try:
        return _load(source, ndim)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _load(path, ndim: int) -> np.ndarray:
    """The one array of a file, checked: numbers only, of the wanted dimension, all finite."""
    file, key = _split_key(path)
    _check_file(file)
    array = _read_csv(file) if file.suffix.lower() == ".csv" else _read_numpy(file, key, ndim)
    if ndim == 1 and array.ndim == 2 and 1 in array.shape:
        array = array.ravel()
    if array.ndim != ndim:
        wanted = "rows and columns" if ndim == 2 else "one row or one column"
        raise ValueError(f"{path}: must hold {wanted}, its array has shape {array.shape}; reshape it before saving")
    if array.size == 0:
        raise ValueError(f"{path}: holds no numbers, its array has shape {array.shape}; save the numbers again")
    faults = ~np.isfinite(array)
    if faults.any():
        first = np.unravel_index(np.argmax(faults), array.shape)
        place = ", ".join(f"{side} {index + 1}" for side, index in zip(("row", "column"), first, strict=False))
        raise ValueError(f"{path}: {place} (counted from 1) is {array[first]}; remove or fill in what is not finite")
    return array


def _split_key(path) -> tuple[Path, str | None]:
    """Split FILE.npz:KEY; every other path has no key."""
    text = str(path)
    before, separator, key = text.rpartition(":")
    if separator and before.lower().endswith(".npz"):
        return Path(before), key
    return Path(text), None


def _check_file(file: Path) -> None:
    if file.is_dir():
        raise ValueError(f"{file}: is a folder; name a file in it")
    if not file.exists():
        raise ValueError(f"{file}: no such file; check the path, relative to {Path.cwd()}")
    if file.suffix.lower() not in EXTENSIONS:
        raise ValueError(f"{file}: cannot read files of kind {file.suffix!r}; save as {', '.join(EXTENSIONS)}")
    try:
        with file.open("rb") as opened:
            empty = not opened.read(1)
    except OSError as error:
        raise ValueError(f"{file}: cannot be opened ({error.strerror}); check its permissions") from None
    if empty:
        raise ValueError(f"{file}: is empty; save the numbers again")


def _read_numpy(file: Path, key: str | None, ndim: int) -> np.ndarray:
    """The array that the key names; without a key the only array, or the only one of the wanted dimension."""
    try:
        with file.open("rb") as opened:  # np.load itself leaves a damaged archive open
            loaded = np.load(opened, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                names, arrays = [""], {"": loaded}
            else:
                names = loaded.files
                arrays = {name: loaded[name] for name in names if key in (None, name)}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error):
        raise ValueError(
            f"{file}: is damaged, or holds Python objects, which are never read; "
            "save plain numbers with numpy.save or numpy.savez, or name one array as FILE.npz:KEY"
        ) from None
    if len(arrays) > 1:
        arrays = {name: array for name, array in arrays.items() if array.ndim == ndim}
    if len(arrays) != 1:
        found = f"{len(arrays)} {ndim}-d arrays" if key is None else f"no array {key!r}"
        raise ValueError(f"{file}: holds {found}; name one as FILE.npz:KEY, its arrays: {', '.join(names) or 'none'}")
    (array,) = arrays.values()
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{file}: holds values of type {array.dtype}; save an array of real numbers")
    return array.astype(float)


def _read_csv(file: Path) -> np.ndarray:
    """The table in a text file: numpy's reader where all is well, else cell by cell, to name what is wrong."""
    skipped = _lines_before_data(file)
    try:
        table = np.loadtxt(file, delimiter=",", skiprows=skipped, quotechar='"', encoding="utf-8-sig", ndmin=2)
    except ValueError:
        return _scan(file, skipped)
    return table if np.isfinite(table).all() else _scan(file, skipped)


def _lines_before_data(file: Path) -> int:
    lines = _lines(file)
    first, second = next(lines, None), next(lines, None)
    if first is None:
        raise ValueError(f"{file}: holds no numbers; save the table again")
    number, cells = first
    if any(_number(cell) is not None for cell in cells):
        return number - 1
    if "" in cells:
        raise ValueError(
            f"{file}: line {number}, column {cells.index('') + 1} is a name that is empty, as of a row index; "
            "remove that column (pandas: to_csv(index=False)) or name it"
        )
    if second is None:
        raise ValueError(f"{file}: holds a header and no rows; save the table again")
    return number


def _scan(file: Path, skipped: int) -> np.ndarray:
    """Read a text file cell by cell, and stop at the first one that is wrong."""
    rows, first = [], None
    for number, cells in _lines(file):
        if number <= skipped:
            continue
        first = first or number
        values = [_number(cell) for cell in cells]
        for column, (cell, value) in enumerate(zip(cells, values, strict=True), start=1):
            if value is not None and math.isfinite(value):
                continue
            remedy = "keep columns of numbers only, commas between columns, points for decimals"
            if number == first and not skipped:
                remedy += ", and a header without numbers"
            if not cell or value is not None:
                remedy = "remove or fill in missing values"
            raise ValueError(f"{file}: line {number}, column {column} is {cell!r}, not a finite number; {remedy}")
        if rows and len(values) != len(rows[0]):
            raise ValueError(
                f"{file}: line {number} has {len(values)} columns, line {first} has {len(rows[0])}; "
                "give every row the same columns"
            )
        rows.append(values)
    return np.array(rows)


def _lines(file: Path) -> Iterator[tuple[int, list[str]]]:
    """The lines of a text file that are not blank, with their number from 1, split into cells."""
    try:
        with file.open(encoding="utf-8-sig") as opened:
            for number, line in enumerate(opened, start=1):
                if text := line.partition("#")[0].strip():
                    yield number, [cell.strip() for cell in next(csv.reader([text], skipinitialspace=True))]
    except (UnicodeDecodeError, csv.Error):
        raise ValueError(f"{file}: is not a text table in UTF-8; save it as CSV UTF-8, or as .npy") from None


def _number(cell: str) -> float | None:
    try:
        return None if "_" in cell else float(cell)  # Python would read 1_000 as a number, tables do not write it
    except ValueError:
        return None
