"""The page on the grouped objective ends with what `theory.groups` computes."""

import numpy as np
import pytest
import sympy as sp

from theory.derivations.groups.grouped_objective import derivation
from theory.groups import Weights, grouped_loss
from theory.partition import partition


def test_collected_objective():
    page = derivation()
    names = sp.symbols("w_I w_B w_W w_D", positive=True)
    matrices = sp.MatrixSymbol("C", 3, 3), sp.MatrixSymbol("Q", 3, 3)
    rng = np.random.default_rng(0)
    roots = rng.standard_normal((2, 3, 4))
    weights, encoder, posterior = (1.3, 2.0, 0.4, 0.7), np.eye(3), roots[1] @ roots[1].T
    covariance = roots[0] @ roots[0].T
    value = page.function("Collected by determinants", *names, *matrices)(*weights, covariance + posterior, posterior)
    groups = partition([[0, 1], [2]], 3)
    loss = grouped_loss(np.zeros((3, 3)), encoder, posterior, 1.0, covariance, Weights(*weights), groups)
    assert loss == pytest.approx(value + np.trace(covariance) / 2 + 1.5 * np.log(2 * np.pi), rel=1e-12)
