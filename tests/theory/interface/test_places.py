"""The files of the results: where functions, pages, checks and figures really are."""

import importlib
from pathlib import Path

import pytest

from figures.registry import FIGURES
from numerics.checks.verify import CHECKS
from theory.derivations.registry import derivations
from theory.interface import places

ROOT = Path(__file__).resolve().parents[3]


def test_a_function_is_where_it_begins():
    file, line = places.function_place("theory.optimum")
    assert (ROOT / file).read_text().splitlines()[line - 1].startswith("def optimum(")
    assert places.function_place("theory.learning.learned_noise_variance")[0] == "theory/learning/learned_noise.py"


@pytest.mark.parametrize("page", derivations(), ids=lambda page: page.name)
def test_a_page_is_where_it_is_made(page):
    module = importlib.import_module(places.page_place(page.name).removesuffix(".py").replace("/", "."))
    assert module.derivation().name == page.name


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_is_where_it_is_defined(name):
    assert places.check_place(name).removesuffix(".py").replace("/", ".") == CHECKS[name].__module__


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_a_module(name):
    assert (ROOT / places.figure_place(name)).is_file()
