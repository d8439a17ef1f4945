"""The page on random mixing ends with what `theory.inference` computes."""

import numpy as np
import pytest
import sympy as sp
from scipy.integrate import quad

from theory import inference
from theory.derivations.engine.notation import beta
from theory.derivations.inference.random_mixing import derivation


@pytest.mark.parametrize(("aspect", "ratio"), [(0.5, 4.0), (2.0, 3.0)])
def test_random_mixing(aspect, ratio):
    page = derivation()
    a, c, z = sp.symbols("a c z", positive=True)
    transform = sp.lambdify((a, c, z), page.abbreviation("S(z)"))
    low, high = ratio * (1 - np.sqrt(aspect)) ** 2, ratio * (1 + np.sqrt(aspect)) ** 2

    def average(function):
        """Over the Marchenko-Pastur law, by quadrature of its density."""

        def density(x):
            return np.sqrt((high - x) * (x - low)) / (2 * np.pi * aspect * ratio * x)

        continuous = quad(lambda x: function(x) * density(x), low, high, epsabs=1e-12)[0]
        return continuous + max(0.0, 1 - 1 / aspect) * function(0.0)

    for weight in (0.5, 1.0, 3.0):
        assert transform(ratio, aspect, weight) == pytest.approx(average(lambda x, w=weight: 1 / (x + w)), rel=1e-8)
        error = page.function("Mean squared error per factor", a, c, beta)(ratio, aspect, weight)
        expected = inference.random_mixing_errors(aspect, ratio, weight).mean_squared_error
        assert error == pytest.approx(expected, rel=1e-10)
        assert error == pytest.approx(average(lambda x, w=weight: (w**2 + x) / (x + w) ** 2), rel=1e-8)
    information = sp.lambdify((a, c, z), page.abbreviation("I(z)"))
    assert information(ratio, aspect, 1.0) == pytest.approx(average(np.log1p), rel=1e-8)
