"""What a command reports: values for machines and text for people.

JSON has no infinities: they are written as the strings "inf" and "-inf", and what is not a number as "nan". Every
finite float is written with all its digits. The first entry is "format", a number that is raised when names change.
"""

from __future__ import annotations

import dataclasses
import io
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

import numpy as np

__all__ = ["FORMAT", "Report", "aligned_facts", "aligned_table", "npz_archive", "to_json"]


FORMAT = 1  # of the JSON that commands print and of the files that hold their results; raised when names change


@dataclasses.dataclass(frozen=True)
class Report:
    """What a subcommand has to say.

    Attributes
    ----------
    values : mapping
        for `--json`, where `run_command` puts the entry "format" before them: strings, numbers, arrays, dataclasses and
        nestings of them.
    text : str
        the same for people.
    failed : bool
        whether a check failed, which makes the exit code 1.
    interrupted : bool
        whether this is only what was finished before an interrupt, which makes the exit code 130.
    files : mapping from paths to functions that fill an opened file
        what `run_command` is to write, all or none; where a file can be written is checked before the work
        (`files.output_file`).
    """

    values: Mapping
    text: str
    failed: bool = False
    interrupted: bool = False
    files: Mapping[Path, Callable[[IO[bytes]], object]] = dataclasses.field(default_factory=dict)


def npz_archive(values: Mapping) -> Callable[[IO[bytes]], object]:
    """What fills an opened `.npz` file with arrays by name, `None` left out, and "format", as the JSON has it."""
    buffer = io.BytesIO()  # since an archive that a full disk cuts short complains once more when it is forgotten
    np.savez(buffer, **{name: value for name, value in {"format": FORMAT, **values}.items() if value is not None})
    return lambda opened: opened.write(buffer.getbuffer())


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
    """The same in terms of what JSON knows."""
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
