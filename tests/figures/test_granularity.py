from __future__ import annotations

import numpy as np
import pytest

from figures import granularity
from numerics.experiments import best_group_size
from numerics.sampling.estimate import wilson_interval
from tests.figures.helpers import axes_of


def test_the_shares_of_the_granularity_figure_follow_the_seed(monkeypatch):
    drawn = []

    def kept(*arguments, **options):
        drawn.append(options["rng"])
        return best_group_size.vertex_truths(*arguments, **options)

    monkeypatch.setattr(granularity, "vertex_truths", kept)
    monkeypatch.setattr(granularity, "trained_errors", lambda truths, *_: (np.ones((len(truths), 2)), None))
    monkeypatch.setattr(granularity, "points", lambda *_, **__: [])
    monkeypatch.setattr(granularity, "_helps", lambda truths, *_: np.ones(len(truths), dtype=bool))
    for seed in (0, 1):
        granularity._shares(10.0, True, np.random.SeedSequence(seed))
    assert len(drawn) == len(set(drawn)) == 4


def test_every_share_has_its_interval(quick_table):
    table = quick_table("granularity")
    axes = axes_of(granularity)
    granularity.plot(table, axes)
    shares = axes.ravel()[2]
    bars = [segment for bar in shares.collections for segment in bar.get_segments()]
    rows = table.select(granularity.SHARES, "trained")
    assert len(bars) == len(rows.y) >= 6
    ends = sorted((bar[:, 1].min(), bar[:, 1].max()) for bar in bars)
    expected = sorted(zip(*wilson_interval(rows.y, table.parameters["draws_of_map"]), strict=True))
    assert np.array(ends) == pytest.approx(np.array(expected), abs=1e-12)
