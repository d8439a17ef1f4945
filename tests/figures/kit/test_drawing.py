from __future__ import annotations

import pytest
from matplotlib.figure import Figure

from figures.kit.drawing import MARKS, NAMES, ordered_colours, panel_axes, plain_ticks
from figures.kit.table import SOURCES


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
