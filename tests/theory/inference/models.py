"""Random models that the tests share."""

import numpy as np

from theory import GenerativeModel, LinearVAE

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
