"""The slope of the error in the weight between groups, against differences of solutions at weights about one."""

from __future__ import annotations

import numpy as np
import pytest

import theory
from theory.groups import granularity_errors, granularity_slope

BLOCKS = np.kron(np.eye(2), [[1.0, 0.8], [0.8, 1.0]])
PARTITIONS = ("diagonal", "full", [[0, 1], [2, 3]], [[0, 3], [1, 2]], [[0], [1, 2, 3]])


def block_truth(factors=BLOCKS, noise=0.2, seed=0, shape=(5, 4)):
    return theory.GenerativeModel(np.random.default_rng(seed).standard_normal(shape), noise, factors)


@pytest.mark.parametrize("posterior", ["diagonal", "full", [[0, 2], [1, 3]]], ids=str)
@pytest.mark.parametrize("groups", PARTITIONS, ids=str)
@pytest.mark.parametrize("truth", [block_truth(), block_truth(2 * BLOCKS, 1.0, 1, (3, 4))], ids=["tall", "wide"])
def test_against_solutions_at_weights_about_one(truth, groups, posterior):
    step = 1e-3
    at = [
        granularity_errors(truth, [groups], 1 + shift, posterior=posterior)[0].mean_squared_error
        for shift in (-2 * step, -step, step, 2 * step)
    ]
    # Differences of fourth order: error step^4, and 1e-13 / step from rounding.
    numeric = (at[0] - 8 * at[1] + 8 * at[2] - at[3]) / (12 * step)
    exact = granularity_slope(truth, groups, posterior=posterior)
    assert exact == pytest.approx(numeric, abs=1e-9)
    assert (groups == "full") == (abs(exact) < 1e-12)


@pytest.mark.parametrize("groups", PARTITIONS, ids=str)
def test_no_grouping_helps_if_the_prior_is_right(groups):
    truth = block_truth(np.eye(4))
    assert granularity_slope(truth, groups) == pytest.approx(0, abs=1e-13)
    plain = granularity_errors(truth, ["full"], 1.0)[0].mean_squared_error
    for weight in (0.0, 0.5, 3.0, 30.0):
        assert granularity_errors(truth, [groups], weight)[0].mean_squared_error >= plain - 1e-12


def test_strongly_correlated_blocks_are_helped_by_their_own_groups_only():
    truth = block_truth()
    assert granularity_slope(truth, [[0, 1], [2, 3]]) < 0
    assert granularity_slope(truth, [[0, 3], [1, 2]]) > 0 and granularity_slope(truth, "diagonal") > 0


def test_two_orthogonal_factors_by_hand():
    """W = g I, Gamma = [[1, r], [r, 1]]: the plain encoder is v I with v = g / (g^2 + s2), all else 2 x 2 matrices."""
    g, noise, r = 1.3, 0.4, 0.7
    truth = theory.GenerativeModel(g * np.eye(2), noise, [[1, r], [r, 1]])
    v, shrink = g / (g**2 + noise), noise / (g**2 + noise)
    own, shared = v**2 * (g**2 + noise) + shrink, v**2 * g**2 * r  # entries of C
    pull_own, pull_shared = 1 / own - own / (own**2 - shared**2), shared / (own**2 - shared**2)
    error_own, error_shared = v * (g**2 + noise) - g, v * g**2 * r - g * r  # entries of S V^T - A Gamma
    assert error_own == pytest.approx(0, abs=1e-15)
    by_hand = -2 * shrink * v * 2 * (pull_own * error_own + pull_shared * error_shared)
    assert granularity_slope(truth, "diagonal") == pytest.approx(by_hand, rel=1e-12)
    assert by_hand > 0


def test_misuse():
    with pytest.raises(ValueError, match="noise_variance must be > 0"):
        granularity_slope(block_truth(noise=0.0), "diagonal")
    with pytest.raises(ValueError, match="exactly once"):
        granularity_slope(block_truth(), [[0, 1]])
