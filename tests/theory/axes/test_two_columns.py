"""The smallest changes of two orthogonal columns, against searches and each other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from tests.theory.axes.loadings import NORMS, check, columns, searched
from theory.axes import (
    plane_rotation,
    smallest_manipulation,
    two_factor_largest_angle,
    two_factor_manipulation,
)


# The search does not hold the order of the singular values, so without a gap it says nothing beyond 45 degrees.
@pytest.mark.parametrize(
    ("degrees", "gap"),
    [(0, None), (15, None), (40, None), *((degrees, gap) for degrees in (0, 15, 45, 70) for gap in (0.1, 0.7, 2.6))],
)
def test_two_factors_against_search(degrees, gap):
    angle, loading = np.deg2rad(degrees), np.diag(NORMS)
    found = two_factor_manipulation(loading, angle, gap=gap)
    check(found, loading)
    assert found.size**2 == pytest.approx(searched(loading, plane_rotation(2, angle), [gap]), abs=1e-8)
    if gap is not None:
        assert found.singular_values[0] - found.singular_values[1] == pytest.approx(gap, abs=1e-13)
    leading = found.axes[:, 0]
    assert np.arccos(abs(leading[0])) == pytest.approx(angle, abs=1e-7)


@pytest.mark.parametrize("norms", [(2.0, 1.0), (1.1, 1.0), (5.0, 0.2)])
def test_forty_five_degrees(norms):
    a1, a2 = norms
    limit = (a1 + a2) ** 2 / np.sqrt(2 * (a1**2 + a2**2))
    loading = columns(norms)
    for share in (0.0, 0.3, 0.9, 1.0):
        gap = share * limit
        expected = (a1 - a2) ** 2 / 2 + 2 * gap**2 * a1 * a2 / (a1 + a2) ** 2
        found = two_factor_manipulation(loading, np.pi / 4, gap=gap)
        assert found.size**2 == pytest.approx(expected, rel=1e-10)
        check(found, loading)
    # Beyond the limit the second singular value is zero and the formula no longer holds.
    found = two_factor_manipulation(loading, np.pi / 4, gap=1.1 * limit)
    assert found.singular_values[1] == 0
    assert found.size**2 > (a1 - a2) ** 2 / 2 + 2 * (1.1 * limit) ** 2 * a1 * a2 / (a1 + a2) ** 2 + 1e-4


def test_free_gap_in_closed_form():
    a1, a2 = NORMS
    for angle in np.linspace(0, np.pi / 4, 7):
        root = np.sqrt((a1**2 - a2**2) ** 2 * np.cos(2 * angle) ** 2 + 4 * a1**2 * a2**2)
        expected = (a1**2 - a2**2) ** 2 * np.sin(2 * angle) ** 2 / (2 * (a1**2 + a2**2 + root))
        assert two_factor_manipulation(columns(NORMS), angle).size ** 2 == pytest.approx(expected, abs=1e-13)
    for angle in (0.9, 1.3, np.pi / 2):
        assert two_factor_manipulation(columns(NORMS), angle).size ** 2 == pytest.approx((a1 - a2) ** 2 / 2, abs=1e-13)


@pytest.mark.parametrize("angle", [0.1, 0.4, 0.7])
def test_the_free_gap_is_the_best_of_the_gaps(angle):
    free = two_factor_manipulation(columns(NORMS), angle)
    result = minimize_scalar(
        lambda gap: two_factor_manipulation(columns(NORMS), angle, gap=gap).size ** 2, bounds=(0, 3), method="bounded"
    )
    assert free.size**2 == pytest.approx(result.fun, abs=1e-9)
    assert free.singular_values[0] - free.singular_values[1] == pytest.approx(result.x, abs=1e-3)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(
    norms=st.tuples(st.floats(0.05, 4), st.floats(0.05, 4)),
    angle=st.floats(0, np.pi / 2),
    gap=st.floats(0, 4),
    seed=st.integers(0, 99),
)
def test_two_factors_by_two_algorithms(norms, angle, gap, seed):
    loading = columns(norms, 4, seed)
    found = two_factor_manipulation(loading, angle, gap=gap)
    check(found, loading)
    general = smallest_manipulation(loading, found.axes, [gap])
    check(general, loading)
    assert general.size**2 == pytest.approx(found.size**2, abs=1e-10 * max(norms) ** 2)
    assert two_factor_manipulation(loading[:, ::-1], angle, gap=gap).size == pytest.approx(found.size, abs=1e-7)
    assert two_factor_manipulation(loading, angle).size <= found.size + 1e-12


@settings(deadline=None, max_examples=60, derandomize=True)
@given(
    norms=st.tuples(st.floats(1.5, 4), st.floats(0.1, 1.3)),
    angle=st.floats(0.01, np.pi / 2 - 0.01),
    gap=st.floats(0.05, 4),
)
def test_the_largest_angle_undoes_the_size(norms, angle, gap):
    loading = columns(norms)
    size = two_factor_manipulation(loading, angle, gap=gap).size
    assert two_factor_largest_angle(loading, size, gap=gap) == pytest.approx(angle, abs=1e-6)  # arccos: half the digits
    size = two_factor_manipulation(loading, angle / 2).size
    assert two_factor_largest_angle(loading, size) == pytest.approx(angle / 2, abs=1e-6)


@pytest.mark.parametrize("angle", [0.153, 0.5, 1.2])
@pytest.mark.parametrize("gap", [1e-6, 2e-10, 1e-12])
def test_the_largest_angle_with_a_gap_of_almost_nothing(gap, angle):
    """The size depends on the angle by the gap only, so that its rounding, 1e-16, moves the angle by 1e-16/gap."""
    loading = np.diag([0.897, 0.891])
    size = two_factor_manipulation(loading, angle, gap=gap).size
    assert two_factor_largest_angle(loading, size, gap=gap) == pytest.approx(angle, abs=1e-15 / gap)


def test_the_largest_angle_may_need_the_second_value_to_vanish():
    # The stationary sum is a minimum too, but a worse one than the end s2 = 0.
    loading, gap, budget = np.diag([5.096, 0.1614]), 3.447, 4.7925
    angle = two_factor_largest_angle(loading, budget, gap=gap)
    found = two_factor_manipulation(loading, angle, gap=gap)
    assert found.size == pytest.approx(budget, abs=1e-10)
    assert found.singular_values[1] == 0


def test_the_largest_angle_at_the_ends():
    loading = columns(NORMS)
    least = two_factor_manipulation(loading, 0.0, gap=0.2).size
    most = two_factor_manipulation(loading, np.pi / 2, gap=0.2).size
    assert np.isnan(two_factor_largest_angle(loading, 0.999 * least, gap=0.2))
    assert two_factor_largest_angle(loading, 1.001 * least, gap=0.2) < 0.1
    assert two_factor_largest_angle(loading, 1.001 * most, gap=0.2) == np.pi / 2
    assert two_factor_largest_angle(loading, 0.999 * most, gap=0.2) < np.pi / 2
    assert two_factor_largest_angle(loading, 100.0, gap=0.2) == np.pi / 2
    assert two_factor_largest_angle(loading, 0.0) == 0
    assert two_factor_largest_angle(loading, 0.9999 / np.sqrt(2)) == pytest.approx(np.pi / 4, abs=0.01)
    assert two_factor_largest_angle(loading, 1.0001 / np.sqrt(2)) == np.pi / 2


@pytest.mark.parametrize("weak", [1e-170, 1e-30, 1e-9])
def test_a_column_of_almost_nothing(weak):
    # Squares of its length leave the range of floats, or the digits of the other; against the search over s2.
    loading = columns([1.0, weak])
    for gap in (0.2, 1.5):
        found = two_factor_manipulation(loading, 0.4, gap=gap)
        general = smallest_manipulation(loading, found.axes, [gap])
        assert found.size**2 == pytest.approx(general.size**2, abs=1e-10)


def test_the_largest_angle_just_below_the_budget_of_a_tie():
    # There sin(2h) is one up to rounding, on either side.
    rng = np.random.default_rng(7)
    for norms in rng.exponential(size=(200, 2)):
        limit = abs(norms[0] - norms[1]) / np.sqrt(2)
        angle = two_factor_largest_angle(np.diag(norms), np.nextafter(limit, 0) * (1 - 1e-15))
        assert angle == pytest.approx(np.pi / 4, abs=1e-6) or angle == np.pi / 2
