"""The command `explore` of `python -m figures`."""

from __future__ import annotations

import argparse
import signal
import sys
from functools import partial

from theory import validation
from theory.interface import interrupts
from theory.interface.options import READING, add_observations_option, add_reading_options, refuse_reading_options
from theory.interface.report import Report
from theory.interface.run import add_command

__all__ = ["add_commands"]

PORT = 5006
LAST_PORT = 65535


def add_commands(commands) -> None:
    """Register it with what `Parser.add_subparsers` returned."""
    command = add_command(
        commands,
        "explore",
        _explore,
        "Open a page in the browser whose panels follow sliders: which latents live, rate and distortion, the optimal "
        "beta, what a rotation costs, groups of factors; each with its numbers, and the command that gives them. Needs "
        "the extra `explore`, no network; ends by Ctrl-C.",
        "  python -m figures explore\n  python -m figures explore --data observations.csv --standardize --no-browser",
    )
    add_observations_option(command, note=", whose spectrum the page shows first")
    add_reading_options(command)
    command.add_argument("--port", type=int, default=PORT, metavar="N", help=f"0 for any that is free (default {PORT})")
    command.add_argument("--no-browser", action="store_true", help="open no browser; the address is on stderr")


def _explore(arguments: argparse.Namespace) -> Report:
    try:
        from figures.explorer.page import build
        from figures.explorer.server import serve
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != "bokeh":
            raise
        raise ValueError(
            "explore needs Bokeh, which the extra `explore` brings: pip install 'linear-beta-vae[explore]'"
        ) from None
    port = validation.count("--port", arguments.port, maximum=LAST_PORT)
    given = _given(arguments)
    interrupts.treat_as_interrupt(signal.SIGTERM)

    def listening(address: str) -> None:
        print(f"explore: {address} (Ctrl-C ends it)", file=sys.stderr, flush=True)

    serve(partial(build, given=given), port, not arguments.no_browser, listening)
    return Report({}, "")


def _given(arguments: argparse.Namespace):
    """The spectrum of the user's data, or None."""
    from figures.explorer.settings import given_spectrum
    from figures.kit.caption import shown_command
    from theory.interface.observations import observations_of
    from theory.interface.readers import refuse_header

    if arguments.data is None:
        refuse_header(arguments.header, "there is no --data")
        refuse_reading_options(arguments, "there is none")
        return None
    words = shown_command("", arguments, ("data", "header", *READING)).strip()
    return given_spectrum(observations_of(arguments), words)
