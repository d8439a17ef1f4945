"""The page on separation by time ends with what `theory.axes` computes."""

import numpy as np
import sympy as sp

from theory import axes
from theory.derivations.axes.separation_by_time import derivation
from theory.derivations.engine.notation import A, K
from theory.derivations.engine.page import as_function


def test_separation():
    page = derivation()
    rng = np.random.default_rng(1)
    truth = axes.TemporalModel(rng.standard_normal((4, 2)), [0.8, 0.1], 0.3)
    found = axes.separate(truth.covariance, truth.lagged_covariance(), 2)
    # O = B A and R of the page are the mixing of the whitened factors and their lag correlations.
    whitening = as_function(page.abbreviation("B"), sp.MatrixSymbol("O", K, K), A)(np.eye(2), truth.loading)
    lagged = whitening @ truth.lagged_covariance() @ whitening.T
    expected = page.function("The lagged covariance, whitened", sp.MatrixSymbol("O", K, K), sp.MatrixSymbol("R", K, K))
    np.testing.assert_allclose(lagged, expected(np.eye(2), np.diag([0.8, 0.1])), atol=1e-12)
    np.testing.assert_allclose(found.lag_correlations, np.diagonal(lagged), atol=1e-12)
