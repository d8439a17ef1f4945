"""The shift by a correlated prior has the sign that its page gives it."""

import pytest
import sympy as sp

from theory.derivations.engine.page import as_function
from theory.derivations.groups.correlated_prior import derivation
from theory.groups import correlated_prior_shift


@pytest.mark.parametrize("rho", [0.6, -0.9])
def test_the_shift_has_the_sign_of_the_weight_beyond_one(rho):
    page, (r, a), w = derivation(), sp.symbols("r a", real=True), sp.Symbol("w", positive=True)
    for weight in (0.3, 1.0, 4.0):
        shift = correlated_prior_shift(rho, weight)
        added = page.function("A shift at every other weight", r, w)(rho, weight)
        assert min(added, 0) - 1e-12 <= shift <= added + 1e-12 or shift <= added < 0
        slope = as_function(page.abbreviation("h(r)"), r, a, w)
        assert slope(-1, rho, weight) < 0 < slope(1, rho, weight)
        assert (shift > 1e-6) == (weight > 1) and (shift < -1e-6) == (weight < 1)
