"""The command line of the figures: `python -m figures [draw]` draws them, `python -m figures list` lists them.

`report` and `sweep` draw what the user brings: data, or the runs of a sweep. `explore` opens a page with sliders.

Draws every figure, or those named by `--only`, into a folder; ends with the table of the largest deviations between
theory and experiment. Exit code 0: they agree; 1: they do not; 2: bad usage.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import figures.commands
import figures.explorer.command
import figures.user_commands
from theory.interface.run import Parser, command_line, run_command


def main(argv: Sequence[str] | None = None) -> int:
    """Draw the figures that the arguments ask for and return the exit code."""
    return run_command(_parser(), argv, default="draw")


def _parser() -> Parser:
    return command_line(
        "python -m figures",
        "The figures. Without a command, draw: its options are in draw --help.",
        [figures.commands, figures.user_commands, figures.explorer.command],
        "  python -m figures --quick\n"
        "  python -m figures --only collapse,rate_distortion --data observations.csv --out collapse_of_mine\n"
        "  python -m figures list",
    )


if __name__ == "__main__":
    sys.exit(main())
