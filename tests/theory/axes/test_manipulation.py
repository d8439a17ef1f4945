"""The smallest change of a loading that turns its principal axes, against constrained searches over the change."""

from __future__ import annotations

import numpy as np
import pytest

from tests.cases import orthogonal
from tests.theory.axes.loadings import NORMS, check, columns, searched
from theory.axes import (
    manipulation_to,
    plane_rotation,
    smallest_manipulation,
    two_factor_largest_angle,
    two_factor_manipulation,
)


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
def test_misuse_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
