"""One panel of a figure alone, at the width of a column, with a legend of its own.

`plot` of a figure draws all its panels on Axes that it is given, so it is given the Axes of the panel on a figure of
one column, and those of the other panels on a figure that is dropped.

**The legend.** In the whole figure one legend may name the colours, or the marks, of several panels. The panel alone
gets each entry, from any of them, whose colour or mark it draws; what its own legends name, no other names again. A
grey entry names a mark, unless it stands among the colours of a panel that draws it, and so does one whose colour no
panel draws.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D

from figures.kit import drawing
from figures.kit.table import Table
from theory import validation

__all__ = ["SINGLE_COLUMN", "checked_panel", "draw_alone", "letters"]

SINGLE_COLUMN = 3.4  # inches
HEIGHT = 2.5  # inches, without the legend
LEGEND_ROW = 0.16  # inches
MARGIN = 0.08  # inches, left and right: a layout may change the ticks, and so their labels, by the width of a digit
WIDEST = 0.96  # a legend, of the width of the figure
LETTER = re.compile(r"^\$\\bf\{\w\}\$\s*")  # before the title of a panel
ERROR_BAR, AREA = "error bar", "area"  # looks that are no line
GREY = to_hex(drawing.GREY)

Mark = tuple[str, object]  # colour and look


def letters(module: ModuleType) -> str:
    """The letters of the panels of a figure, in order."""
    rows, columns = module.LAYOUT["shape"]
    return "abcdefghijklmnopqrstuvwxyz"[: rows * columns]


def checked_panel(name: str, panel: str, module: ModuleType) -> str:
    """Return `panel` if it is the letter of a panel of the figure."""
    return validation.choice(name, panel, letters(module))


def draw_alone(module: ModuleType, table: Table, panel: str, figure: Figure) -> None:
    """Draw the panel of a letter on an empty figure, whose size this sets; in the style of the figures.

    The layout of the figure must be constrained.
    """
    figure.set_size_inches(SINGLE_COLUMN, HEIGHT)
    figure.get_layout_engine().set(w_pad=MARGIN)
    ax = figure.subplots()
    others = Figure(figsize=module.LAYOUT["size"])
    FigureCanvasAgg(others)
    axes = list(np.ravel(others.subplots(*module.LAYOUT["shape"])))
    place = letters(module).index(panel)
    axes[place] = ax
    module.plot(table, axes)
    ax.set_title(LETTER.sub("", ax.get_title(loc="left")))
    ax.yaxis.label.set_visible(True)
    if ax.yaxis.get_tick_params()["labelleft"] is False and not ax.images:
        ax.tick_params(labelleft=True)
    handles = _entries_for(ax, axes, (figure, others))
    for legend in (*_legends(ax), *figure.legends):
        legend.remove()
    if handles:
        _add_legend(figure, handles)


def _add_legend(figure: Figure, handles: list) -> None:
    """A legend above the panel, in as many columns as fit into its width."""
    for columns in range(min(4, len(handles)), 0, -1):
        legend = figure.legend(handles=handles, loc="outside upper left", ncols=columns)
        width = legend.get_window_extent(figure.canvas.get_renderer()).width
        if columns == 1 or width <= WIDEST * figure.bbox.width:
            break
        legend.remove()
    rows = -(-len(handles) // columns)
    figure.set_size_inches(SINGLE_COLUMN, HEIGHT + rows * LEGEND_ROW)


@dataclass(frozen=True)
class _Entry:
    """An entry of a legend: the colour and look of its handle, and whether it names all that look so."""

    colour: str
    look: object
    of_mark: bool
    handle: object

    @property
    def names(self) -> object:
        if self.look == AREA:  # which may have the colour of a line
            return self.colour, AREA
        return self.look if self.of_mark else self.colour


def _entries_for(ax: Axes, axes: list[Axes], figures: tuple[Figure, ...]) -> list:
    """Handles, with labels, of the legends of a figure that name what one of its panels draws: colours, then marks."""
    drawn, anywhere = _marks(ax), set().union(*map(_marks, axes))
    others = (each for each in axes if each is not ax)
    of_figures = [
        entry for figure in figures for legend in figure.legends for entry in _entries(legend, set(), anywhere)
    ]
    groups = [
        [entry for legend in _legends(ax) for entry in _entries(legend, drawn, anywhere)],
        of_figures,
        *([*_entries(legend, _marks(each), anywhere)] for each in others for legend in _legends(each)),
    ]
    looks, colours, kept = {look for _, look in drawn}, {colour for colour, _ in drawn}, []
    for group in groups:
        named = {entry.names for entry in kept}
        exact = {entry.names for entry in group if (entry.colour, entry.look) in drawn}
        for entry in group:
            if entry.of_mark:
                shown = entry.look in looks
            elif entry.look == AREA or entry.names in exact:
                shown = (entry.colour, entry.look) in drawn
            else:  # the colour stands for a series, whatever its mark; but one that the panel does not have misleads
                shown = entry.colour in colours and entry.look in looks
            if shown and entry.names not in named:
                kept.append(entry)
    return [entry.handle for entry in sorted(kept, key=lambda entry: entry.of_mark)]


def _legends(ax: Axes) -> list[Legend]:
    return [child for child in ax.get_children() if isinstance(child, Legend)]


def _entries(legend: Legend, beside: set[Mark], anywhere: set[Mark]) -> Iterator[_Entry]:
    """The entries of a legend that stands in a panel with the marks `beside`, none for the legend of a figure."""
    coloured = {colour for colour, _ in anywhere}
    handles = [_labelled(*each) for each in zip(legend.legend_handles, legend.get_texts(), strict=True)]
    marks = [_mark_of_handle(handle) for handle in handles]
    of_series = any(colour != GREY and colour in coloured for colour, _ in marks)
    for (colour, look), handle in zip(marks, handles, strict=True):
        is_series = of_series and (colour, look) in beside if colour == GREY else colour in coloured
        yield _Entry(colour, look, not is_series, handle)


def _labelled(handle, text):
    """What a legend keeps of a handle, with its label; of an error bar it keeps the bar alone."""
    if isinstance(handle, LineCollection):
        colour = handle.get_colors()[0]
        handle = Figure().subplots().errorbar([], [], yerr=[], color=colour, **drawing.MARKS["monte_carlo"])
    handle.set_label(text.get_text())
    return handle


def _mark_of_handle(handle) -> Mark:
    if isinstance(handle, ErrorbarContainer):
        return to_hex(handle.lines[2][0].get_colors()[0]), ERROR_BAR
    return _mark(handle) if isinstance(handle, Line2D) else (to_hex(handle.get_facecolor()), AREA)


def _marks(ax: Axes) -> set[Mark]:
    """The colours and looks of what is drawn in a panel; none beside images."""
    if ax.images:
        return set()
    bars = [each.lines for each in ax.containers if isinstance(each, ErrorbarContainer)]
    parts = {id(part) for line, caps, _ in bars for part in (line, *caps)}
    lines = [_mark(line) for line in ax.lines if len(line.get_xdata()) and id(line) not in parts and not _level(line)]
    drawn = [bar for _, _, ranges in bars for bar in ranges if bar.get_segments()]
    areas = [each for each in ax.collections if not isinstance(each, LineCollection)]
    return {
        *lines,
        *((to_hex(bar.get_colors()[0]), ERROR_BAR) for bar in drawn),
        *((to_hex(area.get_facecolor()[0]), AREA) for area in areas),
    }


def _level(line: Line2D) -> bool:
    """Whether it is a level behind the lines (`drawing.draw_level`), which no legend names."""
    return line.get_zorder() <= 0 and to_hex(line.get_color()) == GREY


def _mark(line: Line2D) -> Mark:
    """The colour of a line, and its style with its marker, which may be hollow."""
    style, marker = (str(value).strip() for value in (line.get_linestyle(), line.get_marker()))
    hollow = str(line.get_markerfacecolor()) == "none"
    look = ("None" if part in ("", "None") else part for part in (style, marker))
    return to_hex(line.get_color()), (*look, hollow)
