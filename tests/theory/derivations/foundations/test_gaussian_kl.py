"""The page on the Gaussian divergence ends with what `theory.gaussian` computes."""

import numpy as np
import pytest
import sympy as sp

from theory import gaussian
from theory.derivations.engine.notation import n
from theory.derivations.foundations.gaussian_kl import derivation


@pytest.mark.parametrize("size", [1, 2, 4])
def test_the_divergence(size):
    rng = np.random.default_rng(size)
    roots = rng.standard_normal((2, size, size + 1))
    A, B = (root @ root.T for root in roots)
    a, b = rng.standard_normal((2, size, 1))
    symbols = [sp.MatrixSymbol(name, n, 1) for name in "ab"] + [sp.MatrixSymbol(name, n, n) for name in "AB"]
    divergence = derivation().function("The divergence", *symbols, n)(a, b, A, B, size)
    assert divergence == pytest.approx(gaussian.kl_divergence(a[:, 0], A, b[:, 0], B), rel=1e-10)
