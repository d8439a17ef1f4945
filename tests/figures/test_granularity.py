from __future__ import annotations

import numpy as np

from figures import granularity
from numerics.experiments import best_group_size


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
