"""Theory against experiment: the verdict of one comparison."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm
from scipy.stats import t as student

from numerics.comparison import FALSE_ALARM, MOST_ROWS, Tolerance, compare, compare_arrays, compare_points
from numerics.sampling.monte_carlo import Estimate


def test_a_row_passes_within_its_tolerance_only():
    assert compare("x", 1.0, trained=1.1, tolerance=0.2).passed
    assert not compare("x", 1.0, trained=1.3, tolerance=0.2).passed
    assert compare("x", 1.0, monte_carlo=Estimate(1.4, 0.1)).passed
    assert not compare("x", 1.0, monte_carlo=Estimate(1.6, 0.1)).passed
    assert compare("x", 1.0, monte_carlo=Estimate(1.6, 0.1), bias=0.2).passed


def test_a_row_with_two_experiments_needs_both_and_shows_the_worse():
    row = compare("x", 1.0, trained=1.0, tolerance=0.1, monte_carlo=Estimate(3.0, 0.1))
    assert not row.passed
    assert (row.deviation, row.tolerance) == (2.0, pytest.approx(0.503, abs=1e-3))
    row = compare("x", 1.0, trained=1.2, tolerance=0.1, monte_carlo=Estimate(1.0, 0.1))
    assert not row.passed
    assert (row.deviation, row.tolerance) == (pytest.approx(0.2), 0.1)


def test_infinities_agree_with_themselves_and_nan_with_nothing():
    assert compare("x", np.inf, monte_carlo=Estimate(np.inf, 0.0)).passed
    assert not compare("x", np.inf, trained=1.0, tolerance=1.0).passed
    assert not compare("x", 1.0, trained=np.nan, tolerance=1.0).passed
    row = compare("x", 1.0, trained=1.0, tolerance=1.0, monte_carlo=Estimate(np.nan, 1.0))
    assert not row.passed
    assert np.isnan(row.deviation)


def test_arrays_are_compared_entry_by_entry():
    row = compare_arrays("x", [3.0, 4.0], [4.0, 3.0], 0.5)
    assert (row.closed_form, row.trained, row.deviation, row.passed) == (5.0, 5.0, 1.0, False)
    assert compare_arrays("x", [3.0, 4.0], [3.1, 4.0], 0.5).passed
    assert not compare_arrays("x", [3.0], [np.nan], 0.5).passed


def test_the_resolution_is_the_smallest_relative_error_that_is_noticed():
    assert compare("x", 4.0, trained=4.0, tolerance=0.2).resolution == pytest.approx(0.05)
    row = compare("x", -4.0, trained=-4.0, tolerance=0.2, monte_carlo=Estimate(-4.0, 1e-3))
    assert row.resolution == pytest.approx(5.03e-3 / 4, rel=1e-3)  # of the sharper experiment
    assert compare("x", 0.0, trained=0.0, tolerance=0.2, scale=2.0).resolution == pytest.approx(0.1)
    assert compare_arrays("x", [3.0, -4.0], [3.0, -4.0], 0.2).resolution == pytest.approx(0.05)


def test_the_rows_of_the_table_share_a_chance_of_false_alarm():
    many, few = (compare("x", 1.0, monte_carlo=Estimate(1.0, 1.0, draws)).tolerance for draws in (math.inf, 12))
    assert 2 * norm.sf(many) * MOST_ROWS == pytest.approx(FALSE_ALARM, rel=1e-6)
    assert 2 * student.sf(few, 11) * MOST_ROWS == pytest.approx(FALSE_ALARM, rel=1e-6)


def test_what_would_allow_any_value_is_refused():
    with pytest.raises(ValueError, match="has an infinite standard error"):
        compare("x", 1.0, monte_carlo=Estimate(5.0, np.inf))
    with pytest.raises(ValueError, match="has a standard error that is not finite"):
        compare_points("x", "monte_carlo", np.ones(2), np.ones(2), np.array([1.0, np.nan]))
    with pytest.raises(ValueError, match="scale must be given for 'x', whose closed form is zero"):
        compare("x", 0.0, trained=0.0, tolerance=1.0)
    for closed_form, experiment in ((np.ones((2, 1)), np.ones(2)), ([], [])):
        with pytest.raises(ValueError, match="must have one shape, and entries"):
            compare_arrays("x", closed_form, experiment, 1.0)
        with pytest.raises(ValueError, match="must have one shape, and entries"):
            compare_points("x", "trained", np.array(closed_form), np.array(experiment), Tolerance(1.0, ""))
