"""The polarized regime: its divergence against the rate, its activity, and the probability of collapse."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import chi2, norm

from tests.cases import AT_THRESHOLD, CASES, DISTINCT, ONE_DOMINANT
from theory.axes import collapse_probability, latent_activity, polarized_kl, polarized_relative_error
from theory.learning import optimum
from theory.model import LinearVAE
from theory.moments import Moments
from theory.objective import elbo_terms


def best(case, **changes):
    options = {"beta": case.beta, "noise_variance": case.noise_variance} | changes
    return optimum(case.covariance, case.latent_dim, **options)


def ordinary():
    """A VAE that is optimal in no way, with a diagonal posterior and data whose mean is not its own."""
    rng = np.random.default_rng(0)
    vae = LinearVAE(
        rng.standard_normal((4, 3)), rng.standard_normal((3, 4)) / 3, np.diag([0.1, 0.6, 1.4]), 0.5, [0.0] * 4
    )
    root = rng.standard_normal((4, 4))
    return vae, Moments(0, np.array([0.5, -0.2, 0.1, 0.9]), root @ root.T)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_relative_error_at_the_optimum(case):
    found = best(case)
    # A latent at its threshold is active or not as rounding has it.
    active = latent_activity(found.vae, case.covariance, threshold=1e-12).active
    kl = polarized_kl(found.vae, case.covariance, active=active)
    assert kl.exact == pytest.approx(found.rate, abs=1e-12)
    closed = polarized_relative_error(case.eigenvalues, case.water_level, case.latent_dim)
    assert kl.relative_error == pytest.approx(closed, rel=1e-9, nan_ok=True)
    levels = case.water_level / np.array(case.eigenvalues[: np.count_nonzero(active)])
    assert kl.approximate - kl.exact == pytest.approx(-levels.sum() / 2, abs=1e-12)


def test_the_parts_of_the_divergence():
    vae, moments = ordinary()
    found = polarized_kl(vae, moments, active=[True, False, True])
    assert found.exact == pytest.approx(elbo_terms(vae, moments).rate, abs=1e-12)
    rng = np.random.default_rng(1)
    means = rng.multivariate_normal(moments.mean, moments.covariance, 400_000) @ vae.encoder.T
    widths = np.diagonal(vae.posterior_covariance)
    terms = 0.5 * (means**2 - np.log(widths) - 1)[:, [0, 2]].sum(axis=1)
    assert abs(found.approximate - terms.mean()) < 5 * terms.std() / np.sqrt(len(terms))
    assert abs(found.approximate - found.exact) > 0.1
    assert found.relative_error == pytest.approx(found.approximate / found.exact - 1)


def test_error_vanishes_slowly_and_grows_at_the_threshold():
    errors = [polarized_relative_error([4.0, 1.0], level) for level in (1e-9, 1e-3, 0.5, 0.999)]
    assert all(later < earlier < 0 for earlier, later in pairwise(errors))
    assert polarized_relative_error([1.0], 0.9999) < -9000
    assert np.isnan(polarized_relative_error([1.0], 1.0))
    assert np.isnan(polarized_kl(best(DISTINCT, noise_variance=10.0).vae, DISTINCT.covariance).relative_error)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_activity_at_the_optimum(case):
    found = best(case)
    activity = latent_activity(found.vae, case.covariance, threshold=1e-12)
    powers = np.array(case.eigenvalues[: case.latent_dim])
    np.testing.assert_array_equal(activity.active, powers > case.water_level)
    assert activity.count == np.count_nonzero(powers > case.water_level)
    expected = np.maximum(1 - case.water_level / np.maximum(powers, 1e-300), 0)
    np.testing.assert_allclose(activity.order_parameter, expected, atol=1e-12)
    np.testing.assert_allclose(activity.mean_variance, expected, atol=1e-12)


def test_the_threshold_counts():
    vae = best(AT_THRESHOLD, noise_variance=0.797).vae  # the second latent has just become active
    assert latent_activity(vae, AT_THRESHOLD.covariance).count == 1
    assert latent_activity(vae, AT_THRESHOLD.covariance, threshold=1e-3).count == 2
    vae, moments = ordinary()
    activity = latent_activity(vae, moments)
    widths = np.diagonal(vae.posterior_covariance)
    np.testing.assert_allclose(activity.order_parameter, activity.mean_variance / (activity.mean_variance + widths))


def test_collapse_probability_is_chi_square():
    found = best(ONE_DOMINANT)
    level = ONE_DOMINANT.water_level / ONE_DOMINANT.eigenvalues[0]
    for epsilon in (0.1, 1.0, 1.5, 4.0):
        probability = collapse_probability(found.vae, ONE_DOMINANT.covariance, epsilon)
        margin = 2 * epsilon + 1 + np.log(level) - level
        assert probability[0] == pytest.approx(chi2.cdf(margin / (1 - level), 1), abs=1e-12)
        np.testing.assert_array_equal(probability[1:], 1)
    assert collapse_probability(found.vae, ONE_DOMINANT.covariance, 0.1)[0] == 0
    np.testing.assert_array_equal(collapse_probability(found.vae, ONE_DOMINANT.covariance, 0.0), 0)


@pytest.mark.parametrize("epsilon", [0.05, 0.4, 1.5])
def test_collapse_probability_by_draws(epsilon):
    vae, moments = ordinary()
    rng = np.random.default_rng(2)
    means = rng.multivariate_normal(moments.mean, moments.covariance, 200_000) @ vae.encoder.T
    widths = np.diagonal(vae.posterior_covariance)
    below = 0.5 * (means**2 + widths - 1 - np.log(widths)) < epsilon
    found = collapse_probability(vae, moments, epsilon)
    error = np.sqrt(found * (1 - found) / len(means))
    assert np.all(np.abs(found - below.mean(axis=0)) <= 5 * error)
    if epsilon == 1.5:  # the mean of the data matters
        assert np.abs(collapse_probability(vae, moments.covariance, epsilon) - found).max() > 0.01


@pytest.mark.parametrize("offset", [-9.0, 9.0])
def test_the_probability_of_a_tail_keeps_its_digits_on_both_sides(offset):
    # mu ~ N(offset, 1), Q = 1: P[mu^2 < 2 eps] = Phi(r - 9) - Phi(-r - 9), by the tail function of the normal law.
    vae = LinearVAE([[1.0]], [[1.0]], [[1.0]], 0.5, mean=[0.0])
    found = collapse_probability(vae, Moments(10, [offset], [[1.0]]), 0.5)
    assert found[0] == pytest.approx(norm.sf(8.0) - norm.sf(10.0), rel=1e-10)


def test_the_relative_error_far_from_the_threshold():
    # t / l and 1 / log(l/t) at a ratio that no float holds, 10^310 and more
    assert polarized_relative_error([1e300], 1e-300) == pytest.approx(0, abs=1e-300)
    assert polarized_relative_error([np.nextafter(1.0, 2)], 1.0) == pytest.approx(-1 / np.finfo(float).eps, rel=1e-2)


def test_a_latent_that_is_nearly_constant_has_an_order_parameter():
    vae = LinearVAE([[1.0]], [[1.0]], [[1.0]], 0.5)
    found = [latent_activity(vae, [[v]]).order_parameter[0] for v in (0.0, 1e-100, 1e-10, 1.0, 1e100)]
    np.testing.assert_allclose(found, [0, 1e-100, 1e-10, 0.5, 1], rtol=1e-9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: polarized_relative_error([1.0], 0.0), "water_level must be > 0"),
        (lambda: polarized_relative_error([-1.0], 1.0), "eigenvalues must have no negative eigenvalue"),
        (lambda: polarized_kl(*ordinary(), active=[1, 0, 1]), "active must be a boolean array of length 3"),
        (lambda: latent_activity(*ordinary(), threshold=-1.0), "threshold must be >= 0"),
        (lambda: collapse_probability(*ordinary(), -1.0), "epsilon must be >= 0"),
        (lambda: latent_activity(None, np.eye(3)), "vae must be a LinearVAE, got None"),
        (lambda: collapse_probability(*ordinary(), "0.1"), "epsilon must be numeric"),
        (
            lambda: latent_activity(ordinary()[0], 1e200 * np.eye(4)),
            "covariance must be zero or between 1e-100 and 1e100",
        ),
        (lambda: latent_activity(ordinary()[0], np.eye(3)), "covariance must be 4 x 4"),
    ],
)
def test_misuse_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
