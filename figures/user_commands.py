"""The commands of `python -m figures` that draw what the user brings: `report` of data, `sweep` of runs."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np

from figures.registry import FORMATS, PNG_DPI, checked_dpi
from theory.interface.files import output_folder, refuse_folders, refuse_inputs
from theory.interface.options import chosen_names
from theory.interface.report import Report
from theory.interface.run import add_command
from theory.learning.report_command import add_report_options, report_of

__all__ = ["add_commands"]

NO_PAPER = "none (it draws what you bring)"
NOT_SHOWN = ("command", "json", "out", "format", "dpi")  # of the arguments: they change no number of a figure
BELOW = 1e-6  # of the loss, by which a run may seem to lie below the least by rounding


def add_commands(commands) -> None:
    """Register both with what `Parser.add_subparsers` returned."""
    command = add_command(
        commands,
        "report",
        _report,
        "Draw the page of `python -m theory report`: spectrum and water level, living latents against beta, rate and "
        "distortion.",
        "  python -m figures report --data observations.csv --latent-dim 4\n"
        "  python -m figures report --data observations.csv --latent-dim 4 --beta 2 --standardize --out my_report",
    )
    add_report_options(command)
    _add_output_options(command)
    command = add_command(
        commands,
        "sweep",
        _sweep,
        "Draw the runs of `python -m numerics sweep` against beta: loss beside the closed form, rate, latents.",
        "  python -m figures sweep --runs runs.csv\n"
        "  python -m figures sweep --runs runs.jsonl --out my_sweep --format svg",
    )
    command.add_argument(
        "--runs", required=True, metavar="FILE", help="what numerics sweep wrote by --out (.csv) or --resume (.jsonl)"
    )
    _add_output_options(command)


def _add_output_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--out", default="out", metavar="DIR", help="folder to write to, created if missing (default out)"
    )
    command.add_argument(
        "--format", default="pdf,png", metavar="LIST", help=f"of {', '.join(FORMATS)} (default pdf,png)"
    )
    add_dpi_option(command)


def add_dpi_option(command: argparse.ArgumentParser) -> None:
    """Add `--dpi`."""
    command.add_argument(
        "--dpi", type=int, default=PNG_DPI, metavar="N", help=f"pixels in an inch of a png (default {PNG_DPI})"
    )


def _report(arguments: argparse.Namespace) -> Report:
    from figures import data_report

    observations, weight, found = report_of(arguments)
    about = {
        "data": Path(arguments.data).name,
        "columns": observations.names,
        "standardized": observations.standardized,
        "latent_dim": found.latent_dim,
        **{name: values[0] for name, values in weight.columns.items()},
        "beta": found.beta,
        "noise_variance": found.noise_variance,
        "noise_status": found.noise_status,
    }
    return _drawn(arguments, "report", data_report, data_report.data(found, parameters=about))


def _sweep(arguments: argparse.Namespace) -> Report:
    from figures import sweep_runs

    columns = sweep_runs.read(arguments.runs)
    table = sweep_runs.data(columns, parameters={"runs": Path(arguments.runs).name})
    report = _drawn(arguments, "sweep", sweep_runs, table)
    below = int(np.count_nonzero(columns["excess_loss"] < -BELOW * np.abs(columns["loss"])))
    if not below:
        return report
    note = f"{below} runs lie below the closed form: are they of these data, and of one noise?"
    return replace(report, values={**report.values, "below_closed_form": below}, text=f"{report.text}\n{note}")


def _drawn(arguments: argparse.Namespace, name: str, module: ModuleType, table) -> Report:
    """Write the files of one figure, and say which."""
    from figures.kit.caption import shown_command
    from figures.kit.output import draw, paths, write

    formats = [one for one in FORMATS if one in chosen_names("--format", [arguments.format], FORMATS)]
    folder = output_folder(arguments.out)
    refuse_folders(paths(folder, name, formats).values())
    refuse_inputs(arguments, paths(folder, name, formats).values())
    dpi = checked_dpi("--dpi", arguments.dpi)
    options = [option for option in vars(arguments) if option not in NOT_SHOWN]
    command = shown_command(f"python -m figures {name}", arguments, options)
    figure = draw(module, table, dpi=dpi)
    files = write(folder, name, figure, formats, command=command, stands_for=NO_PAPER)
    return Report(
        {"folder": folder, "files": [file.name for file in files]}, "\n".join(f"wrote {file}" for file in files)
    )
