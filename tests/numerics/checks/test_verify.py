from __future__ import annotations

import pytest

from numerics.checks.verify import CHECKS, verify
from numerics.comparison import MOST_ROWS


@pytest.fixture(scope="module")
def rows():
    return verify(quick=True, progress=False)


def test_theory_and_experiment_agree(rows):
    assert [row for row in rows if not row.passed] == []
    assert {row.result for row in rows} == set(CHECKS)


def test_every_row_compares_something(rows):
    for row in rows:
        assert (row.trained is not None) or (row.monte_carlo is not None)
        assert (row.monte_carlo is None) == (row.standard_error is None)
        assert row.deviation <= row.tolerance
        assert 0 <= row.resolution < 1
    assert sum(row.monte_carlo is not None for row in rows) <= MOST_ROWS


def test_rows_do_not_depend_on_what_else_runs(rows):
    names = ["inference_errors", "collapse"]
    assert verify(quick=True, only=names, progress=False) == [row for row in rows if row.result in names]


def test_unknown_names_are_refused():
    with pytest.raises(
        ValueError, match=r"only must name checks or results, got 'optimal'; the checks are objective_parts, "
    ):
        verify(only=["optimal"])
