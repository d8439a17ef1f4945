"""Checks of what is known about axes: the price of rotated latents, by training with the rotated decoder held."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import theory
from numerics.checks.comparison import Effort, Row, compare
from numerics.training import train
from theory import axes
from theory.model import LinearVAE

__all__ = ["CHECKS"]

BETA, NOISE = 1.3, 0.4
EIGENVALUES = np.array([4.0, 2.0, 1.0, 0.3])
TOLERANCE = 1e-9  # of a difference of two trained losses


def rotation_energy(effort: Effort) -> Iterator[Row]:
    """Three latents turned in general position, with a diagonal, a grouped and a full posterior, learned again."""
    covariance, vae = _optimum(3)
    rotation = np.linalg.qr(np.random.default_rng(301).standard_normal((3, 3)))[0]
    decoder = vae.decoder @ rotation.T
    unrotated = _held(covariance, vae.decoder, "full")
    for name, posterior in {"diagonal": "diagonal", "groups": [[0, 1], [2]], "full": "full"}.items():
        exact = axes.rotation_energy(vae.decoder, NOISE, BETA, rotation, posterior=posterior)
        trained = _held(covariance, decoder, posterior) - unrotated
        yield compare(f"learned again, {name}", exact, trained=trained, tolerance=TOLERANCE)


def two_mode_rotation_energy(effort: Effort) -> Iterator[Row]:
    """Two latents at several angles; the posterior learned again, or rotated with its off-diagonals dropped."""
    covariance, vae = _optimum(2)
    precisions = 1 / np.diagonal(vae.posterior_covariance)
    unrotated = _held(covariance, vae.decoder, "diagonal")
    for degrees in (0, 20, 45, 90):
        angle = np.deg2rad(degrees)
        rotated = axes.rotate(vae, axes.plane_rotation(2, angle))
        exact = axes.two_mode_rotation_energy(*precisions, angle, BETA)
        trained = _held(covariance, rotated.decoder, "diagonal") - unrotated
        yield compare(f"learned again, {degrees} degrees", exact, trained=trained, tolerance=TOLERANCE)
        truncated = LinearVAE(
            rotated.decoder, rotated.encoder, np.diag(np.diagonal(rotated.posterior_covariance)), NOISE
        )
        loss = theory.elbo_terms(truncated, covariance).loss(BETA)
        exact = axes.two_mode_rotation_energy(*precisions, angle, BETA, encoder="truncated")
        yield compare(f"truncated, {degrees} degrees", exact, trained=loss - unrotated, tolerance=TOLERANCE)


def _optimum(latent_dim: int) -> tuple[np.ndarray, LinearVAE]:
    basis = np.linalg.qr(np.random.default_rng(302).standard_normal((len(EIGENVALUES), len(EIGENVALUES))))[0]
    covariance = (basis * EIGENVALUES) @ basis.T
    return covariance, theory.optimum(covariance, latent_dim, beta=BETA, noise_variance=NOISE).vae


def _held(covariance: np.ndarray, decoder: np.ndarray, posterior) -> float:
    """The loss of an encoder trained for a decoder that is held."""
    run = train(
        covariance,
        decoder.shape[1],
        beta=BETA,
        noise_variance=NOISE,
        decoder=decoder,
        posterior=posterior,
        gradient_tolerance=1e-9,
    )
    return run.loss


CHECKS = {"rotation_energy": rotation_energy, "two_mode_rotation_energy": two_mode_rotation_energy}
