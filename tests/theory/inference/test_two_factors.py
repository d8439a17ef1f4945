"""Two factors: the degree-7 polynomial and the small-coherence expansion, against the general search."""

import mpmath as mp
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from theory import GenerativeModel, optimal_beta
from theory.inference import (
    small_coherence_beta,
    two_factor_loading,
    two_factor_optimal_beta,
    two_factor_polynomial,
)
from theory.inference.errors_along_beta import error_path
from theory.inference.factored_decoder import FactoredDecoder
from theory.minimise import log_slope


def path_of(truth):
    return error_path(truth, FactoredDecoder.of(truth, None, "diagonal"))


@pytest.mark.parametrize("a, r", [(2.0, 0.3), (0.5, 0.9), (30.0, -0.7), (200.0, 0.9575), (200.0, 0.96), (1.0, 0.0)])
@pytest.mark.parametrize("noise", [1.0, 0.02])
def test_best_root_is_the_general_optimum(a, r, noise):
    general = optimal_beta(GenerativeModel(two_factor_loading(a, r, noise), noise)).beta
    assert two_factor_optimal_beta(a, r) == pytest.approx(general, rel=1e-10)


def test_polynomial_is_the_slope_times_positive_factors():
    a, r = 3.0, 0.6
    g, h = a * (1 + r), a * (1 - r)
    path = path_of(GenerativeModel(two_factor_loading(a, r), 1.0))
    beta = np.array([0.2, 1.0, 1.7, 8.0])
    slope = log_slope(lambda t: path.evaluate(t).forward_kl, beta) / beta  # of two factors: twice J'
    expected = slope * beta**2 * (beta + a) * (beta + g) ** 3 * (beta + h) ** 3
    assert np.allclose(np.polynomial.polynomial.polyval(beta, two_factor_polynomial(a, r)), expected, rtol=1e-10)


def test_degree_is_seven_and_the_polynomial_irreducible():
    coefficients = two_factor_polynomial(2.0, 0.5)
    assert coefficients.shape == (8,)
    assert coefficients[-1] != 0
    polynomial = sympy.Poly([sympy.Rational(c) for c in coefficients[::-1]], sympy.Symbol("beta"))
    assert polynomial.is_irreducible


def test_three_positive_roots_are_possible():
    roots = np.polynomial.polynomial.polyroots(two_factor_polynomial(200.0, 0.96))
    assert np.count_nonzero((np.abs(roots.imag) < 1e-9) & (roots.real > 0)) == 3


@pytest.mark.parametrize("a", [0.3, 2.0, 50.0])
def test_expansion_is_right_to_fourth_order(a):
    errors = [abs(two_factor_optimal_beta(a, r) - small_coherence_beta(a, r)) for r in (0.02, 0.01)]
    assert errors[0] / errors[1] == pytest.approx(16, rel=0.05)
    assert small_coherence_beta(a, 0.1) > 1


def test_stated_example():
    assert two_factor_optimal_beta(2.0, 0.3) == pytest.approx(1.0305427, abs=5e-8)


def test_loading_has_the_stated_gram_matrix():
    loading = two_factor_loading(3.0, -0.4, 0.5)
    assert np.allclose(loading.T @ loading, 1.5 * np.array([[1, -0.4], [-0.4, 1]]), atol=1e-14)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(a=st.floats(-29, 29), close=st.floats(-15, 0), sign=st.sampled_from([-1, 1]))
def test_extreme_signals_and_coherences(a, close, sign):
    """Stationary to nine digits and least, with J of the module's head in 250 digits."""
    a, r = 10**a, sign * (1 - 10**close)

    def divergence(beta):
        signal, coherence = mp.mpf(a), mp.mpf(r)
        modes = (signal * (1 + coherence), signal * (1 - coherence))
        error = sum((beta**2 + mode) / (beta + mode) ** 2 for mode in modes) / 2
        return (mp.log(beta / (beta + signal)) + error * (beta + signal) / beta) / 2

    best = two_factor_optimal_beta(a, r)
    with mp.workdps(250):
        below, at, above = (divergence(mp.mpf(best) * (1 + k * mp.mpf("1e-9"))) for k in (-1, 0, 1))
        assert below > at < above
        assert all(at < divergence(mp.mpf(10) ** (k / mp.mpf(2))) + mp.mpf("1e-15") for k in range(-4, 64))


def test_misuse_names_the_argument():
    with pytest.raises(ValueError, match=r"signal_to_noise must be between 1e-30 and 1e30, got 1e\+300"):
        two_factor_optimal_beta(1e300, 0.2)
    with pytest.raises(ValueError, match="coherence must be one number"):
        two_factor_optimal_beta(1.0, [0.2, 0.3])
    with pytest.raises(ValueError, match="coherence"):
        two_factor_polynomial(1.0, 1.2)
    with pytest.raises(ValueError, match="signal_to_noise"):
        two_factor_optimal_beta(0.0, 0.5)
