"""A panel alone: it is readable in one column, and its legend and caption are its own."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D

from figures.kit import drawing
from figures.kit.caption import caption_of
from figures.kit.output import draw
from figures.kit.panels import SINGLE_COLUMN, letters
from figures.kit.table import Table
from figures.registry import FIGURES
from tests.figures.picture_faults import faults_of_picture

PANELS = [
    pytest.param(name, panel, id=f"{name}-{panel}") for name in FIGURES for panel in letters(FIGURES[name].module)
]


def legends_of(figure: Figure) -> list[Legend]:
    return [*figure.legends, *(each for ax in figure.axes for each in ax.get_children() if isinstance(each, Legend))]


def labels_of(figure: Figure) -> list[str]:
    return [text.get_text() for legend in legends_of(figure) for text in legend.get_texts()]


@pytest.mark.parametrize(("name", "panel"), PANELS)
def test_every_panel_is_readable_alone(name, panel, quick_table):
    module = FIGURES[name].module
    whole, alone = draw(module, quick_table(name)), draw(module, quick_table(name), panel)
    (ax,), of_whole = alone.axes, whole.axes[letters(module).index(panel)]
    assert alone.get_size_inches()[0] == SINGLE_COLUMN
    title = of_whole.get_title(loc="left")
    assert ax.get_title(loc="left") == title.removeprefix(rf"$\bf{{{panel}}}$").strip() != title
    assert ax.get_xlabel() == of_whole.get_xlabel() and ax.get_xscale() == of_whole.get_xscale()
    assert [len(line.get_xdata()) for line in ax.lines] == [len(line.get_xdata()) for line in of_whole.lines]
    labels = labels_of(alone)
    assert len(labels) == len(set(labels)) and set(labels) <= set(labels_of(whole))
    assert bool(labels) != bool(ax.images)  # images alone need no legend
    assert faults_of_picture(module, quick_table(name), panel) == []
    assert ax.bbox.width > 0.55 * alone.bbox.width and ax.bbox.height > 0.45 * alone.bbox.height


@pytest.mark.parametrize(("name", "panel"), PANELS)
def test_every_panel_has_its_part_of_the_caption(name, panel, quick_table):
    module, table = FIGURES[name].module, quick_table(name)
    whole, part = caption_of(module, table), caption_of(module, table, panel)
    assert not re.search(r"\([a-f]\)", part)
    assert part.split("\n\n")[0] == whole.split("\n\n")[0] and part.split("\n\n")[-1] == whole.split("\n\n")[-1]
    assert len(part.split("\n\n")) >= 3
    for paragraph in (
        part.replace("2 s.e.", "2 errors.").replace("(s.e.)", "").replace("et al. ", "et al ").split("\n\n")
    ):
        assert paragraph.endswith(".") and not re.search(r"[.;:,]{2}", paragraph)
        assert all(text[0].isupper() or text[0] in "$`" for text in re.split(r"(?<=[a-z$)]\. )", paragraph) if text)
    others = [caption_of(module, table, other) for other in letters(module) if other != panel]
    assert part not in others


def test_a_part_of_a_caption():
    text = (
        "Message.\n\nA setting; for all.\n\nAgainst $x$: (a) the first, in (1, 2); (b), (c) two others. More of them. "
        "(b) to (d) Units.\n\n(d) The last.\n\nMarks, {count}."
    )
    module, table = SimpleNamespace(CAPTION=text), SimpleNamespace(parameters={"count": 3})
    assert caption_of(module, table, "a").split("\n\n")[2:] == ["Against $x$: the first, in (1, 2).", "Marks, 3."]
    assert caption_of(module, table, "b").split("\n\n")[2] == "Against $x$: two others. More of them. Units."
    assert caption_of(module, table, "d").split("\n\n")[2:] == ["Against $x$: Units.", "The last.", "Marks, 3."]
    assert caption_of(module, table).count("(") == 7


RED, BLUE, GREEN = "#d00000", "#0000d0", "#00d000"


def two_panels(first, second, named_first=(), named_second=(), named_by_figure=()):
    """A figure module whose panels draw lines of (colour, style, marker), and name some by legends."""

    def line(colour, style, marker, label):
        return Line2D([], [], color=colour, linestyle=style, marker=marker, label=label)

    def plot(_, axes):
        for ax, drawn, named, letter in zip(axes, (first, second), (named_first, named_second), "ab", strict=True):
            for colour, style, marker in drawn:
                ax.plot([0, 1], [0, 1], color=colour, linestyle=style, marker=marker)
            drawing.letter(ax, letter, "title")
            if named:
                drawing.add_legend(ax, [line(*one) for one in named])
        if named_by_figure:
            axes[0].figure.legend(handles=[line(*one) for one in named_by_figure])
        return axes

    caption = "Message.\n\n(a) One. (b) Two.\n\nMarks."
    return SimpleNamespace(LAYOUT={"shape": (1, 2), "size": (7.0, 3.0)}, CAPTION=caption, plot=plot)


@pytest.mark.parametrize(
    ("module", "panel", "labels"),
    [
        # a colour that another panel names, and not one that only that panel draws
        (two_panels([(RED, "-", ""), (BLUE, "-", "")], [(RED, "-", "")],
                    [(RED, "-", "", "red"), (BLUE, "-", "", "blue")]), "b", ["red"]),
        # its own name for a colour comes before that of another panel
        (two_panels([(RED, "-", "")], [(RED, "-", "")], [(RED, "-", "", "mine")], [(RED, "-", "", "yours")]), "b",
         ["yours"]),
        # grey names a mark, whatever its colour
        (two_panels([(RED, "-", ""), (RED, "", "o")], [(BLUE, "", "o")],
                    [(drawing.GREY, "-", "", "theory"), (drawing.GREY, "", "o", "trained")]), "b", ["trained"]),
        # but not beside the colours of a panel that draws it
        (two_panels([(drawing.GREY, "-", ""), (RED, "-", "")], [(BLUE, "-", "")],
                    [(drawing.GREY, "-", "", "grey"), (RED, "-", "", "red")], [(BLUE, "-", "", "blue")]), "b",
         ["blue"]),
        # the legend of a figure, in whose order it stays; marks come last
        (two_panels([(RED, "-", "")], [(BLUE, "-", ""), (GREEN, "--", "")],
                    named_by_figure=[(drawing.GREY, "--", "", "dashed"), (RED, "-", "", "red"),
                                     (GREEN, "-", "", "green"), (BLUE, "-", "", "blue")]), "b",
         ["green", "blue", "dashed"]),
        # a name with a mark that the panel does not have would mislead
        (two_panels([(RED, "-", "")], [(RED, "", "o")], [(RED, "-", "", "red")]), "b", []),
        # one colour with two marks has the name of the mark that is drawn
        (two_panels([(RED, "-", ""), (RED, "", "o")], [(RED, "", "o")],
                    [(RED, "-", "", "line"), (RED, "", "o", "dots")]), "b", ["dots"]),
    ],
)  # fmt: skip
def test_the_legend_of_a_panel_names_what_it_draws(module, panel, labels):
    assert labels_of(draw(module, Table((), {}), panel)) == labels


def test_a_level_is_not_taken_for_a_grey_series():
    def plot(_, axes):
        for ax, letter in zip(axes, "ab", strict=True):
            ax.plot([0, 1], [0, 1], color=RED)
            drawing.letter(ax, letter, "title")
        drawing.draw_level(axes[0], 0.5)
        axes[1].plot([0, 1], [1, 0], color=drawing.GREY)
        grey = Line2D([], [], color=drawing.GREY, label="grey")
        drawing.add_legend(axes[1], [grey, Line2D([], [], color=RED, label="red")])
        return axes

    module = SimpleNamespace(LAYOUT={"shape": (1, 2), "size": (7.0, 3.0)}, CAPTION="(a) One. (b) Two.", plot=plot)
    assert labels_of(draw(module, Table((), {}), "a")) == ["red"]
    assert labels_of(draw(module, Table((), {}), "b")) == ["grey", "red"]


def test_error_bars_and_areas_are_named():
    def plot(_, axes):
        bars, area = axes
        bars.errorbar([0, 1], [0, 1], yerr=[0.1, 0.1], color=RED, **drawing.MARKS["monte_carlo"])
        shade = area.fill_between([0, 1], [0, 0], [1, 1], color=BLUE, alpha=0.2, label="range")
        area.plot([0, 1], [0, 1], color=BLUE)
        drawing.add_legend(area, [shade, Line2D([], [], color=BLUE, label="mean")])
        drawing.source_legend(area, ["theory", "monte_carlo"])
        for ax, letter in zip(axes, "ab", strict=True):
            drawing.letter(ax, letter, "title")
        return axes

    module = SimpleNamespace(LAYOUT={"shape": (1, 2), "size": (7.0, 3.0)}, CAPTION="(a) One. (b) Two.", plot=plot)
    assert labels_of(draw(module, Table((), {}), "a")) == [drawing.NAMES["monte_carlo"]]
    assert labels_of(draw(module, Table((), {}), "b")) == ["range", "mean", "theory"]


def test_a_repeated_label_is_seen_only_alone():
    def plot(_, axes):
        for ax, letter in zip(axes, "ab", strict=True):
            ax.plot([0, 1], [0, 1])
            drawing.letter(ax, letter, "title")
        axes[0].set_ylabel("height")
        drawing.repeat_ylabel(*axes)
        axes[1].tick_params(labelleft=False)
        return axes

    module = SimpleNamespace(LAYOUT={"shape": (1, 2), "size": (7.0, 3.0)}, CAPTION="(a) One. (b) Two.", plot=plot)
    whole, alone = draw(module, Table((), {})), draw(module, Table((), {}), "b")
    assert not whole.axes[1].yaxis.label.get_visible() and alone.axes[0].yaxis.label.get_visible()
    assert alone.axes[0].get_ylabel() == "height" and alone.axes[0].yaxis.get_tick_params()["labelleft"]
