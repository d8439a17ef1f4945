"""The page on rotations under a prior ends with what `theory.priors` computes."""

import numpy as np
import pytest
import sympy as sp

from theory import priors
from theory.derivations.priors.prior_rotation import derivation


@pytest.mark.parametrize("degrees_of_freedom", [1.0, 5.0])
def test_the_slope_vanishes_in_the_mean_at_the_nearest_gaussian(degrees_of_freedom):
    b, nu = sp.symbols("b nu", positive=True)
    e = sp.Symbol("e", real=True)
    slope = derivation().function("Identical Student densities", b, nu, e)
    variance = priors.nearest_gaussian(priors.StudentPrior(degrees_of_freedom, 1))[0][0, 0]
    grid = np.linspace(-12, 12, 4001)
    weights = np.exp(-(grid**2) / 2) / np.sqrt(2 * np.pi) * (grid[1] - grid[0])
    # b is found as a minimiser: half the digits.
    assert weights @ slope(variance, degrees_of_freedom, grid) == pytest.approx(0, abs=1e-6)
    assert abs(weights @ slope(1.1 * variance, degrees_of_freedom, grid)) > 1e-3
