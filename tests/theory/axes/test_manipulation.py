"""The smallest change of a loading that turns its principal axes, against constrained searches over the change."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize, minimize_scalar

from tests.cases import orthogonal
from theory.axes import (
    manipulation_to,
    plane_rotation,
    smallest_manipulation,
    two_factor_largest_angle,
    two_factor_manipulation,
)

NORMS = np.array([2.0, 1.0])


def columns(norms, data_dim=3, seed=0):
    return orthogonal(data_dim, np.random.default_rng(seed))[:, : len(norms)] * np.asarray(norms)


def searched(loading, axes, gaps, starts=8):
    """The least squared change found by sequential quadratic programming over its entries.

    Constraints on B = (A + E) R: orthogonal columns, and lengths that differ by the gaps (those that are not None).
    """
    latent_dim = loading.shape[1]
    upper = np.triu_indices(latent_dim, 1)

    def constraints(entries):
        changed = (loading + entries.reshape(loading.shape)) @ axes
        lengths = np.linalg.norm(changed, axis=0)
        kept = [lengths[i] - lengths[i + 1] - gap for i, gap in enumerate(gaps) if gap is not None]
        return np.concatenate([(changed.T @ changed)[upper], kept])

    rng = np.random.default_rng(0)
    results = [
        minimize(
            lambda entries: entries @ entries,
            rng.standard_normal(loading.size),
            jac=lambda entries: 2 * entries,
            constraints={"type": "eq", "fun": constraints},
            method="SLSQP",
            options={"ftol": 1e-13, "maxiter": 400},
        )
        for _ in range(starts)
    ]
    return min(result.fun for result in results if np.abs(constraints(result.x)).max() < 1e-8)


def check(found, loading):
    """The parts of a manipulation say the same thing."""
    np.testing.assert_allclose(found.loading, loading + found.change, atol=1e-14)
    gram = found.axes * found.singular_values**2 @ found.axes.T
    np.testing.assert_allclose(found.loading.T @ found.loading, gram, atol=1e-12)
    assert found.size == pytest.approx(np.linalg.norm(found.change), abs=1e-14)


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


def test_three_factors_against_search():
    rng = np.random.default_rng(2)
    for loading in (columns([3.0, 2.0, 1.0], 3), rng.standard_normal((4, 3))):
        axes, gaps = orthogonal(3, rng), [0.4, 0.3]
        found = smallest_manipulation(loading, axes, gaps)
        check(found, loading)
        np.testing.assert_allclose(-np.diff(found.singular_values), gaps, atol=1e-12)
        assert found.size**2 == pytest.approx(searched(loading, axes, gaps), abs=1e-7)


def test_search_over_the_smallest_value_is_global():
    rng = np.random.default_rng(3)
    for _ in range(20):
        loading = orthogonal(4, rng) @ np.diag(rng.exponential(size=4) ** 3)
        axes, gaps = orthogonal(4, rng), rng.exponential(size=3) * 0.3 * rng.integers(0, 2, 3)
        found = smallest_manipulation(loading, axes, gaps)
        offsets = found.singular_values - found.singular_values[-1]
        grid = np.linspace(0, 2 * np.linalg.norm(loading), 800)
        others = [manipulation_to(loading, axes, smallest + offsets).size ** 2 for smallest in grid]
        assert found.size**2 <= min(others) + 1e-12 * np.sum(loading**2)
        assert found.size**2 >= min(others) - 1e-3 * np.sum(loading**2)


@pytest.mark.parametrize(("norms", "angle", "gap"), [((1.05, 0.013), 1.48, 0.395), ((0.938, 0.0228), 1.476, 0.6265)])
def test_the_worse_of_two_minima_does_not_catch_the_search(norms, angle, gap):
    loading, axes = np.diag(norms), plane_rotation(2, angle)
    cost = [manipulation_to(loading, axes, [s + gap, s]).size ** 2 for s in np.linspace(0, 1, 4001)]
    minima = np.flatnonzero(np.diff(np.sign(np.diff([np.inf, *cost]))) > 0)
    assert len(minima) == 2  # the first is at zero; the search must find the inner one, or the first
    for found in (smallest_manipulation(loading, axes, [gap]), two_factor_manipulation(loading, angle, gap=gap)):
        assert found.size**2 == pytest.approx(min(cost), abs=1e-7)
        assert found.size**2 <= min(cost) + 1e-12


def test_nothing_to_change():
    loading = columns([3.0, 2.0, 1.0])
    assert manipulation_to(loading, np.eye(3), [3.0, 2.0, 1.0]).size == pytest.approx(0, abs=1e-14)
    assert smallest_manipulation(loading, np.eye(3), [1.0, 1.0]).size == pytest.approx(0, abs=1e-6)
    assert two_factor_manipulation(loading[:, :2], 0.0).size == pytest.approx(0, abs=1e-14)
    assert two_factor_manipulation(loading[:, :2], 0.0, gap=1.0).size == pytest.approx(0, abs=1e-14)
    tied = np.diag([2.0, 2.0])
    assert two_factor_manipulation(tied, 0.6).size == pytest.approx(0, abs=1e-14)
    assert two_factor_largest_angle(tied, 0.0) == np.pi / 2


def test_no_factors_and_one_factor():
    assert smallest_manipulation(np.zeros((3, 0)), np.eye(0), []).size == 0
    found = smallest_manipulation(np.array([[3.0], [4.0]]), np.eye(1), [])
    assert (found.size, found.singular_values[0]) == (pytest.approx(0, abs=1e-5), pytest.approx(5, abs=1e-5))


def test_the_polar_factor_is_best():
    rng = np.random.default_rng(5)
    loading, axes, values = rng.standard_normal((4, 3)), orthogonal(3, rng), np.array([2.0, 1.0, 0.5])
    found = manipulation_to(loading, axes, values)
    check(found, loading)
    nuclear = np.linalg.svd(loading @ axes * values, compute_uv=False).sum()
    assert found.size**2 == pytest.approx(np.sum(loading**2) + values @ values - 2 * nuclear, abs=1e-12)
    for _ in range(200):
        other = orthogonal(4, rng)[:, :3] * values @ axes.T
        assert np.linalg.norm(other - loading) > found.size


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


@pytest.mark.parametrize("gap", [0.0, 0.3, 1e200])
def test_nothing_is_made_into_one_factor(gap):
    # Without columns any two orthogonal ones of lengths (m + g)/2 and (m - g)/2 cost (m^2 + g^2)/2: least at m = g.
    found = two_factor_manipulation(np.zeros((2, 2)), 0.3, gap=gap)
    np.testing.assert_allclose(found.singular_values, [gap, 0.0], rtol=1e-15)
    assert found.size == pytest.approx(gap, rel=1e-15)
    assert smallest_manipulation(np.zeros((2, 2)), found.axes, [gap]).size == pytest.approx(gap, rel=1e-15)
    assert two_factor_manipulation(np.zeros((2, 2)), 0.3).size == 0


@pytest.mark.parametrize("unit", [1e-200, 1e-8, 1e8, 1e200])
def test_the_change_scales_with_the_units(unit):
    loading, axes = columns(NORMS), plane_rotation(2, 0.5)
    expected = two_factor_manipulation(loading, 0.5, gap=0.7).size
    assert two_factor_manipulation(unit * loading, 0.5, gap=0.7 * unit).size == pytest.approx(
        unit * expected, rel=1e-12
    )
    assert smallest_manipulation(unit * loading, axes, [0.7 * unit]).size == pytest.approx(unit * expected, rel=1e-9)
    free = two_factor_manipulation(loading, 0.5).size
    assert two_factor_manipulation(unit * loading, 0.5).size == pytest.approx(unit * free, rel=1e-12)
    for gap in (None, 0.7):
        angle = two_factor_largest_angle(loading, 0.6, gap=gap)
        scaled = two_factor_largest_angle(unit * loading, 0.6 * unit, gap=None if gap is None else gap * unit)
        assert scaled == pytest.approx(angle, rel=1e-9)


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


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: two_factor_manipulation([[1.0, 0.5], [0.0, 1.0]], 0.1), "loading must have orthogonal columns"),
        (lambda: two_factor_manipulation(np.eye(3), 0.1), "loading must be any x 2"),
        (lambda: two_factor_manipulation([[1.0, 0.0]], 0.1), "loading must have at least two rows"),
        (lambda: two_factor_manipulation(np.eye(2), 1.6), "angle must be at most pi/2"),
        (lambda: two_factor_manipulation(np.eye(2), 0.1, gap=-1), "gap must be >= 0"),
        (lambda: two_factor_largest_angle(np.eye(2), -1.0), "budget must be >= 0"),
        (lambda: two_factor_largest_angle(np.eye(2), 1.0, gap=0.0), "gap must be > 0"),
        (lambda: smallest_manipulation(np.eye(2), np.eye(2), [-1.0]), "gaps must be >= 0"),
        (lambda: smallest_manipulation(np.eye(2), np.eye(2), [1.0, 1.0]), "gaps must have length 1"),
        (lambda: smallest_manipulation(np.eye(2), np.ones((2, 2)), [1.0]), "axes must be orthogonal"),
        (lambda: manipulation_to(np.ones((1, 2)), np.eye(2), [1.0, 0.0]), "at least as many rows as columns"),
        (lambda: manipulation_to(np.eye(2), np.eye(2), [1.0, 2.0]), "singular_values must be >= 0 and descend"),
        (lambda: manipulation_to(np.eye(2), np.eye(2), [1.0, -2.0]), "singular_values must be >= 0 and descend"),
    ],
)
def test_misuse_is_told(call, message):
    with pytest.raises(ValueError, match=message):
        call()
