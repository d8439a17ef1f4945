"""Checks of the penalties on the aggregate code: a general-purpose search minimises the loss as it is defined."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

import theory
from numerics.checks.axes import BETA, EIGENVALUES, NOISE, optimum_of
from numerics.checks.differences import SHIFTS, slope_of
from numerics.checks.priors import CODE, CORRELATED, PART_TOLERANCE, SEARCH_TOLERANCE, limit_of, searched_vae
from numerics.comparison import Budget, Comparison, compare, compare_arrays
from numerics.sampling.cubature import elbo_terms_by_cubature, mean_of_quadratic
from numerics.sampling.gaussian import log_density
from theory import axes, priors
from theory.model import LinearVAE
from theory.priors.aggregate import divergence_and_slope

__all__ = ["CHECKS"]

UNIT = np.eye(2)  # the covariance of the prior N(0, I)


def aggregate_penalty(budget: Budget) -> Iterator[Comparison]:
    """Divergences of the aggregate code as averages, and the encoder for a fixed decoder."""
    covariance, vae = optimum_of(2)
    decoder = vae.decoder @ axes.plane_rotation(2, 0.5).T + 0.2
    for kind in ("inclusive", "exclusive", "mmd"):
        optimal = priors.regularised_encoder(decoder, covariance, NOISE, BETA, 2.0, divergence=kind)
        exact = priors.aggregate_divergence(CODE, divergence=kind)
        yield compare(kind, exact, trained=_divergence(kind, CODE), tolerance=1e-11)

        loss = partial(_penalised_loss, kind, 2.0, covariance)
        searched = searched_vae(covariance, loss, seed=307, decoder=decoder, posterior="diagonal")
        yield compare(f"fixed decoder, {kind}", optimal.loss, trained=loss(searched), tolerance=SEARCH_TOLERANCE)
        for name in ("decoder", "encoder", "posterior_covariance"):
            exact, found = getattr(optimal.vae, name), getattr(searched, name)
            yield compare_arrays(f"{name}, {kind}", exact, found, 100 * PART_TOLERANCE)
        yield compare(f"noise variance, {kind}", optimal.vae.noise_variance, trained=NOISE, tolerance=1e-13)
        own = searched.encoder @ covariance @ searched.encoder.T + searched.posterior_covariance
        parts, divergence = elbo_terms_by_cubature(searched, covariance), _divergence(kind, own)
        of_searched = priors.regularised_terms(searched, covariance, divergence=kind)
        for case, terms, tolerance in (("optimal", optimal.terms, PART_TOLERANCE), ("searched", of_searched, 1e-11)):
            yield compare(f"divergence, {case}, {kind}", terms.divergence, trained=divergence, tolerance=tolerance)
            for part, value in parts.items():
                quantity, stated = f"{part}, {case}, {kind}", getattr(terms.elbo, part)
                yield compare(quantity, stated, trained=value, tolerance=tolerance)
    loss = partial(_penalised_loss, "inclusive", 2.0, covariance)
    full = priors.regularised_encoder(decoder, covariance, NOISE, BETA, 2.0, posterior="full")
    searched = searched_vae(covariance, loss, seed=310, decoder=decoder)
    yield compare("fixed decoder, full posterior", full.loss, trained=loss(searched), tolerance=SEARCH_TOLERANCE)
    found = searched.posterior_covariance
    yield compare_arrays("full posterior", full.vae.posterior_covariance, found, 100 * PART_TOLERANCE)
    for variance, scale in ((0.3, 1.0), (4.0, 1.0), (0.3, 2.0), (0.0, 1.0)):
        mean = _kernel_mean(np.array([[variance]]), scale)
        exact = float(priors.kernel_mean(variance, scale))
        yield compare(f"mean of the kernel, variance {variance}, scale {scale}", exact, trained=mean, tolerance=1e-11)
    yield from _with_correlated_prior(decoder, covariance)
    yield from _limits(decoder, covariance)


def _with_correlated_prior(decoder: np.ndarray, covariance: np.ndarray) -> Iterator[Comparison]:
    """Divergences from a prior of unequal, correlated latents, and a kernel of another scale; a full posterior."""
    prior, scale = CORRELATED, 2.0
    for kind in ("inclusive", "exclusive", "mmd"):
        options = {"divergence": kind, "prior": prior, "scale": scale}
        exact, found = priors.aggregate_divergence(CODE, **options), _divergence(kind, CODE, prior, scale)
        yield compare(f"{kind}, correlated prior", exact, trained=found, tolerance=1e-11)
        optimal = priors.regularised_encoder(decoder, covariance, NOISE, BETA, 2.0, posterior="full", **options)
        loss = partial(_penalised_loss, kind, 2.0, covariance, prior=prior, scale=scale)
        searched = searched_vae(covariance, loss, seed=311, decoder=decoder)
        quantity = f"fixed decoder, {kind}, correlated prior"
        yield compare(quantity, optimal.loss, trained=loss(searched), tolerance=SEARCH_TOLERANCE)


def _limits(decoder: np.ndarray, covariance: np.ndarray) -> Iterator[Comparison]:
    """A singular code, a kernel much wider than it, data that do not vary in a direction, and no latents."""
    ones = np.ones((2, 2))
    for kind in ("inclusive", "exclusive", "mmd"):
        exact = priors.aggregate_divergence(ones, divergence=kind)
        found = limit_of([_divergence(kind, ones + small * UNIT) for small in (1e-2, 1e-4, 1e-6)])
        yield compare(f"{kind}, singular code", exact, trained=found, tolerance=1e-9, scale=1.0)

    scale, step, wider = 2e4, 0.1, np.array([[0.5, 0.3], [0.3, -0.8]])
    exact = scale**2 * float(np.sum(divergence_and_slope(CODE, UNIT, "mmd", scale)[1] * wider))
    found = [scale**2 * _divergence("mmd", CODE + shift * step * wider, scale=scale) for shift in SHIFTS]
    yield compare("slope of mmd, wide kernel", exact, trained=slope_of(found, step), tolerance=2e-4)

    line = np.array([[2.0, 1.0], [1.0, 0.5]])  # data of one direction
    exact = priors.regularised_encoder(decoder[:2], line, NOISE, BETA, 2.0, posterior="full").loss
    loss = partial(_penalised_loss, "inclusive", 2.0, line)
    found = loss(searched_vae(line, loss, seed=312, decoder=decoder[:2]))
    yield compare("fixed decoder, data on a line", exact, trained=found, tolerance=SEARCH_TOLERANCE)

    exact = priors.regularised_encoder(decoder[:, :0], covariance, NOISE, BETA, 2.0).loss
    data_root, noise_root = np.linalg.cholesky(covariance), np.sqrt(NOISE) * np.eye(len(covariance))
    found = mean_of_quadratic(
        lambda source: {"loss": -log_density(source(len(covariance)) @ data_root.T, noise_root)}, len(covariance)
    )
    yield compare("fixed decoder, no latents", exact, trained=found["loss"], tolerance=1e-11)


def aggregate_penalty_learned(budget: Budget) -> Iterator[Comparison]:
    """With a learned decoder the weight of the penalty changes nothing at the optimum."""
    covariance = np.diag(EIGENVALUES[:3])
    best = theory.optimum(covariance, 2, beta=BETA, noise_variance=NOISE)
    for kind in ("inclusive", "mmd"):
        loss = partial(_penalised_loss, kind, 3.0, covariance)
        searched = searched_vae(covariance, loss, seed=308, posterior="diagonal")
        yield compare(f"loss, {kind}", best.loss, trained=loss(searched), tolerance=SEARCH_TOLERANCE)
        terms = priors.regularised_terms(searched, covariance, divergence=kind)
        yield compare(f"loss of its parts, {kind}", terms.loss(BETA, 3.0), trained=loss(searched), tolerance=1e-11)


def _penalised_loss(
    kind: str, alpha: float, covariance: np.ndarray, vae: LinearVAE, *, prior=UNIT, scale: float = 1.0
) -> float:
    """Reconstruction, beta times the rate and alpha times the divergence of the aggregate code, by definition."""
    parts = elbo_terms_by_cubature(vae, covariance, prior)
    code = vae.encoder @ covariance @ vae.encoder.T + vae.posterior_covariance
    return parts["reconstruction"] + BETA * parts["rate"] + alpha * _divergence(kind, code, prior, scale)


def _divergence(kind: str, code: np.ndarray, prior: np.ndarray = UNIT, scale: float = 1.0) -> float:
    """Of N(0, code) from N(0, prior): the average of the log ratio of the two densities, or of kernels of pairs."""
    code_root, prior_root = np.linalg.cholesky(code), np.linalg.cholesky(prior)
    if kind == "mmd":
        own, other, cross = (_kernel_mean(sum_of, scale) for sum_of in (2 * code, 2 * prior, code + prior))
        return own + other - 2 * cross
    root, sign = (prior_root, -1) if kind == "inclusive" else (code_root, 1)

    def values(source) -> dict[str, np.ndarray]:
        drawn = source(2) @ root.T
        return {"divergence": sign * (log_density(drawn, code_root) - log_density(drawn, prior_root))}

    return mean_of_quadratic(values, 2)["divergence"]


def _kernel_mean(covariance: np.ndarray, scale: float = 1.0) -> float:
    """The sum over coordinates of E c/(c + d^2) for d ~ N(0, covariance): on this grid exact to rounding."""
    z = np.arange(-9.0, 9.01, 0.05)
    weights = np.exp(-(z**2) / 2)
    return float(
        sum(weights @ (scale / (scale + variance * z**2)) for variance in np.diagonal(covariance)) / weights.sum()
    )


CHECKS = {"aggregate_penalty": aggregate_penalty, "aggregate_penalty_learned": aggregate_penalty_learned}
