from __future__ import annotations

import numpy as np

from figures import hiding_factors


def test_hidden_factors_are_found_by_others(quick_table):
    table = quick_table("hiding_factors")
    vae = table.select(hiding_factors.CORRELATION, "theory", hiding_factors.VAE).y
    assert vae[0] > 0.97 and vae[-1] < 0.73 and np.all(np.diff(vae) < 0)
    gap = table.select(hiding_factors.GAP, "theory", hiding_factors.VAE).y
    assert gap[0] > 0.55 and gap[-1] < 0.02
    assert table.select(hiding_factors.CORRELATION, "theory", hiding_factors.AMUSE).y.min() > 0.97
    chosen = table.select(hiding_factors.CORRELATION, "trained", hiding_factors.VAE).y
    names = (hiding_factors.LOW, hiding_factors.RANDOM)
    low, mean = (table.select(hiding_factors.CORRELATION, "measured", name).y for name in names)
    assert np.all(chosen[1:] < low[1:]) and np.all(low[1:] < mean[1:]) and mean.min() > 0.93
    assert table.select(hiding_factors.CORRELATION, "measured", hiding_factors.ICA).y.min() > 0.97
