"""Checks of the results on minibatch estimates of total correlation, by simulated minibatches."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import theory
from numerics.comparison import Budget, Comparison, compare
from numerics.sampling.cubature import elbo_terms_by_cubature
from numerics.sampling.minibatch_total_correlation import sample_minibatch_bias, sample_minibatch_terms
from theory import groups

__all__ = ["CHECKS"]

NOISE = 0.3
PAIRS = [[0, 1], [2, 3]]
TOLERANCE = 1e-9


def minibatch_estimates(budget: Budget) -> Iterator[Comparison]:
    """Bias of the minibatch estimates of a weak code, where few points are enough for the leading order."""
    vae, covariance = _weak_code()
    sizes = {"dataset_size": 1000, "batch_size": 25}
    offset = {"weighted": groups.minibatch_offset(PAIRS, 4, 1000), "stratified": groups.minibatch_offset(PAIRS, 4, 1)}
    scale = groups.minibatch_scale(vae, covariance)
    information = elbo_terms_by_cubature(vae, covariance)["mutual_information"]
    exponent = np.trace(np.linalg.solve(vae.posterior_covariance, vae.encoder @ covariance @ vae.encoder.T))
    of_bias = groups.minibatch_bias(vae, covariance, PAIRS, estimator="weighted", **sizes).scale
    for name, value in {"scale": scale, "scale of the bias": of_bias}.items():
        yield compare(name, value, trained=float(np.exp(exponent + information)), tolerance=1e-11 * scale)
    # The offset alone is exact for any batch: its scale is that of no information.
    yield compare("scale of the offset", offset["weighted"].scale, trained=1.0, tolerance=1e-12)
    next_order = scale / 25  # relative to the leading one
    # To leading order the logarithm of a mean with the weight w of the own point is off by w - (sum of w_j^2) / 2.
    factors = {"weighted": 1 / 25 - 24 / 25**2 / 2, "stratified": 1 / 1000 - (999 / 1000) ** 2 / 24 / 2}
    coefficients = _bias_coefficients(vae, covariance)
    by_default = groups.minibatch_bias(vae, covariance, PAIRS, **sizes).between
    leading = factors["stratified"] * coefficients["between"]
    yield compare("leading bias between, by default", by_default, trained=leading, tolerance=1e-10)
    for batch_size in (2, 3, 5, 25):
        stated = groups.minibatch_bias(vae, covariance, PAIRS, dataset_size=1000, batch_size=batch_size).in_range
        inside = batch_size >= np.exp(exponent + information)
        yield compare(f"in range, batches of {batch_size}", float(stated), trained=float(inside), scale=1.0)
    exact = {name: groups.minibatch_bias(vae, covariance, PAIRS, estimator=name, **sizes) for name in factors}
    for name, factor in factors.items():
        for part, coefficient in coefficients.items():
            stated = _part(exact[name], part) - _part(offset[name], part)
            yield compare(f"leading bias, {part}, {name}", stated, trained=factor * coefficient, tolerance=1e-10)
    simulated = sample_minibatch_bias(vae, covariance, PAIRS, batches=8000, rng=np.random.default_rng(505), **sizes)
    for name, estimates in simulated.items():
        for part in coefficients:
            stated = _part(exact[name], part)
            neglected = next_order * abs(stated - _part(offset[name], part))
            yield compare(f"{part}, {name}", stated, monte_carlo=_part(estimates, part), bias=neglected)


def _part(parts, name: str):
    """By its name; of the total correlation within groups that of the first group."""
    return parts.within[0] if name == "within" else getattr(parts, name)


def _bias_coefficients(vae: theory.LinearVAE, covariance: np.ndarray) -> dict[str, float]:
    """Of a mean of weights w_j r_j, r = q(z|x)/q(z): the variance of r, E r - 1, in the combinations of the parts."""
    signal = vae.encoder @ covariance @ vae.encoder.T

    def variance(latents: list[int]) -> float:
        block = np.ix_(latents, latents)
        shares = np.linalg.eigvals(np.linalg.solve((signal + vae.posterior_covariance)[block], signal[block])).real
        return float(np.prod([_mean_ratio(share) for share in shares])) - 1  # modes that are independent

    whole, pairs = variance([0, 1, 2, 3]), [variance(pair) for pair in PAIRS]
    single = [variance([latent]) for latent in range(4)]
    return {
        "mutual_information": -whole,
        "between": whole - sum(pairs),
        "within": pairs[0] - single[0] - single[1],
        "dimension_wise_kl": sum(single),
    }


def _mean_ratio(share: float) -> float:
    """E q(z|x)/q(z) for a mode z = sqrt(share) u + sqrt(1 - share) v of variance one, by Gauss-Hermite quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    u, v = np.meshgrid(nodes, nodes, indexing="ij")
    z = np.sqrt(share) * u + np.sqrt(1 - share) * v
    ratio = np.exp(z**2 / 2 - v**2 / 2) / np.sqrt(1 - share)
    return float(weights @ ratio @ weights / (2 * np.pi))


def minibatch_bounds(budget: Budget) -> Iterator[Comparison]:
    """An almost noiseless code: no two points of a minibatch overlap, and the estimates lie at their bounds."""
    weak, covariance = _weak_code()
    vae = theory.LinearVAE(weak.decoder, weak.encoder, 1e-12 * weak.posterior_covariance, weak.noise_variance)
    sizes = {"dataset_size": 1000, "batch_size": 20}
    terms = sample_minibatch_terms(vae, covariance, PAIRS, batches=10, rng=np.random.default_rng(506), **sizes)
    for name, estimates in terms.items():
        exact = groups.minibatch_bounds(vae, PAIRS, estimator=name, **sizes)
        if name == "stratified":  # the default
            by_default = groups.minibatch_bounds(vae, PAIRS, **sizes).between
            yield compare("between, by default", by_default, trained=estimates.between.value, tolerance=TOLERANCE)
        for part in ("mutual_information", "between"):
            yield compare(
                f"{part}, {name}", getattr(exact, part), trained=getattr(estimates, part).value, tolerance=TOLERANCE
            )


def _weak_code() -> tuple[theory.LinearVAE, np.ndarray]:
    """A code of little information about data of unit covariance, and a posterior that links latents in pairs."""
    encoder = np.random.default_rng(507).standard_normal((4, 5)) / 7
    posterior = np.kron(np.diag([0.8, 1.2]), [[1.0, 0.3], [0.3, 1.0]])
    return theory.LinearVAE(encoder.T, encoder, posterior, NOISE), np.eye(5)


CHECKS = {"minibatch_estimates": minibatch_estimates, "minibatch_bounds": minibatch_bounds}
