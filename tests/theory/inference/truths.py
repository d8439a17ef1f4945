"""Truths and families that the tests of the optimal beta share."""

import numpy as np

from theory import (
    GenerativeModel,
)

FAMILIES = ["diagonal", "full", [[0, 2], [1]]]


def truth_of(seed, data_dim=5, factors=3, noise=0.3, correlated=False):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(factors, factors))
    loading = rng.normal(size=(data_dim, factors))
    return GenerativeModel(loading, noise, root @ root.T + 0.2 * np.eye(factors) if correlated else None)
