"""A reader of a figure finds a name for every mark and colour, reads every text, and sees where an axis was cut."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.lines import Line2D

from figures import learned_noise
from figures.kit import drawing
from figures.registry import FIGURES
from tests.figures.helpers import tied_data
from tests.figures.picture_faults import faults_of_picture


@pytest.mark.parametrize("name", FIGURES)
def test_a_picture_explains_itself(name, quick_table):
    assert faults_of_picture(FIGURES[name].module, quick_table(name)) == []


@pytest.mark.parametrize("name", [name for name in FIGURES if FIGURES[name].takes_data])
def test_a_picture_of_other_data_explains_itself(name):
    """Two directions nearly tie, so that `collapse` has lines that are not compared."""
    module = FIGURES[name].module
    table = module.data(observations=tied_data(3.0, 2.0, 1.996, 1.0, 0.5), name="tied", quick=True)
    assert faults_of_picture(module, table) == []


def _smaller_text(noise, count):
    noise.title.set_fontsize(6.4)
    noise.set_xlabel(r"$\beta$", fontsize=6.4)


def _pale_text(noise, count):
    noise.set_xlabel(r"$\beta$", color=drawing.CRITICAL["color"])


def _pale_line(noise, count):
    noise.lines[-1].set_alpha(0.5)


def _text_outside(noise, count):
    noise.text(-0.3, 1.0, "K", transform=noise.transAxes).set_in_layout(False)


def _unknown_mark(noise, count):
    count.plot([1, 2], [1, 2], "^", color=drawing.GREY)


def _unknown_line(noise, count):
    count.plot([1, 2, 4], [4, 3, 2], color="#882200")


def _no_legend(noise, count):
    noise.figure.legends[0].remove()


def _legend_of_another_panel(noise, count):
    drawing.source_legend(count, ["reference"], loc="lower left")


def _legend_of_another_colour(noise, count):
    drawing.add_legend(count, [Line2D([], [], color="#882200", label="$K$")], loc="lower left")


def _legend_over_lines(noise, count):
    drawing.source_legend(noise, ["theory"], loc="upper right")


def _two_legends(noise, count):
    for _ in range(2):
        drawing.source_legend(count, ["theory"], loc="lower left")


def _text_over_text(noise, count):
    for text in ("one", "other"):
        noise.text(0.1, 0.05, text, transform=noise.transAxes)


def _text_over_a_line(noise, count):
    noise.text(1.0, 1.0, "K", ha="center", va="center", transform=noise.transData)
    noise.plot([0.5, 2.0], [1.0, 1.0], color=drawing.GREY)


def _axis_from_above_zero(noise, count):
    noise.set_ylim(bottom=0.1)


def _axis_that_cuts_off(noise, count):
    noise.set_ylim(top=0.9)


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (_smaller_text, "has 6.4 points"),
        (_pale_text, "has too little contrast"),
        (_pale_line, "a line of colour"),
        (_text_outside, "is cut off"),
        (_unknown_mark, "no legend names the mark ('', '^', False)"),
        (_unknown_line, "names the colour #882200"),
        (_no_legend, "no legend names the mark"),
        (_legend_of_another_panel, "has a mark that its panels do not show"),
        (_legend_of_another_colour, "has a colour that its panels do not show"),
        (_legend_over_lines, "'a legend' lies over a line"),
        (_two_legends, "one legend lies over another"),
        (_text_over_text, "'one' lies over 'other'"),
        (_text_over_a_line, "'K' lies over a line"),
        (_axis_from_above_zero, "does not say 'starts at'"),
        (_axis_that_cuts_off, "does not say 'cut off'"),
    ],
)
def test_a_spoiled_picture_is_noticed(spoil, fault, quick_table):
    def plot(table, axes):
        learned_noise.plot(table, axes)
        spoil(*np.ravel(axes))
        return axes

    module = SimpleNamespace(**vars(learned_noise) | {"plot": plot})
    found = faults_of_picture(module, quick_table("learned_noise"))
    assert any(fault in one for one in found), found
