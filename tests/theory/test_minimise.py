"""Minima of functions of one variable, against functions whose minima are known."""

from __future__ import annotations

import numpy as np
import pytest

from theory.minimise import convex_minus_convex_minimum, global_minimum, log_slope, minima

DEPTHS = {"first well deeper": -0.1, "second well deeper": 0.1}


def two_wells(tilt):
    """(u^2 - 1)^2 + tilt u with u = log(value): analytic, with one well about each of u = -1 and u = 1."""

    def cost(values):
        u = np.log(values)
        return (u**2 - 1) ** 2 - tilt * u

    return cost


def test_log_slope_is_the_derivative_to_rounding():
    values = np.array([1e-8, 0.5, 1.0, 3e7])
    np.testing.assert_allclose(log_slope(lambda x: x**3 - np.log(x), values), 3 * values**3 - 1, rtol=1e-15)


@pytest.mark.parametrize("tilt", DEPTHS.values(), ids=DEPTHS)
def test_every_well_is_found_to_the_last_digits_and_the_deeper_one_is_global(tilt):
    cost, grid = two_wells(tilt), np.geomspace(0.01, 100, 50)
    wells = np.log(minima(cost, grid, log_slope(cost, grid)))
    exact = np.sort(np.roots([4, 0, -4, -tilt]).real)
    np.testing.assert_allclose(wells, exact[[0, 2]], rtol=1e-13)
    assert np.log(global_minimum(cost, 0.01, 100, 12)) == pytest.approx(exact[2 if tilt > 0 else 0], rel=1e-13)


def test_a_slope_that_never_rises_through_zero_has_no_minimum():
    grid = np.geomspace(0.1, 10, 20)
    assert minima(np.log, grid, log_slope(np.log, grid)).size == 0


@pytest.mark.parametrize("weight", [0.5, 1.5, 3.0])
def test_a_quadratic_minus_a_convex_function_against_a_fine_grid(weight):
    """x^2 - w |x - 1| - w |x - 2|, with kinks that a local method would have to cross."""

    def parts(x):
        return x**2, weight * (np.abs(x - 1) + np.abs(x - 2))

    grid = np.linspace(0, 4, 400_001)
    quadratic, convex = parts(grid)
    place = convex_minus_convex_minimum(parts, upper=4.0, curvature=1.0, tolerance=1e-12)
    least = np.subtract(*parts(place))
    assert least <= (quadratic - convex).min() + 1e-11


def test_an_interval_of_no_length_is_its_own_minimum():
    assert convex_minus_convex_minimum(lambda x: (x**2, 0.0), upper=0.0, curvature=1.0, tolerance=1e-12) == 0.0
