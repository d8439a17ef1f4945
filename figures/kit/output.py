"""Writing a figure: pictures, its table (csv), its parameters and versions (json), its caption (md).

**Same bytes.** Every run on one machine writes the same bytes: no dates, no paths, no times. The layout is made once
and then kept, so that a picture does not depend on which other formats are written.

**All or none.** A figure is rendered in memory, and its files are put in place when all of them are written, so that a
folder never holds half a figure.

**Other machines.** Another processor, or another version of a library, rounds differently. Between the kernels of one
BLAS for two families of processors, all figures on quick settings, numbers in csv and json changed by no more than
training and searches leave: 3e-6 where a search over draws ends at 1e-3, 2e-8 in a weight norm at its threshold (the
root of rounding), else less. The curves of the convergence figure, which end where rounding begins, had one more point.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version

import matplotlib
from matplotlib.backend_bases import get_registered_canvas_class
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from figures.kit.caption import caption_of, caption_page
from figures.kit.drawing import styled
from figures.kit.panels import draw_alone
from figures.kit.table import Table, csv_text, verdict
from figures.registry import PNG_DPI, paths
from theory.interface.files import write_together
from theory.interface.report import FORMAT, to_json

__all__ = ["METADATA", "DrawnFigure", "draw", "render", "write"]

# None removes the date and the program, which matplotlib would write.
METADATA = {
    "pdf": {"CreationDate": None, "ModDate": None, "Creator": None, "Producer": None},
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
}
PACKAGES = ("linear-beta-vae", "numpy", "scipy", "matplotlib", "numba", "scikit-learn")


class DrawnFigure(Figure):
    """A matplotlib Figure that carries what it shows, and that a notebook shows though pyplot does not know it.

    Attributes
    ----------
    table : figures.kit.table.Table
        the points of all panels, the parameters, and the comparisons of theory with experiment.
    caption : str
        with the numbers of the table; of the panel if only one is drawn.
    png_dpi : int
        pixels in an inch where a notebook shows it.
    """

    table: Table
    caption: str
    png_dpi: int

    def _repr_png_(self) -> bytes:
        return render(self, "png", self.png_dpi)


def draw(module, table: Table, panel: str | None = None, *, dpi: int = PNG_DPI) -> DrawnFigure:
    """Draw a figure module's table, or one panel alone, with a fixed layout, independent of pyplot.

    The whole figure has a size of its own, a panel alone the width of a column.
    """
    with styled():
        figure = DrawnFigure()
        FigureCanvasAgg(figure)
        if panel is None:
            figure.set_size_inches(*module.LAYOUT["size"])
            module.plot(table, figure.subplots(*module.LAYOUT["shape"]))
        else:
            draw_alone(module, table, panel, figure)
        figure.get_layout_engine().execute(figure)
        figure.set_layout_engine("none")  # else each format would make it again
    figure.table, figure.caption, figure.png_dpi = table, caption_of(module, table, panel), dpi
    return figure


def render(figure: Figure, file_format: str, dpi: int = PNG_DPI) -> bytes:
    """The figure as the bytes of a file of a format of `METADATA`; a png has so many pixels in an inch.

    By the canvas of the format, which draws once; `savefig` draws once more before, for a layout that is made already.
    A canvas of that kind that the figure has remembers the sizes of its texts.
    """
    buffer, kind = io.BytesIO(), get_registered_canvas_class(file_format)
    with styled():
        figure.set_dpi(dpi)  # another format may have changed it
        canvas = figure.canvas if isinstance(figure.canvas, kind) else kind(figure)
        getattr(canvas, f"print_{file_format}")(buffer, metadata=METADATA[file_format])
    return buffer.getvalue()


def write(
    folder: Path, name: str, figure: DrawnFigure, formats: Iterable[str], *, command: str, stands_for: str
) -> list[Path]:
    """Write the files of a figure that is drawn into an existing folder, all or none; returns their paths.

    `command` and `stands_for` are for the caption: how the figure is drawn, and what it stands for.
    """
    table = figure.table
    about = {
        "format": FORMAT,
        "figure": name,
        "parameters": table.parameters,
        "versions": _versions(),
        "deviations": [verdict(comparison) for comparison in table.comparisons],
        "not_compared": [asdict(line) for line in table.without_comparison],
    }
    # First png, on the canvas that the layout was made with.
    contents = {kind: render(figure, kind, figure.png_dpi) for kind in sorted(formats, key=lambda kind: kind != "png")}
    contents |= {"csv": csv_text(table.points).encode(), "json": f"{to_json(about)}\n".encode()}
    page = caption_page(name, figure.caption, command, stands_for)
    contents["md"] = page.encode(errors="backslashreplace")  # names of files may contain any character
    files = paths(folder, name, formats)
    write_together(
        {file: lambda opened, content=contents[extension]: opened.write(content) for extension, file in files.items()}
    )
    return list(files.values())


def _versions() -> dict[str, str]:
    versions = {"python": python_version(), "matplotlib": matplotlib.__version__}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:  # the project itself, when it is run from its folder without being installed
            continue
    return versions
