"""Which latent represents which factor: the best assignment up to permutation and sign.

A learned VAE may order and sign its latents differently from the truth. The assignment that makes the mean squared
error least is a linear assignment problem, because the error is a sum over factors: with latent j assigned to factor f
and the better of the two signs it is Gamma_ff + E mu_j^2 - 2 |E s_f mu_j|.
"""

from __future__ import annotations

import numpy as np

from theory.model import GenerativeModel, LinearVAE

__all__ = ["match_latents"]


def match_latents(truth: GenerativeModel, vae: LinearVAE, offset: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Encoder and posterior covariance with the latents permuted and signed to represent the factors.

    `offset` is the mean of the data minus the mean of the VAE. If there are more factors than latents, the unassigned
    factors get the prior (mean 0, variance 1, independent); if fewer, the unassigned latents are marginalised out. Ties
    are broken towards lower indices.

    Returns
    -------
    encoder : (K, D) array, K the number of factors
    posterior_covariance : (K, K) array
    """
    from scipy.optimize import linear_sum_assignment

    agreement = (truth.factor_covariance @ truth.loading.T) @ vae.encoder.T  # E s_f mu_j
    through = vae.encoder @ (truth.loading @ truth.factor_root)
    noise = truth.noise_variance * np.sum(vae.encoder**2, axis=1)
    power = np.sum(through**2, axis=1) + noise + (vae.encoder @ offset) ** 2  # E mu_j^2
    factors, latents = linear_sum_assignment(power - 2 * np.abs(agreement))
    signs = np.where(agreement[factors, latents] < 0, -1.0, 1.0)

    encoder = np.zeros((truth.latent_dim, truth.data_dim))
    covariance = np.eye(truth.latent_dim)
    encoder[factors] = signs[:, None] * vae.encoder[latents]
    covariance[np.ix_(factors, factors)] = np.outer(signs, signs) * vae.posterior_covariance[np.ix_(latents, latents)]
    return encoder, covariance
