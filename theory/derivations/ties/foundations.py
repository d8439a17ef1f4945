"""What `theory.objective` and `theory.gaussian` compute, on the pages of the foundations."""

from __future__ import annotations

import numpy as np

import theory
from theory.derivations.engine.tie import Tie
from theory.derivations.ties.inputs import random_covariance
from theory.partition import partition, partition_mask

__all__ = ["TIES", "UNTIED"]

# Latents and data dimensions; with more latents than dimensions, too.
SIZES = ((3, 5), (4, 3), (1, 2))


def _models(*, unit_margins: bool = False):
    """VAEs with a full posterior, and data covariances, of which the last is singular.

    With `unit_margins` the latents are scaled so that each has the variance of its prior.
    """
    rng = np.random.default_rng(0)
    for latents, dimensions in SIZES:
        decoder = rng.standard_normal((dimensions, latents))
        encoder = rng.standard_normal((latents, dimensions))
        posterior = random_covariance(latents, rng)
        data = random_covariance(dimensions, rng) if latents > 1 else np.outer([2.0, 1.0], [2.0, 1.0])
        if unit_margins:
            scales = np.sqrt(np.diagonal(encoder @ data @ encoder.T + posterior))
            encoder, posterior = encoder / scales[:, np.newaxis], posterior / np.outer(scales, scales)
        yield theory.LinearVAE(decoder, encoder, posterior, rng.uniform(0.2, 2)), data


def _numbers(symbols: str, vae, data: np.ndarray) -> dict:
    """The numbers of those symbols of the page that a formula has."""
    numbers = {
        "W": vae.decoder,
        "V": vae.encoder,
        "Q": vae.posterior_covariance,
        "S": data,
        "K": vae.latent_dim,
        "D": vae.data_dim,
        "sigma": np.sqrt(vae.noise_variance),
    }
    return {symbol: numbers[symbol] for symbol in symbols.split()}


def _part(quantity: str, symbols: str):
    def cases(elbo_terms, formula):
        for vae, data in _models():
            yield getattr(elbo_terms(vae, data), quantity), formula(**_numbers(symbols, vae, data))

    return cases


def _loss(elbo_terms, formula):
    for vae, data in _models():
        for beta in (0.3, 4.0):
            numbers = _numbers("W V Q S K D sigma", vae, data)
            yield elbo_terms(vae, data).loss(beta), formula(**numbers, beta=beta)


def _dependence_plus_margins(elbo_terms, formula):
    for vae, data in _models():
        terms = elbo_terms(vae, data)
        wanted = formula(**_numbers("V Q S K D", vae, data))
        yield terms.total_correlation + terms.dimension_wise_kl, wanted


def _dependence(elbo_terms, formula):
    """The margins add nothing if each latent has the variance of its prior."""
    for vae, data in _models(unit_margins=True):
        yield elbo_terms(vae, data).total_correlation, formula(**_numbers("V Q S K D", vae, data))


def _margins(elbo_terms, formula):
    """The sum over latents, each as a code of its own."""
    for vae, data in _models():
        rows, variances = vae.encoder[:, np.newaxis], np.diagonal(vae.posterior_covariance)
        wanted = sum(
            formula(V=row, Q=np.array([[variance]]), S=data, K=1, D=vae.data_dim)
            for row, variance in zip(rows, variances, strict=True)
        )
        yield elbo_terms(vae, data).dimension_wise_kl, wanted


def _loss_from_parts(loss_from_parts, formula):
    """Of the parts that `elbo_terms` gives, at several weights."""
    betas = np.array([0.3, 1.0, 4.0])
    for vae, data in _models():
        terms = theory.elbo_terms(vae, data)
        loss = loss_from_parts(terms.distortion, terms.rate, vae.noise_variance, betas, vae.data_dim)
        yield loss, formula(**_numbers("W V Q S K D sigma", vae, data), beta=betas)


def _loss_without_rate(loss_from_parts, formula):
    for vae, data in _models():
        terms = theory.elbo_terms(vae, data)
        loss = loss_from_parts(terms.distortion, 0.0, vae.noise_variance, 1.7, vae.data_dim)
        yield loss, formula(**_numbers("W V Q S D sigma", vae, data))


def _divergence(kl_divergence, formula):
    """Of general Gaussians, of equal covariances, and of equal Gaussians."""
    rng = np.random.default_rng(1)
    for size in (1, 3, 4):
        m, m_o = rng.standard_normal((2, size, 1))
        M, M_o = random_covariance(size, rng), random_covariance(size, rng)
        for first, second in (((m, M), (m_o, M_o)), ((m, M), (m_o, M)), ((m_o, M_o), (m_o, M_o))):
            computed = kl_divergence(first[0][:, 0], first[1], second[0][:, 0], second[1])
            yield computed, formula(m=first[0], M=first[1], m_o=second[0], M_o=second[1], n=size)


def _divergence_in_one_dimension(kl_divergence, formula):
    for w, s, s_o in ((0.7, 1.3, 0.4), (-2.0, 0.2, 1.1), (0.0, 1.5, 3.0)):
        yield kl_divergence([w], [[s**2]], [0.0], [[s_o**2]]), formula(w=w, s=s, s_o=s_o)


def _gap(hadamard_gap, formula):
    """Any partition, in any order, also of a matrix whose other entries are small."""
    rng = np.random.default_rng(2)
    for posterior in ("diagonal", "full", [[0, 3], [1], [2, 4]], [[4, 1, 2], [3, 0]]):
        matrix, mask = random_covariance(5, rng), partition_mask(partition(posterior, 5), 5).astype(float)
        weak = np.diag([0.3, 1.0, 40.0, 2.0, 0.1]) + 1e-3 * matrix
        for one in (matrix, weak):
            yield hadamard_gap(one, posterior), formula(M=one, B=mask)


def _gap_of_two(hadamard_gap, formula):
    for a, b, r in ((0.5, 3.0, 0.6), (2.0, 1.0, -0.95), (1.0, 1.2, 0.0)):
        yield hadamard_gap([[a**2, r * a * b], [r * a * b, b**2]]), formula(r=r)


def _gap_as_divergence(hadamard_gap, formula):
    """Any partition: half the gap is the divergence of the matrix from its blocks."""
    rng = np.random.default_rng(3)
    for posterior in ("diagonal", "full", [[0, 3], [1], [2, 4]], [[4, 1, 2], [3, 0]]):
        matrix, zero = random_covariance(5, rng), np.zeros((5, 1))
        blocks = np.where(partition_mask(partition(posterior, 5), 5), matrix, 0.0)
        yield hadamard_gap(matrix, posterior) / 2, formula(m=zero, M=matrix, m_o=zero, M_o=blocks, n=5)


ELBO, LOSS = "theory.elbo_terms", "theory.objective.loss_from_parts"
KL, GAP = "theory.gaussian.kl_divergence", "theory.gaussian.hadamard_gap"

TIES = (
    Tie(ELBO, "elbo-parts", "Distortion", _part("distortion", "W V Q S")),
    Tie(ELBO, "elbo-parts", "Reconstruction term", _part("reconstruction", "W V Q S D sigma")),
    Tie(ELBO, "elbo-parts", "Rate", _part("rate", "V Q S K")),
    Tie(ELBO, "elbo-parts", "Loss", _loss),
    Tie(ELBO, "elbo-parts", "Mutual information", _part("mutual_information", "V Q S")),
    Tie(ELBO, "elbo-parts", "Mismatch with the prior", _part("aggregate_kl", "V Q S K")),
    Tie(ELBO, "elbo-parts", "Mismatch with the prior", _margins),
    Tie(ELBO, "elbo-parts", "Mismatch as dependence plus margins", _dependence_plus_margins),
    Tie(ELBO, "elbo-parts", "Mismatch as dependence plus margins", _dependence),
    Tie(LOSS, "elbo-parts", "Loss", _loss_from_parts),
    Tie(LOSS, "elbo-parts", "Reconstruction term", _loss_without_rate),
    Tie(KL, "gaussian-kl", "The divergence", _divergence),
    Tie(KL, "gaussian-kl", "One dimension, as an integral", _divergence_in_one_dimension),
    Tie(GAP, "hadamard-gap", "The gap is twice a divergence", _gap),
    Tie(GAP, "hadamard-gap", "Two variables", _gap_of_two),
    Tie(GAP, "gaussian-kl", "The divergence", _gap_as_divergence),
)

UNTIED: dict[tuple[str, str], str] = {}
