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


@pytest.mark.parametrize("rho", [0.6, -0.9])
def test_the_shift_has_the_sign_of_the_weight_beyond_one(rho):
    page, (r, a), w = derivation(), sp.symbols("r a", real=True), sp.Symbol("w", positive=True)
    for weight in (0.3, 1.0, 4.0):
        shift = correlated_prior_shift(rho, weight)
        added = page.function("A shift at every other weight", r, w)(rho, weight)
        assert min(added, 0) - 1e-12 <= shift <= added + 1e-12 or shift <= added < 0
        assert (
            page.function("The slope below", a, w)(rho, weight)
            < 0
            < page.function("The slope above", a, w)(rho, weight)
        )
        assert (shift > 1e-6) == (weight > 1) and (shift < -1e-6) == (weight < 1)
