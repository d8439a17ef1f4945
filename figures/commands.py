"""The commands of `python -m figures`: `draw`, which it runs without a command, and `list`."""

from __future__ import annotations

import argparse
import math
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from figures.registry import FIGURES, FORMATS, PNG_DPI, FigureEntry, checked_dpi, every_figure, file_name, paths
from theory import validation
from theory.interface import interrupts
from theory.interface.files import output_folder, refuse_folders, refuse_inputs
from theory.interface.options import (
    READING,
    add_observations_option,
    add_reading_options,
    chosen_names,
    refuse_reading_options,
)
from theory.interface.processors import usable_processors
from theory.interface.progress import progress_bar
from theory.interface.report import Report, aligned_table
from theory.interface.run import add_command

if TYPE_CHECKING:
    from figures.kit.processes import Drawn, Look
    from figures.kit.table import NotCompared
    from numerics.comparison import Comparison

__all__ = ["add_commands"]


def add_commands(commands) -> None:
    """Register both with what `Parser.add_subparsers` returned."""
    command = add_command(
        commands,
        "draw",
        _draw_all,
        "Draw the figures: lines are theory, dots are training, error bars are Monte Carlo. Each is written as "
        "pictures, its caption (md), a table (csv) and its parameters (json). Exit code 1 if theory and experiment "
        "disagree.",
        "  python -m figures --quick\n"
        "  python -m figures --only collapse,rate_distortion --data observations.csv --out collapse_of_mine\n"
        "  python -m figures --jobs 1\n"
        "  python -m figures --only collapse --panel b --format png --dpi 300\n"
        "  python -m figures draw --only inference_error,optimal_beta --format svg,png --out out/slides",
    )
    command.add_argument(
        "--only", action="append", metavar="NAME", help="draw this figure only; repeat it or separate names by commas"
    )
    command.add_argument(
        "--out", default="out", metavar="DIR", help="folder to write to, created if missing (default out)"
    )
    command.add_argument(
        "--format", default="pdf,png", metavar="LIST", help=f"of {', '.join(FORMATS)} (default pdf,png)"
    )
    add_observations_option(command, note=", for the figures of real data (default digits)")
    add_reading_options(command)
    command.add_argument(
        "--panel", metavar="LETTER", help="this panel alone, of the one figure that --only names; writes NAME_LETTER.*"
    )
    command.add_argument(
        "--dpi", type=int, default=PNG_DPI, metavar="N", help=f"pixels in an inch of a png (default {PNG_DPI})"
    )
    command.add_argument("--quick", action="store_true", help="fewer points and smaller models, for a first look")
    command.add_argument("--jobs", type=int, metavar="N", help="figures drawn at a time (default: one on each core)")
    command.add_argument(
        "--list", action="store_true", help="list the figures and draw nothing, as the command list does"
    )

    command = add_command(
        commands,
        "list",
        lambda arguments: _listing(_chosen(arguments.only)),
        "List the figures, what each shows, whether it takes your own data, and which paper it stands for.",
        "  python -m figures list",
    )
    command.add_argument("--only", action="append", metavar="NAME", help="this figure only; as for draw")


def _draw_all(arguments: argparse.Namespace) -> Report:
    chosen = _chosen(arguments.only)
    formats, dpi = _formats(arguments.format), checked_dpi("--dpi", arguments.dpi)
    if arguments.list:
        return _listing(chosen)
    panel = _panel(arguments, chosen)
    data = _data_options(arguments, chosen)
    jobs = usable_processors() if arguments.jobs is None else validation.count("--jobs", arguments.jobs, minimum=1)
    folder = output_folder(arguments.out)
    _check_places(arguments, folder, chosen, formats, panel)
    commands = {entry.name: _command(arguments, entry) for entry in chosen}
    from figures.kit.processes import Look

    found = _drawn(chosen, folder, Look(formats, panel, dpi), arguments.quick, data, commands, jobs)
    in_order = [found[entry.name] for entry in chosen]
    return _report(
        folder,
        [file for one in in_order for file in one.files],
        [(one.name, comparison) for one in in_order for comparison in one.comparisons],
        [(one.name, line) for one in in_order for line in one.without_comparison],
    )


def _panel(arguments: argparse.Namespace, chosen: list[FigureEntry]) -> str | None:
    """The panel that is drawn alone, if one is."""
    if arguments.panel is None:
        return None
    if arguments.only is None or len(chosen) != 1:
        raise ValueError("--panel is of one figure; name it by --only")
    from figures.kit.panels import checked_panel

    return checked_panel("--panel", arguments.panel, chosen[0].module)


def _check_places(
    arguments: argparse.Namespace, folder: Path, chosen: list[FigureEntry], formats: list[str], panel: str | None
) -> None:
    """Refuse a directory, or the data, in the place of an output file before the work, not after it."""
    for entry in chosen:
        files = paths(folder, file_name(entry.name, panel), formats)
        refuse_folders(files.values())
        refuse_inputs(arguments, files.values())


def _command(arguments: argparse.Namespace, entry: FigureEntry) -> str:
    """The command line that draws this figure alone."""
    from figures.kit.caption import shown_command

    names = ("panel", "quick", *(("data", "header", *READING) if entry.takes_data else ()))
    return shown_command(f"python -m figures --only {entry.name}", arguments, names)


def _drawn(
    chosen: list[FigureEntry],
    folder: Path,
    look: Look,
    quick: bool,
    data: dict,
    commands: dict[str, str],
    jobs: int,
) -> dict[str, Drawn]:
    """The figures by name; a bar tells what each does that is being drawn, and a line that it is written."""
    from figures.kit.processes import drawn_figures

    interrupts.treat_as_interrupt(signal.SIGTERM)  # like Ctrl-C, so that the processes end too
    found, doing = {}, {}
    with progress_bar(total=len(chosen), desc="figures", unit="figure") as bar:

        def report(name: str, message: str) -> None:
            doing[name] = message
            bar.set_postfix_str("; ".join(f"{one}: {message}" for one, message in doing.items()))

        for one in drawn_figures(chosen, folder, look, quick, data, commands, jobs, report):
            found[one.name] = one
            doing.pop(one.name, None)
            bar.write(f"wrote {one.name}", file=sys.stderr)
            bar.update()
    return found


def _chosen(only: list[str] | None) -> list[FigureEntry]:
    """The figures named, in the order of the registry; by default all of results, and none of measurements."""
    if only is None:
        return list(FIGURES.values())
    entries = every_figure()
    names = chosen_names("--only", only, entries, "figures")
    return [entry for name, entry in entries.items() if name in names]


def _formats(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    unknown = sorted(set(names) - set(FORMATS))
    if unknown:
        raise ValueError(f"--format must name some of {', '.join(FORMATS)}, got {', '.join(map(repr, unknown))}")
    return [name for name in FORMATS if name in names]


def _data_options(arguments: argparse.Namespace, chosen: list[FigureEntry]) -> dict:
    """The user's data, read and checked before anything is drawn."""
    from theory.interface.observations import observations_of
    from theory.interface.readers import refuse_header

    if arguments.data is None:
        refuse_header(arguments.header, "there is no --data")
        refuse_reading_options(arguments, "there is none")
        return {}
    if not any(entry.takes_data for entry in chosen):
        takers = ", ".join(name for name, entry in FIGURES.items() if entry.takes_data)
        raise ValueError(f"--data is for {takers}, none of which is drawn; leave it out, or name one by --only")
    from figures.kit.real_data import real_data

    observations, name = observations_of(arguments).values, Path(arguments.data).name
    real_data(observations, name)
    return {"observations": observations, "name": name}


def _listing(entries: list[FigureEntry]) -> Report:
    values = [
        {"name": e.name, "about": e.about, "takes_data": e.takes_data, "stands_for": e.stands_for} for e in entries
    ]
    columns = {
        "figure": [e.name for e in entries],
        "shows": [e.about for e in entries],
        "takes --data": [e.takes_data for e in entries],
        "stands for": [e.stands_for for e in entries],
    }
    return Report({"figures": values}, aligned_table(columns))


def _report(
    folder: Path, files: list[Path], verdicts: list[tuple[str, Comparison]], missing: list[tuple[str, NotCompared]]
) -> Report:
    from figures.kit.table import verdict

    failed = [comparison for _, comparison in verdicts if not comparison.passed]
    columns = {
        "figure": [name for name, _ in verdicts],
        "quantity": [comparison.quantity for _, comparison in verdicts],
        "experiment": [comparison.source for _, comparison in verdicts],
        "points": [comparison.points for _, comparison in verdicts],
        "largest deviation": [float(f"{comparison.deviation:.2g}") for _, comparison in verdicts],
        "tolerance": [float(f"{comparison.tolerance:.2g}") for _, comparison in verdicts],
        "unit": [comparison.unit for _, comparison in verdicts],
        "resolution": [_resolution(comparison) for _, comparison in verdicts],
        "verdict": ["good" if comparison.passed else "FAILED" for _, comparison in verdicts],
    }
    summary = (
        f"theory and experiment disagree in {len(failed)} of {len(verdicts)} quantities"
        if failed
        else f"theory and experiment agree in all {len(verdicts)} quantities"
    )
    text = aligned_table(columns)
    if missing:
        lines = {
            "figure": [name for name, _ in missing],
            "not compared": [f"{line.panel}: {line.series}" for _, line in missing],
            "why": [line.reason for _, line in missing],
        }
        text += f"\n\n{aligned_table(lines)}"
    return Report(
        values={
            "folder": folder,
            "files": [file.name for file in files],
            "deviations": [{"figure": name} | verdict(comparison) for name, comparison in verdicts],
            "not_compared": [{"figure": name} | asdict(line) for name, line in missing],
            "agree": not failed,
        },
        text=f"{text}\n\n{summary}; {len(files)} files in {folder}",
        failed=bool(failed),
    )


def _resolution(comparison: Comparison) -> float | None:
    """The smallest relative error of the closed form that is noticed; none where the closed form is zero."""
    return None if math.isnan(comparison.resolution) else float(f"{comparison.resolution:.2g}")
