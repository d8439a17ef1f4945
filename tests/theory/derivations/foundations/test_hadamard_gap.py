"""The page on the Hadamard gap ends with what `theory.gaussian` computes."""

import numpy as np
import pytest
import sympy as sp

from theory import gaussian
from theory.derivations.foundations.hadamard_gap import derivation


@pytest.mark.parametrize(
    ("title", "groups"),
    [
        ("The gap is twice a divergence: each latent alone", "diagonal"),
        ("The gap is twice a divergence: groups", [[0, 1], [2]]),
    ],
)
def test_the_gap(title, groups):
    root = np.random.default_rng(1).standard_normal((3, 4))
    matrix = root @ root.T
    gap = derivation().function(title, sp.MatrixSymbol("M", 3, 3))(matrix)
    assert gap == pytest.approx(gaussian.hadamard_gap(matrix, groups), rel=1e-10)
    assert gap > 0.01
