"""The command line of the figures: `python -m figures [draw]` draws them, `python -m figures list` lists them.

Draws every figure, or those named by `--only`, into a folder; ends with the table of the largest deviations between
theory and experiment. Exit code 0: they agree; 1: they do not; 2: bad usage.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import figures.commands
from theory.interface.run import Parser, add_version_option, run_command


def main(argv: Sequence[str] | None = None) -> int:
    """Draw the figures that the arguments ask for and return the exit code."""
    return run_command(_parser(), argv, default="draw")


def _parser() -> Parser:
    parser = Parser(prog="python -m figures", description="The figures. Without a command, draw; see draw --help.")
    add_version_option(parser)
    figures.commands.add_commands(parser.add_subparsers(metavar="COMMAND", required=True))
    return parser


if __name__ == "__main__":
    sys.exit(main())
