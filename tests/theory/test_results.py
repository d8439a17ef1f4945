"""The index of results is complete: each theorem has its function, page, check, figure and tests, or says why not.

A new theorem begins with its record; these tests then name what is not there yet.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
from functools import cache
from pathlib import Path

import pytest

from figures.registry import FIGURES
from numerics.checks.verify import CHECKS
from numerics.comparison import Budget
from theory.__main__ import main
from theory.commands import HEADINGS, results_page, results_table
from theory.derivations.registry import CHAPTERS, chapter_of, derivations, find
from theory.results import RESULTS, expand, matching, with_page

ROOT = Path(__file__).parents[2]
PAGES = {page.name: page for page in derivations()}


def function_of(dotted):
    module, _, name = dotted.rpartition(".")
    return getattr(importlib.import_module(module), name)


def code_of(dotted):
    function = function_of(dotted)
    return f"{function.__module__}.{function.__qualname__}"


@cache
def called_by(check):
    """The functions of `theory` that a check calls, with few draws."""
    called = set()

    def note(frame, event, _):
        module = frame.f_globals.get("__name__", "")
        if event == "call" and module.startswith("theory."):
            called.add(f"{module}.{frame.f_code.co_qualname}")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        list(CHECKS[check](Budget(samples=2000, quick=True)))
    finally:
        sys.setprofile(before)
    return called


def test_every_page_check_and_figure_belongs_to_a_result():
    assert {result.page for result in RESULTS} - {None} == PAGES.keys()
    assert {check for result in RESULTS for check in result.checks} == CHECKS.keys()
    assert {figure for result in RESULTS for figure in result.figures} == FIGURES.keys()


def test_names_are_unique_and_plain():
    names = [result.name for result in RESULTS]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in names)
    assert {result.room for result in RESULTS} == HEADINGS.keys()


@pytest.mark.parametrize("result", RESULTS, ids=lambda result: result.name)
def test_a_result_has_everything_or_says_why(result):
    assert result.functions and result.claim.endswith(".") and result.source and result.status and result.scope
    for thing, there in (("page", result.page), ("check", result.checks), ("figure", result.figures)):
        assert there or thing in result.missing, f"{result.name} has no {thing}, and does not say why"


@pytest.mark.parametrize("result", RESULTS, ids=lambda result: result.name)
def test_its_page_and_its_test_file_name_its_functions(result):
    functions = {code_of(dotted) for dotted in result.functions}
    if result.page is not None:
        assert functions & {code_of(dotted) for dotted in PAGES[result.page].implements}
    text = (ROOT / result.tests).read_text(encoding="utf-8")
    names = [dotted.rpartition(".")[2] for dotted in result.functions]
    assert re.search(rf"\b{names[0]}\b", text), f"{result.tests} does not name {names[0]}"


@pytest.mark.parametrize("result", [result for result in RESULTS if result.checks], ids=lambda result: result.name)
def test_its_checks_call_its_functions(result):
    functions = {code_of(dotted): dotted.rpartition(".")[2] for dotted in result.functions}
    for check in result.checks:
        assert functions.keys() & called_by(check), f"{check} calls no function of {result.name}"
    called = set().union(*map(called_by, result.checks))
    for code, name in functions.items():
        assert code in called or name in result.missing, f"no check calls {name}, and {result.name} does not say so"


def test_what_a_page_names_is_in_the_index():
    for page in PAGES.values():
        results = with_page(page.name)
        named = {code_of(dotted) for result in results for dotted in result.functions}
        assert {code_of(dotted) for dotted in page.implements} <= named, page.name
        assert set(page.figures) <= {figure for result in results for figure in result.figures}, page.name


def test_a_room_has_a_chapter_of_its_name():
    assert set(HEADINGS) - {""} | {"foundations"} == set(CHAPTERS)
    assert all(chapter_of(PAGES[result.page]) for result in RESULTS if result.page)


def test_a_name_stands_for_what_a_result_has():
    assert expand("optimal-beta", "checks", CHECKS) == ["optimal_beta", "optimal_beta_learned_noise"]
    assert expand("optimal_beta", "checks", CHECKS) == ["optimal_beta"]
    assert expand("small_coherence", "page", PAGES) == ["two-factors"]
    assert expand("rotation-energy", "figures", FIGURES) == ["rotation_energy"]
    assert expand("nonsense", "figures", FIGURES) == ["nonsense"]
    with pytest.raises(ValueError, match=r"result 'gaussian-kl' has no figure .*a building block"):
        expand("gaussian_kl", "figures", FIGURES)
    for result in RESULTS:
        if result.page is not None:
            assert [page.name for page in find([result.name])] == [result.page]


def test_matching():
    assert [result.name for result in matching("global_optimum")] == ["global-optimum"]
    assert "global-optimum" in [result.name for result in matching("optimum_fixed_noise")]
    assert {result.name for result in matching("Theorem 1")} == {"annealed-prior"}
    assert not matching("nonsense")


def test_the_command(capsys, tmp_path):
    assert main(["results"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(RESULTS) + 1
    assert main(["results", "global-optimum", "--json"]) == 0
    (record,) = json.loads(capsys.readouterr().out)["results"]
    assert record["page"] == "global-optimum" and "optimum_fixed_noise" in record["check"]
    assert set(record) >= {"name", "claim", "functions", "page", "check", "figures", "tests", "source", "status"}
    assert main(["results", "nonsense"]) == 2
    assert "got 'nonsense'; python -m theory results lists all" in capsys.readouterr().err
    assert main(["results", "rotation", "--markdown", str(tmp_path / "x.md")]) == 2
    assert main(["results", "--markdown", str(tmp_path / "x.md")]) == 0
    assert (tmp_path / "x.md").read_text(encoding="utf-8") == results_page()


def test_the_page_of_results_is_made_from_the_index():
    """To make it anew: python -m theory results --markdown docs/results.md."""
    assert (ROOT / "docs" / "results.md").read_text(encoding="utf-8") == results_page()


def test_the_table_of_the_readme_is_made_from_the_index():
    """To make it anew: python -c "from theory.commands import results_table; print(results_table())"."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert results_table() in text
