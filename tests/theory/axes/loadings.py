"""Loadings with orthogonal columns, and a search over all changes of a loading."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from tests.cases import orthogonal

NORMS = np.array([2.0, 1.0])


def columns(norms, data_dim=3, seed=0):
    return orthogonal(data_dim, np.random.default_rng(seed))[:, : len(norms)] * np.asarray(norms)


def searched(loading, axes, gaps, starts=8):
    """The least squared change found by sequential quadratic programming over its entries.

    Constraints on B = (A + E) R: orthogonal columns, and lengths that differ by the gaps (those that are not None).
    """
    latent_dim = loading.shape[1]
    upper = np.triu_indices(latent_dim, 1)

    def constraints(entries):
        changed = (loading + entries.reshape(loading.shape)) @ axes
        lengths = np.linalg.norm(changed, axis=0)
        kept = [lengths[i] - lengths[i + 1] - gap for i, gap in enumerate(gaps) if gap is not None]
        return np.concatenate([(changed.T @ changed)[upper], kept])

    rng = np.random.default_rng(0)
    results = [
        minimize(
            lambda entries: entries @ entries,
            rng.standard_normal(loading.size),
            jac=lambda entries: 2 * entries,
            constraints={"type": "eq", "fun": constraints},
            method="SLSQP",
            options={"ftol": 1e-13, "maxiter": 400},
        )
        for _ in range(starts)
    ]
    return min(result.fun for result in results if np.abs(constraints(result.x)).max() < 1e-8)


def check(found, loading):
    """The parts of a manipulation say the same thing."""
    np.testing.assert_allclose(found.loading, loading + found.change, atol=1e-14)
    gram = found.axes * found.singular_values**2 @ found.axes.T
    np.testing.assert_allclose(found.loading.T @ found.loading, gram, atol=1e-12)
    assert found.size == pytest.approx(np.linalg.norm(found.change), abs=1e-14)
