"""The page on the smallest manipulation ends with what `theory.axes` computes."""

import numpy as np
import pytest
import sympy as sp

from tests.cases import orthogonal
from theory import axes
from theory.derivations.axes.smallest_manipulation import derivation


def test_manipulation():
    page = derivation()
    a1, a2, g = sp.symbols("a_1 a_2 g", positive=True)
    theta = sp.Symbol("theta", real=True)
    loading = orthogonal(3, np.random.default_rng(0))[:, :2] * [2.0, 1.3]
    expected = page.function("Smallest change at 45 degrees", a1, a2, g)(2.0, 1.3, 0.4)
    assert axes.two_factor_manipulation(loading, np.pi / 4, gap=0.4).size ** 2 == pytest.approx(expected, rel=1e-10)
    for angle in (0.1, 0.5):
        square = axes.two_factor_manipulation(loading, angle).size ** 2
        determinant = page.function("With the gap free", a1, a2, theta)(2.0, 1.3, angle)
        assert square * (2.0**2 + 1.3**2 - square) == pytest.approx(determinant, rel=1e-10)
