"""What the grouped objective does to inference, partition by partition."""

from __future__ import annotations

import numpy as np
import pytest

import theory
from theory.groups import Weights, granularity_errors, grouped_optimum


def test_true_blocks_help_and_groups_that_cut_them_hurt():
    """Strong correlation, little noise: the error is below that of one group at the true blocks, above it at others."""
    loading = np.random.default_rng(0).standard_normal((8, 6))
    truth = theory.GenerativeModel(loading, 0.1, np.kron(np.eye(3), [[1, 0.8], [0.8, 1]]))
    partitions = ["full", [[0, 1], [2, 3], [4, 5]], [[0, 1, 2], [3, 4, 5]], "diagonal"]
    one, blocks, cut, singles = (error.mean_squared_error for error in granularity_errors(truth, partitions, 10.0))
    plain = theory.inference_error(truth, theory.optimal_encoder(loading, 0.1, 1.0)).mean_squared_error
    assert one == pytest.approx(plain, abs=1e-10)
    assert blocks < 0.9 * one < one < cut < singles


def test_no_grouping_matters_for_independent_factors_and_a_full_posterior():
    truth = theory.GenerativeModel(np.random.default_rng(1).standard_normal((5, 4)), 0.3)
    for partitions in ("full", [[0, 1], [2, 3]], "diagonal"):
        error = granularity_errors(truth, [partitions], 20.0, posterior="full")[0]
        assert error.forward_kl == pytest.approx(0, abs=1e-10)


def test_without_a_penalty_a_block_across_groups_may_lose_its_width():
    """beta = 0: two correlated factors of different groups become one latent; the posterior has no width across."""
    loading = np.random.default_rng(0).standard_normal((5, 3))
    truth = theory.GenerativeModel(loading, 0.1, np.full((3, 3), 0.95) + 0.05 * np.eye(3))
    cut, kept = granularity_errors(truth, [[[0, 1], [2]], "full"], 0.0, posterior=[[0, 2], [1]])
    assert (cut.forward_kl, cut.reverse_kl, cut.log_score) == (np.inf, np.inf, -np.inf)
    # The limit as one latent y with z_0 = cos(a) y, z_2 = sin(a) y, minimised over all of it by BFGS.
    assert cut.mean_squared_error == pytest.approx(0.2598728532, rel=1e-3)
    assert np.isfinite(kept.forward_kl)
    near = [granularity_errors(truth, [[[0, 1], [2]]], beta, posterior=[[0, 2], [1]])[0] for beta in (1e-2, 1e-3)]
    assert near[1].forward_kl > 5 * near[0].forward_kl > 100  # like 1 / beta
    (whole,) = granularity_errors(truth, ["diagonal"], 0.0)  # single latents keep a width
    assert np.isfinite(whole.forward_kl)
    with pytest.raises(ValueError, match=r"weights\.between must be > 0 here"):
        grouped_optimum(loading, 0.1, truth.covariance, Weights.independence(0), [[0, 1], [2]], posterior=[[0, 2], [1]])


def test_many_truths_are_searched_together_as_each_alone():
    """Truths of several shapes, in any order; a start that needs more searches does not change the others."""
    rng = np.random.default_rng(5)
    correlated = [[1.0, 0.7], [0.7, 1.0]]
    truths = [theory.GenerativeModel(rng.standard_normal((rows, 2)), 0.3, correlated) for rows in (3, 4, 3, 2, 3)]
    partitions = ["diagonal", "full"]
    for beta in (5.0, 0.3):
        together = granularity_errors(truths, partitions, beta)
        for truth, errors in zip(truths, together, strict=True):
            for one, alone in zip(errors, granularity_errors(truth, partitions, beta), strict=True):
                assert one.mean_squared_error == pytest.approx(alone.mean_squared_error, rel=1e-12)
                assert one.log_score == pytest.approx(alone.log_score, rel=1e-12)
