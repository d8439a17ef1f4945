"""What the functions of `theory.learning` compute, on the pages of the chapter learning."""

from __future__ import annotations

import numpy as np

import theory
from theory.derivations.engine.tie import Tie

__all__ = ["TIES", "UNTIED"]

# Distinct, tied, with a zero, flat.
SPECTRA = ([5.0, 2.0, 1.0, 0.4], [3.0, 3.0, 1.0, 1.0, 0.2], [4.0, 1.5, 0.7, 0.0], [2.0, 1.9, 1.8, 1.7])


def _optimal_gains(optimum, formula):
    for eigenvalues in SPECTRA:
        values = np.array(eigenvalues)
        best = optimum(np.diag(values), 3, beta=1.2, noise_variance=0.5)
        active = values[:3] > 0.6
        gains = np.linalg.norm(best.vae.encoder, axis=1)
        yield gains, np.where(active, formula(l=np.where(active, values[:3], 1.0), t=0.6), 0)


def _optimal_variances(optimum, formula):
    for eigenvalues in SPECTRA:
        values = np.array(eigenvalues)
        best = optimum(np.diag(values), 3, beta=1.2, noise_variance=0.5)
        yield np.diagonal(best.vae.posterior_covariance), formula(l=np.maximum(values[:3], 0.6), t=0.6)


def _critical_of_fixed_noise(critical_betas, formula):
    for eigenvalues in SPECTRA:
        values = np.array(eigenvalues)[:3]
        yield formula(l=values, t=0.5 * critical_betas(eigenvalues, 3, 0.5)), np.zeros(3)


def _critical_of_learned_noise(critical_betas, formula):
    for eigenvalues in SPECTRA[:2]:
        values = np.array(eigenvalues)
        critical = critical_betas(eigenvalues, 3)
        for q in (1, 2, 3):
            numbers = {"l_q": values[q - 1], "u_q": values[q:].sum(), "beta": critical[q - 1]}
            yield formula(**numbers, q=q, D=len(values)), 0.0


def _learned_noise(learned_noise_variance, formula):
    for eigenvalues in SPECTRA[:2]:
        values = np.array(eigenvalues)
        for beta in (0.5, 1.0, 1.4):
            found = learned_noise_variance(eigenvalues, 3, beta)
            q = int(found.active_count)
            yield found.noise_variance, formula(u_q=values[q:].sum(), beta=beta, q=q, D=len(values))


def _profile(profile_loss, formula):
    for eigenvalues in SPECTRA[:2]:
        values = np.array(eigenvalues)
        for beta, v in ((0.5, 0.3), (1.4, 0.6)):
            q = int((values[:3] > beta * v).sum())
            wanted = formula(l=values, u_q=values[q:].sum(), beta=beta, v=v, q=q, D=len(values))
            yield profile_loss(eigenvalues, 3, beta, v), wanted


def _profile_as_likelihood(profile_loss, formula):
    """At the decoder of each active mode."""
    for eigenvalues in SPECTRA:
        values, beta, noise = np.array(eigenvalues), 1.2, 0.5
        columns = np.sqrt(np.maximum(values[:3] - beta * noise, 0))
        decoder = np.eye(len(values), 3) * columns
        wanted = formula(W=decoder, S=np.diag(values), beta=beta, t=beta * noise, K=3, D=len(values))
        yield profile_loss(eigenvalues, 3, beta, noise), wanted


def _point(quantity: str, latent_dim: int | None):
    """Sums over modes; Shannon's curve has no number of latents."""

    def cases(curve, formula):
        for eigenvalues in SPECTRA:
            values, t = np.array(eigenvalues), 0.6
            point = curve(eigenvalues, *([] if latent_dim is None else [latent_dim]), t)
            active = np.flatnonzero(values[:latent_dim] > t)
            of_modes = formula(l=values[active], t=t) if quantity == "rate" else len(active) * formula(t=t)
            collapsed = 0.0 if quantity == "rate" else np.delete(values, active).sum()
            yield getattr(point, quantity), np.sum(of_modes) + collapsed

    return cases


def _loss_of_the_optimum(optimum, formula):
    for eigenvalues in SPECTRA:
        covariance = np.diag(eigenvalues)
        for posterior in ("diagonal", "full", [[0, 1], [2]]):
            best = optimum(covariance, 3, beta=1.2, noise_variance=0.5, posterior=posterior)
            yield best.loss, formula(W=best.vae.decoder, S=covariance, beta=1.2, t=0.6, K=3, D=len(covariance))


def _noise_of_the_optimum(optimum, formula):
    for eigenvalues in SPECTRA[:2]:
        values = np.array(eigenvalues)
        for beta in (0.5, 1.0, 1.4):
            best = optimum(np.diag(values), 3, beta=beta)
            q = int(best.active_count)
            yield best.noise_variance, formula(u_q=values[q:].sum(), beta=beta, q=q, D=len(values))


def _distortion_of_the_optimum(optimum, formula):
    for eigenvalues in SPECTRA:
        covariance = np.diag(eigenvalues)
        best = optimum(covariance, 3, beta=1.2, noise_variance=0.5)
        rest = covariance - 0.6 * np.eye(len(covariance))
        yield best.distortion, formula(W=best.vae.decoder, Y=rest, t=0.6, D=len(covariance), K=3)


def _parts_at_the_optimum(elbo_terms, formula):
    """The page is on a stationary decoder with its best full posterior; that its loss is a rate shows in the rate."""
    for eigenvalues in SPECTRA:
        values = np.array(eigenvalues)
        columns = np.sqrt(np.maximum(values[:3] - 0.6, 0))
        best = theory.optimal_encoder(np.eye(len(values), 3) * columns, 0.5, 1.2, posterior="full")
        yield elbo_terms(best, np.diag(values)).rate, formula(W=best.decoder, t=0.6, K=3)


TIES = (
    Tie("theory.elbo_terms", "aggregate-posterior", "Rate", _parts_at_the_optimum),
    Tie("theory.optimum", "global-optimum", "Encoder gain", _optimal_gains),
    Tie("theory.optimum", "global-optimum", "Posterior variance", _optimal_variances),
    Tie("theory.learning.critical_betas", "global-optimum", "Curvature of a collapsed mode", _critical_of_fixed_noise),
    Tie("theory.learning.critical_betas", "learned-noise", "When a mode is active", _critical_of_learned_noise),
    Tie("theory.learning.learned_noise_variance", "learned-noise", "v_o", _learned_noise),
    Tie("theory.learning.profile_loss", "learned-noise", "F(v)", _profile),
    Tie("theory.learning.profile_loss", "ppca-equivalence", "The loss as a likelihood", _profile_as_likelihood),
    Tie("theory.learning.vae_rate_distortion", "water-filling", "Rate of an active mode", _point("rate", 3)),
    Tie(
        "theory.learning.vae_rate_distortion", "water-filling", "Distortion of an active mode", _point("distortion", 3)
    ),
    Tie("theory.rate_distortion", "water-filling", "Rate of an active mode", _point("rate", None)),
    Tie("theory.rate_distortion", "water-filling", "Distortion of an active mode", _point("distortion", None)),
    Tie("theory.optimum", "ppca-equivalence", "The loss as a likelihood", _loss_of_the_optimum),
    Tie("theory.optimum", "learned-noise", "v_o", _noise_of_the_optimum),
    Tie("theory.optimum", "aggregate-posterior", "Distortion", _distortion_of_the_optimum),
)

UNTIED: dict[tuple[str, str], str] = {}
