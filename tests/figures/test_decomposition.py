from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from figures import (
    decomposition,
)


def test_alpha_outside_its_bounds_is_noticed(quick_table):
    stream = np.random.SeedSequence(0)
    run = decomposition._path(decomposition.SPARSE, decomposition.SPARSE, 1.0, (0.0,), stream)[0]
    later_run = dataclasses.replace(run, loss=run.loss + 3 * run.divergence)
    assert decomposition._gains([run, later_run], (0.0, 2.0)) == [pytest.approx(run.divergence)]
    lower = dataclasses.replace(run, loss=run.loss + 2 * run.divergence)
    assert decomposition._gains([run, lower], (0.0, 2.0)) == [pytest.approx(0, abs=1e-12)]


def test_alpha_moves_the_alignment(quick_table):
    table = quick_table("decomposition")
    for panel in (decomposition.SHARPER, decomposition.CLUSTERED):
        for series in table.series(panel):
            rows = table.select(panel, "measured", series)
            assert np.all(np.diff(rows.y) < 0) and np.all(np.diff(rows.x) > 0)
