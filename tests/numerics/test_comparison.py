"""Theory against experiment: the verdict of one comparison."""

from __future__ import annotations

import numpy as np
import pytest

from numerics.comparison import compare, compare_arrays
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
    assert (row.deviation, row.tolerance) == (2.0, pytest.approx(0.5))
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
