from __future__ import annotations

import numpy as np

from figures import collapse
from tests.figures.helpers import axes_of, observations, tied_data


def test_latents_that_training_cannot_tell_apart_are_not_compared(monkeypatch):
    # From seed 0, one of the 25 runs sets out where two of these latents mix evenly, a saddle so flat that it is still
    # there after 200,000 steps, and the table says so.
    table = collapse.data(observations=tied_data(1, 1, 1, 1.0001), seed=1)
    revived = "curvature of a dead latent at its critical beta"
    assert {d.quantity for d in table.comparisons} == {"active_count", revived, "runs not stopped by gradient"}
    assert {(line.panel, line.series) for line in table.without_comparison} == {
        (panel, series) for panel in ("weight_norm", "posterior_variance") for series in "123"
    }
    assert all(d.passed for d in table.comparisons)
    assert table.series("weight_norm", "theory") == ["1", "2", "3"]
    collapse.plot(table, axes_of(collapse))
    monkeypatch.setattr(collapse, "resolved", lambda source: np.ones(4, dtype=bool))
    unwise = (collapse.data(observations=tied_data(1, 1, 1, 1.0001), seed=seed) for seed in (1, 2, 3))
    assert not all(d.passed for table in unwise for d in table.comparisons)  # by chance, and rounding, one may agree


def test_exact_ties_and_latents_away_from_a_near_one_are_compared():
    table = collapse.data(observations=tied_data(2, 2, 1.5, 1, 1, 0.5, 0.4))
    assert all(d.passed for d in table.comparisons)
    assert table.series("weight_norm", "trained") == ["1", "2", "3", "4", "5", "6"]
    table = collapse.data(observations=tied_data(2, 2, 1.5, 1.001, 1, 1, 0.5, 0.4))
    assert all(d.passed for d in table.comparisons)
    assert table.series("weight_norm", "trained") == ["1", "2", "3"]
    table = collapse.data(observations=tied_data(2, 1.5, 1.001, 1))  # the third nearly ties with one without a latent
    assert all(d.passed for d in table.comparisons)
    assert table.series("weight_norm", "trained") == ["1", "2"]


def test_resolved_groups_of_eigenvalues():
    for eigenvalues, expected in [
        ([3, 2, 1], [1, 1, 1]),
        ([3, 3, 1, 0], [1, 1, 1, 1]),
        ([3, 2.99, 1], [0, 0, 1]),
        ([3, 3, 2.99, 2.98, 1], [0, 0, 0, 0, 1]),
        ([3, 1, 0, 0], [1, 1, 1, 1]),
    ]:
        np.testing.assert_array_equal(collapse.resolved(observations(eigenvalues)), np.array(expected, dtype=bool))
