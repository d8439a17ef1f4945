"""The command line of the figures: `python -m figures`.

Draws every figure, or those named by `--only`, into a folder; ends with the table of the largest deviations between
theory and experiment. Exit code 0: they agree; 1: they do not; 2: bad usage.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from figures.registry import FIGURES, FORMATS, FigureEntry
from figures.table import Deviation
from theory import cli
from theory.data import read_data, refuse_header
from theory.output import output_folder, refuse_folders


def main(argv: Sequence[str] | None = None) -> int:
    """Draw the figures that the arguments ask for and return the exit code."""
    return cli.run(_parser(), argv)


def _parser() -> cli.Parser:
    parser = cli.Parser(
        prog="python -m figures",
        description="Draw the figures: lines are theory, dots are training, error bars are Monte Carlo. Each is "
        "written as pictures, a table (csv) and what it was made from (json). Exit code 1 if theory and experiment "
        "disagree.",
        epilog="examples:\n"
        "  python -m figures --quick\n"
        "  python -m figures --only collapse,rate_distortion --data observations.csv --out collapse_of_mine\n"
        "  python -m figures --only inference_error,optimal_beta --format svg,png --out out/slides",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    cli.add_version_option(parser)
    parser.add_argument(
        "--only", action="append", metavar="NAME", help="draw this figure only; repeat it or separate names by commas"
    )
    parser.add_argument("--out", default="out", metavar="DIR", help="folder to write to, made if missing (default out)")
    parser.add_argument(
        "--format", default="pdf,png", metavar="LIST", help=f"of {', '.join(FORMATS)} (default pdf,png)"
    )
    parser.add_argument(
        "--data",
        metavar="FILE",
        help="observations of the real-data figures, one per row: .csv, .npy, .npz or FILE.npz:KEY (default digits)",
    )
    cli.add_header_option(parser)
    parser.add_argument("--quick", action="store_true", help="fewer points and smaller models, for a first look")
    parser.add_argument("--list", action="store_true", help="list the figures and draw nothing")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    parser.set_defaults(command=_command)
    return parser


def _command(arguments: argparse.Namespace) -> cli.Report:
    chosen = _chosen(arguments.only)
    formats = _formats(arguments.format)
    if arguments.list:
        return _listing(chosen)
    options = _data_options(arguments.data, arguments.header, chosen)
    folder = output_folder(arguments.out)
    _check_places(folder, chosen, formats)
    files, verdicts = [], []
    with tqdm(chosen, unit="figure", disable=None, file=sys.stderr) as bar:
        for entry in bar:
            written, deviations = _draw(entry, folder, formats, arguments.quick, options, bar)
            files += written
            verdicts += [(entry.name, deviation) for deviation in deviations]
    return _report(folder, files, verdicts)


def _check_places(folder: Path, chosen: list[FigureEntry], formats: list[str]) -> None:
    """Refuse a folder in the place of a file before the work, not after it."""
    from figures.output import paths

    for entry in chosen:
        refuse_folders(paths(folder, entry.name, formats).values())


def _draw(
    entry: FigureEntry, folder: Path, formats: list[str], quick: bool, options: dict, bar: tqdm
) -> tuple[list[Path], tuple[Deviation, ...]]:
    from figures.output import write

    bar.set_description(entry.name)
    module = entry.module
    table = module.data(quick=quick, say=bar.set_postfix_str, **(options if entry.takes_data else {}))
    written = write(folder, entry.name, module, table, formats)
    bar.write(f"wrote {entry.name}", file=sys.stderr)
    return written, table.deviations


def _chosen(only: list[str] | None) -> list[FigureEntry]:
    """The figures named, in the order of the registry."""
    if only is None:
        return list(FIGURES.values())
    names = {name.strip() for part in only for name in part.split(",")}
    unknown = sorted(names - FIGURES.keys())
    if unknown:
        raise ValueError(f"--only must name figures of {', '.join(FIGURES)}, got {', '.join(map(repr, unknown))}")
    return [entry for name, entry in FIGURES.items() if name in names]


def _formats(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    unknown = sorted(set(names) - set(FORMATS))
    if unknown:
        raise ValueError(f"--format must be of {', '.join(FORMATS)}, got {', '.join(map(repr, unknown))}")
    return [name for name in FORMATS if name in names]


def _data_options(path: str | None, header: bool | None, chosen: list[FigureEntry]) -> dict:
    """The user's data, read and checked before anything is drawn."""
    if path is None:
        refuse_header(header, "there is no --data")
        return {}
    if not any(entry.takes_data for entry in chosen):
        takers = ", ".join(name for name, entry in FIGURES.items() if entry.takes_data)
        raise ValueError(f"--data is for {takers}, none of which is drawn; leave it out, or name one by --only")
    from figures.experiments import real_data

    observations, name = read_data(path, header), Path(path).name
    real_data(observations, name)
    return {"observations": observations, "name": name}


def _listing(entries: list[FigureEntry]) -> cli.Report:
    values = [{"name": e.name, "about": e.about, "takes_data": e.takes_data} for e in entries]
    columns = {"figure": [e.name for e in entries], "shows": [e.about for e in entries]}
    return cli.Report({"figures": values}, cli.table(columns | {"takes --data": [e.takes_data for e in entries]}))


def _report(folder: Path, files: list[Path], verdicts: list[tuple[str, Deviation]]) -> cli.Report:
    failed = [deviation for _, deviation in verdicts if not deviation.passed]
    columns = {
        "figure": [name for name, _ in verdicts],
        "quantity": [deviation.quantity for _, deviation in verdicts],
        "experiment": [deviation.source for _, deviation in verdicts],
        "points": [deviation.points for _, deviation in verdicts],
        "largest deviation": [np.float64(f"{deviation.largest:.2g}") for _, deviation in verdicts],
        "tolerance": [np.float64(f"{deviation.tolerance:.2g}") for _, deviation in verdicts],
        "unit": [deviation.unit for _, deviation in verdicts],
        "verdict": ["good" if deviation.passed else "FAILED" for _, deviation in verdicts],
    }
    summary = (
        f"theory and experiment disagree in {len(failed)} of {len(verdicts)} quantities"
        if failed
        else f"theory and experiment agree in all {len(verdicts)} quantities"
    )
    return cli.Report(
        values={
            "folder": folder,
            "files": [file.name for file in files],
            "deviations": [
                {"figure": name} | vars(deviation) | {"passed": deviation.passed} for name, deviation in verdicts
            ],
            "agree": not failed,
        },
        text=f"{cli.table(columns)}\n\n{summary}; {len(files)} files in {folder}",
        failed=bool(failed),
    )


if __name__ == "__main__":
    sys.exit(main())
