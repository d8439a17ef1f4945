"""The table behind a figure: rows by source, and the verdict on experiment against theory."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from scipy.stats import norm
from scipy.stats import t as student

from figures.kit.table import Point, Table, csv_text, points
from numerics.comparison import Comparison, Tolerance, standard_errors_allowed


def table(rows, **tolerances):
    return Table(tuple(rows), {}, {("panel", source): tolerance for source, tolerance in tolerances.items()})


LINE = points("panel", "a", "theory", [1, 2], [3, 4])


def test_rows_are_selected_by_panel_source_and_series():
    rows = LINE + points("panel", "b", "theory", 5, 6) + points("other", "c", "trained", 7, 8, expected=8)
    made = Table(tuple(rows), {}, not_compared={("panel", "a"): "why", ("panel", "b"): "why"})
    assert made.series("panel") == ["a", "b"] and made.series("panel", "trained") == []
    np.testing.assert_array_equal(made.select("panel", "theory").x, [1, 2, 5])
    np.testing.assert_array_equal(made.select("panel", "theory", "a").y, [3, 4])
    assert np.isnan(made.select("panel", "theory").expected).all()


def test_the_largest_deviation_decides():
    rows = points("panel", "a", "trained", [1, 2], [3.0, 4.0], expected=[3.5, 3.9])
    (absolute,) = table(rows, trained=Tolerance(0.5, "why")).comparisons
    assert (absolute.deviation, absolute.points, absolute.unit, absolute.passed) == (0.5, 2, "absolute", True)
    (relative,) = table(rows, trained=Tolerance(0.14, "why", relative=True)).comparisons
    assert relative.deviation == pytest.approx(0.5 / 3.5, rel=1e-15) and not relative.passed


@pytest.mark.parametrize("source", ["theory", "minimum", "critical"])
def test_a_line_of_theory_is_compared_or_listed(source):
    rows = tuple(points("panel", "a", source, 1, 2))
    with pytest.raises(ValueError, match="checked or not_compared must name the line 'a' of 'panel'"):
        Table(rows, {})
    of_another = tuple(points("panel", "b", "trained", 1, 2, expected=2))
    with pytest.raises(ValueError, match="which has no experiment"):
        Table(rows + of_another, {})
    (listed,) = Table(rows, {}, not_compared={("panel", "a"): "nothing is known"}).without_comparison
    assert (listed.panel, listed.series, listed.reason) == ("panel", "a", "nothing is known")
    assert Table(rows + tuple(points("panel", "a", "trained", 1, 2, expected=2)), {}).without_comparison == ()


def test_a_check_or_a_panel_that_compares_a_line_must_exist():
    check = Comparison(quantity="limit", source="trained", deviation=0.0, tolerance=1.0)
    assert Table(tuple(LINE), {}, checks=(check,), checked={("panel", "a"): "limit"}).without_comparison == ()
    other = tuple(points("other", "b", "trained", 1, 2, expected=2))
    assert Table((*LINE, *other), {}, checked={("panel", "a"): "other"}).without_comparison == ()
    for named in (
        {"checked": {("panel", "a"): "another"}},
        {"not_compared": {("panel", "a"): "x", ("panel", "b"): "x"}},
    ):
        with pytest.raises(ValueError, match="must name lines and checks of the table"):
            Table(tuple(LINE), {}, **named)


def test_a_panel_that_shows_no_closed_form_is_listed():
    (listed,) = table(points("panel", "a", "measured", [1, 2], 3)).without_comparison
    assert (listed.panel, listed.series) == ("panel", "all") and "no closed form" in listed.reason


def test_the_resolution_is_that_of_the_series_that_notices_least():
    rows = points("panel", "a", "trained", [1, 2], [10.0, 1.0], expected=[10.0, 1.0])
    rows += points("panel", "b", "trained", [1, 2], [0.0, 0.5], expected=[0.0, 0.5])
    rows += points("panel", "zero", "trained", 1, 0.0, expected=0.0)
    (verdict,) = table(rows, trained=Tolerance(0.1, "why")).comparisons
    assert verdict.resolution == pytest.approx(0.1 / 0.5)
    (of_zero,) = table(rows[-1:], trained=Tolerance(0.1, "why")).comparisons
    assert np.isnan(of_zero.resolution)


def test_few_draws_allow_more_standard_errors():
    rows = tuple(points("panel", "a", "monte_carlo", [1, 2], 3.0, standard_error=0.1, expected=3.0))
    (few,) = Table(rows, {}, draws={"panel": 6}).comparisons
    assert few.tolerance == standard_errors_allowed(2, 6) > standard_errors_allowed(2)
    assert few.resolution == pytest.approx(few.tolerance * 0.1 / 3.0)


def test_a_missing_number_fails():
    rows = points("panel", "a", "trained", [1, 2], [np.nan, 4.0], expected=4.0)
    assert not table(rows, trained=Tolerance(1.0, "why")).comparisons[0].passed
    rows = points("panel", "a", "trained", [1, 2], 4.0)
    assert not table(rows, trained=Tolerance(1.0, "why")).comparisons[0].passed


def test_monte_carlo_is_compared_in_standard_errors_with_an_allowance_for_the_number_of_points():
    rows = points("panel", "a", "monte_carlo", [1, 2], [3.0, 4.0], standard_error=[0.1, 1.0], expected=[3.3, 3.0])
    (deviation,) = table(rows).comparisons
    assert deviation.deviation == pytest.approx(3.0, rel=1e-12) and deviation.passed
    assert deviation.tolerance == standard_errors_allowed(2)
    assert standard_errors_allowed(1) == pytest.approx(norm.isf(0.5e-4), rel=1e-12)
    assert standard_errors_allowed(1, 6) == pytest.approx(student.isf(0.5e-4, 5), rel=1e-10)
    assert 1 - (1 - 2 * norm.sf(standard_errors_allowed(40))) ** 40 == pytest.approx(1e-4, rel=1e-4)


def test_checks_stand_beside_the_comparisons():
    check = Comparison(
        quantity="runs", source="trained", deviation=1.0, tolerance=0.0, unit="runs", points=5, reason="why"
    )
    made = Table((), {}, checks=(check,))
    assert made.comparisons == (check,) and not check.passed


def test_an_unknown_source_is_refused():
    with pytest.raises(ValueError, match=r"source must be one of theory, .* got 'guess'"):
        points("panel", "a", "guess", 1, 2)


def test_csv_reads_back_the_names_of_series_whatever_they_contain():
    names = ["Gaussian, isotropic", 'a "quoted" name', "plain"]
    rows = [row for name in names for row in points("panel", name, "theory", 1.5, 2)]
    read = list(csv.DictReader(io.StringIO(csv_text(rows))))
    assert [row["series"] for row in read] == names
    assert all(list(row) == list(Point.__dataclass_fields__) and row["x"] == "1.5" for row in read)


def test_csv_leaves_empty_what_does_not_apply():
    rows = points("panel", "a", "trained", 1 / 3, -0.0, expected=2.0) + points("panel", "b", "critical", 5, np.nan)
    read = list(csv.DictReader(io.StringIO(csv_text(rows))))
    assert [row["series"] for row in read] == ["a", "b"]
    assert read[0]["x"] == "0.3333333333" and read[0]["y"] == "0" and read[0]["standard_error"] == ""
    assert read[1]["y"] == ""


def test_a_panel_without_a_tolerance_is_named():
    with pytest.raises(ValueError, match=r"tolerances must have an entry for \('panel', 'trained'\)"):
        _ = table(points("panel", "series", "trained", 0.0, 1.0, expected=1.0)).comparisons
