"""The command `results` of `python -m theory`, and the tables that are made from the index."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import asdict

from theory.interface.files import output_file
from theory.interface.places import check_place, figure_place, function_place, page_place
from theory.interface.report import Report, aligned_table
from theory.interface.run import add_command
from theory.results import EXPERIMENTS, FIGURES_STAND_FOR, RESULTS, ROOMS, Result, matching, mentioning

__all__ = ["add_commands", "results_page", "results_table"]


def add_commands(commands) -> None:
    """Register `results` with what `Parser.add_subparsers` returned."""
    command = add_command(
        commands,
        "results",
        _results,
        "Every theorem, or those that a word is about: its claim, its functions, page, checks, figures and tests with "
        "the files that they are in, and its source.",
        "  python -m theory results\n"
        "  python -m theory results collapse\n"
        "  python -m theory results rolinek --json\n"
        "  python -m theory results --markdown results.md",
    )
    command.add_argument("word", nargs="?", metavar="WORD", help="a name, or a word of any entry of a record")
    command.add_argument("--markdown", metavar="FILE.md", help="write all results as a page of Markdown")


def _results(arguments: argparse.Namespace) -> Report:
    found = RESULTS if arguments.word is None else matching(arguments.word)
    if not found:
        raise ValueError(
            f"WORD must be in a record (name, claim, functions, page, checks, figures, tests, source), got "
            f"{arguments.word!r}; python -m theory results lists all"
        )
    if arguments.word is None:
        columns = {"result": [result.name for result in found], "claim": [result.claim for result in found]}
        text = aligned_table(columns)
    else:
        text = "\n\n".join(map(_described, found))
        others = [result.name for result in mentioning(arguments.word) if result not in found]
        if others:
            text += "\n\n" + _filled(", ".join(others), "see also")
    files = {}
    if arguments.markdown is not None:
        if arguments.word is not None:
            raise ValueError("--markdown writes all results, got a WORD too; leave one of them out")
        file = output_file(arguments.markdown, ".md")
        files[file] = lambda opened: opened.write(results_page().encode())
        text = f"wrote {file}"
    return Report({"results": [_record(result) for result in found]}, text, files=files)


def _record(result: Result) -> dict[str, object]:
    """A record under the names that machines know; a result may have several checks."""
    values = asdict(result)
    values["check"] = values.pop("checks")
    values["experiment"] = _experiment(result)
    return {"name": result.name, "claim": result.claim, "room": result.room, **values}


def _described(result: Result) -> str:
    """A record for the terminal: commands, and the files in which it is."""
    places = {
        "computed by": [f"{name}  {file}:{line}" for name in result.functions for file, line in [function_place(name)]],
        "derived in": [f"python -m theory derive {result.page}", page_place(result.page)] if result.page else (),
        "checked by": _with_files(
            f"python -m numerics verify --only {','.join(result.checks)}", result.checks, check_place
        ),
        "experiment": (_experiment(result),) if result.checks else (),
        "seen in": _with_files(f"python -m figures --only {','.join(result.figures)}", result.figures, figure_place),
        "tested in": (result.tests,),
        "source": (result.source,),
        "status": (f"{result.status}; {result.scope}",),
        "missing": (result.missing,) if result.missing else (),
    }
    lines = [result.name, textwrap.fill(result.claim, 100, initial_indent="  ", subsequent_indent="  ")]
    for label, entries in places.items():
        lines += [_filled(entry, label if position == 0 else "") for position, entry in enumerate(entries)]
    return "\n".join(lines)


def _experiment(result: Result) -> str:
    """What the experiments of the checks of a result are made of, each kind once."""
    return "; ".join(dict.fromkeys(EXPERIMENTS[check] for check in result.checks))


def _with_files(command: str, names: Sequence[str], place: Callable[[str], str]) -> list[str]:
    """A command for some names and the files that these are in; nothing if there are none."""
    return [command, *dict.fromkeys(map(place, names))] if names else []


def _filled(entry: str, label: str) -> str:
    lead = f"  {label:11}  "
    return textwrap.fill(entry, 110, initial_indent=lead, subsequent_indent=" " * len(lead), break_on_hyphens=False)


def results_table() -> str:
    """The short table of the README: a row a result."""
    rows = ["| result | computed by | page | check | figure |", "|---|---|---|---|---|"]
    for result in RESULTS:
        cells = (
            f"[{result.name}](docs/results.md#{result.name})",
            _code(result.functions[:1]),
            _code([result.page] if result.page else []),
            _code(result.checks[:1]),
            _code(result.figures[:1]),
        )
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def results_page() -> str:
    """The page docs/results.md: every record whole, room by room."""
    parts = [
        "# Results",
        "Every result of this project, and where it exists: as a function, as a checked derivation, as an experiment "
        "and as a figure. This page is made from `theory/results.py` by `python -m theory results --markdown "
        "docs/results.md`.",
        'A source "in the setting of" a paper means that the paper poses the question and the formula is this '
        "project's own derivation.",
        "The name in a heading is understood by `python -m theory results` and, where the result has a page, check or "
        "figure, by `python -m theory derive`, `python -m numerics verify --only` and `python -m figures --only`. A "
        "page, check or figure of the same name stands for itself alone: `optimal-beta` is the result with its two "
        "checks, `optimal_beta` one of them. Each link leads to the file.",
    ]
    for room, heading in ROOMS.items():
        parts.append(f"## {heading}")
        parts.extend(_entry(result) for result in RESULTS if result.room == room)
    parts += [
        "## What the figures stand for",
        "A figure stands for a figure or table of a paper if its numbers were read, in the paper or in a report of it "
        "(second-hand); else it is in the setting of a paper. `python -m figures list` prints this list too.",
        "\n".join(f"- {_linked([name], figure_place)}: {text}" for name, text in FIGURES_STAND_FOR.items()),
    ]
    return "\n\n".join(parts) + "\n"


def _entry(result: Result) -> str:
    lines = [
        f"- computed by: {_linked(result.functions, lambda name: function_place(name)[0])}",
        f"- derived in: {_linked([result.page], page_place)}" if result.page else "",
        f"- checked by: {_linked(result.checks, check_place)}" if result.checks else "",
        f"- experiment: {_experiment(result)}" if result.checks else "",
        f"- seen in: {_linked(result.figures, figure_place)}" if result.figures else "",
        f"- tested in: {_linked([result.tests], str)}",
        f"- source: {result.source}",
        f"- status: {result.status}; scope: {result.scope}",
        f"- missing: {result.missing}" if result.missing else "",
    ]
    return f"### {result.name}\n\n{result.claim}\n\n" + "\n".join(filter(None, lines))


def _linked(names: Sequence[str], place: Callable[[str], str]) -> str:
    """Names that lead to their files, from a page in `docs`."""
    return ", ".join(f"[`{name}`](../{place(name)})" for name in names)


def _code(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
