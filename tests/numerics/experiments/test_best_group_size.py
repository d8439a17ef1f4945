"""Where the V holds, over random truths."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from numerics import VertexCell, train, vertex_map
from numerics.experiments.best_group_size import trained_errors, vertex_truths
from numerics.experiments.granularity import factor_errors
from theory.groups import Weights


def test_where_the_v_holds():
    cells = vertex_map(
        correlations=[0.2, 0.8], noise_variances=[0.1, 3.0], loadings=["random", "orthogonal"], draws=12, progress=False
    )
    found = {(cell.loading, cell.correlation, cell.noise_variance): cell for cell in cells}
    assert len(found) == 8 and all(cell.cuts_hurt == 1 for cell in cells)
    strong, weak = found["random", 0.8, 0.1], found["random", 0.2, 0.1]
    assert strong.blocks_help >= 11 / 12 and strong.ratio < 1
    assert strong.slope_helps >= 11 / 12  # .96 of 100 draws, as `blocks_help`
    assert weak.blocks_help == 0 and weak.blocks_hurt == 1 and weak.ratio > 1
    assert 0 < found["random", 0.8, 3.0].blocks_help < 1
    for cell in cells:
        if cell.loading == "orthogonal":  # blocks are already uncorrelated, whatever the prior
            assert cell.blocks_help == cell.blocks_hurt == cell.slope_helps == 0


def test_groupings_of_a_truth_are_trained_as_each_alone():
    setting = {"block": 2, "count": 2, "data_dim": 5, "correlations": [0.8], "noise_variances": [0.1], "draws": 2}
    ((_, truths),) = vertex_truths(**setting, loadings=["random"], rng=0)
    groupings = ["diagonal", [[0, 1], [2, 3]], "full"]
    errors, finished = trained_errors(truths, groupings, 10.0)
    assert finished.all()
    for truth, found in zip(truths, errors, strict=True):
        arguments = {"noise_variance": truth.noise_variance, "decoder": truth.loading}
        runs = [train(truth.covariance, 4, beta=Weights.independence(10.0), groups=g, **arguments) for g in groupings]
        np.testing.assert_array_equal(found, [factor_errors(truth, run.vae).sum() for run in runs])


def test_trainings_that_do_not_end_are_counted():
    """At a noise of 1e-8 behind fewer data dimensions than factors the steps do not suffice; at 1e12 they do."""
    setting = {"block": 2, "count": 2, "data_dim": 3, "correlations": [0.1], "loadings": ["random"], "draws": 2}
    short, long = vertex_map(**setting, noise_variances=[1e-8, 1e12], progress=False)
    assert short.unfinished == 2 and long.unfinished == 0


@pytest.mark.parametrize("hits", [0, 1, 7, 30])
def test_intervals_of_shares(hits):
    """At the ends of the interval so many or more (fewer) hits have the probability 2.5 %."""
    cell = VertexCell("random", 0.8, 0.1, 30, hits / 30, 0.0, 0.0, 0.0, 1.0, 0)
    low, high = cell.interval("blocks_help")
    assert low <= hits / 30 <= high
    if hits:
        assert binom.sf(hits - 1, 30, low) == pytest.approx(0.025, rel=1e-9)
    if hits < 30:
        assert binom.cdf(hits, 30, high) == pytest.approx(0.025, rel=1e-9)
    with pytest.raises(ValueError, match="share must be one of"):
        cell.interval("ratio")


def test_misuse():
    with pytest.raises(ValueError, match="draws must be >= 1"):
        vertex_map(draws=0)
    with pytest.raises(ValueError, match="beta must be > 0"):
        vertex_map(beta=0)
    with pytest.raises(ValueError, match="loadings must be a sequence"):
        vertex_map(loadings="random")
    with pytest.raises(ValueError, match=r"rng must be a .* or a seed"):
        vertex_map(rng=None)
    # An entry of a list is named as the argument that was passed.
    with pytest.raises(ValueError, match=r"correlations must be from -1 to below 1 for blocks of 2, got 1\.5"):
        vertex_map(correlations=[0.2, 1.5])
    with pytest.raises(ValueError, match="noise_variances must be > 0, got 0"):
        vertex_map(noise_variances=[0.1, 0.0])


def test_cells_and_seeds_have_truths_of_their_own():
    setting = {"block": 2, "count": 2, "data_dim": 5, "correlations": [0.2, 0.8], "noise_variances": [0.1, 1.0]}
    setting |= {"loadings": ["random"], "draws": 3}
    cells = [truths for seed in (0, 1) for _, truths in vertex_truths(**setting, rng=seed)]
    loadings = {truth.loading.tobytes() for truths in cells for truth in truths}
    assert len(loadings) == 2 * 4 * 3
    again = vertex_truths(**setting, rng=np.random.default_rng(1))
    for (_, truths), before in zip(again, cells[4:], strict=True):
        for truth, same in zip(truths, before, strict=True):
            np.testing.assert_array_equal(truth.loading, same.loading)


def test_whole_numbers_of_any_class_are_sizes():
    class Whole:  # as NumPy's narrow ones, whose product would wrap around
        def __init__(self, value):
            self.value = value

        def __index__(self):
            return self.value

    setting = {"data_dim": 5, "correlations": [0.3], "noise_variances": [0.3], "loadings": ["random"]}
    found = [
        vertex_map(block=kind(2), count=kind(2), draws=kind(1), **setting, progress=False) for kind in (int, Whole)
    ]
    assert found[0] == found[1] and type(found[1][0].draws) is int
