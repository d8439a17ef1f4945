"""The runs of a sweep in batches: the same runs for every size of a batch."""

from __future__ import annotations

import pytest

from numerics import sweep
from tests.cases import DISTINCT
from tests.numerics.sweeps.executors import (
    BETAS,
    Inline,
    assert_same,
    small_batches,
)


@pytest.mark.parametrize("runs", [1, 2, 5])
@pytest.mark.parametrize("method", ["accelerated", "gradient", "adam"])
def test_the_same_runs_for_every_size_of_batches(monkeypatch, runs, method):
    options = {"betas": BETAS, "seeds": [7, 2], "method": method, "max_steps": 300, "posterior": [[0, 2], [1]]}
    expected = sweep(DISTINCT.covariance, 3, **options)
    small_batches(monkeypatch, runs)
    executor = Inline()
    assert_same(sweep(DISTINCT.covariance, 3, executor=executor, **options), expected)
    assert executor.count == -(-6 // runs)
