"""Figure: how cost grows with size, measured on this machine.

Each line is a computation, its seconds against its size, with the exponent of a power of the size through the upper
half of the sizes, and in brackets the largest that is expected. Times differ from run to run, so this figure is drawn
only when it is named.
"""

from __future__ import annotations

import numpy as np

from figures.kit import drawing
from figures.kit.options import Progress, checked_options, ignore
from figures.kit.table import Table, points
from numerics.bench.growth import SURPRISE, WORKS, measure
from numerics.comparison import largest_of

__all__ = ["CAPTION", "LAYOUT", "data", "plot"]

LAYOUT = {"shape": (1, 3), "size": (drawing.DOUBLE_COLUMN, 3.2)}

CAPTION = r"""
The cost of a computation should grow no faster with its size than expected; the times are measured on one machine and
differ from run to run.

Seconds against size, both axes logarithmic: (a) closed forms: the optimum against the data dimension $D$ and the
number $K$ of latents, the error curve against its betas, the optimal beta against $K$. (b) The best code of groups,
the grouped optimum for a fixed decoder, against $K$ and the number of groups. (c) Training and checking: a sweep
against its runs, `verify` against its checks, `derive --check` against its pages.

Squares are measured times (the least of a few, where they are short); there is no theory and no error bar, and dotted
lines only join squares. Each legend ends with the exponent of a power of the size through the upper half of the sizes,
and in brackets the largest expected. The figure fails if an exponent is clearly above it.
"""

PANELS = {
    "closed_forms": ("optimum", "error curve", "optimal beta"),
    "groups": ("grouped optimum",),
    "many": ("sweep", "verify", "derive --check"),
}
LEGEND = "size: exponent (largest expected)"
LEFT = {"title_fontsize": drawing.LABEL_SIZE, "alignment": "left"}
TITLES = ("closed forms", "best code of groups", "training and checking")


def data(*, quick: bool = False, seed: int = 0, progress: Progress = ignore) -> Table:
    """Seconds against size for each computation; with `quick`, smaller sizes. `seed` is not used."""
    quick, _ = checked_options(quick, seed, progress, 1)
    rows, exponents, excess = [], {}, []
    for panel, names in PANELS.items():
        for work in [work for work in WORKS if work.name in names]:
            progress(f"{work.name}, {work.variable}")
            (grown,) = measure([work], quick, progress=False)
            series = f"{work.name}, {work.variable}: {grown.exponent:.1f} ({work.expected:g})"
            rows += points(panel, series, "measured", grown.sizes, grown.seconds)
            exponents[f"{work.name}, {work.variable}"] = {"fitted": grown.exponent, "expected": work.expected}
            excess.append(max(0.0, grown.exponent - work.expected))
    return Table(
        points=tuple(rows),
        parameters={"exponents": exponents, "seed": seed},
        checks=(
            largest_of(
                "exponents above the expected",
                excess,
                SURPRISE,
                "the noise of a line through two or three sizes; a power more is above it",
            ),
        ),
    )


@drawing.styled()
def plot(table: Table, axes):
    """Draw seconds against size on three Axes with logarithmic scales; returns the Axes."""
    flat = drawing.panel_axes(axes, len(PANELS))
    for ax, name, panel, title in zip(flat, "abc", PANELS, TITLES, strict=True):
        colours = drawing.ordered_colours(table.series(panel))
        drawing.draw_panel(ax, table, panel, colours)
        ax.set(xlabel="size", xscale="log", yscale="log")
        drawing.plain_ticks(ax.xaxis, _powers_of_ten(table, panel) or [1, 2, 4, 8])
        drawing.plain_ticks(ax.yaxis)
        ax.set_ylim(_rounded(table.select(panel, "measured").y))
        drawing.series_legend(ax, colours, source="measured", title=LEGEND, **LEFT, **drawing.ABOVE)
        drawing.letter(ax, name, title)
    flat[0].set_ylabel("seconds")
    drawing.repeat_ylabel(*flat)
    return axes


def _rounded(values: np.ndarray) -> tuple[float, float]:
    """The range of values out to the next of 1, 2, 5, 10, ..., so that an axis has two labelled ticks at least."""
    decades = np.arange(np.floor(np.log10(values.min())), np.ceil(np.log10(values.max())) + 1)
    steps = np.multiply.outer(10.0**decades, [1, 2, 5]).ravel()
    return steps[steps <= values.min()].max(), steps[steps >= values.max()].min()


def _powers_of_ten(table: Table, panel: str) -> list[float]:
    """Those between the least and the largest size of a panel, if there are two or more."""
    sizes = np.log10(table.select(panel, "measured").x)
    powers = 10.0 ** np.arange(np.ceil(sizes.min()), np.floor(sizes.max()) + 1)
    return powers.tolist() if len(powers) > 1 else []
