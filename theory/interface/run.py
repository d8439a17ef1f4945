"""How a command runs, the same for `theory`, `numerics` and `figures`.

Each of these command lines is a `Parser` with subcommands. A subcommand is a function from parsed arguments to a
`Report`, and `run_command` does the rest.

**Output.** It writes the files of the report and prints the report to stdout, as text or with `--json` as one JSON
object; each is done even if the other fails.

**Errors** are one line on stderr: a `ValueError` names the argument and the remedy, an `OSError` (a full disk, a file
that cannot be read) the file; numbers beyond double precision (warnings of arithmetic) and lack of memory are errors.

**Exit codes.** 0 good, 1 a check failed, 2 bad usage or no access, 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import IO

import numpy as np

from theory.interface import files, interrupts
from theory.interface.interrupts import INTERRUPTED
from theory.interface.options import read_number, read_whole_number
from theory.interface.report import FORMAT, Report, to_json
from theory.interface.version import VERSION

__all__ = ["Parser", "add_command", "add_version_option", "command_line", "run_command"]


PROJECT = "linear-beta-vae"  # the name under which it is installed
LONGEST_MESSAGE = 1000  # characters of an error of argparse


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are `ValueError`s of one line, which `run_command` reports.

    Options of type int and float refuse `_` between digits, as tables do.
    """

    def __init__(self, **options):
        super().__init__(**options)
        self.register("type", int, read_whole_number)
        self.register("type", float, read_number)

    def parse_known_args(self, args=None, namespace=None):
        namespace, unknown = super().parse_known_args(args, namespace)
        if unknown:  # here, and not in the program's parser, so that the help of this command is named
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return namespace, unknown

    def error(self, message: str):
        if len(message) > LONGEST_MESSAGE:  # it may repeat an argument of any length
            message = f"{message[: LONGEST_MESSAGE // 2]} ... {message[-LONGEST_MESSAGE // 2 :]}"
        raise ValueError(f"{message}; see {self.prog} --help")

    def print_help(self, file=None):
        if file is not None:
            super().print_help(file)
        elif code := _print(self, self.format_help().removesuffix("\n")):  # argparse would hide the failure
            self.exit(code)


def add_command(commands, name: str, function: Callable[[argparse.Namespace], Report], about: str, examples: str):
    """Add a subcommand with a `--json` flag to the result of `Parser.add_subparsers`; returns its parser."""
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
    add_version_option(parser, argparse.SUPPRESS)
    parser.set_defaults(command=function)
    return parser


def command_line(prog: str, description: str, rooms: Iterable[ModuleType], examples: str = "") -> Parser:
    """The parser of a command line, with `--version` and the commands that each module adds by `add_commands`."""
    parser = Parser(prog=prog, description=description)
    if examples:
        parser.epilog, parser.formatter_class = f"examples:\n{examples}", argparse.RawDescriptionHelpFormatter
    add_version_option(parser)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for room in rooms:
        room.add_commands(commands)
    return parser


def add_version_option(parser: Parser, about: str = "print the version of the project and end") -> None:
    """Add `--version`, which prints the version of the project and ends."""
    parser.add_argument("--version", action=_Version, nargs=0, help=about)


class _Version(argparse.Action):
    def __call__(self, parser, *_):
        parser.exit(_print(parser, f"{PROJECT} {VERSION}"))


def run_command(parser: Parser, argv: Sequence[str] | None = None, default: str | None = None) -> int:
    """Run the subcommand that `argv` names and return the exit code.

    Parameters
    ----------
    parser : Parser
    argv : sequence of str, optional
        by default the arguments of the process.
    default : str, optional
        the subcommand that runs if none is named; without a default, an empty command line prints the help.
    """
    try:
        if argv is not None:
            return _run(parser, _with_default(parser, argv, default))
        interrupts.install()
        return _run(parser, _with_default(parser, sys.argv[1:], default))
    except KeyboardInterrupt:
        _print_line(parser, "interrupted")
        return INTERRUPTED
    finally:
        if argv is None:
            interrupts.ignore()


def _with_default(parser: Parser, argv: Sequence[str], default: str | None) -> Sequence[str]:
    if default is None:
        return argv or ["--help"]
    own = {option for action in parser._actions for option in action.option_strings}
    return argv if argv and (argv[0] in own or not argv[0].startswith("-")) else [default, *argv]


def _run(parser: Parser, argv: Sequence[str]) -> int:
    try:
        _check_streams()
        with _warnings_reported(parser):
            arguments = parser.parse_args(_attach_negative_values(argv))
            files.refuse_inputs(arguments)
            report = arguments.command(arguments)
        files.refuse_inputs(arguments, report.files)  # those in a folder, too
        return _deliver(parser, report, arguments.json)
    except np.linalg.LinAlgError:  # a ValueError in Python, but not bad usage
        raise
    except (ValueError, OSError) as error:
        return _report_error(parser, error)
    except (RuntimeWarning, FloatingPointError, OverflowError) as error:
        return _report_error(
            parser, ValueError(f"numbers left the range of double precision ({error}); pass numbers nearer to 1")
        )
    except MemoryError as error:
        return _report_error(
            parser, ValueError(f"this machine has too little memory ({str(error) or 'none left'}); ask for less")
        )


def _check_streams() -> None:
    """Make sure that there is a stdout, and that no file is opened under the number of a closed stream."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:  # the lowest free number
        pass
    os.close(descriptor)
    if sys.stderr is None:  # closed: `print` would use stdout instead
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    if sys.stdout is None:
        raise ValueError("stdout is closed, so the result cannot be printed; redirect it to a file, or to /dev/null")
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")  # like stderr: file names may contain any character


@contextmanager
def _warnings_reported(parser: Parser) -> Iterator[None]:
    """Let warnings of arithmetic end the command, and print each warning for the user as one line."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("default", UserWarning)
        warnings.showwarning = lambda message, *_: _print_line(parser, f"warning: {message}")
        yield


def _deliver(parser: Parser, report: Report, as_json: bool) -> int:
    """Write the files of a report and print it, each even if the other fails; returns the exit code."""
    code = INTERRUPTED if report.interrupted else int(report.failed)
    try:
        files.write_together(report.files)
    except (ValueError, OSError) as error:
        code = _report_error(parser, error)
    printed = _print(parser, to_json({"format": FORMAT} | report.values) if as_json else report.text)
    return printed or code


def _print(parser: Parser, text: str) -> int:
    """Print to stdout; returns 0, or the exit code of a failure."""
    try:
        print(text, flush=True)
    except OSError as error:
        _silence(sys.stdout)
        if not isinstance(error, BrokenPipeError):  # a reader that stops early, as in `| head`, is no error
            return _report_error(parser, OSError(error.errno, error.strerror, "stdout"))
    return 0


def _report_error(parser: Parser, error: ValueError | OSError) -> int:
    """Print the error as one line; returns the exit code."""
    message = str(error)
    if isinstance(error, OSError) and error.strerror:
        message = error.strerror if error.filename is None else f"{error.filename}: {error.strerror}"
    _print_line(parser, f"error: {message}")
    return 2


def _print_line(parser: Parser, text: str) -> None:
    """Print one line to stderr; a failure cannot be reported anywhere else, and is ignored."""
    try:
        print(f"{parser.prog}: {' '.join(text.split())}", file=sys.stderr, flush=True)
    except OSError:
        _silence(sys.stderr)


def _silence(stream: IO) -> None:
    """Redirect a stream that cannot be written to the null device, so that the interpreter's last flush succeeds."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _attach_negative_values(argv: Sequence[str]) -> list[str]:
    """Write `--loading -1,.9` as `--loading=-1,.9`: argparse would read a value that begins with "-" as an option."""
    attached: list[str] = []
    for argument in argv:
        if re.match(r"-[\d.]", argument) and attached and re.fullmatch(r"--[\w-]+", attached[-1]):
            attached[-1] += f"={argument}"
        else:
            attached.append(argument)
    return attached
