"""The report of a command: values for machines and text for people.

JSON has no infinities: they are written as the strings "inf" and "-inf", and NaN as "nan". Every finite float is
written with all its digits. The first entry is "format", a number that increases when names change.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

import numpy as np

__all__ = ["FORMAT", "Report", "aligned_facts", "aligned_table", "csv_file", "csv_text", "npz_archive", "to_json"]


FORMAT = 1  # of the JSON that commands print and of the files that hold their results; increased when names change


@dataclasses.dataclass(frozen=True)
class Report:
    """The result of a subcommand.

    Attributes
    ----------
    values : mapping
        for `--json`, where `run_command` puts the entry "format" in front: strings, numbers, arrays, dataclasses, and
        lists and mappings of these.
    text : str
        the same for people.
    failed : bool
        whether a check failed, which makes the exit code 1.
    interrupted : bool
        whether the report holds only what was finished before an interrupt, which makes the exit code 130.
    files : mapping from paths to functions that write to an opened file
        the files that `run_command` writes, all or none; their paths are checked before the work
        (`files.output_file`).
    """

    values: Mapping
    text: str
    failed: bool = False
    interrupted: bool = False
    files: Mapping[Path, Callable[[IO[bytes]], object]] = dataclasses.field(default_factory=dict)


def npz_archive(values: Mapping) -> Callable[[IO[bytes]], object]:
    """A function that writes arrays by name, without those that are None, and "format" to an opened `.npz` file."""
    buffer = io.BytesIO()  # an archive on a full disk would raise a second error when it is deleted
    np.savez(buffer, **{name: value for name, value in {"format": FORMAT, **values}.items() if value is not None})
    return lambda opened: opened.write(buffer.getbuffer())


def csv_file(file: Path | None, columns: Mapping[str, Sequence]) -> Mapping[Path, Callable[[IO[bytes]], object]]:
    """The `files` of a report that has this table as its only file, or none if there is no path."""
    return {} if file is None else {file: lambda opened: opened.write(csv_text(columns).encode())}


def csv_text(columns: Mapping[str, Sequence]) -> str:
    """Columns of equal length as comma-separated text below their names: floats with all digits, None empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue()


def aligned_facts(values: Mapping[str, object]) -> str:
    """Names and values, one pair a line, aligned; cells as in `aligned_table`."""
    width = max(map(len, values), default=0)
    return "\n".join(f"{name:{width}}  {_cell(value)}" for name, value in values.items())


def aligned_table(columns: Mapping[str, Sequence]) -> str:
    """Columns of equal length as aligned text: floats to six digits, None as "-", numbers to the right."""
    cells = [[name, *map(_cell, values)] for name, values in columns.items()]
    for i, values in enumerate(columns.values()):
        width = max(map(len, cells[i]))
        is_text = any(isinstance(value, str) for value in values)
        cells[i] = [cell.ljust(width) if is_text else cell.rjust(width) for cell in cells[i]]
    return "\n".join("  ".join(row).rstrip() for row in zip(*cells, strict=True))


def to_json(values) -> str:
    """One JSON object or list from nested mappings, sequences, arrays, dataclasses, numbers, strings and paths."""
    return json.dumps(_plain(values), allow_nan=False, indent=2)


def _cell(value) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    return f"{value + 0.0:.6g}" if isinstance(value, float | np.floating) else str(value)


def _plain(value):
    """The same values as types that JSON has."""
    if dataclasses.is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return str(value) if isinstance(value, Path) else value
