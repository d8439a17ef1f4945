from __future__ import annotations

import numpy as np
import pytest

from numerics import block_truth


@pytest.mark.parametrize("loading", ["random", "orthogonal", "local"])
def test_block_truths(loading):
    truth = block_truth([1, 3], 0.5, 0.2, 200, loading=loading, rng=np.random.default_rng(1))
    np.testing.assert_array_equal(
        truth.factor_covariance, [[1, 0, 0, 0], [0, 1, 0.5, 0.5], [0, 0.5, 1, 0.5], [0, 0.5, 0.5, 1]]
    )
    np.testing.assert_allclose(np.sum(truth.loading**2, axis=0), 200, rtol=0.5 if loading == "random" else 1e-12)
    gram = truth.loading.T @ truth.loading
    crossed = np.abs(gram - np.diag(np.diagonal(gram))).max()
    assert (crossed < 1e-9) == (loading != "random")  # four bumps are far apart on a line of 200


def test_overlap_of_neighbours():
    gram = np.abs(block_truth([2, 2], 0.5, 0.2, 5, loading="local").loading)
    gram = gram.T @ gram
    assert gram[0, 1] > 0.5 and gram[0, 3] < 0.1 * gram[0, 1]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: block_truth([], 0.5, 0.1, 4), "blocks must be positive whole numbers"),
        (lambda: block_truth([2, 0], 0.5, 0.1, 4), "blocks must be positive whole numbers"),
        (lambda: block_truth([3], -0.6, 0.1, 4), "correlation must be from -0.5"),
        (lambda: block_truth([3], 0.5, 0.1, 2, loading="orthogonal"), "data_dim must be at least the 3 factors"),
        (lambda: block_truth([3], 0.5, 0.1, 4, loading="sparse"), "loading must be one of"),
    ],
)
def test_misuse_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
