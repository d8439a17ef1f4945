"""The random-mixing limit: against quadrature of the Marchenko-Pastur density, and against large random loadings."""

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from theory import GenerativeModel, inference_error_curve, optimal_beta
from theory.inference import random_mixing_errors, random_mixing_loading, random_mixing_optimal_beta
from theory.inference.errors_along_beta import CRITERIA

CASES = [(0.5, 4.0), (2.0, 3.0), (1.0, 1.0), (0.05, 20.0)]


def spectral_mean(function, c, a):
    """Integral against the limiting spectrum of A^T A / tau2: the bulk, and for c > 1 the atom at zero."""
    low, high = (1 - np.sqrt(c)) ** 2, (1 + np.sqrt(c)) ** 2
    half, middle = (high - low) / 2, (high + low) / 2

    def integrand(angle):  # x = middle + half cos(angle) removes the square-root edges
        x = middle + half * np.cos(angle)
        return function(a * x) * (half * np.sin(angle)) ** 2 / (2 * np.pi * c * x)

    bulk = quad(integrand, 0, np.pi, epsabs=1e-13, epsrel=1e-13, limit=200)[0]
    return bulk + max(0.0, 1 - 1 / c) * function(0.0)


@pytest.mark.parametrize("c, a", CASES)
@pytest.mark.parametrize("beta", [0.1, 1.0, 6.0])
def test_errors_are_spectral_integrals(c, a, beta):
    errors = random_mixing_errors(c, a, beta)
    d = beta / (beta + a)
    mean_error = spectral_mean(lambda x: (beta**2 + x) / (x + beta) ** 2, c, a)
    against_truth = spectral_mean(lambda x: (1 + x) * (beta**2 + x) / (x + beta) ** 2, c, a)
    information = spectral_mean(np.log1p, c, a)
    forward = (np.log(d) + mean_error / d - 1 + information) / 2
    tolerance = 1e-9 if c == 1 else 1e-10  # at c = 1 the density itself is infinite at 0
    assert errors.mean_squared_error == pytest.approx(mean_error, rel=tolerance)
    assert errors.forward_kl == pytest.approx(forward, rel=tolerance)
    assert errors.reverse_kl == pytest.approx(
        ((1 + a) * d + against_truth - 2 - information - np.log(d)) / 2, rel=tolerance
    )
    assert errors.log_score == pytest.approx(-(np.log(2 * np.pi * d) + mean_error / d) / 2, rel=tolerance)


@pytest.mark.parametrize("c, a", [(0.5, 4.0), (2.0, 3.0)])
def test_large_random_loadings_approach_the_limit(c, a):
    betas = np.array([0.5, 1.0, 3.0])
    limit = random_mixing_errors(c, a, betas)
    gaps = []
    for data_dim in (60, 480):
        factors = int(c * data_dim)
        loading = random_mixing_loading(data_dim, factors, a, 0.7, np.random.default_rng(0))
        finite = inference_error_curve(GenerativeModel(loading, 0.7), betas)
        gaps.append([np.abs(getattr(finite, name) / factors - getattr(limit, name)).max() for name in CRITERIA])
    # fluctuations of these averages, and the bias from the spread of the columns' norms, are of order 1/D
    assert np.all(np.array(gaps[1]) < 6 / 480)
    assert np.mean(gaps[1]) < np.mean(gaps[0]) / 3


@pytest.mark.parametrize("c, a, expected", [(0.5, 4.0, 1.29024), (2.0, 3.0, 3.1682)])
def test_stated_optimal_betas(c, a, expected):
    assert random_mixing_optimal_beta(c, a) == pytest.approx(expected, abs=5e-5)
    assert random_mixing_optimal_beta(c, a, "log_score") == pytest.approx(expected, abs=5e-5)


def test_optimum_is_that_of_a_large_draw():
    loading = random_mixing_loading(400, 200, 4.0, 1.0, np.random.default_rng(1))
    finite = optimal_beta(GenerativeModel(loading, 1.0)).beta
    assert finite == pytest.approx(random_mixing_optimal_beta(0.5, 4.0), rel=0.01)  # 1/D times a constant of order one


@pytest.mark.parametrize("c, a", CASES)
def test_squared_error_and_reverse_kl_stay_at_one(c, a):
    assert random_mixing_optimal_beta(c, a, "mean_squared_error") == pytest.approx(1, rel=1e-10)
    assert random_mixing_optimal_beta(c, a, "reverse_kl") == pytest.approx(1, rel=1e-10)
    assert random_mixing_optimal_beta(c, a) > 1


def test_few_factors_need_no_beta():
    assert random_mixing_optimal_beta(1e-4, 4.0) == pytest.approx(1, abs=1e-3)


def exactly(c, a, beta):
    """The module's formulas with S - beta S2 as it stands, in 250 digits, where its cancellation does not matter."""
    c, a, beta = map(mp.mpf, (c, a, beta))

    def stieltjes(z):
        linear = z + a - a * c
        return (mp.sqrt(linear**2 + 4 * a * c * z) - linear) / (2 * a * c * z)

    first, at_one = stieltjes(beta), stieltjes(mp.mpf(1))
    second = first * (1 + a * c * first) / (2 * a * c * beta * first + beta + a - a * c)
    error, variance = first + (beta**2 - beta) * second, beta / (beta + a)
    log_score = -(mp.log(2 * mp.pi) + mp.log(variance) + error / variance) / 2
    q = 1 / (1 + a * c * at_one)
    information = mp.log(1 + a * q) + mp.log(1 + a * c * at_one) / c - a * q * at_one
    against_truth = 1 + (1 - beta) ** 2 * (first - beta * second)
    return {
        "mean_squared_error": error,
        "log_score": log_score,
        "forward_kl": -log_score - (mp.log(2 * mp.pi * mp.e) - information) / 2,
        "reverse_kl": ((1 + a) * variance + against_truth - 2 - information - mp.log(variance)) / 2,
    }


@settings(max_examples=60, deadline=None, derandomize=True)
@given(c=st.floats(-29, 29), a=st.floats(-29, 29), beta=st.floats(-30, 30))
def test_extreme_sizes_keep_their_digits(c, a, beta):
    c, a, beta = 10**c, 10**a, 10**beta
    errors = random_mixing_errors(c, a, beta)
    with mp.workdps(250):
        for name, value in exactly(c, a, beta).items():
            assert getattr(errors, name) == pytest.approx(float(value), rel=1e-12, abs=1e-12), name


@settings(max_examples=25, deadline=None, derandomize=True)
@given(c=st.floats(-20, 20), a=st.floats(-20, 20))
def test_the_optimum_of_extreme_sizes_is_stationary(c, a):
    c, a = 10**c, 10**a
    best = random_mixing_optimal_beta(c, a)
    with mp.workdps(250):
        below, at, above = (exactly(c, a, mp.mpf(best) * (1 + k * mp.mpf("1e-9")))["forward_kl"] for k in (-1, 0, 1))
        assert below > at < above
        assert all(at < exactly(c, a, mp.mpf(10) ** k)["forward_kl"] + mp.mpf("1e-14") for k in range(-3, 45, 2))


def test_misuse_names_the_argument():
    with pytest.raises(ValueError, match=r"signal_to_noise must be between 1e-30 and 1e30, got 1e\+300"):
        random_mixing_optimal_beta(0.5, 1e300)
    with pytest.raises(ValueError, match=r"latent_dim = .* needs .* GiB"):
        random_mixing_loading(10, 2**40, 1.0, 1.0, 0)
    with pytest.raises(ValueError, match="aspect"):
        random_mixing_errors(0.0, 1.0, 1.0)
    with pytest.raises(ValueError, match="signal_to_noise"):
        random_mixing_optimal_beta(0.5, -1.0)
    with pytest.raises(ValueError, match="criterion"):
        random_mixing_optimal_beta(0.5, 1.0, "mse")


@pytest.mark.parametrize("aspect", [1e-6, 0.1, 0.5, 1.0, 2.0, 1e3])
@pytest.mark.parametrize("signal_to_noise", [1e-9, 1e-3, 1.0, 1e4, 1e9])
def test_divergences_are_never_negative(aspect, signal_to_noise):
    found = random_mixing_errors(aspect, signal_to_noise, [1e-6, 0.5, 1, 1 + 1e-9, 2, 1e6])
    assert min(found.forward_kl.min(), found.reverse_kl.min()) >= 0
