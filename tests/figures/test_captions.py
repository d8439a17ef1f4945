"""Every figure has a caption that goes through what is drawn, and says what it stands for."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from figures import learned_noise
from figures.kit.caption import caption_of
from figures.registry import FIGURES, every_figure
from tests.figures.caption_faults import faults_of_caption
from theory.results import FIGURES_STAND_FOR


@pytest.mark.parametrize("name", FIGURES)
def test_the_caption_says_what_is_drawn(name, quick_table):
    assert faults_of_caption(FIGURES[name].module, quick_table(name)) == []


def test_each_figure_stands_for_something():
    assert FIGURES_STAND_FOR.keys() == every_figure().keys()
    assert all(entry.stands_for for entry in every_figure().values())


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("{data_dim}", "{data_dimension}", "a field that the parameters of the table do not fill: KeyError"),
        ("{data_dim}", "{data_dim:.2z}", "a field that the parameters of the table do not fill: ValueError"),
        ("{latent_dims}$", "{latent_dims}", "an odd number of dollar signs"),
        ("(b)", "On the right:", "the panel (b)"),
        ("(b)", "(b) and (c)", "a panel (c)"),
        ("probabilistic", "the", "the word 'probabilistic' of the picture"),
        (r"\beta", "b", r"the symbol \beta of the picture"),
        ("noise", "very " * 20, "words, not 80 to 180"),
    ],
)
def test_a_wrong_caption_is_noticed(old, new, fault, quick_table):
    wrong = vars(learned_noise) | {"CAPTION": learned_noise.CAPTION.replace(old, new)}
    assert wrong["CAPTION"] != learned_noise.CAPTION
    found = faults_of_caption(SimpleNamespace(**wrong), quick_table("learned_noise"))
    assert any(fault in one for one in found), found


def test_numbers_are_those_of_the_table():
    text = "\n$K = {sizes}$ of\n{count:,}; {map[block]:.1f} {values[0]}.\n\n`{name}` ${{l}}$\n"
    parameters = {"sizes": (2, 4), "count": 10_000, "map": {"block": 0.25}, "values": [1.0, 0.5], "name": "my {x}.csv"}
    found = caption_of(SimpleNamespace(CAPTION=text), SimpleNamespace(parameters=parameters))
    assert found == "$K = 2, 4$ of 10,000; 0.2 1.\n\n`my {x}.csv` ${l}$"
