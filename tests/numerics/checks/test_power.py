"""Every closed form is made wrong by 1 %, field by field, and the checks that the index names for it must notice."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest

from numerics.checks import power
from numerics.checks.power import Bent, bent, bent_functions, reason_of, smallest_noticed, unbent
from numerics.comparison import compare
from theory import gaussian, inference
from theory.results import UNNOTICED

FUNCTIONS = bent_functions()


@pytest.fixture(scope="module")
def right():
    return unbent(FUNCTIONS)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_error_of_one_percent_is_noticed(function, right):
    rows = list(smallest_noticed(function, right, sizes=(1e-2,)))
    assert [row.field for row in rows if not row.passed] == []
    reasons = {name for name in UNNOTICED if name.split()[0] == function and name.split()[-1] not in power.KINDS}
    assert {reason_of(row.function, row.field) for row in rows if row.reason} == reasons  # none is out of date
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
    right = unbent({function: ["invented"]})
    (row,) = smallest_noticed(function, right, sizes=(1e-2,), independence=True)
    assert (row.row, row.dependent, row.passed) == ("invented: alone", "invented: both", False)
    right = unbent({function: ["family_gap"]})
    (row,) = smallest_noticed(function, right, sizes=(1e-2,), independence=True)
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
    places = [path for path, _ in power._places(result)]
    assert places == [("number",), ("zero",), ("count",), ("array",), ("parts", 0), ("parts", 1)]
    half = partial(power._larger, 0.5)
    assert power._changed(result, ("number",), half).number == 3.0
    assert power._changed(result, ("zero",), half).zero == 0.5
    assert power._changed(result, ("count",), half).count == 4
    assert power._changed(result, ("array",), half).array.tolist() == [1.5, 0.5]
    assert power._changed(result, ("array",), power.KINDS["order"]).array.tolist() == [0.0, 1.0]
    assert power._changed(result, ("count",), power.KINDS["sign"]).count == -3
    changed = power._changed(result, ("parts", 1), half)
    assert (changed.parts, changed.number, changed.word) == ((1.0, 6.0), 2.0, "same")
    assert result.parts == (1.0, 4.0)
    seen = {}
    power._note(result, check="invented", seen=seen)
    found = [seen[path]["invented"] for path in (("number",), ("zero",), ("array",))]
    assert found == [{"sign"}, set(), {"sign", "order"}]


def test_a_wrong_sign_or_order_that_nothing_notices_is_told(monkeypatch):
    def blind(budget):
        means = inference.optimal_encoder([[1.0, 0.0], [0.0, 2.0]], 0.5, 1.0).encoder
        yield compare("size", float(np.sum(means**2)), trained=np.sum([4 / 9, (2 / 4.5) ** 2]), tolerance=1e-9)

    monkeypatch.setitem(power.CHECKS, "invented", blind)
    function = "theory.optimal_encoder"
    rows = smallest_noticed(function, unbent({function: ["invented"]}), sizes=(1e-2,), kinds=("order", "sign"))
    of_encoder = next(row for row in rows if row.field == "encoder")
    assert of_encoder.unnoticed == ("order", "sign") and not of_encoder.passed


def test_the_page_tells_what_notices_and_why_nothing_does():
    rows = [Bent("theory.optimum", "rate", 1e-6, "digits_optimum: rate", ""), Bent("theory.f", "", np.inf, "", "why")]
    page = power.power_page(rows)
    assert "| `theory.optimum` | rate | 1e-06 | digits\\_optimum: rate |" in page
    assert "| `theory.f` |  |  | why |" in page
