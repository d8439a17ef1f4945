"""The objective against an average over data points, one at a time, and its parts against one another."""

from __future__ import annotations

import numpy as np
import pytest
from mpmath import mp
from scipy.stats import multivariate_normal

from tests.cases import CASES
from theory import optimum
from theory.groups import grouped_terms
from theory.inference import optimal_encoder
from theory.model import LinearVAE
from theory.moments import Moments
from theory.objective import elbo_terms, loss_from_parts


def random_vae(data_dim, latent_dim, seed, mean=None):
    rng = np.random.default_rng(seed)
    root = rng.standard_normal((latent_dim, latent_dim)) + 2 * np.eye(latent_dim)
    decoder, encoder = rng.standard_normal((data_dim, latent_dim)), rng.standard_normal((latent_dim, data_dim))
    return LinearVAE(decoder, encoder, root @ root.T, 0.7, mean)


def divergence(mean, covariance, prior):
    """KL(N(mean, covariance) || N(0, prior)) through eigenvalues of the ratio, another route than the package's."""
    ratios = np.linalg.eigvals(np.linalg.solve(prior, covariance)).real
    return (np.sum(ratios - 1 - np.log(ratios)) + mean @ np.linalg.inv(prior) @ mean) / 2


@pytest.mark.parametrize("prior", [None, np.array([[1.5, 0.4], [0.4, 0.8]])], ids=["standard", "correlated"])
@pytest.mark.parametrize("centred", [True, False])
def test_loss_is_the_average_over_data_points(centred, prior):
    """E_q ||x - m - W z||^2 and KL(q(z|x) || p) of every point, averaged: exact for any data with these moments."""
    data = np.random.default_rng(0).exponential(size=(25, 4))  # nothing Gaussian about it
    moments = Moments.of(data)
    vae = random_vae(4, 2, seed=1, mean=None if centred else moments.mean + np.array([0.3, -0.2, 0, 0.5]))
    mean = moments.mean if centred else vae.mean
    errors, rates = [], []
    for point in data - mean:
        code = vae.encoder @ point
        spread = np.trace(vae.decoder @ vae.posterior_covariance @ vae.decoder.T)
        errors.append(np.sum((point - vae.decoder @ code) ** 2) + spread)
        rates.append(divergence(code, vae.posterior_covariance, np.eye(2) if prior is None else prior))
    terms = elbo_terms(vae, moments, prior=prior)
    assert terms.distortion == pytest.approx(np.mean(errors), rel=1e-12)
    assert terms.rate == pytest.approx(np.mean(rates), rel=1e-12)
    likelihood = np.mean(errors) / (2 * 0.7) + 2 * np.log(2 * np.pi * 0.7)
    assert terms.reconstruction == pytest.approx(likelihood, rel=1e-12)
    assert terms.loss(2.5) == pytest.approx(likelihood + 2.5 * np.mean(rates), rel=1e-12)
    assert loss_from_parts(terms.distortion, terms.rate, 0.7, 2.5, 4) == pytest.approx(terms.loss(2.5), rel=1e-12)


def test_reconstruction_is_the_expected_log_likelihood():
    """Monte Carlo over x, z and the density of scipy."""
    rng = np.random.default_rng(2)
    covariance = np.diag([2.0, 1.0, 0.5])
    vae = random_vae(3, 2, seed=3)
    count = 100_000
    data = rng.standard_normal((count, 3)) * np.sqrt(np.diagonal(covariance))
    code = data @ vae.encoder.T + rng.multivariate_normal(np.zeros(2), vae.posterior_covariance, count)
    values = -multivariate_normal(cov=0.7 * np.eye(3)).logpdf(data - code @ vae.decoder.T)
    assert abs(values.mean() - elbo_terms(vae, covariance).reconstruction) < 5 * values.std() / np.sqrt(count)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_split_of_the_rate(case):
    vae = random_vae(case.data_dim, case.latent_dim, seed=case.seed)
    terms = elbo_terms(vae, case.covariance)
    code = vae.encoder @ case.covariance @ vae.encoder.T + vae.posterior_covariance
    variances = np.diagonal(code)
    joint, posterior = np.linalg.slogdet(code)[1], np.linalg.slogdet(vae.posterior_covariance)[1]
    assert terms.mutual_information == pytest.approx((joint - posterior) / 2, abs=1e-10)
    assert terms.total_correlation == pytest.approx((np.log(variances).sum() - joint) / 2, abs=1e-10)
    assert terms.dimension_wise_kl == pytest.approx((variances - 1 - np.log(variances)).sum() / 2, rel=1e-10)
    assert terms.aggregate_kl == pytest.approx(divergence(np.zeros(len(code)), code, np.eye(len(code))), rel=1e-10)
    assert terms.rate == pytest.approx((np.trace(code) - len(code) - posterior) / 2, rel=1e-10)
    parts = terms.mutual_information + terms.total_correlation + terms.dimension_wise_kl
    assert terms.rate == pytest.approx(parts, rel=1e-10)


def test_aggregate_kl_splits_only_under_an_independent_prior():
    vae = random_vae(3, 2, seed=4, mean=[0.5, -1.0, 2.0])
    moments = Moments(9, np.zeros(3), np.diag([2.0, 1.0, 0.5]))
    for prior, splits in ((np.diag([0.5, 2.0]), True), (np.array([[1.0, 0.5], [0.5, 1.0]]), False)):
        terms = elbo_terms(vae, moments, prior=prior)
        assert terms.rate == pytest.approx(terms.mutual_information + terms.aggregate_kl, rel=1e-12)
        difference = terms.aggregate_kl - terms.total_correlation - terms.dimension_wise_kl
        assert (abs(difference) < 1e-10) == splits


def test_a_collapsed_vae_costs_the_variance_and_no_rate():
    vae = LinearVAE(np.zeros((3, 2)), np.zeros((2, 3)), np.eye(2), 0.5)
    terms = elbo_terms(vae, np.diag([3.0, 2.0, 0.0]))
    assert terms.distortion == 5
    assert terms.rate == terms.mutual_information == terms.total_correlation == terms.dimension_wise_kl == 0


def test_a_vae_without_latents():
    vae = LinearVAE(np.zeros((2, 0)), np.zeros((0, 2)), np.zeros((0, 0)), 0.5)
    terms = elbo_terms(vae, np.diag([3.0, 2.0]))
    assert (terms.distortion, terms.rate) == (5, 0)


def test_a_small_mutual_information_keeps_its_digits():
    vae = LinearVAE(np.zeros((1, 1)), [[1e-7]], [[1.0]], 1.0)
    assert elbo_terms(vae, [[1.0]]).mutual_information == pytest.approx(np.log1p(1e-14) / 2, rel=1e-12)


@pytest.mark.parametrize("decades", [0, 60, 95])
def test_an_information_of_a_ratio_beyond_the_range_of_floats(decades):
    """I(x; z) = log(1 + v^2 s / q) / 2, the ratio up to 10^380."""
    vae = LinearVAE([[1e-30]], [[10.0**decades]], [[10.0**-decades]], 1.0)
    found = elbo_terms(vae, [[10.0**decades]]).mutual_information
    assert found == pytest.approx((4 * decades * np.log(10) if decades else np.log(2)) / 2, rel=1e-14)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda vae: elbo_terms(vae, np.eye(4)), "covariance must be 3 x 3"),
        (lambda vae: elbo_terms(vae, -np.eye(3)), "covariance must have no negative eigenvalue"),
        (lambda vae: elbo_terms(vae, np.ones((5, 3))), "covariance must be square"),
        (lambda vae: elbo_terms(vae, np.eye(3), prior=np.eye(3)), "prior must be 2 x 2"),
        (lambda vae: elbo_terms(vae, np.eye(3), prior=np.diag([1.0, 0.0])), "prior must be positive definite"),
        (lambda vae: elbo_terms(vae, np.eye(3)).loss(0.0), "beta must be > 0, got 0.0; pass a positive number"),
        (lambda vae: elbo_terms(vae, np.eye(3)).loss(1e308), "beta must be between"),
        (lambda vae: elbo_terms(None, np.eye(3)), "vae must be a LinearVAE, got None: the noise ran to zero"),
        (lambda vae: elbo_terms(vae, Moments(2, np.zeros(4), np.eye(4))), "covariance must be 3 x 3"),
        (
            lambda vae: elbo_terms(LinearVAE(1e49 * vae.decoder, 1e98 * vae.encoder, np.eye(2), 1.0), 1e99 * np.eye(3)),
            "vae must not have weights so large",
        ),
        (lambda vae: loss_from_parts(1.0, 1.0, 0.0, 1.0, 2), "noise_variance must be > 0"),
        (lambda vae: loss_from_parts([1.0, 2.0], [1.0, 2.0, 3.0], 1.0, 1.0, 2), "must broadcast"),
        (lambda vae: loss_from_parts(np.nan, 1.0, 1.0, 1.0, 2), "must be finite"),
    ],
)
def test_misuse_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(random_vae(3, 2, seed=5))


@pytest.mark.parametrize("posterior", ["diagonal", "full"])
@pytest.mark.parametrize("noise", [1e-2, 1e-8, 1e-12, 1e-16, 1e-40])
def test_dependent_latents_with_little_noise_against_eighty_digits(noise, posterior):
    """V S V^T + Q is singular to rounding, its log-determinant is finite: three latents for two data dimensions."""
    decoder, data = np.array([[1.0, 0.2, 0.5], [0.1, 1.3, -0.4]]), np.diag([2.0, 1.0])
    if posterior == "full" and noise < 1e-12:
        with pytest.raises(ValueError, match="must not be so small against the decoder"):
            optimal_encoder(decoder, noise, 1.0, posterior=posterior)
        return
    vae = optimal_encoder(decoder, noise, 1.0, posterior=posterior)
    found, grouped = elbo_terms(vae, data), grouped_terms(vae, data, [[0, 2], [1]])
    with mp.workdps(80):
        encoder, posterior = mp.matrix(vae.encoder.tolist()), mp.matrix(vae.posterior_covariance.tolist())
        code = encoder * mp.matrix(data.tolist()) * encoder.T + posterior
        singles = sum(mp.log(code[j, j]) for j in range(3))
        pair = mp.log(code[0, 0] * code[2, 2] - code[0, 2] ** 2)
        whole = mp.log(mp.det(code))
        rate = (sum(code[j, j] for j in range(3)) - 3 - mp.log(mp.det(posterior))) / 2
        expected = {
            "rate": rate,
            "total_correlation": (singles - whole) / 2,
            "mutual_information": (whole - mp.log(mp.det(posterior))) / 2,
        }
        between, within = (pair + mp.log(code[1, 1]) - whole) / 2, (mp.log(code[0, 0] * code[2, 2]) - pair) / 2
    # A full posterior is itself nearly singular, by the noise: its factor keeps half of the digits.
    tolerance = 1e-11 if vae.belongs_to("diagonal") else 1e-11 + 1e-15 / np.sqrt(noise)
    for name in ("rate", "mutual_information"):
        assert getattr(found, name) == pytest.approx(float(expected[name]), abs=tolerance), name
    assert found.total_correlation == pytest.approx(float(expected["total_correlation"]), abs=1e-11)
    assert grouped.between == pytest.approx(float(between), abs=1e-11)
    assert grouped.within[0] == pytest.approx(float(within), abs=1e-11)


@pytest.mark.parametrize("noise", [0.3, "learned"])
def test_of_fewer_observations_than_variables_no_covariance_is_made(noise):
    data = np.random.default_rng(0).standard_normal((20, 50)) * np.geomspace(3, 0.1, 50) + 1
    moments = Moments.of(data)
    vae = optimum(moments, 3, beta=1.3, noise_variance=noise).vae
    for one in (vae, LinearVAE(vae.decoder, 0.8 * vae.encoder, vae.posterior_covariance, 0.2, vae.mean + 0.1)):
        found = elbo_terms(one, moments)
        assert "covariance" not in vars(moments)
        full = Moments(moments.count, moments.mean, Moments.of(data).covariance)
        np.testing.assert_allclose(
            list(vars(found).values()), list(vars(elbo_terms(one, full)).values()), rtol=1e-10, atol=1e-12
        )
    assert elbo_terms(vae, moments).loss(1.3) == pytest.approx(optimum(moments, 3, beta=1.3, noise_variance=noise).loss)
