"""What the command lines of `theory`, `numerics` and `figures` share.

A door is a `Parser` with subcommands. Each subcommand is a function from parsed arguments to a `Report`, and `run` does
the rest: it writes the files of the report and prints the report (as text, or with `--json` as one JSON object) to
stdout, each of them also where the other cannot be written. It turns every `ValueError` into one line on stderr that
names the argument and the remedy, every `OSError` (a full disk, a file that cannot be read) into one that names the
file, and every warning of arithmetic, whose numbers mean nothing, and every want of memory into one that says so. Exit
codes: 0 good, 1 a check failed, 2 bad usage or no access, 130 interrupted.

JSON has no infinities: they are written as the strings "inf" and "-inf", and what is not a number as "nan". Every
finite float is written with all its digits. The first entry is "format", a number that is raised when names change.
"""

from __future__ import annotations

import argparse
import dataclasses
import io
import json
import math
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np

from theory import interrupts, output, validation
from theory.interrupts import INTERRUPTED
from theory.text_table import cell_number

__all__ = [
    "FORMAT",
    "Parser",
    "Report",
    "add_command",
    "add_header_option",
    "add_version_option",
    "archive",
    "chosen",
    "facts",
    "number_or_word",
    "positive_numbers",
    "posterior_family",
    "run",
    "table",
    "to_json",
    "whole_numbers",
]


PROJECT = "linear-beta-vae"  # as it is installed
FORMAT = 1  # of the JSON that commands print and of the files that hold their results; raised when names change
LONGEST_MESSAGE = 1000  # characters of an error of usage
LONGEST_RANGE = 1_000_000  # numbers in low:high:count: more than anyone plots or reads


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are `ValueError`s of one line, reported by `run` like all others.

    Options of type int and float read their numbers as everything here does: without `_` between digits.
    """

    def __init__(self, **options):
        super().__init__(**options)
        self.register("type", int, _whole_number)
        self.register("type", float, _number)

    def error(self, message: str):
        if len(message) > LONGEST_MESSAGE:  # it repeats an argument, which may be of any length
            message = f"{message[: LONGEST_MESSAGE // 2]} ... {message[-LONGEST_MESSAGE // 2 :]}"
        raise ValueError(f"{message}; see {self.prog} --help")

    def print_help(self, file=None):
        if file is not None:
            super().print_help(file)
        elif code := _print(self, self.format_help().removesuffix("\n")):  # argparse would not say so
            self.exit(code)


@dataclasses.dataclass(frozen=True)
class Report:
    """What a subcommand has to say.

    Attributes
    ----------
    values : mapping
        for `--json`, where `run` puts the entry "format" before them: strings, numbers, arrays, dataclasses and
        nestings of them.
    text : str
        the same for people.
    failed : bool
        whether a check failed, which makes the exit code 1.
    interrupted : bool
        whether this is only what was finished before an interrupt, which makes the exit code 130.
    files : mapping from paths to functions that fill an opened file
        what `run` is to write, all or none; where a file can be written is checked before the work
        (`output.output_file`).
    """

    values: Mapping
    text: str
    failed: bool = False
    interrupted: bool = False
    files: Mapping[Path, Callable[[IO[bytes]], object]] = dataclasses.field(default_factory=dict)


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


def add_header_option(command: argparse.ArgumentParser) -> None:
    """Add `--header` and `--no-header`, for the file of observations or of a covariance that a command reads."""
    command.add_argument(
        "--header",
        action=argparse.BooleanOptionalAction,
        help="whether the first line of a .csv file holds names of columns (default: if it has no number)",
    )


def add_version_option(parser: Parser) -> None:
    """Add `--version`, which prints the version of the installed project and ends."""
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version of the project and end")


class _Version(argparse.Action):
    def __call__(self, parser, *_):
        from importlib.metadata import PackageNotFoundError, version

        try:
            found = version(PROJECT)
        except PackageNotFoundError:
            raise ValueError(
                f"{PROJECT} is not installed, so that its version is not known; run pip install -e . in its folder"
            ) from None
        parser.exit(_print(parser, f"{PROJECT} {found}"))


def run(parser: Parser, argv: Sequence[str] | None = None) -> int:
    """Run the subcommand that `argv` (by default the process's arguments) names, and return the exit code."""
    try:
        if argv is not None:
            return _run(parser, argv)
        interrupts.take()
        return _run(parser, sys.argv[1:])
    except KeyboardInterrupt:
        _tell(parser, "interrupted")
        return INTERRUPTED
    finally:
        if argv is None:
            interrupts.ignore()


def _run(parser: Parser, argv: Sequence[str]) -> int:
    try:
        _check_streams()
        with _warnings_told(parser):
            arguments = parser.parse_args(_attach_negative_values(argv))
            report = arguments.command(arguments)
        return _deliver(parser, report, arguments.json)
    except np.linalg.LinAlgError:  # a ValueError to Python, but no one's bad usage
        raise
    except (ValueError, OSError) as error:
        return _refuse(parser, error)
    except (RuntimeWarning, FloatingPointError, OverflowError) as error:
        return _refuse(
            parser, ValueError(f"numbers left the range of double precision ({error}); pass numbers nearer to 1")
        )
    except MemoryError as error:
        return _refuse(
            parser, ValueError(f"this machine has too little memory ({str(error) or 'none left'}); ask for less")
        )


def archive(values: Mapping) -> Callable[[IO[bytes]], object]:
    """What fills an opened `.npz` file with arrays by name, `None` left out, and "format", as the JSON has it."""
    buffer = io.BytesIO()  # since an archive that a full disk cuts short complains once more when it is forgotten
    np.savez(buffer, **{name: value for name, value in {"format": FORMAT, **values}.items() if value is not None})
    return lambda opened: opened.write(buffer.getbuffer())


def positive_numbers(name: str, text: str) -> np.ndarray:
    """Read "2", "0.5,1,2" or the range "0.1:10:50" (50 numbers from 0.1 to 10, evenly spaced in the logarithm)."""
    parts = validation.instance(name, text, str).split(":")
    try:
        if len(parts) == 1:
            values = np.array([_number(part) for part in text.split(",")])
        else:
            low, high, count = _number(parts[0]), _number(parts[1]), _whole_number(parts[2])
            if len(parts) > 3 or not 0 < low < high < math.inf or count < 2:
                raise ValueError
    except (ValueError, IndexError):
        raise ValueError(
            f"{name} must be a number, a list such as 0.5,1,2 or a range low:high:count such as 0.1:10:50, got "
            f"{validation.shown(text)}"
        ) from None
    if len(parts) > 1:
        values = np.geomspace(low, high, validation.count(f"the count of {name}", count, maximum=LONGEST_RANGE))
    if not (np.isfinite(values).all() and values.min() > 0):
        raise ValueError(f"{name} must be > 0 and finite, got {validation.shown(text)}; pass positive numbers")
    return values


def number_or_word(name: str, text: str, *words: str) -> float | str:
    """Read a number, or one of the words that stand for one."""
    if validation.instance(name, text, str) in words:
        return text
    try:
        return _number(text)
    except ValueError:
        raise ValueError(f"{name} must be a number or {' or '.join(words)}, got {validation.shown(text)}") from None


def whole_numbers(name: str, text: str) -> list[int]:
    """Read whole numbers separated by commas, such as "1,2,4"."""
    try:
        return [_whole_number(part) for part in validation.instance(name, text, str).split(",")]
    except ValueError:
        raise ValueError(
            f"{name} must be whole numbers separated by commas, got {validation.shown(text)}; pass such as 1,2,4"
        ) from None


def chosen(name: str, texts: Sequence[str] | None, names: Iterable[str]) -> list[str]:
    """Read names from lists separated by commas, each name once; None stands for all of them."""
    if texts is None:
        return list(names)
    texts = [validation.instance(name, text, str) for text in validation.sequence(name, texts)]
    found = dict.fromkeys(part.strip() for text in texts for part in text.split(","))
    return [validation.choice(name, part, names) for part in found]


def posterior_family(name: str, text: str) -> str | list[list[int]]:
    """Read "diagonal", "full", or groups of latents such as "0,1;2"."""
    if validation.instance(name, text, str) in ("diagonal", "full"):
        return text
    try:
        return [whole_numbers(name, group) for group in text.split(";")]
    except ValueError:
        raise ValueError(
            f"{name} must be diagonal, full, or groups of latents such as '0,1;2', got {validation.shown(text)}"
        ) from None


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


def _number(text: str) -> float:
    """Read a number as in tables: without `_` between digits, which Python would take."""
    if (value := cell_number(text)) is None:
        raise ValueError
    return value


def _whole_number(text: str) -> int:
    """Read a whole number as in tables."""
    if "_" in text:
        raise ValueError
    return int(text)


def _check_streams() -> None:
    """Make sure that there is a stdout, and that no file of ours is opened in the place of a closed stream."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:  # the lowest that is free
        pass
    os.close(descriptor)
    if sys.stderr is None:  # closed: `print` would take stdout instead
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    if sys.stdout is None:
        raise ValueError("stdout is closed, so that no result can be printed; send it to a file, or to /dev/null")
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")  # as stderr: names of files may hold any character


@contextmanager
def _warnings_told(parser: Parser) -> Iterator[None]:
    """Let warnings of arithmetic end the command, and tell those that are for the user in one line each."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("default", UserWarning)
        warnings.showwarning = lambda message, *_: _tell(parser, f"warning: {message}")
        yield


def _deliver(parser: Parser, report: Report, as_json: bool) -> int:
    """Write the files of a report and print it, each also where the other fails; returns the exit code."""
    code = INTERRUPTED if report.interrupted else int(report.failed)
    try:
        output.write_together(report.files)
    except (ValueError, OSError) as error:
        code = _refuse(parser, error)
    printed = _print(parser, to_json({"format": FORMAT} | report.values) if as_json else report.text)
    return printed or code


def _print(parser: Parser, text: str) -> int:
    """Print to stdout; returns the exit code that it takes to say that this failed, or 0."""
    try:
        print(text, flush=True)
    except OSError as error:
        _forget(sys.stdout)
        if not isinstance(error, BrokenPipeError):  # that is a reader who has seen enough, as in `| head`
            return _refuse(parser, OSError(error.errno, error.strerror, "stdout"))
    return 0


def _refuse(parser: Parser, error: ValueError | OSError) -> int:
    """Tell the error in one line; returns the exit code."""
    told = str(error)
    if isinstance(error, OSError) and error.strerror:
        told = error.strerror if error.filename is None else f"{error.filename}: {error.strerror}"
    _tell(parser, f"error: {told}")
    return 2


def _tell(parser: Parser, text: str) -> None:
    """One line on stderr, or none where it cannot be written: there is no place left to say so."""
    try:
        print(f"{parser.prog}: {' '.join(text.split())}", file=sys.stderr, flush=True)
    except OSError:
        _forget(sys.stderr)


def _forget(stream: IO) -> None:
    """Send a stream that cannot be written to nowhere, so that the interpreter's own flush at the end is quiet."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


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
