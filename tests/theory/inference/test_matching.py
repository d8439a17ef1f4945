"""Latents are assigned to factors so that the squared error is least."""

from itertools import permutations, product

import numpy as np
import pytest

from tests.theory.inference.models import CRITERIA, brute_force, correlated, random_vae
from theory import GenerativeModel, LinearVAE, inference_error, optimal_encoder


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
