"""The learned noise: the root of h against a minimiser of the loss, thresholds, and what cannot be learned."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.differentiate import derivative
from scipy.optimize import brentq

from theory.learning import critical_betas, learned_noise_variance, profile_loss

SPECTRUM = np.array([4.0, 2.5, 1.2, 0.6, 0.3])
SPECTRA = st.lists(st.floats(1e-2, 1e2) | st.just(1.0), min_size=2, max_size=6)


def slope(eigenvalues, latent_dim, beta, noise):
    """h(s2) = D s2 - sum_{i <= K} min(l_i, beta s2) - sum_{i > K} l_i, from the definition."""
    ordered = np.sort(eigenvalues)[::-1]
    coded, rest = ordered[:latent_dim], ordered[latent_dim:]
    return len(ordered) * noise - np.minimum(coded, beta * noise).sum() - rest.sum()


@settings(deadline=None, max_examples=100, derandomize=True)
@given(spectrum=SPECTRA, beta=st.floats(0.05, 10), missing=st.integers(1, 6))
def test_is_the_root_of_the_slope(spectrum, beta, missing):
    latent_dim = max(len(spectrum) - missing, 0)
    learned = learned_noise_variance(spectrum, latent_dim, beta)
    root = brentq(lambda noise: slope(spectrum, latent_dim, beta, noise), 1e-9, 2 * max(spectrum), xtol=1e-15)
    assert learned.status == "learned"
    assert learned.noise_variance == pytest.approx(root, rel=1e-10)
    assert learned.water_level == pytest.approx(beta * root, rel=1e-10)
    # Self-consistent: the active latents are those above the water.
    ordered, count, rounding = np.sort(spectrum)[::-1], learned.active_count, 1e-12 * max(spectrum)
    assert (ordered[:count] >= learned.water_level - rounding).all()
    assert (ordered[count:latent_dim] <= learned.water_level + rounding).all()


@pytest.mark.parametrize("beta", [0.3, 1.0, 1.7, 4.0])
def test_slope_and_convexity_of_the_profile(beta):
    logs = np.linspace(-4, 2, 13) + 0.01  # clear of the kinks of the slope
    found = derivative(lambda u: profile_loss(SPECTRUM, 3, beta, np.exp(u)), logs, initial_step=1e-3)
    expected = [slope(SPECTRUM, 3, beta, np.exp(u)) / (2 * np.exp(u)) for u in logs]
    np.testing.assert_allclose(found.df, expected, atol=1e-9)  # what finite differences reach
    assert (np.diff(found.df) > -1e-9).all()
    best = learned_noise_variance(SPECTRUM, 3, beta).noise_variance
    assert (profile_loss(SPECTRUM, 3, beta, best * np.exp(logs)) > profile_loss(SPECTRUM, 3, beta, best)).all()


def test_critical_betas_by_their_definition():
    for latent_dim in (1, 3, 5):
        found = critical_betas(SPECTRUM, latent_dim)
        for value, critical in zip(SPECTRUM, found, strict=False):
            assert slope(SPECTRUM, latent_dim, critical, value / critical) == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(critical_betas(SPECTRUM, 2), critical_betas(SPECTRUM, 5)[:2])
    assert critical_betas(SPECTRUM, 1)[0] == pytest.approx(5 * 4 / 8.6)
    assert critical_betas(SPECTRUM, 5)[-1] == 1
    np.testing.assert_array_equal(critical_betas([3, 1, 0, 0], 3), [4 * 3 / 4, 4 / 2, 0])
    np.testing.assert_array_equal(critical_betas([0, 0], 3), [0, 0, 0])
    np.testing.assert_allclose(critical_betas(SPECTRUM, 7, 0.5), [*SPECTRUM / 0.5, 0, 0])
    np.testing.assert_array_equal(critical_betas([1, 1, 1], 3), 1)


def test_ties_do_not_come_out_of_order():
    assert (np.diff(critical_betas(np.full(7, 0.7), 7)) <= 0).all()


def test_active_modes_stay_above_the_water_where_almost_no_variance_remains():
    for data_dim in range(2, 9):
        for multiple in np.linspace(1.05, 3, 20):  # of the size at which an eigenvalue counts as zero
            spectrum = np.append(np.ones(data_dim - 1), multiple * data_dim * np.finfo(float).eps)
            beta = np.nextafter(critical_betas(spectrum, data_dim - 1)[-1], 0)
            learned = learned_noise_variance(spectrum, data_dim - 1, beta)
            assert learned.active_count == data_dim - 1 and 0 < learned.water_level <= 1


def test_one_or_many_betas():
    betas = np.array([[0.3, 1.0], [2.0, 9.0]])
    many = learned_noise_variance(SPECTRUM, 3, betas)
    for index in np.ndindex(betas.shape):
        one = learned_noise_variance(SPECTRUM, 3, betas[index])
        assert np.ndim(one.noise_variance) == 0
        for name in ("noise_variance", "water_level", "active_count", "status"):
            assert getattr(many, name)[index] == getattr(one, name)


def test_noise_that_cannot_be_learned():
    spectrum = [2.0, 1.0, 0.0, 0.0]
    learned = learned_noise_variance(spectrum, 2, [0.1, 1.99, 2.0, 2.01])
    np.testing.assert_array_equal(learned.status, ["zero", "zero", "undetermined", "learned"])
    np.testing.assert_allclose(learned.noise_variance, [0, 0, 0.5, 1 / (4 - 2.01)])
    np.testing.assert_array_equal(learned.active_count, [2, 2, 1, 1])
    assert learned_noise_variance(spectrum, 1, 0.1).status == "learned"
    assert learned_noise_variance([0.0, 0.0], 1, 3.0).status == "zero"
    assert learned_noise_variance([0.0, 0.0], 0, 3.0).status == "zero"


def test_limit_from_above_where_the_noise_is_undetermined():
    spectrum = np.array([2.0, 1.0, 0.5, 0.0])
    at, above = (learned_noise_variance(spectrum, 3, beta).noise_variance for beta in (4 / 3, 4 / 3 + 1e-10))
    assert at == pytest.approx(above, rel=1e-9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: learned_noise_variance([1.0, -1.0], 1, 1.0), "eigenvalues must have no negative eigenvalue"),
        (lambda: learned_noise_variance([1.0, 2.0], -1, 1.0), "latent_dim must be >= 0"),
        (lambda: learned_noise_variance([1.0, 2.0], 1, 0.0), "beta must be > 0"),
        (lambda: critical_betas([1.0], 1, "true"), "noise_variance must be a number or 'learned'"),
        (lambda: critical_betas([1.0], 1, -1.0), "noise_variance must be > 0"),
        (lambda: profile_loss([1.0], 1, 1.0, 0.0), "noise_variance must be > 0"),
    ],
)
def test_misuse_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
