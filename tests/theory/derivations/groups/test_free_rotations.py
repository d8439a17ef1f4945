"""The page on free rotations ends with what `theory.groups` computes."""

import pytest
import sympy as sp

from theory.axes import rotation_curvature
from theory.derivations.groups.free_rotations import derivation


def test_stiffness():
    page = derivation()
    arguments = (*sp.symbols("c_1 c_2", positive=True), sp.Symbol("beta", positive=True))
    value = page.function("Stiffness", *arguments)(3.0, 1.2, 1.7)
    assert rotation_curvature([3.0, 1.2], 1.7)[0, 1] == pytest.approx(value, rel=1e-12)
