"""The index of results is complete: each theorem has its function, page, check, figure and tests, or says why not.

A new theorem begins with its record; these tests then name what is not there yet.
"""

from __future__ import annotations

import json
import re
import sys
from functools import cache
from pathlib import Path

import pytest

from figures.registry import FIGURES, every_figure
from numerics.checks.verify import CHECKS
from numerics.comparison import Budget
from theory.__main__ import main
from theory.derivations.engine.notation import REFERENCES
from theory.derivations.registry import chapter_of, derivations, find
from theory.derivations.ties import TIES, UNTIED
from theory.interface.places import figure_place, function_of
from theory.interface.results_commands import results_page, results_table
from theory.results import (
    EXPERIMENTS,
    FIGURES_STAND_FOR,
    RESULTS,
    ROOMS,
    WORKS,
    Result,
    expand,
    matching,
    mentioning,
)

ROOT = Path(__file__).parents[2]
PAGES = {page.name: page for page in derivations()}
LEMMAS = PAGES.keys() - {result.page for result in RESULTS}  # pages that only other pages use
TIED = {(tie.function, tie.page) for tie in TIES} | set(UNTIED)


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
    assert {result.page for result in RESULTS} - {None} <= PAGES.keys()
    for lemma in LEMMAS:
        used = any(lemma in page.builds_on for page in PAGES.values())
        assert used, f"{lemma} has no result and no page builds on it: name it in a record of theory/results.py"
    assert {check for result in RESULTS for check in result.checks} == CHECKS.keys()
    assert {figure for result in RESULTS for figure in result.figures} == FIGURES.keys()


def test_the_index_says_what_each_experiment_is_made_of():
    assert {*EXPERIMENTS} == {*CHECKS}


def test_each_figure_stands_for_a_work_that_results_cite_or_for_none():
    assert FIGURES_STAND_FOR.keys() == every_figure().keys()
    cited = {WORKS[key] for result in RESULTS for key in result.references}
    for figure, text in FIGURES_STAND_FOR.items():
        named = {name for name in WORKS.values() if name in text}
        assert named <= cited and (named or text.startswith("none (")), figure
        for name in named:
            text = text.replace(name, "")
        assert not re.search(r"\d{4}|et al", text), f"{figure}: name works by their keys"
        assert (
            f"({figure_place(figure)})" in results_page().replace("../", "").split("## What the figures stand for")[1]
        )


def test_names_are_unique_and_plain():
    names = [result.name for result in RESULTS]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in names)
    assert {result.room for result in RESULTS} == ROOMS.keys()


def what_is_missing(result):
    """What a record promises and the project does not have, in words: the steps of the recipe that are left."""
    left = []
    for field in ("claim", "functions", "tests", "source", "status", "scope"):
        if not getattr(result, field):
            left.append(f"its {field}")
    for thing, there in (("page", result.page), ("check", result.checks), ("figure", result.figures)):
        if not there and thing not in result.missing:
            left.append(f"a {thing}, or the reason in `missing`")
    functions = {}
    for dotted in result.functions:
        try:
            functions[code_of(dotted)] = dotted.rpartition(".")[2]
        except (ImportError, AttributeError):
            left.append(f"the function {dotted}")
    if result.page is not None and result.page not in PAGES:
        left.append(f"the page {result.page}")
    if result.page is not None:
        left += [
            f"a tie of {dotted} with the page {result.page}, or the reason in `UNTIED`"
            for dotted in result.functions
            if (dotted, result.page) not in TIED
        ]
    left += [f"the figure {figure}" for figure in result.figures if figure not in FIGURES]
    left += [f"the check {check}" for check in result.checks if check not in CHECKS]
    checks = [check for check in result.checks if check in CHECKS]
    left += [
        f"a call of its functions in the check {check}" for check in checks if not functions.keys() & called_by(check)
    ]
    called = set().union(*map(called_by, checks))
    for code, name in functions.items():
        if checks and code not in called and name not in result.missing:
            left.append(f"a check that calls {name}, or the reason in `missing`")
    file = ROOT / result.tests
    if not file.is_file():
        left.append(f"the test file {result.tests}")
    elif functions and not re.search(rf"\b{next(iter(functions.values()))}\b", file.read_text(encoding="utf-8")):
        left.append(f"{next(iter(functions.values()))} in the test file {result.tests}")
    return left


@pytest.mark.parametrize("result", RESULTS, ids=lambda result: result.name)
def test_a_result_has_everything_or_says_why(result):
    left = what_is_missing(result)
    assert not left, f"{result.name} lacks:\n" + "\n".join(left)


def test_a_new_record_names_all_that_is_left_to_do():
    record = Result(
        name="new-theorem",
        claim="It holds.",
        functions=("theory.axes.new_function",),
        page="new-theorem",
        checks=("new_check", "objective_parts"),
        tests="tests/theory/axes/test_new.py",
        source="this project",
        scope="anything",
    )
    assert what_is_missing(record) == [
        "a figure, or the reason in `missing`",
        "the function theory.axes.new_function",
        "the page new-theorem",
        "a tie of theory.axes.new_function with the page new-theorem, or the reason in `UNTIED`",
        "the check new_check",
        "a call of its functions in the check objective_parts",
        "the test file tests/theory/axes/test_new.py",
    ]


def test_the_works_are_those_of_the_book():
    """Under the same keys, and by names that the book's entries contain."""
    assert WORKS.keys() == REFERENCES.keys()
    for key, name in WORKS.items():
        words = re.findall(r"[A-Z][a-z]{2,}|\d{4}|R\. T\. Q\.|Z\.", name)
        assert all(word in REFERENCES[key] for word in words) and key[-4:] in words


@pytest.mark.parametrize("name", sorted(PAGES.keys() - LEMMAS))
def test_the_records_of_a_page_cite_what_it_cites(name):
    """Each record some of the works, all records together all of them."""
    cited = {key for result in RESULTS if result.page == name for key in result.references}
    assert cited == {source.key for source in PAGES[name].sources}


def test_a_source_names_the_works_by_their_keys():
    """So that no work of the book is named in a source, or in a claim, without being cited."""
    for result in RESULTS:
        for key, name in WORKS.items():
            assert (name in result.source) == (key in result.references)
        written_out = result.source
        for name in WORKS.values():
            written_out = written_out.replace(name, "")
        assert not re.search("|".join(key[:-4] for key in WORKS), written_out, re.IGNORECASE), result.name


def test_a_result_is_in_the_chapter_of_its_room():
    assert {chapter_of(page) for page in PAGES.values()} == ROOMS.keys()
    for result in RESULTS:
        if result.page == result.name:
            assert chapter_of(PAGES[result.page]) == result.room


def test_a_name_stands_for_what_a_result_has():
    assert expand("optimal-beta", "checks", CHECKS) == ["optimal_beta", "optimal_beta_learned_noise"]
    assert expand("optimal_beta", "checks", CHECKS) == ["optimal_beta"]
    assert expand("small_coherence", "page", PAGES) == ["two-factors"]
    assert expand("learned-decoder-groups", "page", PAGES) == ["total-correlation"]
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
    assert matching("zietlow2021") == matching("Zietlow et al. 2021") != ()
    assert not matching("nonsense") and not matching(" ")
    assert "prior-rotation-energy" in [result.name for result in mentioning("rotation")]


def test_the_command(capsys, tmp_path):
    assert main(["results"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(RESULTS) + 1
    assert main(["results", "global-optimum", "--json"]) == 0
    (record,) = json.loads(capsys.readouterr().out)["results"]
    assert record["page"] == "global-optimum" and "optimum_fixed_noise" in record["check"]
    assert set(record) >= {"name", "claim", "functions", "page", "check", "figures", "tests", "source", "status"}
    assert main(["results", "rotation"]) == 0
    assert "see also     rotation-curvature, " in capsys.readouterr().out
    assert main(["results", "nonsense"]) == 2
    assert "got 'nonsense'; python -m theory results lists all" in capsys.readouterr().err
    assert main(["results", "rotation", "--markdown", str(tmp_path / "x.md")]) == 2
    assert main(["results", "--markdown", str(tmp_path / "x.md")]) == 0
    assert (tmp_path / "x.md").read_text(encoding="utf-8") == results_page()


def test_the_page_of_results_is_made_from_the_index():
    """To make it anew: python -m theory results --markdown docs/results.md."""
    assert (ROOT / "docs" / "results.md").read_text(encoding="utf-8") == results_page()


def test_the_table_of_the_readme_is_made_from_the_index():
    """To make it anew: python -c "from theory.interface.results_commands import *; print(results_table())"."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert results_table() in text
