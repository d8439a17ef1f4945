"""Drawing: the style sheet, the colours, and one mark for each source of a point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from figures.kit.table import Table

__all__ = [
    "ABOVE",
    "DOUBLE_COLUMN",
    "GREY",
    "add_legend",
    "draw_critical",
    "draw_panel",
    "letter",
    "ordered_colours",
    "panel_axes",
    "plain_ticks",
    "repeat_ylabel",
    "series_legend",
    "source_legend",
    "styled",
    "whole_ticks",
]

DOUBLE_COLUMN = 7.0  # inches
GREY = "0.45"
ABOVE = {"loc": "lower left", "bbox_to_anchor": (-0.02, 1.1)}  # a legend over the title of a panel

# In order of drawing: lines below, experiments above.
MARKS = {
    "theory": {"linestyle": "-", "zorder": 2},
    "minimum": {"linestyle": "", "marker": "D", "markersize": 4.6, "markeredgecolor": "black", "zorder": 5},
    "trained": {"linestyle": "", "marker": "o", "markeredgecolor": "white", "markeredgewidth": 0.4, "zorder": 3},
    "monte_carlo": {"linestyle": "", "marker": "", "elinewidth": 0.9, "capsize": 1.8, "zorder": 4},
    "reference": {"linestyle": "", "marker": "o", "markersize": 6, "markerfacecolor": "none", "zorder": 4},
    "measured": {"linestyle": ":", "linewidth": 0.8, "marker": "s", "markersize": 2.6, "zorder": 3},
    "published": {"linestyle": "", "marker": "x", "markersize": 5, "markeredgewidth": 1.2, "zorder": 5},
}
NOT_COMPARED = {"linestyle": (0, (1, 2))}  # lines of theory that no experiment is compared with
CRITICAL = {"color": "0.8", "linewidth": 0.5, "zorder": 0}
NAMES = {
    "theory": "theory",
    "minimum": "minimum (theory)",
    "critical": r"critical $\beta$",
    "trained": "trained",
    "monte_carlo": "Monte Carlo ± 2 s.e.",
    "reference": "reference",
    "measured": "measured",
    "published": "published",
    "not_compared": "theory, not compared",
}


def styled():
    """The style sheet as a context, or as a decorator of a function that draws."""
    return style.context(Path(__file__).with_name("style.mplstyle"))


def ordered_colours(series: Sequence[str]) -> dict[str, tuple]:
    """Colours for series that have an order, from dark to light on a map that colour-blind readers can follow."""
    shades = matplotlib.colormaps["viridis"](np.linspace(0.0, 0.82, len(series)) if len(series) > 1 else [0.3])
    return {name: tuple(shade) for name, shade in zip(series, shades, strict=True)}


def panel_axes(axes, count: int) -> list[Axes]:
    """The Axes of a figure as a list, from one Axes, a list, or an array as from `Figure.subplots`.

    Raises
    ------
    ValueError
        if there are not as many as the figure has panels.
    """
    flat = list(np.ravel(np.asarray(axes, dtype=object)))
    if len(flat) != count:
        raise ValueError(f"axes must hold {count} Axes, got {len(flat)}; make them with Figure.subplots")
    return flat


def draw_panel(ax: Axes, table: Table, panel: str, colours: Mapping[str, object], **theory_line) -> None:
    """Draw the series of a panel that have a colour, each point with the mark of its source.

    `theory_line` holds options of the lines. Lines that nothing is compared with are dotted.
    """
    for series, colour in colours.items():
        for source, mark in MARKS.items():
            rows = table.select(panel, source, series)
            if not rows.x.size:
                continue
            if source == "monte_carlo":
                ax.errorbar(rows.x, rows.y, yerr=2 * rows.standard_error, color=colour, **mark)
            else:
                if source == "theory":
                    mark = mark | theory_line | (NOT_COMPARED if (panel, series) in table.not_compared else {})
                ax.plot(rows.x, rows.y, color=colour, **mark)


def draw_critical(ax: Axes, table: Table, panel: str) -> None:
    """Draw a thin vertical line behind the curves at every critical beta of a panel."""
    for value in table.select(panel, "critical").x:
        ax.axvline(value, **CRITICAL)


def letter(ax: Axes, name: str, title: str) -> None:
    """Write the letter and the title of a panel."""
    ax.set_title(rf"$\bf{{{name}}}$  {title}")


def repeat_ylabel(of: Axes, *others: Axes) -> None:
    """Give panels the y label of another, to be seen only where one of them is drawn alone."""
    for ax in others:
        ax.set_ylabel(of.get_ylabel(), visible=False)


def plain_ticks(axis, values: Sequence[float] | None = None) -> None:
    """Write the ticks of a logarithmic axis as plain numbers: at 1, 2 and 5 of every decade, or at given values."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)) if values is None else FixedLocator(values))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())
    if values is not None:
        axis.set_minor_locator(NullLocator())


def whole_ticks(axis) -> None:
    """Put ticks at whole numbers only."""
    axis.set_major_locator(MaxNLocator(nbins=8, integer=True))


def series_legend(
    ax: Axes,
    colours: Mapping[str, object],
    labels: Mapping[str, str] | None = None,
    source: str = "theory",
    **options,
) -> None:
    """Name the colours by a legend with the mark of a source; an Axes may have several legends."""
    labels = labels or {name: name for name in colours}
    handles = [_handle(ax, source, label, colours[name]) for name, label in labels.items()]
    add_legend(ax, handles, **options)


def source_legend(ax: Axes, sources: Sequence[str], names: Mapping[str, str] | None = None, **options) -> None:
    """Name the marks of the sources, in grey, by a legend; "not_compared" is for lines that have no experiment."""
    names = NAMES | dict(names or {})
    add_legend(ax, [_handle(ax, source, names[source], GREY) for source in sources], **options)


def add_legend(ax: Axes, handles: list, **options) -> None:
    """Add one more legend to an Axes, of handles that have a label."""
    legend = ax.add_artist(Legend(ax, handles, [handle.get_label() for handle in handles], **options))
    legend.set_clip_on(False)  # it may lie outside the panel, and the layout leaves space for it


def _handle(ax: Axes, source: str, label: str, colour):
    if source == "monte_carlo":
        return ax.errorbar([], [], yerr=[], color=colour, label=label, **MARKS[source])
    if source == "not_compared":
        return Line2D([], [], color=colour, label=label, **NOT_COMPARED)
    if source == "critical":
        return Line2D([], [], label=label, **CRITICAL)
    return Line2D([], [], color=colour, label=label, **{k: v for k, v in MARKS[source].items() if k != "zorder"})
