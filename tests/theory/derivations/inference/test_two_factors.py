"""The page on two factors ends with what `theory.inference` computes."""

import numpy as np
import pytest
import sympy as sp
from numpy.polynomial import Polynomial

import theory
from theory import inference
from theory.derivations.engine.notation import beta
from theory.derivations.inference.two_factors import derivation


@pytest.mark.parametrize(("ratio", "coherence"), [(2.0, 0.3), (200.0, 0.96), (0.5, -0.8)])
def test_two_factors(ratio, coherence):
    a, r = sp.Symbol("a", positive=True), sp.Symbol("r", real=True)
    page = derivation()
    slope = page.function("The stationarity polynomial", beta, a, r)
    polynomial = Polynomial(inference.two_factor_polynomial(ratio, coherence))
    weights = np.array([0.3, 1.0, 2.0, 7.0])
    g, h = ratio * (1 + coherence), ratio * (1 - coherence)
    denominator = 2 * weights**2 * (weights + ratio) * (weights + g) ** 3 * (weights + h) ** 3
    # At a = 200 the coefficients of the polynomial span 14 decades.
    assert slope(weights, ratio, coherence) == pytest.approx(polynomial(weights) / denominator, rel=1e-8)
    best = theory.optimal_beta(theory.GenerativeModel(inference.two_factor_loading(ratio, coherence), 1.0)).beta
    assert abs(slope(best, ratio, coherence)) < 1e-9
    correction = page.function("Small coherence", a)(ratio)
    assert 1 + correction * coherence**2 == pytest.approx(inference.small_coherence_beta(ratio, coherence), rel=1e-12)
