from __future__ import annotations

from itertools import combinations

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from figures.kit.drawing import (
    GREY,
    LABEL_SIZE,
    LINE_CONTRAST,
    MARKS,
    NAMES,
    TEXT_CONTRAST,
    asinh_scale,
    band_handle,
    contrast,
    draw_band,
    draw_level,
    draw_series,
    figure_legend,
    label_at,
    label_ends,
    ordered_colours,
    panel_axes,
    plain_ticks,
    source_handles,
    state_limits,
    styled,
    text_colour,
)
from figures.kit.table import SOURCES, Table, points


def test_every_source_has_a_mark_and_a_name():
    assert set(NAMES) == {*SOURCES, "not_compared"}
    assert set(MARKS) == set(SOURCES) - {"critical"}  # which is a line across the panel


@pytest.mark.parametrize("count", [1, 2, 7])
def test_ordered_colours_differ_and_grow_lighter(count):
    colours = list(ordered_colours([str(number) for number in range(count)]).values())
    lightness = [0.2126 * red + 0.7152 * green + 0.0722 * blue for red, green, blue, _ in colours]
    assert len(colours) == count and lightness == sorted(set(lightness))


def test_panel_axes_takes_one_axes_a_list_or_an_array():
    figure = Figure()
    array = figure.subplots(2, 2)
    assert panel_axes(array, 4) == panel_axes(list(array.ravel()), 4) == list(array.ravel())
    assert panel_axes(array[0, 0], 1) == [array[0, 0]]


def test_ticks_of_a_logarithmic_axis_are_plain_numbers():
    ax = Figure().subplots()
    ax.set(xscale="log", xlim=(0.5, 200))
    plain_ticks(ax.xaxis, [1, 10, 100])
    assert list(ax.xaxis.get_majorticklocs()) == [1, 10, 100]
    assert [ax.xaxis.get_major_formatter()(value) for value in (1, 10, 100)] == ["1", "10", "100"]


def test_contrast_is_that_of_the_standard():
    """Of white, black, and three greys that are on the border of what the standard allows."""
    known = {"white": 1.0, "black": 21.0, "#949494": 3.03, "#767676": 4.54, "#777777": 4.48}
    assert {colour: round(contrast(colour), 2) for colour in known} == known


@styled()
def test_lines_and_texts_can_be_read():
    cycle = matplotlib.rcParams["axes.prop_cycle"].by_key()["color"]
    colours = [*cycle, *ordered_colours("abcdefghijkl").values(), *ordered_colours("a").values()]
    assert min(map(contrast, colours)) >= LINE_CONTRAST
    assert min(contrast(text_colour(colour)) for colour in colours) >= TEXT_CONTRAST
    assert text_colour("#0072B2") == to_rgb("#0072B2")  # dark enough as it is


# Linear RGB as people see it who lack red, green or blue cones (Machado, Oliveira, Fernandes 2009, severity 1).
SEEN = {
    "all cones": np.eye(3),
    "no red": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no green": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "no blue": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def lab(colour, seen):
    """A colour in CIELAB, in which a distance of about 2 is just noticed."""
    channels = np.array(to_rgb(colour))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    x, y, z = np.cbrt(TO_XYZ @ np.clip(seen @ linear, 0.0, 1.0) / TO_XYZ.sum(axis=1))
    return np.array([116 * y, 500 * (x - y), 200 * (y - z)])


@styled()
@pytest.mark.parametrize("seen", SEEN)
def test_colours_differ_for_the_colour_blind(seen):
    cycle = matplotlib.rcParams["axes.prop_cycle"].by_key()["color"]
    for colours, apart in ((cycle, 15.0), (ordered_colours("abcd").values(), 15.0)):
        places = [lab(colour, np.array(SEEN[seen])) for colour in colours]
        assert min(np.linalg.norm(one - other) for one, other in combinations(places, 2)) >= apart


def lines(heights):
    rows = [row for name, y in heights.items() for row in points("panel", name, "theory", [1.0, 2.0], [y, y])]
    return Table(tuple(rows), {}, not_compared={("panel", name): "a test" for name in heights})


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("heights", [(0.2, 0.5, 0.8), (0.5, 0.51, 0.52), (0.0, 0.0, 0.01, 1.0), (1.0, 0.99)])
def test_labels_of_ends_keep_their_order_and_do_not_touch(heights, side):
    heights = {f"line {number}": height for number, height in enumerate(heights)}
    figure = Figure(figsize=(4, 2))
    ax = figure.subplots()
    ax.set(xlim=(0.5, 2.5), ylim=(0, 1))
    label_ends(ax, lines(heights), "panel", ordered_colours(list(heights)), {name: name for name in heights}, side)
    assert [text.get_text() for text in ax.texts] == list(heights)
    places = np.array([text.xyann[1] for text in ax.texts])
    order = np.argsort(list(heights.values()), kind="stable")
    panel_height = ax.bbox.height * 72 / figure.dpi  # points
    assert np.diff(places[order]).min() * panel_height >= LABEL_SIZE
    assert places.min() > 0 and places.max() < 1
    if min(np.diff(sorted(heights.values()))) > 0.2:
        assert places == pytest.approx(list(heights.values()))


@pytest.mark.parametrize(
    ("limits", "heights", "said"),
    [
        ((0, 3), (0, 2), "loss"),
        ((1, 3), (1, 2), "loss (axis starts at 1)"),
        ((0, 2), (0, 4), "loss (cut off above 2)"),
        ((-1, 2), (-3, 2), "loss (cut off below -1)"),
        ((-1, 2), (-3, 4), "loss (cut off at -1 and 2)"),
        ((0.5, 2), (1, 4), "loss (axis starts at 0.5, cut off above 2)"),
    ],
)
def test_an_axis_says_where_it_ends(limits, heights, said):
    ax = Figure().subplots()
    ax.plot([0, 1], heights)
    ax.set(ylim=limits, ylabel="loss")
    state_limits(ax)
    assert ax.get_ylabel() == said


@styled()
def test_the_legend_of_a_figure_lies_above_its_panels():
    figure = Figure(figsize=(4, 3))
    panels = figure.subplots(1, 2)
    figure_legend(panels[0], source_handles(panels[0], ["theory", "trained"]))
    figure.draw_without_rendering()
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["theory", "trained"]
    assert all(legend.get_window_extent().y0 > ax.get_tightbbox().y1 for ax in panels)


def test_a_scale_by_asinh_has_no_kink_and_plain_signed_ticks():
    ax = Figure().subplots()
    ax.set_ylim(-20, 0.5)
    asinh_scale(ax, 0.1)
    assert ax.get_ylim() == (-20, 0.5)
    assert list(ax.yaxis.get_majorticklocs()) == [-10, -1, -0.1, 0, 0.1]
    assert [ax.yaxis.get_major_formatter()(tick) for tick in (-0.1, 0, 10)] == ["\N{MINUS SIGN}0.1", "0", "10"]
    assert _largest_bend(ax) < 0.01
    ax.set_yscale("symlog", linthresh=0.1)
    assert _largest_bend(ax) > 0.5  # the kink at the threshold


def _largest_bend(ax):
    """The largest relative change of the slope of a scale between neighbours of a fine grid about zero."""
    slopes = np.diff(ax.yaxis.get_transform().transform(np.linspace(-0.3, 0.3, 601)))
    return np.abs(np.diff(slopes) / slopes[:-1]).max()


def test_a_series_is_moved_sideways_and_an_empty_one_is_not_drawn():
    rows = points("p", "s", "trained", [1.0, 2.0], [3.0, 4.0], expected=0.0)
    rows += points("p", "s", "monte_carlo", [1.0], [3.0], standard_error=0.1, expected=3.0)
    table, ax = Table(points=tuple(rows), parameters={}), Figure().subplots()
    draw_series(ax, table, "p", "s", "theory", "C0")
    assert not ax.lines
    draw_series(ax, table, "p", "s", "trained", "C0", 0.5)
    assert ax.lines[0].get_xdata().tolist() == [1.5, 2.5] and ax.lines[0].get_ydata().tolist() == [3.0, 4.0]
    draw_series(ax, table, "p", "s", "monte_carlo", "C0", 0.5)
    (bar,) = ax.collections[0].get_segments()
    assert bar == pytest.approx(np.array([[1.5, 2.8], [1.5, 3.2]]))


def test_a_band_and_a_level_lie_behind_the_lines_and_a_label_has_the_colour_of_a_text():
    ax = Figure().subplots()
    draw_band(ax, [0, 1], [0, 1], [1, 2], GREY)
    draw_level(ax, 1.0)
    assert ax.collections[0].get_zorder() < MARKS["theory"]["zorder"] and ax.lines[0].get_zorder() == 0
    assert band_handle("x").get_facecolor() == pytest.approx(ax.collections[0].get_facecolor()[0])
    label_at(ax, "name", (0.5, 0.5), "C3", ha="left")
    (text,) = ax.texts
    assert (text.get_text(), text.get_ha(), text.xy) == ("name", "left", (0.5, 0.5))
    assert contrast(text.get_color()) >= 4.5


def test_labels_at_the_ends_of_measured_lines():
    table = Table(points=tuple(points("p", "s", "measured", [1.0, 2.0], [3.0, 4.0])), parameters={})
    ax = Figure().subplots()
    ax.set(xlim=(0, 3), ylim=(0, 5))
    label_ends(ax, table, "p", {"s": "C0"}, {"s": "name"}, source="measured")
    assert ax.texts[0].xy == (2.0, 4.0)
