"""The critical betas of `theory.learning` descend as the page on the learned noise says."""

import numpy as np
import pytest
import sympy as sp

from theory import learning
from theory.derivations.learning.learned_noise import derivation

EIGENVALUES = np.array([5.0, 2.0, 1.0, 0.4])


def test_critical_values_descend():
    """The page's difference is that of D / beta_q of neighbouring latents."""
    page = derivation()
    symbols = (*sp.symbols("l_q+1 u_q+1", positive=True), sp.Symbol("c", nonnegative=True))
    q = sp.Symbol("q", integer=True, positive=True)
    difference = sp.lambdify((q, *symbols), page.step("Critical values descend").relation.lhs)
    inverse = 4 / learning.critical_betas(EIGENVALUES, 4)
    for mode in range(1, 4):
        values = EIGENVALUES[mode], EIGENVALUES[mode + 1 :].sum(), EIGENVALUES[mode - 1] - EIGENVALUES[mode]
        assert difference(mode, *values) == pytest.approx(inverse[mode] - inverse[mode - 1], rel=1e-12)
