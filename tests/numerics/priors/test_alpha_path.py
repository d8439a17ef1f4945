"""A path of models along alpha, and the bounds of its losses."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from numerics.priors.alpha_path import alpha_path, outside_envelope
from theory.priors import SpikeSlabPrior

LOADING = np.array([[1.2, 0.3], [0.0, 0.8], [0.5, -0.72]])
NOISE, SPARSE = 0.05, SpikeSlabPrior(2, 0.8, 0.25)


def test_alpha_outside_its_bounds_is_noticed():
    seeds = np.random.SeedSequence(0).spawn(3)
    run = alpha_path(SPARSE, LOADING, NOISE, SPARSE, beta=1.0, alphas=(0.0,), seeds=seeds)[0]
    later_run = dataclasses.replace(run, loss=run.loss + 3 * run.divergence)
    assert outside_envelope([run, later_run], (0.0, 2.0)) == [pytest.approx(run.divergence)]
    lower = dataclasses.replace(run, loss=run.loss + 2 * run.divergence)
    assert outside_envelope([run, lower], (0.0, 2.0)) == [pytest.approx(0, abs=1e-12)]
