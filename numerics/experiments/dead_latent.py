"""Where a latent that carries nothing comes back to life: the curvature of the loss about a trained VAE with one more.

This finds critical betas by training and second derivatives, without the formulas of `theory.learning`.
"""

from __future__ import annotations

import numpy as np

from numerics.diagnosis.certificate import certify
from numerics.training.train import train
from theory.model import LinearVAE
from theory.moments import as_moments

__all__ = ["dead_latent_curvature", "with_dead_latent"]


def dead_latent_curvature(covariance, others: int, beta: float, noise_variance, **options) -> float:
    """The least curvature where some other latents are trained and one more carries nothing.

    It is zero at the critical beta of the mode that the further latent would take, and negative below. Near there it
    is (beta / critical beta - 1) / 2, or more if the noise is learned.

    Parameters
    ----------
    covariance : (D, D) array, or Moments
    others : int
        the number of latents that are trained.
    beta : float > 0
    noise_variance : float > 0, or "learned"
    options
        of `numerics.train`.
    """
    vae = train(covariance, others, beta=beta, noise_variance=noise_variance, **options).vae
    learned = isinstance(noise_variance, str)
    return certify(with_dead_latent(vae), as_moments(covariance).covariance, beta, learned_noise=learned).curvature


def with_dead_latent(vae: LinearVAE) -> LinearVAE:
    """The same model with one more latent that carries nothing."""
    return LinearVAE(
        np.pad(vae.decoder, ((0, 0), (0, 1))),
        np.pad(vae.encoder, ((0, 1), (0, 0))),
        np.diag(np.append(np.diagonal(vae.posterior_covariance), 1.0)),
        vae.noise_variance,
        vae.mean,
    )
