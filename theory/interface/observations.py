"""The observations that a command line names: which columns of a file, and what is done to them.

**Columns** are named as in the header, or by their number from 1. A column whose name says that it numbers the rows
(`id`, `sample_id`, `PassengerId`, `index`), and which holds whole numbers or words of which none repeats, is left out
unless it is asked for: its variance is that of the numbering. What is left out is said.

**Standardised** columns are divided by their standard deviation (divided by N), so that the covariance is the matrix of
correlations; a constant column stays constant.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from theory import validation
from theory.interface.progress import progress_bar
from theory.interface.readers import (
    DELIMITERS,
    check_finite,
    checked_file,
    map_or_read,
    moments_of,
    read_columns,
    refuse_header,
)
from theory.interface.text_table import cell_number, table_column, table_names
from theory.moments import Moments, slices_of

__all__ = ["Observations", "factors_of", "is_text", "observations_of", "read_observations"]

LARGE = 2**28  # bytes of a file whose reading takes about a second
NUMBERS_ROWS = re.compile(r"(.*[\s_.-])?(id|ID|Id)|.*[a-z](ID|Id)|[Ii]ndex|[Uu]{2}[Ii][Dd]|UUID|[Rr]ow(_?[Ii]d)?")
DELIMITER_WORDS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "space": " "}


@dataclass(frozen=True, eq=False)
class Observations:
    """Observations, one in a row, and what was done to the file.

    Attributes
    ----------
    source : str
        the path of the file, or the name of the data set.
    array : (N, M) array
        what is stored; that of a `.npy` file is mapped, not read, and may have entries that are not finite.
    kept : tuple of int
        its columns that are used, D of M.
    names : tuple of str
        of the columns; by default their numbers in the file, from 1.
    left_out : tuple of str
        names of the columns that were left out.
    numbering : tuple of str
        those of them that were left out because they number the rows.
    standardized : bool
    """

    source: str
    array: np.ndarray
    kept: tuple[int, ...]
    names: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    numbering: tuple[str, ...] = ()
    standardized: bool = False

    @cached_property
    def values(self) -> np.ndarray:
        """The observations themselves, (N, D), all finite."""
        check_finite(self.source, self.array, self.kept)
        values = self.array if self._all_are_kept else self.array[:, self.kept]
        values = np.asarray(values, dtype=float)
        return _standardized(values) if self.standardized else values

    def moments(self) -> Moments:
        """Count, mean and covariance, for which the file is read in blocks; an error names it."""
        rows, columns = len(self.array), len(self.kept)
        needed = 8 * columns * min(rows, columns)  # the observations, or their covariance
        validation.fits_into_memory(f"{self.source}, {rows} x {columns},", needed, "name fewer columns")
        try:
            moments = moments_of(self.source, self._blocks())
        except ValueError:
            check_finite(self.source, self.array, self.kept)
            raise
        return moments.standardized() if self.standardized else moments

    def _blocks(self) -> Iterator[np.ndarray]:
        """Some of the observations at a time; of a large file the progress is shown."""
        large = self.array.nbytes >= LARGE
        with progress_bar(
            total=len(self.array),
            desc=f"read {self.source}",
            unit="row",
            progress=None if large else False,
            leave=False,
        ) as bar:
            for block in slices_of(self.array):
                yield block if self._all_are_kept else block[:, self.kept]
                bar.update(len(block))

    @property
    def _all_are_kept(self) -> bool:
        return self.kept == tuple(range(self.array.shape[1]))


def observations_of(
    arguments: argparse.Namespace, data_sets: Mapping | None = None, leave_out: Sequence[str] = ()
) -> Observations:
    """The observations that `--data` names; a line on stderr says if a column was left out unasked.

    Parameters
    ----------
    arguments : argparse.Namespace
    data_sets : mapping from names to functions, optional
        data sets that have a name instead of a file; the first is the default.
    leave_out : sequence of str
        names of columns that are left out besides those of `--leave-out`.
    """
    omitted = [*(_listed(arguments.leave_out) or ()), *leave_out]
    found = read_observations(
        next(iter(data_sets or ()), None) if arguments.data is None else arguments.data,
        arguments.header,
        delimiter=arguments.delimiter,
        columns=_listed(arguments.columns),
        leave_out=omitted or None,
        standardize=bool(arguments.standardize),
        data_sets=data_sets,
    )
    _say_what_is_left_out(found, "--columns")
    return found


def factors_of(arguments: argparse.Namespace) -> Observations:
    """The factors in the file of `--factors`, of which `--factor-columns` names the columns."""
    text = is_text(arguments.factors)
    found = read_observations(
        arguments.factors,
        arguments.header if text else None,
        delimiter=arguments.delimiter if text and _has(arguments.factors, arguments.delimiter) else None,
        columns=_listed(arguments.factor_columns),
    )
    _say_what_is_left_out(found, "--factor-columns")
    return found


def _has(path, delimiter: str | None) -> bool:
    """Whether the first line of a text file has the delimiter, which may be that of another file."""
    if delimiter is None:
        return False
    return table_names(checked_file(path)[0], None, _character(delimiter))[1] > 1


def is_text(path) -> bool:
    """Whether a file is read as text, so that it has a delimiter and may have a header."""
    return Path(str(path)).suffix.lower() in DELIMITERS


def _say_what_is_left_out(found: Observations, option: str) -> None:
    for name in found.numbering:
        print(f"left out column {name!r}, which numbers the rows; name it in {option} to keep it", file=sys.stderr)


def read_observations(
    path,
    header: bool | None = None,
    *,
    delimiter: str | None = None,
    columns: Sequence[str] | None = None,
    leave_out: Sequence[str] | None = None,
    standardize: bool = False,
    data_sets: Mapping[str, Callable[[], np.ndarray]] | None = None,
) -> Observations:
    """Observations from a file, one in a row.

    Parameters
    ----------
    path : str or path
        as for `theory.interface.readers.read_data`.
    header : bool, optional
        whether the first line of a text file holds names of columns; by default it does if it has no number.
    delimiter : str, optional
        of a text file: one character, or "tab", "space", "comma", "semicolon".
    columns : sequence of str, optional
        those to use, in this order, by name or number from 1; by default all.
    leave_out : sequence of str, optional
        those to leave out.
    standardize : bool
    data_sets : mapping from names to functions, optional
        what makes the data sets that have a name instead of a file.

    Returns
    -------
    Observations

    Raises
    ------
    ValueError
        for a column that is not there, or what `read_data` refuses.
    """
    built_in = (data_sets or {}).get(path)
    usual = None if built_in else DELIMITERS.get(checked_file(path)[0].suffix.lower())
    if usual is None:
        what = f"{path!r} is a built-in data set" if built_in else f"{path} is not a .csv or .tsv file"
        refuse_header(header, what)
        if delimiter is not None:
            raise ValueError(f"delimiter is for text, but {what}; leave it out")
        array = built_in() if built_in else map_or_read(path)
        names, numbering = [str(at) for at in range(1, array.shape[1] + 1)], []
        keep = stored = _kept(path, names, columns, leave_out)
    else:
        delimiter = usual if delimiter is None else _character(delimiter)
        named, width = table_names(Path(path), header, delimiter)
        if named and width == 1 and (other := next((each for each in ";\t|" if each in named[0]), None)):
            raise ValueError(f"{path}: its first line seems to be separated by {other!r}; pass it as --delimiter")
        names = named or [str(at) for at in range(1, width + 1)]
        numbering = _numbering(Path(path), names, delimiter) if named and columns is None else []
        keep = _kept(path, names, columns, [*(leave_out or ()), *numbering])
        array = read_columns(path, header, delimiter, None if keep == list(range(len(names))) else keep)
        stored = range(len(keep))
    kept = set(keep)
    asked = {_position(path, "leave_out", names, name) for name in leave_out or ()}
    return Observations(
        str(path),
        array,
        tuple(stored),
        names=tuple(names[at] for at in keep),
        left_out=tuple(name for at, name in enumerate(names) if at not in kept),
        numbering=tuple(name for name in numbering if names.index(name) not in asked),
        standardized=standardize,
    )


def _listed(text: str | None) -> list[str] | None:
    return None if text is None else [name.strip() for name in text.split(",")]


def _character(delimiter: str) -> str:
    character = DELIMITER_WORDS.get(validation.instance("delimiter", delimiter, str), delimiter)
    if len(character) != 1 or character.isalnum() or character in '."#_+-\r\n':
        raise ValueError(
            f"delimiter must be one character that no number has, tab or space, got {validation.shown(delimiter)}"
        )
    return character


def _numbering(file: Path, names: list[str], delimiter: str) -> list[str]:
    """The columns that number the rows: their name says so, and no value repeats."""
    found = [name for name in names if NUMBERS_ROWS.fullmatch(name) and names.count(name) == 1]
    columns = {name: list(table_column(file, names.index(name), delimiter)) for name in found}
    return [name for name, cells in columns.items() if len(names) > 1 and _all_differ(cells)]


def _all_differ(cells: list[str]) -> bool:
    """Whether the cells are whole numbers, or words, of which none repeats."""
    numbers = [cell_number(cell) for cell in cells]
    return len(set(cells)) == len(cells) and all(number is None or number.is_integer() for number in numbers)


def _kept(source, names: list[str], columns: Sequence[str] | None, leave_out: Sequence[str] | None) -> list[int]:
    """The positions of the columns to use."""
    keep = list(range(len(names)))
    if columns is not None:
        keep = [_position(source, "columns", names, name) for name in columns]
        if len(set(keep)) < len(keep):
            raise ValueError(f"columns must name each column once, got {', '.join(columns)}; leave out the repetition")
    omitted = {_position(source, "leave_out", names, name) for name in leave_out or ()}
    keep = [at for at in keep if at not in omitted]
    if not keep:
        raise ValueError(f"{source}: no column is left; name fewer in leave_out")
    return keep


def _position(source, argument: str, names: list[str], name: str) -> int:
    if names.count(name) == 1:
        return names.index(name)
    if not names.count(name) and name.isdecimal() and 1 <= int(name) <= len(names):
        return int(name) - 1
    what = "several columns" if name in names else "no column"
    shown = ", ".join(names[:8]) + (", ..." if names[8:] else "")
    raise ValueError(
        f"{argument} must name columns of {source}, which has {what} {name!r}; its columns are {shown}, or pass a "
        f"number from 1 to {len(names)}"
    )


def _standardized(values: np.ndarray) -> np.ndarray:
    """Columns of mean 0 and variance 1 (divided by N); constant ones are zero."""
    moments = Moments.of(values)
    deviations = np.sqrt(moments.variances)
    centred = values - moments.mean
    return np.divide(centred, deviations, out=np.zeros(values.shape), where=deviations > 0)
