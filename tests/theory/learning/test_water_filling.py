"""Shannon's curve and the optimal VAE's place on it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.differentiate import derivative
from scipy.optimize import brentq, minimize

from tests.cases import CASES
from theory.learning import (
    capacity_penalty,
    optimum,
    rate_distortion,
    vae_rate_distortion,
    water_level_for_distortion,
    water_level_for_rate,
)

SPECTRUM = np.array([4.0, 2.5, 1.2, 0.6, 0.0])
SPECTRA = st.lists(st.floats(1e-2, 1e2) | st.sampled_from([0.0, 1.0]), min_size=1, max_size=6)


def test_one_component_is_the_textbook_curve():
    level = np.array([0.1, 1.0, 3.0])
    point = rate_distortion([3.0], level)
    np.testing.assert_allclose(point.distortion, 3 * np.exp(-2 * point.rate), atol=1e-15)


@pytest.mark.parametrize("level", [0.3, 0.9, 2.0])
def test_no_other_split_of_the_distortion_has_a_smaller_rate(level):
    spectrum = SPECTRUM[:4]
    point = rate_distortion(spectrum, level)
    found = minimize(
        lambda logs: -logs.sum() / 2,
        np.log(spectrum * point.distortion / spectrum.sum()),
        jac=lambda logs: np.full(4, -0.5),
        method="SLSQP",
        bounds=[(None, np.log(value)) for value in spectrum],
        constraints={
            "type": "eq",
            "fun": lambda logs: np.exp(logs).sum() - point.distortion,
            "jac": lambda logs: np.exp(logs),
        },
        options={"ftol": 1e-15, "maxiter": 500},
    )
    assert np.log(spectrum).sum() / 2 + found.fun == pytest.approx(point.rate, abs=1e-8)  # what SLSQP reaches


def test_the_slope_of_the_curve_is_half_the_inverse_level():
    distortions = np.array([1.0, 3.0, 5.0, 7.0])
    slope = derivative(lambda d: rate_distortion(SPECTRUM, water_level_for_distortion(SPECTRUM, d)).rate, distortions)
    levels = water_level_for_distortion(SPECTRUM, distortions)
    np.testing.assert_allclose(slope.df, -1 / (2 * levels), rtol=1e-9)  # what finite differences reach


@settings(deadline=None, max_examples=100, derandomize=True)
@given(spectrum=SPECTRA, rate=st.floats(0, 20), fraction=st.floats(0, 1))
def test_inversions_return_what_was_asked(spectrum, rate, fraction):
    level = water_level_for_rate(spectrum, rate)
    if any(spectrum):
        assert rate_distortion(spectrum, level).rate == pytest.approx(rate, abs=1e-10)
    distortion = fraction * sum(spectrum)
    level = water_level_for_distortion(spectrum, distortion)
    assert rate_distortion(spectrum, level).distortion == pytest.approx(distortion, rel=1e-12, abs=1e-12)
    assert 0 <= level <= max(spectrum)


def test_boundaries():
    assert rate_distortion(SPECTRUM, 0).distortion == 0 and rate_distortion(SPECTRUM, 0).rate == np.inf
    dry = rate_distortion(SPECTRUM, [4.0, 9.0, np.inf])
    np.testing.assert_array_equal(dry.rate, 0)
    np.testing.assert_allclose(dry.distortion, 8.3)
    np.testing.assert_allclose(water_level_for_rate(SPECTRUM, [0, np.inf]), [4, 0], rtol=1e-15)
    np.testing.assert_allclose(water_level_for_distortion(SPECTRUM, [0, 8.3, 100, np.inf]), [0, 4, 4, 4], rtol=1e-15)
    np.testing.assert_array_equal(water_level_for_rate(np.zeros(3), [0, 1]), 0)
    np.testing.assert_array_equal(water_level_for_distortion(np.zeros(3), [0, 1]), 0)
    nothing = rate_distortion(np.zeros(3), [0, 1])
    np.testing.assert_array_equal([nothing.rate, nothing.distortion], 0)


def test_order_of_the_eigenvalues_and_shape_of_the_levels_do_not_matter():
    levels = np.array([[0.1, 1.0], [2.0, 5.0]])
    many = rate_distortion(SPECTRUM[::-1], levels)
    for index in np.ndindex(levels.shape):
        one = rate_distortion(SPECTRUM, levels[index])
        assert (many.rate[index], many.distortion[index]) == (one.rate, one.distortion)
        assert np.ndim(one.rate) == 0


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_optimal_vae_is_at_water_level_beta_times_noise(case):
    for noise in ("learned", case.noise_variance):
        best = optimum(case.covariance, case.latent_dim, beta=case.beta, noise_variance=noise)
        point = vae_rate_distortion(case.eigenvalues, case.latent_dim, case.beta * best.noise_variance)
        assert best.distortion == pytest.approx(point.distortion, abs=1e-10)
        assert best.rate == pytest.approx(point.rate, abs=1e-10)


@settings(deadline=None, max_examples=100, derandomize=True)
@given(spectrum=SPECTRA, latent_dim=st.integers(0, 7), level=st.floats(0.005, 50))
def test_penalty_is_zero_exactly_when_every_mode_above_the_water_has_a_latent(spectrum, latent_dim, level):
    penalty = capacity_penalty(spectrum, latent_dim, level)
    short = sum(value > level for value in spectrum) > latent_dim
    if not short or latent_dim == 0:
        assert penalty.rate == penalty.distortion == 0
    elif sorted(spectrum)[-latent_dim - 1] > 1.01 * level:  # nearer than that the penalty drowns in rounding
        assert penalty.rate > 0 and penalty.distortion > 0


def test_penalty_by_root_search():
    levels = np.array([0.1, 0.5, 1.0])
    penalty = capacity_penalty(SPECTRUM, 2, levels)
    for index, level in enumerate(levels):
        point = vae_rate_distortion(SPECTRUM, 2, level)
        same_rate = brentq(lambda t: rate_distortion(SPECTRUM, t).rate - point.rate, 1e-9, 4, xtol=1e-15)  # noqa: B023
        same_distortion = brentq(
            lambda t: rate_distortion(SPECTRUM, t).distortion - point.distortion,  # noqa: B023
            1e-9,
            4,
            xtol=1e-15,
        )
        gap = point.distortion - rate_distortion(SPECTRUM, same_rate).distortion
        assert penalty.distortion[index] == pytest.approx(gap, abs=1e-10)
        gap = point.rate - rate_distortion(SPECTRUM, same_distortion).rate
        assert penalty.rate[index] == pytest.approx(gap, abs=1e-10)


def test_no_penalty_is_negative():
    """A mode without a latent that is barely above the water costs next to nothing: rounding, and no gain."""
    rng = np.random.default_rng(0)
    for _ in range(200):
        spectrum = np.sort(rng.uniform(0.1, 3, 4))[::-1]
        penalty = capacity_penalty(spectrum, 2, spectrum[2] * (1 - np.logspace(-16, -4, 20)))
        assert penalty.rate.min() >= 0 and penalty.distortion.min() >= 0


def test_penalty_at_level_zero():
    short, enough = capacity_penalty(SPECTRUM, 2, 0.0), capacity_penalty(SPECTRUM, 4, 0.0)
    assert short.rate == np.inf and short.distortion == pytest.approx(1.8)
    assert enough.rate == enough.distortion == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rate_distortion([1.0, -1.0], 1.0), "eigenvalues must have no negative eigenvalue"),
        (lambda: rate_distortion([1.0], -1.0), "water_level must be >= 0"),
        (lambda: rate_distortion([1.0], np.nan), "water_level must be >= 0"),
        (lambda: rate_distortion([1.0], "high"), "water_level must be numeric"),
        (lambda: vae_rate_distortion([1.0], -2, 1.0), "latent_dim must be >= 0"),
        (lambda: water_level_for_rate([1.0], -0.1), "rate must be >= 0"),
        (lambda: water_level_for_distortion([1.0], -0.1), "distortion must be >= 0"),
        (lambda: capacity_penalty([1.0], 1.5, 1.0), "latent_dim must be a whole number"),
        (lambda: rate_distortion([1e200], 1.0), "eigenvalues must be zero or between"),
        (lambda: rate_distortion(None, 1.0), "eigenvalues must be numeric"),
    ],
)
def test_misuse_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("level", [5e-324, 2.2e-309, 1e-300, 1e-20, 0.999, 1.0, 1e308])
def test_levels_at_the_ends_of_floats(level):
    """1/2 log(1/t): the ratio 1/t itself is no float at 2.2e-309."""
    assert rate_distortion([1.0], level).rate == pytest.approx(max(0.0, -np.log(level) / 2), rel=1e-13)
    assert water_level_for_rate([1.0], 1e308) == 0
    assert water_level_for_distortion([1.0], 1e308) == 1


def test_small_variances_of_a_source_are_as_stated():
    """No rounding is known to be in a vector: 1/2 log(1e8/1e-9) + 1/2 log(1/1e-9) + 1/2 log(1e-8/1e-9)."""
    assert rate_distortion([1e8, 1.0, 1e-8], 1e-9).rate == pytest.approx(13.5 * np.log(10), rel=1e-14)
