"""The four inference errors, against the conditional of the joint Gaussian and brute-force matching."""

import numpy as np
import pytest

from tests.theory.inference.models import CRITERIA, brute_force, correlated, random_vae
from theory import GenerativeModel, LinearVAE, inference_error, optimal_encoder
from theory.inference import inference_error_curve, optimal_beta


@pytest.mark.parametrize("data_dim, factors", [(5, 3), (3, 3), (2, 4), (1, 1)])
def test_any_encoder_of_any_truth(data_dim, factors):
    truth, vae = correlated(0, data_dim, factors), random_vae(1, data_dim, factors)
    error, expected = inference_error(truth, vae), brute_force(truth, vae)
    for name in CRITERIA:
        assert getattr(error, name) == pytest.approx(expected[name], rel=1e-10), name


def test_rank_deficient_loading():
    truth = GenerativeModel(np.outer([1.0, 2.0, -1.0], [1.0, 0.5]), 0.3)
    vae = random_vae(2, 3, 2)
    error, expected = inference_error(truth, vae), brute_force(truth, vae)
    for name in CRITERIA:
        assert getattr(error, name) == pytest.approx(expected[name], rel=1e-10), name


def test_a_wrong_mean_is_an_error_too():
    loading = np.random.default_rng(3).normal(size=(3, 2))
    truth = GenerativeModel(loading, 0.5, mean=[1.0, -2.0, 0.5])
    centred = optimal_encoder(loading, 0.5, 1.0)
    shifted = LinearVAE(loading, centred.encoder, centred.posterior_covariance, 0.5, mean=[0.0, 0.0, 0.0])
    error, expected = inference_error(truth, shifted), brute_force(truth, shifted)
    for name in CRITERIA:
        assert getattr(error, name) == pytest.approx(expected[name], rel=1e-10), name
    assert error.mean_squared_error > inference_error(truth, centred).mean_squared_error + 0.05


def test_the_exact_posterior_has_no_divergence_and_the_entropy_as_score():
    truth = correlated(4, 4, 3)
    gain, covariance = truth.posterior()
    error = inference_error(truth, LinearVAE(truth.loading, gain, covariance, 1.0))
    assert error.forward_kl == pytest.approx(0, abs=1e-13)
    assert error.reverse_kl == pytest.approx(0, abs=1e-13)
    assert error.mean_squared_error == pytest.approx(np.trace(covariance), rel=1e-13)
    assert error.log_score == pytest.approx(-np.linalg.slogdet(2 * np.pi * np.e * covariance)[1] / 2, rel=1e-12)


@pytest.mark.parametrize(
    "truth",
    [
        GenerativeModel(np.array([[1.0, 0.5], [0.0, 1.0]]), 0.0),
        GenerativeModel(np.array([[1.0, 0.5], [0.0, 1.0]]), 0.5, np.ones((2, 2))),
    ],
    ids=["no noise", "singular factors"],
)
def test_a_singular_truth_is_infinitely_far_but_scored(truth):
    error = inference_error(truth, random_vae(5, 2, 2))
    assert error.forward_kl == np.inf
    assert error.reverse_kl == np.inf
    assert np.isfinite([error.mean_squared_error, error.log_score]).all()


def test_no_noise_but_nothing_to_see_is_regular():
    truth = GenerativeModel(np.zeros((2, 2)), 0.0)
    prior = LinearVAE(np.zeros((2, 2)), np.zeros((2, 2)), np.eye(2), 1.0)
    assert inference_error(truth, prior).forward_kl == pytest.approx(0, abs=1e-15)


def test_misuse_names_the_argument():
    truth = correlated(9, 4, 3)
    with pytest.raises(ValueError, match="data dimension"):
        inference_error(truth, random_vae(0, 3, 3))
    with pytest.raises(ValueError, match="match=True"):
        inference_error(truth, random_vae(0, 4, 2))
    with pytest.raises(ValueError, match="vae must be a LinearVAE, got None: the noise ran to zero"):
        inference_error(truth, None)
    with pytest.raises(ValueError, match="truth must be a GenerativeModel"):
        inference_error(random_vae(0, 4, 3), random_vae(0, 4, 3))
    with pytest.raises(ValueError, match="match must be True or False"):
        inference_error(truth, random_vae(0, 4, 3), match="no")


def test_latents_fewer_than_factors_may_be_nearly_dependent():
    """The score is finite for the VAE's own posterior covariance, however many factors are left without a latent."""
    posterior = np.array([[1.0, 1 - 2e-14], [1 - 2e-14, 1.0]])
    vae = LinearVAE(np.eye(20)[:, :2], np.eye(2, 20) / 2, posterior, 0.1)
    few = inference_error(GenerativeModel(np.eye(20)[:, :2], 0.1), vae)
    many = inference_error(GenerativeModel(np.eye(20), 0.1), vae, match=True)
    # 18 factors of variance 1 that are reported as N(0, 1)
    assert many.log_score == pytest.approx(few.log_score - 9 * (np.log(2 * np.pi) + 1), rel=1e-12)
    assert np.isfinite(many.reverse_kl)
    assert many.forward_kl > 0


@pytest.mark.parametrize("size", [1.0, 1e2, 1e3, 4e3])
def test_divergences_are_never_negative(size):
    """The exact posterior has none; its nearly singular covariance was once 1e-3 below."""
    loading = size * np.array([[0.94, 0.45, -1.05]])
    truth = GenerativeModel(loading, 1e-6)
    found = inference_error(truth, optimal_encoder(loading, 1e-6, 1.0, posterior="full"))
    assert 0 <= found.forward_kl < 1e-5
    assert 0 <= found.reverse_kl < 1e-5
    for criterion in ("forward_kl", "reverse_kl"):
        assert optimal_beta(truth, criterion, posterior="full").error >= 0


@pytest.mark.parametrize("seed", range(6))
def test_no_divergence_is_below_zero(seed):
    """With orthogonal columns the code at beta = 1 is the exact posterior: both divergences are zero, never -1e-16."""
    rng = np.random.default_rng(seed)
    loading = np.linalg.qr(rng.standard_normal((3, 3)))[0][:, :2] * rng.uniform(0.5, 3.0, 2)
    truth = GenerativeModel(loading, 0.3)
    curve = inference_error_curve(truth, [0.5, 1.0, 2.0])
    for criterion in ("forward_kl", "reverse_kl"):
        error = getattr(inference_error(truth, optimal_encoder(loading, 0.3, 1.0)), criterion)
        for zero in (error, getattr(curve, criterion)[1], optimal_beta(truth, criterion).error):
            assert 0 <= zero < 1e-14
