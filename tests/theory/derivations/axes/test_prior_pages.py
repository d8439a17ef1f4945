"""The pages on priors, penalties and the stiffness of the axes end with what `theory` computes."""

import numpy as np
import pytest
import sympy as sp

from theory import axes, priors
from theory.derivations.engine.notation import beta
from theory.derivations.registry import find


def page_of(name):
    (page,) = find([name])
    return page


@pytest.mark.parametrize("energy", ["the encoder is optimised again", "the off-diagonals are dropped"])
def test_curvature(energy):
    p1, p2 = sp.symbols("p_1 p_2", positive=True)
    found = page_of("rotation-curvature").function(f"Curvature if {energy}", p1, p2, beta)(6.0, 1.5, 2.0)
    assert axes.rotation_curvature([6.0, 1.5], 2.0)[0, 1] == pytest.approx(found, rel=1e-12)


@pytest.mark.parametrize("ratio", [0.01, 0.5, 20.0])
def test_mean_of_the_kernel(ratio):
    a = sp.Symbol("a", positive=True)
    found = float(page_of("aggregate-penalty").formula("Mean of the kernel").subs(a, sp.Float(ratio, 30)))
    assert priors.kernel_mean(0.8 / (2 * ratio), scale=0.8) == pytest.approx(found, rel=1e-12)


@pytest.mark.parametrize("degrees_of_freedom", [1.0, 5.0])
def test_the_slope_vanishes_in_the_mean_at_the_nearest_gaussian(degrees_of_freedom):
    b, nu = sp.symbols("b nu", positive=True)
    e = sp.Symbol("e", real=True)
    slope = page_of("prior-rotation").function("Identical Student densities", b, nu, e)
    variance = priors.nearest_gaussian(priors.StudentPrior(degrees_of_freedom, 1))[0][0, 0]
    grid = np.linspace(-12, 12, 4001)
    weights = np.exp(-(grid**2) / 2) / np.sqrt(2 * np.pi) * (grid[1] - grid[0])
    # b is found as a minimiser: half the digits.
    assert weights @ slope(variance, degrees_of_freedom, grid) == pytest.approx(0, abs=1e-6)
    assert abs(weights @ slope(1.1 * variance, degrees_of_freedom, grid)) > 1e-3
