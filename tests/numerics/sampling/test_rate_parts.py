"""The parts of the rate from codes: against quadrature, and against closed forms of Gaussian codes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import dblquad, quad
from scipy.stats import norm

from numerics.diagnosis.codes import Codes
from numerics.sampling import rate_parts as module
from numerics.sampling.rate_parts import rate_parts
from theory import LinearVAE, Moments, elbo_terms

PARTS = ("mutual_information", "total_correlation", "dimension_wise_kl")
# A code with all three parts: correlated latents of variances other than one.
VAE = LinearVAE(
    np.eye(3)[:, :2], [[0.8, 0.3, 0.0], [0.2, 0.0, 0.7]], np.diag([0.3, 0.5]), noise_variance=1.0, mean=[0.1, 0.0, 0.0]
)
COVARIANCE = np.array([[2.0, 0.3, 0.1], [0.3, 1.0, 0.4], [0.1, 0.4, 1.5]])


def parts_of(mean, variance, seed=0):
    codes = Codes(mean, variance)
    return rate_parts(codes.mean, codes.variance, codes.kl.sum(axis=1), np.random.default_rng(seed))


def codes_of(vae, data):
    mean = (data - vae.mean) @ vae.encoder.T
    return mean, np.tile(np.diagonal(vae.posterior_covariance), (len(data), 1))


def drawn(count, rng):
    return codes_of(VAE, rng.multivariate_normal(np.zeros(3), COVARIANCE, size=count))


def test_the_usual_estimate_has_the_mean_that_quadrature_gives():
    """For three observations the mixture is written out and integrated."""
    mean = np.array([[1.0, -0.5], [-0.8, 0.4], [0.3, 1.2]])
    variance = np.array([[0.3, 0.2], [0.5, 0.9], [0.15, 0.4]])

    def single(j, z):
        return norm.pdf(z, mean[:, j], np.sqrt(variance[:, j]))

    def with_logarithm(density, over):
        return density * np.log(density / over) if density > 0 else 0.0

    limits, grid = (-7.0, 7.0), {"epsabs": 1e-6, "epsrel": 1e-6}
    entropy = -dblquad(
        lambda y, x: with_logarithm((single(0, x) * single(1, y)).mean(), 1.0), *limits, *limits, **grid
    )[0]
    of_singles = [
        quad(lambda z, j=j: with_logarithm(single(j, z).mean(), norm.pdf(z)), *limits, limit=200)[0] for j in range(2)
    ]
    conditional = np.mean(np.sum(np.log(2 * np.pi * np.e * variance) / 2, axis=1))
    rate = Codes(mean, variance).kl.sum(axis=1).mean()
    expected = {"mutual_information": entropy - conditional, "dimension_wise_kl": sum(of_singles)}
    expected["total_correlation"] = rate - sum(expected.values())
    found = [parts_of(mean, variance, seed) for seed in range(60)]
    for name in PARTS:
        values = np.array([getattr(parts, name).plug_in for parts in found])
        assert abs(values.mean() - expected[name]) < 5 * values.std() / np.sqrt(60), name
        assert values.std() / np.sqrt(60) < 2e-3


def test_bounds_hold_on_average_and_the_bias_is_right_to_first_order():
    rng, exact = np.random.default_rng(0), vars(elbo_terms(VAE, Moments(1, np.zeros(3), COVARIANCE)))
    found = [parts_of(*drawn(100, rng), seed) for seed in range(300)]
    for name in PARTS:
        part = {
            field: np.array([getattr(getattr(parts, name), field) for parts in found])
            for field in ("plug_in", "bias", "lower", "upper", "standard_error")
        }
        error = part["plug_in"].std() / np.sqrt(300)
        assert part["lower"].mean() < exact[name] + 4 * error and part["upper"].mean() > exact[name] - 4 * error
        left = (part["plug_in"] - part["bias"]).mean() - exact[name]
        assert abs(part["plug_in"].mean() - exact[name]) > 0.01  # there is a bias,
        assert abs(left) < 0.004 + 4 * error  # of which what is left is of second order
        assert part["standard_error"].mean() == pytest.approx(part["plug_in"].std(), rel=0.25)


def test_bounds_close_as_observations_increase():
    rng = np.random.default_rng(1)
    exact = vars(elbo_terms(VAE, Moments(1, np.zeros(3), COVARIANCE)))
    parts = parts_of(*drawn(30_000, rng))
    for name in PARTS:
        part = getattr(parts, name)
        assert part.upper - part.lower < 0.003
        assert abs(part.plug_in - exact[name]) < 4 * part.standard_error + 0.003


def test_the_gaussian_parts_are_those_of_the_linear_model():
    data = np.random.default_rng(2).multivariate_normal(np.zeros(3), COVARIANCE, size=50)
    exact, parts = vars(elbo_terms(VAE, Moments.of(data))), parts_of(*codes_of(VAE, data))
    for name in PARTS:
        assert getattr(parts, name).gaussian == pytest.approx(exact[name], rel=1e-12)


@pytest.mark.parametrize("count", [2, 7, 400, 2500])
def test_each_kind_of_parts_sums_to_the_rate(count):
    rng = np.random.default_rng(count)
    mean, variance = rng.standard_normal((count, 3)), rng.uniform(0.1, 1.2, (count, 3))
    parts, rate = parts_of(mean, variance), Codes(mean, variance).kl.sum(axis=1).mean()
    for kind in ("plug_in", "gaussian"):
        assert sum(getattr(getattr(parts, name), kind) for name in PARTS) == pytest.approx(rate, rel=1e-11)
    biases = [getattr(parts, name).bias for name in PARTS]
    assert np.isnan(biases).any() == (count < 400)
    assert count < 400 or sum(biases) == pytest.approx(0, abs=1e-12)
    for name in PARTS:
        part = getattr(parts, name)
        assert 0 <= part.lower <= part.upper
    assert parts.mutual_information.gaussian >= parts.mutual_information.lower


def test_codes_that_equal_the_prior_have_no_parts():
    parts = parts_of(np.zeros((50, 3)), np.ones((50, 3)))
    assert [vars(getattr(parts, name)) for name in PARTS] == [
        pytest.approx(dict.fromkeys(vars(parts.mutual_information), 0), abs=1e-12)
    ] * 3


def test_codes_far_apart_carry_the_logarithm_of_their_number_at_least():
    """No estimate from N observations can tell more: the bounds say so."""
    mean = np.arange(40.0)[:, np.newaxis] - 19.5
    parts = parts_of(mean, np.full((40, 1), 1e-6))
    rate = Codes(mean, np.full((40, 1), 1e-6)).kl.mean()
    assert parts.mutual_information.lower == pytest.approx(np.log(40), abs=1e-9)
    assert parts.mutual_information.upper == pytest.approx(rate, rel=1e-12)
    assert parts.total_correlation.plug_in == pytest.approx(0, abs=1e-9)  # of one latent
    assert np.isnan([getattr(parts, name).bias for name in PARTS]).all()


@pytest.mark.parametrize("variance", [1e-40, 1e40])
@pytest.mark.parametrize("size", [1e-40, 1.0, 1e50])
def test_codes_of_any_size_have_parts(size, variance):
    mean, variances = size * np.random.default_rng(0).uniform(-1, 1, (30, 2)), np.full((30, 2), variance)
    parts, rate = parts_of(mean, variances), Codes(mean, variances).kl.sum(axis=1).mean()
    assert sum(getattr(parts, name).plug_in for name in PARTS) == pytest.approx(rate, rel=1e-9)
    assert 0 <= parts.mutual_information.lower <= np.log(30) * (1 + 1e-9) + 1e-9 * rate


def test_of_many_observations_a_part_is_drawn(monkeypatch):
    rng = np.random.default_rng(3)
    mean, variance = drawn(5000, rng)
    monkeypatch.setattr(module, "EVALUATED", 300)
    monkeypatch.setattr(module, "REFERENCES", 1500)
    exact = vars(elbo_terms(VAE, Moments(1, np.zeros(3), COVARIANCE)))
    parts, rate = parts_of(mean, variance), Codes(mean, variance).kl.sum(axis=1).mean()
    assert sum(getattr(parts, name).plug_in for name in PARTS) == pytest.approx(rate, rel=1e-11)
    for name in PARTS:
        part = getattr(parts, name)
        assert abs(part.plug_in - part.bias - exact[name]) < 4 * part.standard_error + 0.002
    # The KL is known of all observations: so the standard error is theirs, not that of the few that are evaluated.
    of_rate = Codes(mean, variance).kl.sum(axis=1).std() / np.sqrt(5000)
    assert parts.mutual_information.standard_error < 2 * of_rate
    monkeypatch.setattr(module, "DENSITIES", 10)  # then the mixture is as large as the number of codes
    assert parts_of(mean, variance).mutual_information.plug_in < np.log(300)
