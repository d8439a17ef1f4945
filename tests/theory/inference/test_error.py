"""The four inference errors, against the conditional of the joint Gaussian and brute-force matching."""

from itertools import permutations, product

import numpy as np
import pytest

from theory import GenerativeModel, LinearVAE, inference_error, optimal_encoder
from theory.inference import inference_error_curve, optimal_beta

CRITERIA = ("mean_squared_error", "forward_kl", "reverse_kl", "log_score")


def correlated(seed, data_dim, factors, noise=0.4):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(factors, factors))
    return GenerativeModel(rng.normal(size=(data_dim, factors)), noise, root @ root.T + 0.3 * np.eye(factors))


def random_vae(seed, data_dim, latent_dim):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(latent_dim, latent_dim)) / 2
    covariance = root @ root.T + 0.2 * np.eye(latent_dim)
    return LinearVAE(
        rng.normal(size=(data_dim, latent_dim)), rng.normal(size=(latent_dim, data_dim)) / 2, covariance, 0.5
    )


def brute_force(truth, vae):
    """Every expectation spelled out with the inverse of the data covariance; shares nothing with what is tested."""
    A, V, Q, Gamma = truth.loading, vae.encoder, vae.posterior_covariance, truth.factor_covariance
    S = A @ Gamma @ A.T + truth.noise_variance * np.eye(truth.data_dim)
    gain = Gamma @ A.T @ np.linalg.inv(S)
    Sigma = Gamma - gain @ A @ Gamma
    shift = V @ (truth.mean - (truth.mean if vae.mean is None else vae.mean))
    between = (V - gain) @ S @ (V - gain).T + np.outer(shift, shift)  # of the two posterior means

    def divergence(C_from, C_to):
        """E KL(N(., C_from) || N(., C_to)) over the spread of means."""
        logs = np.linalg.slogdet(C_to)[1] - np.linalg.slogdet(C_from)[1]
        return (np.trace(np.linalg.inv(C_to) @ (C_from + between)) - len(C_to) + logs) / 2

    forward = divergence(Sigma, Q)
    return {
        "mean_squared_error": np.trace(Sigma + between),
        "forward_kl": forward,
        "reverse_kl": divergence(Q, Sigma),
        "log_score": -forward - np.linalg.slogdet(2 * np.pi * np.e * Sigma)[1] / 2,
    }


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


@pytest.mark.parametrize("factors, latents", [(3, 3), (2, 3), (3, 2), (2, 0)])
def test_matching_is_the_best_of_all_signed_permutations(factors, latents):
    truth, vae = correlated(6, 4, factors), random_vae(7, 4, latents)
    padded_encoder = np.vstack([vae.encoder, np.zeros((max(0, factors - latents), 4))])
    padded = np.eye(len(padded_encoder))
    padded[:latents, :latents] = vae.posterior_covariance
    candidates = []
    for order in permutations(range(len(padded_encoder)), factors):
        for signs in product([1, -1], repeat=factors):
            if latents <= factors and not set(range(latents)) <= set(order):
                continue  # every latent stands for a factor while there are factors
            encoder = np.array(signs)[:, None] * padded_encoder[list(order)]
            covariance = np.outer(signs, signs) * padded[np.ix_(order, order)]
            candidates.append(LinearVAE(np.zeros((4, factors)), encoder, covariance, 1.0))
    best = min((brute_force(truth, candidate) for candidate in candidates), key=lambda e: e["mean_squared_error"])
    matched = inference_error(truth, vae, match=True)
    for name in CRITERIA:
        assert getattr(matched, name) == pytest.approx(best[name], rel=1e-10), name


def test_matching_undoes_a_signed_permutation():
    truth = correlated(8, 5, 3)
    vae = optimal_encoder(truth.loading, 0.4, 1.3)
    order, signs = [2, 0, 1], np.array([1.0, -1.0, -1.0])
    mixed = LinearVAE(
        vae.decoder[:, order] * signs,
        signs[:, None] * vae.encoder[order],
        np.outer(signs, signs) * vae.posterior_covariance[np.ix_(order, order)],
        0.4,
    )
    straight, undone = inference_error(truth, vae), inference_error(truth, mixed, match=True)
    for name in CRITERIA:
        assert getattr(undone, name) == pytest.approx(getattr(straight, name), rel=1e-12)


def test_matching_counts_noise_and_a_wrong_mean_against_a_latent():
    truth = GenerativeModel(np.array([[1.0], [0.0]]), 1.0, mean=[0.0, 1.0])
    noisy, quiet = np.array([0.8, 2.0]), np.array([0.3, 0.0])
    for mean in (None, [0.0, 1.0]):
        vae = LinearVAE(np.zeros((2, 2)), np.array([noisy, quiet]), np.diag([0.5, 0.4]), 1.0, mean)
        alone = LinearVAE(np.zeros((2, 1)), quiet[np.newaxis], np.array([[0.4]]), 1.0, mean)
        assert vars(inference_error(truth, vae, match=True)) == vars(inference_error(truth, alone))
    # a quiet noise but a mean that is far off: now the first latent, blind to that direction, is the better one
    shifted, blind = np.array([0.9, 0.4]), np.array([0.5, 0.0])
    vae = LinearVAE(np.zeros((2, 2)), np.array([shifted, blind]), np.eye(2), 1.0, [0.0, -20.0])
    alone = LinearVAE(np.zeros((2, 1)), blind[np.newaxis], np.eye(1), 1.0, [0.0, -20.0])
    assert vars(inference_error(truth, vae, match=True)) == vars(inference_error(truth, alone))


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
