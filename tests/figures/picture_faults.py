"""What a reader of a figure would miss or could not read: marks without a name, texts too small or one over another."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import same_color, to_hex, to_rgba
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from figures.kit.drawing import GREY, LINE_CONTRAST, TEXT_CONTRAST, contrast, styled, text_colour
from figures.kit.output import draw

SMALLEST = 6.5  # points
TOUCHING = 1.0  # pixels that two boxes may share
NONE = ("None", "none", "", " ", None)  # how matplotlib writes that there is no line or no marker
BAR, AREA = ("error bar",), ("area",)  # beside the line style and the marker of a line

Look = tuple[tuple, object]  # a mark (line style and marker, bar or area) and a colour


@styled()
def faults_of_picture(module, table, panel: str | None = None) -> list[str]:
    """What is wrong in the drawn figure, or in a panel alone, in words."""
    figure = draw(module, table, panel)
    figure.canvas.draw()  # which puts the texts of legends in their places
    panels = list(figure.axes)
    faults = [fault for ax in panels for fault in _unnamed(ax, figure.legends)]
    faults += [fault for ax in panels for legend in _legends(ax) for fault in _strangers(legend, [ax])]
    faults += [fault for legend in figure.legends for fault in _strangers(legend, panels)]
    faults += [fault for ax in panels for fault in _hidden_limits(ax)]
    return faults + _unreadable(figure) + _overlaps(figure)


def _legends(ax: Axes) -> list[Legend]:
    return [child for child in ax.get_children() if isinstance(child, Legend)]


def _looks(ax: Axes) -> list[Look]:
    """The mark and the colour of each series that is drawn in a panel; none of a panel of images."""
    if ax.images:
        return []
    bars = [container for container in ax.containers if isinstance(container, ErrorbarContainer)]
    parts = {part for bar in bars for part in (bar.lines[0], *bar.lines[1])}
    looks = [_look(line) for line in ax.lines if line not in parts and np.size(line.get_xdata())]
    looks += [_look(bar.lines[2][0]) for bar in bars if bar.lines[2][0].get_segments()]
    return looks + [_look(area) for area in ax.collections if isinstance(area, PolyCollection)]


def _look(artist) -> Look:
    if isinstance(artist, LineCollection):
        return BAR, artist.get_color()[0]
    if isinstance(artist, (PolyCollection, Rectangle)):
        return AREA, np.ravel(artist.get_facecolor())
    return _mark(artist), artist.get_color()


def _mark(line: Line2D) -> tuple:
    """Line style, marker, and whether the marker is hollow."""
    style, marker = ("" if part in NONE else part for part in (line.get_linestyle(), line.get_marker()))
    return style, marker, bool(marker) and str(line.get_markerfacecolor()) == "none"


def _named(legends: Iterable[Legend]) -> list[Look]:
    return [_look(handle) for legend in legends for handle in legend.legend_handles]


def _unnamed(ax: Axes, of_figure: list[Legend]) -> list[str]:
    """Series whose mark or colour no legend of the panel or the figure names, nor, the colour, a text or tick label."""
    named = _named([*_legends(ax), *of_figure])
    beside = [text.get_color() for text in (*ax.texts, *ax.get_yticklabels())]
    faults = []
    for mark, colour in _looks(ax):
        if mark not in [one for one, _ in named]:
            faults.append(f"{_title(ax)}: no legend names the mark {mark}")
        named_colour = any(same_color(colour, one) for _, one in named)
        if not named_colour and not any(same_color(text_colour(colour), one) for one in beside):
            faults.append(f"{_title(ax)}: neither a legend nor a text names the colour {to_hex(colour)}")
    return faults


def _strangers(legend: Legend, panels: list[Axes]) -> list[str]:
    """Entries of a legend that no series of its panels has: its mark, or, unless it is grey, its colour."""
    looks = [look for ax in panels for look in _looks(ax)]
    faults = []
    for handle, text in zip(legend.legend_handles, legend.get_texts(), strict=True):
        mark, colour = _look(handle)
        if mark not in [one for one, _ in looks]:
            faults.append(f"the entry {text.get_text()!r} has a mark that its panels do not show")
        elif to_hex(colour) != to_hex(GREY) and not any(same_color(colour, one) for _, one in looks):
            faults.append(f"the entry {text.get_text()!r} has a colour that its panels do not show")
    return faults


def _hidden_limits(ax: Axes) -> list[str]:
    """What a linear y axis does not say: that it starts above zero, or cuts lines off."""
    if ax.images or ax.get_yscale() != "linear":
        return []
    (bottom, top), said = ax.get_ylim(), ax.get_ylabel()
    heights = np.concatenate([line.get_ydata() for line in ax.lines])
    hides = {"starts at": bottom > 0, "cut off": heights.max() > top or heights.min() < bottom}
    return [f"{_title(ax)}: the axis does not say {words!r}" for words, true in hides.items() if true > (words in said)]


def _unreadable(figure: Figure) -> list[str]:
    faults = []
    for text in _texts(figure):
        if text.get_fontsize() < SMALLEST:
            faults.append(f"the text {text.get_text()!r} has {text.get_fontsize():g} points")
        if _contrast(text.get_color(), text.get_alpha()) < TEXT_CONTRAST - 0.01:
            faults.append(f"the text {text.get_text()!r} has too little contrast")
        box = _box(text)
        if not (box.x0 >= 0 and box.y0 >= 0 and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1):
            faults.append(f"the text {text.get_text()!r} is cut off")
    lines = [(ax, line) for ax in figure.axes if not ax.images for line in ax.lines if np.size(line.get_xdata())]
    return faults + [
        f"{_title(ax)}: a line of colour {to_hex(line.get_color())} has too little contrast"
        for ax, line in lines
        if _contrast(line.get_color(), line.get_alpha()) < LINE_CONTRAST
    ]


def _contrast(colour, alpha: float | None) -> float:
    """With white, of what a colour is when white shines through."""
    *channels, opacity = to_rgba(colour, alpha)
    return contrast(1 - opacity * (1 - np.array(channels)))


def _overlaps(figure: Figure) -> list[str]:
    """Texts over texts, legends over legends, and both over lines."""
    boxes = [(text.get_text(), _box(text)) for text in _texts(figure)]
    faults = [f"{one!r} lies over {other!r}" for (one, a), (other, b) in combinations(boxes, 2) if _meet(a, b)]
    legends = [legend for ax in figure.axes for legend in _legends(ax)] + figure.legends
    if any(_meet(_box(one), _box(other)) for one, other in combinations(legends, 2)):
        faults.append("one legend lies over another")
    for ax in figure.axes:
        inside = [*figure.legends, *_legends(ax), *ax.texts]
        boxes = [(str(getattr(one, "get_text", lambda: "a legend")()), _box(one)) for one in inside]
        faults += [f"{_title(ax)}: {name!r} lies over a line" for name, box in boxes if _over_a_line(ax, box)]
    return faults


def _over_a_line(ax: Axes, box: Bbox) -> bool:
    """Whether a box meets a line or a mark of a panel, but for the thin lines behind all others."""
    shown = Bbox.intersection(box.padded(-TOUCHING), ax.bbox)
    if shown is None:
        return False
    for line in ax.lines:
        if line.get_zorder() > 0 and np.size(line.get_xdata()):
            path = line.get_transform().transform_path(line.get_path())
            joined = _mark(line)[0] and path.intersects_bbox(shown, filled=False)
            if joined or any(shown.contains(*place) for place in path.vertices):
                return True
    return False


def _texts(figure: Figure) -> list[Text]:
    """All texts of a figure that are drawn, of ticks only those within the limits."""
    texts = [text for legend in figure.legends for text in legend.get_texts()]
    for ax in figure.axes:
        texts += [ax.title, ax._left_title, ax.xaxis.label, ax.yaxis.label, *ax.texts]
        texts += [text for legend in _legends(ax) for text in (legend.get_title(), *legend.get_texts())]
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
            texts += [tick.label1 for tick in ticks if low <= tick.get_loc() <= high and tick.label1.get_visible()]
    return [text for text in texts if text.get_text()]


def _box(artist) -> Bbox:
    """The box of an artist in pixels; of a text, without the line to where it points."""
    renderer = artist.get_figure(root=True).canvas.get_renderer()
    return Text.get_window_extent(artist, renderer) if isinstance(artist, Text) else artist.get_window_extent(renderer)


def _meet(one: Bbox, other: Bbox) -> bool:
    shared = Bbox.intersection(one, other)
    return shared is not None and min(shared.width, shared.height) > TOUCHING


def _title(ax: Axes) -> str:
    return ax.get_title(loc="left")
