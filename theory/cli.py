"""What the command lines of `theory`, `numerics` and `figures` share.

A door is a `Parser` with subcommands. Each subcommand is a function from parsed arguments to a `Report`, and `run` does
the rest: it prints the report (as text, or with `--json` as one JSON object) to stdout, and turns every `ValueError`
into one line on stderr that names the argument and the remedy, and every `OSError` (a full disk, a file that cannot be
read) into one that names the file. Exit codes: 0 good, 1 a check failed, 2 bad usage or no access, 130 interrupted.

JSON has no infinities: they are written as the strings "inf" and "-inf", and what is not a number as "nan". Every
finite float is written with all its digits.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from theory import validation

__all__ = [
    "FORMAT",
    "Parser",
    "Report",
    "add_command",
    "chosen",
    "facts",
    "number_or_word",
    "positive_numbers",
    "posterior_family",
    "run",
    "table",
    "to_json",
]


FORMAT = 1  # of the JSON that commands print and of the files that hold their results; raised when names change
INTERRUPTED = 130  # 128 + SIGINT, as shells have it


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are `ValueError`s of one line, reported by `run` like all others."""

    def error(self, message: str):
        raise ValueError(f"{message}; see {self.prog} --help")


@dataclasses.dataclass(frozen=True)
class Report:
    """What a subcommand has to say.

    Attributes
    ----------
    values : mapping
        for `--json`: strings, numbers, arrays, dataclasses and nestings of them.
    text : str
        the same for people.
    failed : bool
        whether a check failed, which makes the exit code 1.
    interrupted : bool
        whether this is only what was finished before an interrupt, which makes the exit code 130.
    """

    values: Mapping
    text: str
    failed: bool = False
    interrupted: bool = False


def add_command(commands, name: str, function: Callable[[argparse.Namespace], Report], about: str, examples: str):
    """Add a subcommand with its `--json` flag to what `Parser.add_subparsers` returned; returns its parser."""
    parser = commands.add_parser(
        name,
        help=about,
        description=about,
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object; infinities and NaN as the strings inf, -inf, nan"
    )
    parser.set_defaults(command=function)
    return parser


def run(parser: Parser, argv: Sequence[str] | None = None) -> int:
    """Run the subcommand that `argv` (by default the process's arguments) names, and return the exit code."""
    argv = sys.argv[1:] if argv is None else argv
    try:
        arguments = parser.parse_args(_attach_negative_values(argv))
        report = arguments.command(arguments)
    except np.linalg.LinAlgError:  # a ValueError to Python, but no one's bad usage
        raise
    except (ValueError, OSError) as error:
        return _refuse(parser, error)
    except KeyboardInterrupt:
        print(f"{parser.prog}: interrupted", file=sys.stderr)
        return INTERRUPTED
    try:
        print(to_json(report.values) if arguments.json else report.text, flush=True)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # keep the interpreter's own flush quiet
        if not isinstance(error, BrokenPipeError):  # that is a reader who has seen enough, as in `| head`
            return _refuse(parser, error)
    return INTERRUPTED if report.interrupted else int(report.failed)


def positive_numbers(name: str, text: str) -> np.ndarray:
    """Read "2", "0.5,1,2" or the range "0.1:10:50" (50 numbers from 0.1 to 10, evenly spaced in the logarithm)."""
    parts = text.split(":")
    try:
        if len(parts) == 1:
            values = np.array([float(part) for part in text.split(",")])
        else:
            low, high, count = float(parts[0]), float(parts[1]), int(parts[2])
            if len(parts) > 3 or not 0 < low < high < math.inf or count < 2:
                raise ValueError
            values = np.geomspace(low, high, count)
    except (ValueError, IndexError):
        raise ValueError(
            f"{name} must be a number, a list such as 0.5,1,2 or a range low:high:count such as 0.1:10:50, got {text!r}"
        ) from None
    if not (np.isfinite(values).all() and values.min() > 0):
        raise ValueError(f"{name} must be > 0 and finite, got {text!r}; pass positive numbers")
    return values


def number_or_word(name: str, text: str, *words: str) -> float | str:
    """Read a number, or one of the words that stand for one."""
    if text in words:
        return text
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{name} must be a number or {' or '.join(words)}, got {text!r}") from None


def chosen(name: str, texts: Sequence[str] | None, names: Iterable[str]) -> list[str]:
    """Read names from lists separated by commas, each name once; None stands for all of them."""
    if texts is None:
        return list(names)
    found = dict.fromkeys(part.strip() for text in texts for part in text.split(","))
    return [validation.choice(name, part, names) for part in found]


def posterior_family(name: str, text: str) -> str | list[list[int]]:
    """Read "diagonal", "full", or groups of latents such as "0,1;2"."""
    if text in ("diagonal", "full"):
        return text
    try:
        return [[int(latent) for latent in group.split(",")] for group in text.split(";")]
    except ValueError:
        raise ValueError(f"{name} must be diagonal, full, or groups of latents such as '0,1;2', got {text!r}") from None


def facts(values: Mapping[str, object]) -> str:
    """Names and values, one pair a line, aligned; cells as in `table`."""
    width = max(map(len, values), default=0)
    return "\n".join(f"{name:{width}}  {_cell(value)}" for name, value in values.items())


def table(columns: Mapping[str, Sequence]) -> str:
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


def _refuse(parser: Parser, error: ValueError | OSError) -> int:
    """Tell the error in one line; returns the exit code."""
    told = str(error)
    if isinstance(error, OSError) and error.strerror:
        told = error.strerror if error.filename is None else f"{error.filename}: {error.strerror}"
    print(f"{parser.prog}: error: {' '.join(told.split())}", file=sys.stderr)
    return 2


def _attach_negative_values(argv: Sequence[str]) -> list[str]:
    """Write `--loading -1,.9` as `--loading=-1,.9`, since argparse takes a value that begins with "-" for an option."""
    attached: list[str] = []
    for argument in argv:
        if re.match(r"-[\d.]", argument) and attached and re.fullmatch(r"--[\w-]+", attached[-1]):
            attached[-1] += f"={argument}"
        else:
            attached.append(argument)
    return attached


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
