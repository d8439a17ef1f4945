"""Drawing: the style sheet, the colours, one mark for each source of a point, and the words beside them.

A figure explains itself: each colour and each mark of a panel is named in a legend of that panel, in the legend of the
whole figure above all panels, or beside the end of its line; an axis says where it starts and what it cuts off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from figures.kit.table import Table

__all__ = [
    "ABOVE",
    "DOUBLE_COLUMN",
    "GREY",
    "add_legend",
    "asinh_scale",
    "band_handle",
    "contrast",
    "draw_band",
    "draw_critical",
    "draw_level",
    "draw_panel",
    "draw_series",
    "figure_legend",
    "from_zero",
    "label_at",
    "label_ends",
    "letter",
    "ordered_colours",
    "panel_axes",
    "plain_ticks",
    "repeat_ylabel",
    "series_handles",
    "series_legend",
    "source_handles",
    "source_legend",
    "sources_in",
    "state_limits",
    "styled",
    "text_colour",
    "whole_ticks",
]

DOUBLE_COLUMN = 7.0  # inches
GREY = "0.45"
LINE_CONTRAST, TEXT_CONTRAST = 3.0, 4.5  # with white, at least (WCAG 2.1, 1.4.11 and 1.4.3)
LABEL_SIZE = 7  # points, of text inside a panel
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
BAND = {"alpha": 0.18, "linewidth": 0, "zorder": 1}  # an area behind lines
CRITICAL = {"color": "0.55", "linewidth": 0.4, "zorder": 0}
LEADER = {"arrowstyle": "-", "linewidth": 0.4, "shrinkA": 0, "shrinkB": 0}  # from a label that was moved to its place
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
    """Colours for series that have an order, from dark to light on a map that colour-blind readers can follow.

    The lightest still has the contrast of a line, `LINE_CONTRAST`, with white.
    """
    shades = matplotlib.colormaps["viridis"](np.linspace(0.0, 0.6, len(series)) if len(series) > 1 else [0.3])
    return {name: tuple(shade) for name, shade in zip(series, shades, strict=True)}


def contrast(colour) -> float:
    """The contrast of a colour with white, from 1 (white) to 21 (black), as WCAG 2.1 defines it."""
    channels = np.array(to_rgb(colour))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(1.05 / (linear @ [0.2126, 0.7152, 0.0722] + 0.05))


def text_colour(colour) -> tuple[float, float, float]:
    """The colour of a line, darkened as far as text needs: the lightest shade with `TEXT_CONTRAST` with white."""
    shades = np.linspace(1, 0, 101)[:, np.newaxis] * to_rgb(colour)
    return next(tuple(map(float, shade)) for shade in shades if contrast(shade) >= TEXT_CONTRAST)


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
        for source in MARKS:
            options = theory_line if source == "theory" else {}
            draw_series(ax, table, panel, series, source, colour, **options)


def draw_series(
    ax: Axes, table: Table, panel: str, series: str, source: str, colour, shift: float = 0.0, **options
) -> None:
    """Draw the points of one source of a series with its mark; a `shift` along x parts marks that would hide others."""
    rows = table.select(panel, source, series)
    if not rows.x.size:
        return
    if source == "theory" and (panel, series) in table.not_compared:
        options = options | NOT_COMPARED
    if source == "monte_carlo":
        ax.errorbar(rows.x + shift, rows.y, yerr=2 * rows.standard_error, color=colour, **MARKS[source], **options)
    else:
        ax.plot(rows.x + shift, rows.y, color=colour, **MARKS[source] | options)


def draw_band(ax: Axes, x, low, high, colour) -> None:
    """Draw the area between two curves, such as a confidence band, behind all lines."""
    ax.fill_between(x, low, high, color=colour, **BAND)


def draw_critical(ax: Axes, table: Table, panel: str) -> None:
    """Draw a thin vertical line behind the curves at every critical beta of a panel."""
    for value in table.select(panel, "critical").x:
        ax.axvline(value, **CRITICAL)


def draw_level(ax: Axes, height: float) -> None:
    """Draw a thin horizontal line behind the curves at a height to compare with, such as zero."""
    ax.axhline(height, color=GREY, linewidth=0.5, zorder=0)


def asinh_scale(ax: Axes, linear_width: float) -> None:
    """Make the y axis linear within about a width of zero and logarithmic far from it, with no kink between (asinh),
    and write its ticks, at powers of ten, as plain numbers. The limits must be set.
    """
    low, high = ax.get_ylim()
    ax.set_yscale("asinh", linear_width=linear_width)
    ax.set_ylim(low, high)
    powers = 10.0 ** np.arange(np.ceil(np.log10(linear_width)), 1 + np.log10(max(-low, high)))
    ticks = np.concatenate([-powers[::-1], [0.0], powers])
    plain_ticks(ax.yaxis, ticks[(ticks >= low) & (ticks <= high)])


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
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}".replace("-", "\N{MINUS SIGN}")))
    axis.set_minor_formatter(NullFormatter())
    if values is not None:
        axis.set_minor_locator(NullLocator())


def from_zero(ax: Axes) -> None:
    """Let a y axis that starts above zero start at zero."""
    ax.set_ylim(bottom=min(0.0, ax.get_ylim()[0]))


def sources_in(table: Table, sources: Sequence[str]) -> list[str]:
    """Those of the sources of which a table has points."""
    shown = {row.source for row in table.points}
    return [source for source in sources if source in shown]


def whole_ticks(axis) -> None:
    """Put ticks at whole numbers only."""
    axis.set_major_locator(MaxNLocator(nbins=8, integer=True))


def series_handles(
    ax: Axes, colours: Mapping[str, object], labels: Mapping[str, str] | None = None, source: str = "theory"
) -> list:
    """Handles that name the colours, with the mark of a source."""
    labels = labels or {name: name for name in colours}
    return [_handle(ax, source, label, colours[name]) for name, label in labels.items()]


def source_handles(ax: Axes, sources: Sequence[str], names: Mapping[str, str] | None = None) -> list:
    """Handles that name the marks of the sources, in grey; "not_compared" is for lines that have no experiment."""
    names = NAMES | dict(names or {})
    return [_handle(ax, source, names[source], GREY) for source in sources]


def band_handle(label: str) -> Patch:
    """A handle that names the areas of a figure, in grey."""
    return Patch(facecolor=GREY, label=label, alpha=BAND["alpha"], linewidth=0)


def series_legend(
    ax: Axes,
    colours: Mapping[str, object],
    labels: Mapping[str, str] | None = None,
    source: str = "theory",
    **options,
) -> None:
    """Name the colours of a panel by a legend with the mark of a source; an Axes may have several legends."""
    add_legend(ax, series_handles(ax, colours, labels, source), **options)


def source_legend(ax: Axes, sources: Sequence[str], names: Mapping[str, str] | None = None, **options) -> None:
    """Name the marks of the sources in a panel, in grey, by a legend."""
    add_legend(ax, source_handles(ax, sources, names), **options)


def add_legend(ax: Axes, handles: list, **options) -> None:
    """Add one more legend to an Axes, of handles that have a label."""
    legend = ax.add_artist(Legend(ax, handles, [handle.get_label() for handle in handles], **options))
    legend.set_clip_on(False)  # it may lie outside the panel, and the layout leaves space for it


def figure_legend(ax: Axes, handles: list, **options) -> None:
    """Add the legend of a whole figure, of which `ax` is a panel, above all panels; in one row by default.

    A constrained layout leaves space for it; without one it lies at the upper edge of the figure.
    """
    ax.figure.legend(handles=handles, loc="outside upper left", **{"ncols": len(handles)} | options)


def label_at(ax: Axes, text: str, place: tuple[float, float], colour, offset=(0, 5), **options) -> None:
    """Write a label in the colour of what it names at an offset, in points, from a place in data coordinates."""
    style = {"textcoords": "offset points", "ha": "center", "fontsize": LABEL_SIZE, "annotation_clip": False}
    ax.annotate(text, place, offset, color=text_colour(colour), **style | options)


def label_ends(
    ax: Axes,
    table: Table,
    panel: str,
    colours: Mapping[str, object],
    labels: Mapping[str, str],
    side: str = "right",
    source: str = "theory",
) -> None:
    """Write a label beside the right (or left) end of lines of a source, or of theory if a series has none of it.

    Labels too close are moved up and down; of more labels than fit, some are left out, but not the first and the last.
    The limits of the Axes must be set, since they decide which labels are too close.
    """
    panel_height = 0.85 * ax.bbox.height * 72 / ax.figure.dpi  # in points; labels and legends leave about this share
    fitting = int(panel_height / (1.1 * LABEL_SIZE))
    if len(labels) > fitting:
        kept = set(np.linspace(0, len(labels) - 1, fitting).round())
        labels = {name: text for number, (name, text) in enumerate(labels.items()) if number in kept}
    lines = [table.select(panel, source, name) for name in labels]
    lines = [
        line if line.x.size else table.select(panel, "theory", name) for name, line in zip(labels, lines, strict=True)
    ]
    ends = [np.argmax(line.x) if side == "right" else np.argmin(line.x) for line in lines]
    places = np.array([(line.x[end], line.y[end]) for line, end in zip(lines, ends, strict=True)])
    heights = _fractions(ax, places)[:, 1]
    spread = _spread(heights, 1.1 * LABEL_SIZE / panel_height)
    stay = np.abs(spread - heights).max() < 0.02
    sign, alignment = (1, "left") if side == "right" else (-1, "right")
    leader = LEADER | {"relpos": (0 if side == "right" else 1, 0.5)}  # from the edge of the label
    for (name, text), place, moved in zip(labels.items(), places, spread, strict=True):
        colour = text_colour(colours[name])
        ax.annotate(
            text,
            place,
            (sign * (5 if stay else 22), moved),
            textcoords=("offset points", "axes fraction"),
            ha=alignment,
            va="center",
            color=colour,
            fontsize=LABEL_SIZE,
            arrowprops=None if stay else leader | {"color": colour},
            annotation_clip=False,
        )


def state_limits(ax: Axes) -> None:
    """Add to the label of a linear y axis where it starts, if above zero, and where it cuts lines off.

    To be called when the lines are drawn and the limits set.
    """
    bottom, top = ax.get_ylim()
    heights = np.concatenate([line.get_ydata() for line in ax.lines])
    words = [f"axis starts at {bottom:.3g}"] if bottom > 0 else []
    if heights.min() < bottom and heights.max() > top:
        words.append(f"cut off at {bottom:.3g} and {top:.3g}")
    elif heights.max() > top:
        words.append(f"cut off above {top:.3g}")
    elif heights.min() < bottom:
        words.append(f"cut off below {bottom:.3g}")
    if words:
        label = ax.get_ylabel()
        between = "\n" if len(label) > 12 else " "
        ax.set_ylabel(f"{label}{between}({', '.join(words)})".strip())


def _fractions(ax: Axes, places: np.ndarray) -> np.ndarray:
    """Places in data coordinates as fractions of the width and the height of a panel."""
    return (ax.transScale + ax.transLimits).transform(places)


def _spread(values: np.ndarray, gap: float) -> np.ndarray:
    """The nearest values, in their order, of which neighbours are a gap apart and the ends of [0, 1] half a gap."""
    from scipy.optimize import isotonic_regression

    order, steps = np.argsort(values, kind="stable"), gap * np.arange(len(values))
    apart = isotonic_regression(values[order] - steps).x + steps
    spread = np.empty(len(values))
    spread[order] = np.maximum(np.minimum(apart, 1 - gap / 2 - steps[::-1]), gap / 2 + steps)
    return spread


def _handle(ax: Axes, source: str, label: str, colour):
    if source == "monte_carlo":
        return ax.errorbar([], [], yerr=[], color=colour, label=label, **MARKS[source])
    if source == "not_compared":
        return Line2D([], [], color=colour, label=label, **NOT_COMPARED)
    if source == "critical":
        return Line2D([], [], label=label, **CRITICAL)
    return Line2D([], [], color=colour, label=label, **{k: v for k, v in MARKS[source].items() if k != "zorder"})
