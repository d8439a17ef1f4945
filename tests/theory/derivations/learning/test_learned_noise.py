"""The page on the learned noise ends with what `theory.learning` computes."""

import numpy as np
import pytest
import sympy as sp

from theory import learning
from theory.derivations.engine.notation import D, beta
from theory.derivations.learning.learned_noise import derivation

EIGENVALUES = np.array([5.0, 2.0, 1.0, 0.4])


@pytest.mark.parametrize("weight", [0.5, 1.0, 1.4, 2.2])
def test_learned_noise(weight):
    page = derivation()
    found = learning.learned_noise_variance(EIGENVALUES, 3, weight)
    q, r, last = sp.Symbol("q", integer=True, positive=True), *sp.symbols("u_q l_q", positive=True)
    active = int(found.active_count)
    beyond = EIGENVALUES[active:].sum()
    assert sp.lambdify((r, q, beta, D), page.abbreviation("v_o"))(beyond, active, weight, 4) == pytest.approx(
        found.noise_variance, rel=1e-10
    )
    above = page.function("When a mode is active", last, r, q, beta, D)
    critical = learning.critical_betas(EIGENVALUES, 3)
    for mode in range(1, 4):
        height = above(EIGENVALUES[mode - 1], EIGENVALUES[mode:].sum(), mode, critical[mode - 1], 4)
        assert height == pytest.approx(0, abs=1e-12)


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
