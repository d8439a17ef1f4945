"""Writing a figure: pictures, the table shown, and what it was made from; the same bytes on every run.

A figure is rendered in memory and checked files are then put in place one by one, so that a folder never holds half a
file. Nothing that changes from run to run is written: no dates, no paths, no times.
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

from figures.drawing import styled
from figures.table import Table, csv_text
from theory.cli import to_json
from theory.output import write_atomically

__all__ = ["METADATA", "draw", "render", "write"]

# What each format would otherwise write of the date or the program.
METADATA = {
    "pdf": {"CreationDate": None, "ModDate": None, "Creator": None, "Producer": None},
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
}
PACKAGES = ("linear-beta-vae", "numpy", "scipy", "matplotlib", "numba", "scikit-learn")


def draw(module, table: Table) -> Figure:
    """A figure module's table on a figure of its own layout, apart from pyplot and its state."""
    with styled():
        figure = Figure(figsize=module.LAYOUT["size"])
        FigureCanvasAgg(figure)
        module.plot(table, figure.subplots(*module.LAYOUT["shape"]))
    return figure


def render(figure: Figure, file_format: str) -> bytes:
    """The figure as the bytes of a file of a format of `METADATA`."""
    buffer = io.BytesIO()
    with styled():
        smaller = {"pil_kwargs": {"optimize": True}} if file_format == "png" else {}
        figure.savefig(buffer, format=file_format, metadata=METADATA[file_format], **smaller)
    return buffer.getvalue()


def write(folder: Path, name: str, module, table: Table, formats: Iterable[str]) -> list[Path]:
    """Write NAME.FORMAT for every format, NAME.csv and NAME.json into an existing folder; returns their paths."""
    figure = draw(module, table)
    about = {
        "figure": name,
        "parameters": table.parameters,
        "versions": _versions(),
        "deviations": [vars(deviation) | {"passed": deviation.passed} for deviation in table.deviations],
    }
    contents = {file_format: render(figure, file_format) for file_format in formats}
    contents |= {"csv": csv_text(table.points).encode(), "json": f"{to_json(about)}\n".encode()}
    files = []
    for extension, content in contents.items():
        files.append(folder / f"{name}.{extension}")
        write_atomically(files[-1], lambda opened, content=content: opened.write(content))
    return files


def _versions() -> dict[str, str]:
    found = {"python": python_version(), "matplotlib": matplotlib.__version__}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # the project itself, when it is run from its folder without being installed
            continue
    return found
