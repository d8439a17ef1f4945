"""The plots of the explorer: each has an empty figure, and a function that fills it with the curves of a panel.

Colours are readable on a light and on a dark page. Text and axes take the colour of the page's text from
`ink_of_the_page`, in the browser, where the scheme is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from bokeh.models import ColumnDataSource, CustomJS, FixedTicker, Range1d
from bokeh.plotting import figure

from figures.explorer.model import BETAS, CRITERIA

__all__ = ["PLOTS", "Plot", "ink_of_the_page"]

GREY, BLUE, RED, GREEN = "#8a8a8a", "#2b8cc4", "#d55e00", "#009e73"
HEIGHT = 300
MARGIN = 0.05  # of what an axis shows, on either side
UNITS = {"mean_squared_error": "squared error", "log_score": "negative log score (nats)"}

# Sets the colours of text and axes to those of the page's style sheet, now and when the scheme changes.
SET_INK = """
const scheme = matchMedia("(prefers-color-scheme: dark)");
function paint() {
  const ink = getComputedStyle(document.documentElement).getPropertyValue("--ink").trim();
  for (const plot of plots) {
    for (const axis of [...plot.below, ...plot.left])
      axis.setv({ axis_label_text_color: ink, major_label_text_color: ink, axis_line_color: ink,
                  major_tick_line_color: ink, minor_tick_line_color: ink });
    for (const legend of plot.above) legend.label_text_color = ink;
  }
}
paint();
scheme.addEventListener("change", paint);
"""

Curves = Mapping[str, Mapping[str, np.ndarray]]


@dataclass(frozen=True, eq=False)
class Plot:
    """A figure, and what fills it from the curves of a panel and the name of the error that is drawn."""

    figure: figure
    fill: Callable[[Curves, str], None]


def ink_of_the_page(plots: Iterable[Plot]) -> CustomJS:
    """A callback of the browser that gives text and axes the colour of the page's text."""
    return CustomJS(args={"plots": [plot.figure for plot in plots]}, code=SET_INK)


def _figure(x: str, y: str, **options) -> figure:
    plot = figure(
        height=HEIGHT,
        sizing_mode="stretch_width",
        tools="",
        toolbar_location=None,
        x_axis_label=x,
        y_axis_label=y,
        background_fill_color=None,
        border_fill_color=None,
        outline_line_color=None,
        min_border_right=18,
        **{"x_range": Range1d(0, 1), "y_range": Range1d(0, 1), **options},
    )
    plot.grid.grid_line_color = GREY
    plot.grid.grid_line_alpha = 0.25
    plot.axis.axis_label_text_font_style = "normal"
    return plot


def _legend(plot: figure, columns: int = 1) -> None:
    """Above the plot, where it hides nothing."""
    legend = plot.legend[0]
    plot.add_layout(legend, "above")
    legend.update(background_fill_alpha=0, border_line_alpha=0, ncols=columns, padding=0, margin=0, spacing=8)
    legend.update(label_text_font_size="12px", label_standoff=4, location="left")


def _span(of: Range1d, *values) -> None:
    """Let an axis show all finite values, with a margin; it stays as it is if there are none."""
    heights = np.concatenate([[], *map(np.ravel, values)])
    heights = heights[np.isfinite(heights)]
    if heights.size:
        margin = MARGIN * np.ptp(heights) or MARGIN * abs(heights[0]) or 1.0
        of.update(start=heights.min() - margin, end=heights.max() + margin)


def _sources(*names: str, columns: str) -> dict[str, ColumnDataSource]:
    return {name: ColumnDataSource({column: [] for column in columns.split()}) for name in names}


def _fill(sources: Mapping[str, ColumnDataSource], curves: Curves) -> None:
    """Fill each source with the curve of its name, or empty it; what is as before is not drawn again."""
    for name, source in sources.items():
        given = curves.get(name)
        data = {column: [] if given is None else given[column] for column in source.data}
        if not all(np.array_equal(data[column], source.data[column]) for column in data):
            source.data = data


def _latents() -> Plot:
    colours = {"active": BLUE, "collapsed": RED, "no latent": GREY}
    plot = _figure(
        "i, number of the eigenvalue",
        "eigenvalue ℓᵢ",
        y_axis_type="log",
        y_range=Range1d(0.1, 1),
        x_range=Range1d(0, 1),
    )
    sources = _sources(*colours, columns="mode eigenvalue low") | _sources("level", columns="ends level")
    for kind, colour in colours.items():
        bar = {"top": "eigenvalue", "bottom": "low", "source": sources[kind], "color": colour, "legend_label": kind}
        plot.vbar("mode", 0.8, hatch_color="white", hatch_pattern="/" if kind == "collapsed" else None, **bar)
    water = {"color": GREEN, "width": 2, "line_dash": "dashed", "legend_label": "water level t"}
    plot.line("ends", "level", source=sources["level"], **water)
    _legend(plot, 2)
    entries = {item.label.value: item for item in plot.legend[0].items}

    def fill(curves: Curves, _: str) -> None:
        if not curves:
            _fill(sources, {})
            return
        given, levels = curves["bars"], curves["level"]["level"]
        heights = np.concatenate([given["eigenvalue"], levels])
        low, high = heights[heights > 0].min() / 2, heights.max() * 2
        ends = np.array([0.4, len(given["mode"]) + 0.6])
        shown = {"level": {"ends": ends[: 2 * len(levels)], "level": np.repeat(levels, 2)}}
        for kind in colours:
            of = (given["kind"] == kind) & (given["eigenvalue"] > 0)
            heights = given["eigenvalue"][of]
            shown[kind] = {"mode": given["mode"][of], "eigenvalue": heights, "low": np.full(len(heights), low / 2)}
            entries[kind].visible = bool(heights.size)
        _fill(sources, shown)
        plot.y_range.update(start=low, end=high)
        plot.x_range.update(start=ends[0], end=ends[1])

    return Plot(plot, fill)


def _rate() -> Plot:
    plot = _figure("rate (nats)", "distortion / total variance")
    sources = _sources("Shannon", "VAE", "here", columns="rate distortion")
    plot.line(
        "rate",
        "distortion",
        source=sources["Shannon"],
        color=GREEN,
        width=2,
        line_dash="dashed",
        legend_label="Shannon",
    )
    plot.line("rate", "distortion", source=sources["VAE"], color=BLUE, width=2, legend_label="VAE, any β")
    plot.scatter("rate", "distortion", source=sources["here"], color=RED, size=11, legend_label="at this β")
    _legend(plot, 3)

    def fill(curves: Curves, _: str) -> None:
        _fill(sources, curves)
        if curves:
            _span(plot.x_range, 0.0, curves["Shannon"]["rate"])
            _span(plot.y_range, 0.0, 1.0)

    return Plot(plot, fill)


def _inference() -> Plot:
    plot = _figure("β", "", x_axis_type="log", x_range=Range1d(*BETAS))
    sources = _sources("curve", "best", "here", columns="beta error")
    plot.line("beta", "error", source=sources["curve"], color=BLUE, width=2, legend_label="error")
    plot.scatter(
        "beta", "error", source=sources["best"], color=BLUE, size=13, marker="diamond", legend_label="at the optimal β"
    )
    plot.scatter("beta", "error", source=sources["here"], color=RED, size=11, legend_label="at this β")
    _legend(plot, 3)

    def fill(curves: Curves, criterion: str) -> None:
        names = {"curve": criterion, "best": f"{criterion} best", "here": f"{criterion} here"}
        _fill(sources, {name: curves[key] for name, key in names.items()} if curves else {})
        plot.yaxis.axis_label = UNITS.get(criterion, f"{CRITERIA[criterion]} (nats)")
        if not curves:
            return
        errors, (here,) = np.asarray(curves[criterion]["error"]), curves[f"{criterion} here"]["error"]
        # Left of the optimum an error may grow without bound: shown is what the rest of the curve needs.
        _span(plot.y_range, errors.min(), np.median(errors), errors[-1], here)

    return Plot(plot, fill)


def _rotation() -> Plot:
    plot = _figure("angle of the rotation (degrees)", "excess loss (nats)", x_range=Range1d(0, 90))
    names = {"reoptimised": "diagonal q", "truncated": "q cut to its diagonal", "full": "full q"}
    sources = _sources(*names, columns="angle energy")
    for name, colour, dash in (("reoptimised", BLUE, "solid"), ("truncated", RED, "dashed"), ("full", GREY, "solid")):
        plot.line(
            "angle", "energy", source=sources[name], color=colour, width=2, line_dash=dash, legend_label=names[name]
        )
    plot.xaxis.ticker = FixedTicker(ticks=[0, 15, 30, 45, 60, 75, 90])
    _legend(plot, 2)

    def fill(curves: Curves, _: str) -> None:
        _fill(sources, curves)
        _span(plot.y_range, *(curve["energy"] for curve in curves.values()))

    return Plot(plot, fill)


def _groups() -> Plot:
    plot = _figure("latents in a group", "squared error / that without penalty")
    ticker = plot.xaxis.ticker = FixedTicker(ticks=[])
    sources = _sources("groups", "none", columns="size error")
    plot.line(
        "size", "error", source=sources["none"], color=GREY, width=2, line_dash="dashed", legend_label="no penalty"
    )
    plot.line("size", "error", source=sources["groups"], color=BLUE, width=2)
    plot.scatter("size", "error", source=sources["groups"], color=BLUE, size=9, legend_label="weight β between groups")
    _legend(plot, 2)

    def fill(curves: Curves, _: str) -> None:
        _fill(sources, curves)
        if curves:
            sizes = curves["groups"]["size"]
            sources["none"].data = {"size": [sizes[0], sizes[-1]], "error": [1.0, 1.0]}
            ticker.ticks = sizes.tolist()
            _span(plot.x_range, sizes)
            _span(plot.y_range, 1.0, curves["groups"]["error"])

    return Plot(plot, fill)


PLOTS = {"latents": _latents, "rate": _rate, "inference": _inference, "rotation": _rotation, "groups": _groups}
