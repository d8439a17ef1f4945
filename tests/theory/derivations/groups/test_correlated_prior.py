"""The page on a correlated prior ends with what `theory.groups` computes."""

import pytest
import sympy as sp
from scipy.optimize import brentq

from theory.derivations.groups.correlated_prior import derivation
from theory.groups import correlated_prior_shift


@pytest.mark.parametrize(("rho", "weight"), [(0.6, 3.0), (-0.9, 0.5)])
def test_correlated_prior(rho, weight):
    page, symbols = derivation(), sp.symbols("r a", real=True)
    w = sp.Symbol("w", positive=True)
    slope = page.function("Best correlation", *symbols, w)
    root = brentq(lambda r: slope(r, rho, weight), -1, 1)
    shift = page.function("Cost at the best scale", *symbols, w)(root, rho, weight)
    assert correlated_prior_shift(rho, weight) == pytest.approx(shift, abs=1e-11)
