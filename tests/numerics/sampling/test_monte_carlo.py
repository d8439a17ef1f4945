from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from numerics.sampling import monte_carlo
from numerics.sampling.monte_carlo import Estimate, sample_elbo_terms, sample_errors
from theory import GenerativeModel, LinearVAE, Moments, elbo_terms, inference_error, optimal_encoder, optimum

CRITERIA = ("mean_squared_error", "forward_kl", "reverse_kl", "log_score")
PARTS = (
    "distortion",
    "rate",
    "mutual_information",
    "total_correlation",
    "dimension_wise_kl",
    "aggregate_kl",
    "reconstruction",
)
CORRELATED = np.array([[1.0, 0.6, 0.0], [0.6, 1.5, 0.3], [0.0, 0.3, 0.8]])


def truth_and_vae(shape=(4, 3), factor_covariance=None, posterior="diagonal"):
    rng = np.random.default_rng(0)
    truth = GenerativeModel(rng.standard_normal(shape), 0.4, factor_covariance, rng.standard_normal(shape[0]))
    decoder = truth.loading + 0.2 * rng.standard_normal(shape)
    return truth, replace(optimal_encoder(decoder, 0.5, 1.7, posterior=posterior), mean=truth.mean + 0.3)


def vae_and_data():
    rng = np.random.default_rng(1)
    mixing = rng.standard_normal((4, 4))
    data = Moments(0, rng.standard_normal(4), mixing @ mixing.T / 2)
    posterior = np.array([[0.5, 0.2], [0.2, 0.7]])
    decoder, encoder = rng.standard_normal((4, 2)), 0.4 * rng.standard_normal((2, 4))
    return LinearVAE(decoder, encoder, posterior, 0.6, data.mean + 0.3), data


def scores(estimates, exact):
    return {name: (found.value - getattr(exact, name)) / found.standard_error for name, found in estimates.items()}


@pytest.mark.parametrize(
    "arguments",
    [{}, {"factor_covariance": CORRELATED, "posterior": "full"}, {"shape": (2, 3)}, {"posterior": [[0, 2], [1]]}],
    ids=["independent", "correlated", "more factors than data", "groups"],
)
def test_inference_errors_are_within_five_standard_errors(arguments):
    truth, vae = truth_and_vae(**arguments)
    found = sample_errors(truth, vae, 200_000, np.random.default_rng(2))
    assert set(found) == set(CRITERIA)
    assert all(abs(score) < 5 for score in scores(found, inference_error(truth, vae)).values())
    assert found["mean_squared_error"].standard_error < 0.01


def test_parts_of_the_objective_are_within_five_standard_errors():
    vae, data = vae_and_data()
    found = sample_elbo_terms(vae, data, 200_000, np.random.default_rng(2))
    assert set(found) == set(PARTS)
    assert all(abs(score) < 5 for score in scores(found, elbo_terms(vae, data)).values())


def test_a_slightly_different_model_is_noticed():
    truth, vae = truth_and_vae()
    other = replace(vae, posterior_covariance=1.1 * vae.posterior_covariance, encoder=1.1 * vae.encoder)
    wrong = scores(sample_errors(truth, vae, 200_000, np.random.default_rng(2)), inference_error(truth, other))
    assert all(abs(score) > 5 for score in wrong.values())

    vae, data = vae_and_data()
    other = replace(vae, encoder=vae.encoder + 0.1, posterior_covariance=vae.posterior_covariance + 0.1)
    wrong = scores(sample_elbo_terms(vae, data, 200_000, np.random.default_rng(2)), elbo_terms(other, data))
    assert all(abs(score) > 5 for score in wrong.values())


def test_standard_errors_are_those_of_repeated_estimates():
    truth, vae = truth_and_vae()
    rng = np.random.default_rng(3)
    runs = [scores(sample_errors(truth, vae, 1000, rng), inference_error(truth, vae)) for _ in range(300)]
    vae, data = vae_and_data()
    parts = [scores(sample_elbo_terms(vae, data, 1000, rng), elbo_terms(vae, data)) for _ in range(300)]
    for repeated in (runs, parts):
        for name in repeated[0]:
            values = np.array([run[name] for run in repeated])
            # 300 runs fix the spread to 4 %, the mean to 0.06; estimates from 1000 skewed draws are not quite normal.
            assert 0.85 < values.std() < 1.15, name
            assert abs(values.mean()) < 0.3, name


def test_chunks_are_merged_exactly(monkeypatch):
    monkeypatch.setattr(monte_carlo, "CHUNK", 40)
    values = 1e6 + np.random.default_rng(4).standard_normal(1003)
    rng = np.random.default_rng(4)
    found = monte_carlo._estimates(lambda source: {"x": 1e6 + source(1)[:, 0]}, 1003, rng, 4, "arguments")["x"]
    assert found.value == pytest.approx(values.mean(), rel=1e-15)
    # The values carry 1e-10 of rounding beside a spread of 1.
    assert found.standard_error == pytest.approx(values.std(ddof=1) / np.sqrt(1003), rel=1e-9)


def test_divergences_are_infinite_where_the_true_posterior_has_no_density():
    loading = np.array([[1.0, 0.9], [0.0, 0.436]])
    vae = optimal_encoder(loading, 0.5, 1.0)
    for truth in (GenerativeModel(loading, 0.0), GenerativeModel(loading, 0.5, np.ones((2, 2)))):
        exact = inference_error(truth, vae)
        found = sample_errors(truth, vae, 100_000, np.random.default_rng(5))
        for name in ("forward_kl", "reverse_kl"):
            assert found[name] == Estimate(np.inf, 0.0)
            assert getattr(exact, name) == np.inf
        finite = {name: found[name] for name in ("mean_squared_error", "log_score")}
        assert all(abs(score) < 5 for score in scores(finite, exact).values())


def test_data_that_say_nothing_leave_the_prior():
    truth = GenerativeModel(np.zeros((2, 1)), 0.0)
    vae = LinearVAE(np.zeros((2, 1)), np.zeros((1, 2)), np.array([[0.8]]), 1.0)
    found = sample_errors(truth, vae, 100_000, np.random.default_rng(6))
    assert all(abs(score) < 5 for score in scores(found, inference_error(truth, vae)).values())


def test_nothing_is_left_to_chance_at_the_optimum():
    covariance = np.diag([4.0, 2.5, 1.2])
    best = optimum(covariance, 2, beta=1.3, noise_variance=0.4)
    found = sample_elbo_terms(best.vae, covariance, 1000, np.random.default_rng(7))
    for name in ("total_correlation", "dimension_wise_kl", "aggregate_kl"):
        assert abs(found[name].value) < 1e-12  # of every single draw: the codes have the prior's density


def test_singular_data_and_no_latents():
    covariance = np.diag([3.0, 0.0, 0.0])
    vae = optimum(covariance, 0, noise_variance=0.5).vae
    found = sample_elbo_terms(vae, covariance, 100_000, np.random.default_rng(8))
    assert abs(found["distortion"].value - 3) < 5 * found["distortion"].standard_error
    assert found["rate"] == Estimate(0.0, 0.0, 100_000)


def test_draws_are_repeatable():
    truth, vae = truth_and_vae()
    first, second = (sample_errors(truth, vae, 100, np.random.default_rng(9)) for _ in range(2))
    assert first == second


def test_bad_input():
    truth, vae = truth_and_vae()
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="vae must have the truth's 4 data dimensions and 3 latents, got 4 and 2"):
        sample_errors(truth, optimal_encoder(truth.loading[:, :2], 0.5, 1.0), 100, rng)
    for n in (1, 0, -1):
        with pytest.raises(ValueError, match=f"n must be >= 2, got {n}; pass 2 or more"):
            sample_errors(truth, vae, n, rng)
    with pytest.raises(ValueError, match="n must be a whole number"):
        sample_elbo_terms(vae, truth.covariance, 1e6, rng)
    with pytest.raises(ValueError, match="covariance must be 4 x 4"):
        sample_elbo_terms(vae, np.eye(3), 100, rng)


def test_seeds_stand_for_generators():
    vae, data = vae_and_data()
    assert sample_elbo_terms(vae, data, 50, 3) == sample_elbo_terms(vae, data, 50, np.random.default_rng(3))
    truth, vae = truth_and_vae()
    assert sample_errors(truth, vae, 50, 3) == sample_errors(truth, vae, 50, np.random.default_rng(3))


def test_codes_of_two_scales_that_depend():
    """Two latents that copy one direction, with posterior variance 1e-18: V S V^T + Q is singular to rounding."""
    vae = LinearVAE([[0.5, 0.5]], [[1.0], [1.0]], 1e-18 * np.eye(2), 0.3)
    found = sample_elbo_terms(vae, [[2.0]], 20_000, 0)
    # C = s 1 1^T + q I, with s = 2 and q = 1e-18, has the eigenvalues 2 s + q and q.
    exact = {
        "mutual_information": np.log1p(4e18) / 2,  # 1/2 log(1 + 2 s / q)
        "rate": (4 - 2 + 2 * 18 * np.log(10)) / 2,  # 1/2 (tr C - K - log det Q)
        "total_correlation": (2 * np.log(2) - np.log(4) + 18 * np.log(10)) / 2,  # 1/2 (sum log C_jj - log det C)
    }
    for name, value in exact.items():
        assert abs(found[name].value - value) < 5 * found[name].standard_error + 1e-9, name


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda vae, data: sample_elbo_terms(None, data, 10, 0), "vae must be a LinearVAE, got None: the noise ran"),
        (lambda vae, data: sample_elbo_terms(vae, data, 1, 0), "n must be >= 2, got 1"),
        (lambda vae, data: sample_elbo_terms(vae, data, 2**31, 0), "n must be <= 1000000000"),
        (lambda vae, data: sample_elbo_terms(vae, data, 10, None), "rng must be a numpy.random.Generator or a seed"),
        (
            lambda vae, data: sample_elbo_terms(vae, 1e300 * np.eye(vae.data_dim), 10, 0),
            "covariance must be zero or between",
        ),
        (lambda vae, data: sample_errors(vae, vae, 10, 0), "truth must be a GenerativeModel"),
    ],
)
def test_what_cannot_be_sampled_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(*vae_and_data())
