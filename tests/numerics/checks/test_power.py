"""Every closed form is made wrong by 1 %, field by field, and the checks that the index names for it must notice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from numerics.checks import power
from numerics.checks.power import Bent, bent, bent_functions, smallest_noticed
from numerics.comparison import compare
from theory import gaussian, inference
from theory.results import UNNOTICED

FUNCTIONS = bent_functions()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_error_of_one_percent_is_noticed(function):
    rows = list(smallest_noticed(function, FUNCTIONS[function], sizes=(1e-2,)))
    assert [row.field for row in rows if not row.passed] == []
    reasons = {name for name in UNNOTICED if name.split()[0] == function}
    assert {f"{row.function} {row.field}".strip() for row in rows if row.reason} == reasons  # none is out of date
    assert [row.field for row in rows if row.reason and row.row] == []  # and none is needless


def test_all_callers_see_the_bent_function():
    matrix, right = np.array([[2.0, 1.0], [1.0, 3.0]]), inference.family_gap(np.eye(2), 0.5, 1.0)
    gap = gaussian.hadamard_gap(matrix)
    with bent("theory.gaussian.hadamard_gap", lambda result: 2 * result):
        assert gaussian.hadamard_gap(matrix) == 2 * gap
        assert gaussian.hadamard_gap(matrix=matrix, posterior="diagonal") == 2 * gap
        with pytest.raises(ValueError, match="matrix"):
            gaussian.hadamard_gap("no matrix")
    assert gaussian.hadamard_gap(matrix) == gap
    assert inference.family_gap(np.eye(2), 0.5, 1.0) == right


def test_an_experiment_that_rests_on_its_closed_form_is_found(monkeypatch):
    def dependent(budget):
        gap = gaussian.hadamard_gap(np.array([[2.0, 1.0], [1.0, 3.0]]))
        yield compare("alone", gap, trained=np.log(6 / 5), tolerance=1e-12)
        yield compare("both", gap, trained=2 * gap / 2, tolerance=1e-12)

    monkeypatch.setitem(power.CHECKS, "invented", dependent)
    function = "theory.gaussian.hadamard_gap"
    (row,) = smallest_noticed(function, ["invented"], sizes=(1e-2,), independence=True)
    assert (row.row, row.dependent, row.passed) == ("invented: alone", "invented: both", False)
    (row,) = smallest_noticed(function, ["family_gap"], sizes=(1e-2,), independence=True)
    assert (row.dependent, row.passed) == ("", True)


def test_a_field_is_changed_and_no_other():
    @dataclass(frozen=True)
    class Result:
        number: float
        zero: float
        count: int
        array: np.ndarray
        parts: tuple[float, float]
        word: str = "same"
        flag: bool = True

    result = Result(2.0, 0.0, 3, np.array([1.0, 0.0]), (1.0, 4.0))
    places = list(power._places(result))
    assert places == [("number",), ("zero",), ("count",), ("array",), ("parts", 0), ("parts", 1)]
    assert power._changed(result, ("number",), 0.5).number == 3.0
    assert power._changed(result, ("zero",), 0.5).zero == 0.5
    assert power._changed(result, ("count",), 0.5).count == 4
    assert power._changed(result, ("array",), 0.5).array.tolist() == [1.5, 0.5]
    changed = power._changed(result, ("parts", 1), 0.5)
    assert (changed.parts, changed.number, changed.word) == ((1.0, 6.0), 2.0, "same")
    assert result.parts == (1.0, 4.0)


def test_the_page_tells_what_notices_and_why_nothing_does():
    rows = [Bent("theory.optimum", "rate", 1e-6, "digits_optimum: rate", ""), Bent("theory.f", "", np.inf, "", "why")]
    page = power.power_page(rows)
    assert "| `theory.optimum` | rate | 1e-06 | digits\\_optimum: rate |" in page
    assert "| `theory.f` |  |  | why |" in page
