"""Writing a figure: pictures, the table shown, and what it was made from; the same bytes on every run on one machine.

Another processor, or another version of a library, rounds differently. Between the kernels of one BLAS for two families
of processors, all figures on quick settings, numbers in csv and json moved by what training and searches leave: by 3e-6
where a search over draws ends at 1e-3, by 2e-8 in a weight norm at its threshold (the root of rounding), else by less.
The curves of the convergence figure, which end where rounding begins, had a point more. Coordinates in pdf and svg move
likewise; of the png all but two were equal, and those looked alike.

A figure is rendered in memory, and its files are put in place when all of them are written, so that a folder never
holds half a figure. Nothing that changes from run to run is written: no dates, no paths, no times. The layout is made
once and then held, so that a picture does not depend on which others are made of it.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from figures.kit.drawing import styled
from figures.kit.table import Table, csv_text, verdict
from theory.interface.files import write_together
from theory.interface.report import FORMAT, to_json

__all__ = ["METADATA", "draw", "paths", "render", "write"]

# What each format would otherwise write of the date or the program.
METADATA = {
    "pdf": {"CreationDate": None, "ModDate": None, "Creator": None, "Producer": None},
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
}
PACKAGES = ("linear-beta-vae", "numpy", "scipy", "matplotlib", "numba", "scikit-learn")


def draw(module, table: Table) -> Figure:
    """A figure module's table on a figure of its own layout, laid out for good, apart from pyplot and its state."""
    with styled():
        figure = Figure(figsize=module.LAYOUT["size"])
        canvas = FigureCanvasAgg(figure)
        module.plot(table, figure.subplots(*module.LAYOUT["shape"]))
        canvas.draw()
        figure.set_layout_engine("none")  # else every saving would lay it out again, from where the last one left it
    return figure


def render(figure: Figure, file_format: str) -> bytes:
    """The figure as the bytes of a file of a format of `METADATA`."""
    buffer = io.BytesIO()
    with styled():
        smaller = {"pil_kwargs": {"optimize": True}} if file_format == "png" else {}
        figure.savefig(buffer, format=file_format, metadata=METADATA[file_format], **smaller)
    return buffer.getvalue()


def paths(folder: Path, name: str, formats: Iterable[str]) -> dict[str, Path]:
    """Where the files of a figure go, by their extension: NAME.FORMAT for every format, NAME.csv and NAME.json."""
    return {extension: folder / f"{name}.{extension}" for extension in (*formats, "csv", "json")}


def write(folder: Path, name: str, module, table: Table, formats: Iterable[str]) -> list[Path]:
    """Write the files of a figure into an existing folder, all or none; returns their paths."""
    figure = draw(module, table)
    about = {
        "format": FORMAT,
        "figure": name,
        "parameters": table.parameters,
        "versions": _versions(),
        "deviations": [verdict(comparison) for comparison in table.comparisons],
    }
    contents = {file_format: render(figure, file_format) for file_format in formats}
    contents |= {"csv": csv_text(table.points).encode(), "json": f"{to_json(about)}\n".encode()}
    files = paths(folder, name, formats)
    write_together(
        {file: lambda opened, content=contents[extension]: opened.write(content) for extension, file in files.items()}
    )
    return list(files.values())


def _versions() -> dict[str, str]:
    found = {"python": python_version(), "matplotlib": matplotlib.__version__}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # the project itself, when it is run from its folder without being installed
            continue
    return found
