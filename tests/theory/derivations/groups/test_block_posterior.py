"""The page on free rotations ends with what `theory.groups` computes."""

import numpy as np
import pytest
import sympy as sp

from theory.axes import rotation_curvature
from theory.derivations.groups.block_posterior import derivation
from theory.groups import free_planes


def test_stiffness():
    page = derivation()
    arguments = (*sp.symbols("c_1 c_2", positive=True), sp.Symbol("beta", positive=True))
    value = page.function("Stiffness", *arguments)(3.0, 1.2, 1.7)
    assert rotation_curvature([3.0, 1.2], 1.7)[0, 1] == pytest.approx(value, rel=1e-12)


def test_free_planes_of_equal_blocks():
    count = derivation().function(
        "Free planes of equal blocks", sp.Symbol("m", integer=True, positive=True), sp.Symbol("b", positive=True)
    )
    for blocks, size in ((1, 4), (2, 3), (5, 1)):
        groups = np.arange(blocks * size).reshape(blocks, size).tolist()
        assert free_planes(1.0 + np.arange(blocks * size), posterior=groups) == count(blocks, size)
