from __future__ import annotations

import numpy as np

from figures import learned_inference_error


def test_the_columns_of_both_loadings_have_the_same_norms():
    norms = (2.0, 1.5, 1.0)
    truths = learned_inference_error.truths(norms, 0.25)
    for truth in truths.values():
        np.testing.assert_allclose(np.linalg.norm(truth.loading, axis=0), norms, rtol=1e-14)
    gram = {name: truth.loading.T @ truth.loading for name, truth in truths.items()}
    np.testing.assert_allclose(gram["aligned"], np.diag(np.square(norms)), atol=1e-14)
    assert (
        np.abs(gram["general"] - np.diag(np.diagonal(gram["general"]))).min(where=~np.eye(3, dtype=bool), initial=9)
        > 0.5
    )


def test_orthogonal_columns_are_found_at_beta_one_and_coherent_ones_never(quick_table):
    table = quick_table("learned_inference_error")
    aligned, general = (table.select(f"{name} forward_kl", "theory") for name in ("aligned", "general"))
    assert np.interp(1.0, aligned.x, aligned.y) < 0.01 and general.y.min() > 0.1
