"""Divergences of the aggregate code: against integrals and samples, and their gradients against differences."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import multivariate_normal, norm

from theory.priors import aggregate_divergence, kernel_mean
from theory.priors.aggregate import DIVERGENCES, divergence_and_slope

CODE = np.array([[0.7, 0.3], [0.3, 2.1]])
PRIOR = np.array([[1.5, -0.4], [-0.4, 0.6]])


@pytest.mark.parametrize("scale", [0.1, 1.0, 7.0])
@pytest.mark.parametrize("variance", [1e-8, 1e-3, 0.4, 30.0, 1e6])
def test_kernel_mean(variance, scale):
    width = np.sqrt(scale / variance)
    points = sorted({0.0, 1.0, 5.0, 40.0, *(p for p in (width / 5, width, 5 * width) if p < 40)})
    exact = sum(
        2 * quad(lambda e: norm.pdf(e) * scale / (scale + variance * e * e), low, high, epsabs=1e-14, epsrel=1e-12)[0]
        for low, high in pairwise(points)
    )
    assert kernel_mean(variance, scale) == pytest.approx(exact, rel=1e-11)


def test_kernel_mean_of_no_difference_is_one():
    np.testing.assert_array_equal(kernel_mean(np.array([0.0, 0.0]), 2.0), 1.0)
    assert kernel_mean(0.0) == 1


@pytest.mark.parametrize(("divergence", "sign"), [("inclusive", 1), ("exclusive", -1)])
def test_divergences_by_monte_carlo(divergence, sign):
    draws, rng = 400_000, np.random.default_rng(0)
    laws = [multivariate_normal(np.zeros(2), covariance) for covariance in (PRIOR, CODE)][::sign]
    samples = laws[0].rvs(draws, random_state=rng)
    ratios = laws[0].logpdf(samples) - laws[1].logpdf(samples)
    exact = aggregate_divergence(CODE, PRIOR, divergence=divergence)
    assert abs(ratios.mean() - exact) < 5 * ratios.std() / np.sqrt(draws)
    other = aggregate_divergence(PRIOR, CODE, divergence=divergence)
    assert abs(ratios.mean() - other) > 20 * ratios.std() / np.sqrt(draws)  # the direction matters


def test_discrepancy_by_monte_carlo():
    """Squared maximum mean discrepancy of each latent, from independent pairs of codes."""
    draws, rng, scale = 1_000_000, np.random.default_rng(1), 0.8
    codes, others = rng.multivariate_normal(np.zeros(2), CODE, (2, draws))
    priors, more = rng.multivariate_normal(np.zeros(2), PRIOR, (2, draws))

    def kernel(x, y):
        return scale / (scale + (x - y) ** 2)

    values = (kernel(codes, others) + kernel(priors, more) - kernel(codes, priors) - kernel(others, more)).sum(axis=1)
    exact = aggregate_divergence(CODE, PRIOR, divergence="mmd", scale=scale)
    assert abs(values.mean() - exact) < 5 * values.std() / np.sqrt(draws)
    assert exact > 20 * values.std() / np.sqrt(draws)


@pytest.mark.parametrize("divergence", DIVERGENCES)
def test_zero_at_the_prior_and_positive_elsewhere(divergence):
    assert aggregate_divergence(PRIOR, PRIOR, divergence=divergence) == pytest.approx(0, abs=1e-14)
    assert aggregate_divergence(np.eye(3), divergence=divergence) == pytest.approx(0, abs=1e-14)
    assert aggregate_divergence(CODE, PRIOR, divergence=divergence) > 1e-2
    # Correlations that leave the variances alone are seen by all but the discrepancy of single latents.
    correlated = aggregate_divergence([[1, 0.5], [0.5, 1]], divergence=divergence)
    assert correlated == (pytest.approx(0, abs=1e-14) if divergence == "mmd" else pytest.approx(correlated))
    assert (correlated > 1e-2) == (divergence != "mmd")


@pytest.mark.parametrize("divergence", DIVERGENCES)
@pytest.mark.parametrize("size", [1.0, 1e-4])
def test_slopes_by_differences(divergence, size):
    """In a symmetric direction, where the kernel's slope is closed and where it is a series."""
    rng = np.random.default_rng(2)
    direction = rng.standard_normal((2, 2))
    direction = direction + direction.T
    code, prior = size * CODE, size * PRIOR
    step = 1e-5 * size
    ends = [divergence_and_slope(code + sign * step * direction, prior, divergence, 1.0)[0] for sign in (1, -1)]
    slope = divergence_and_slope(code, prior, divergence, 1.0)[1]
    expected = np.sum(slope * direction) * size
    assert (ends[0] - ends[1]) / (2 * step) * size == pytest.approx(expected, rel=1e-5, abs=2e-10)  # differences


def test_a_code_without_variance():
    for divergence in ("inclusive", "exclusive"):
        assert aggregate_divergence(np.diag([1.0, 0.0]), divergence=divergence) == np.inf
    collapsed = aggregate_divergence(np.zeros((1, 1)), divergence="mmd")
    assert collapsed == pytest.approx(1 + kernel_mean(2.0) - 2 * kernel_mean(1.0), abs=1e-14)


def test_a_code_that_is_singular_up_to_rounding():
    """More latents than the rank of the code: the determinant is rounding of either sign, the divergence infinite."""
    rng = np.random.default_rng(3)
    for size in (2, 3, 5):
        root = rng.standard_normal((size, size - 1)) * np.geomspace(1, 1e-4, size - 1)
        code = np.diag(np.geomspace(1e-6, 1e6, size)) @ root @ root.T @ np.diag(np.geomspace(1e-6, 1e6, size))
        for divergence in ("inclusive", "exclusive"):
            assert aggregate_divergence((code + code.T) / 2, divergence=divergence) == np.inf


def test_kernel_mean_at_the_ends_of_floats():
    """Without a warning: one where nothing varies, sqrt(pi c / (2 v)) where all do."""
    assert kernel_mean(1e-320) == pytest.approx(1, rel=1e-15)
    assert kernel_mean(1e300, 1e-100) == pytest.approx(np.sqrt(np.pi / 2) * 1e-200, rel=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: kernel_mean(-1.0), "variance must be >= 0"),
        (lambda: kernel_mean(1.0, 0.0), "scale must be > 0"),
        (lambda: kernel_mean([1 + 1j]), "variance must be real"),
        (lambda: kernel_mean([1.0, np.nan]), "variance must be >= 0 everywhere and finite"),
        (lambda: aggregate_divergence(CODE, divergence="js"), "divergence must be one of 'inclusive'"),
        (lambda: aggregate_divergence(CODE, np.eye(3)), "prior must be 2 x 2"),
        (lambda: aggregate_divergence(CODE, np.zeros((2, 2))), "prior must be positive definite"),
        (lambda: aggregate_divergence(-CODE), "covariance must have no negative eigenvalue"),
    ],
)
def test_misuse_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
