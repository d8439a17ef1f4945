"""Checks of the results on minibatch estimates of total correlation, by simulated minibatches."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np

import theory
from numerics.checks.limits import limit_of_two
from numerics.comparison import Budget, Comparison, compare
from numerics.sampling.cubature import elbo_terms_by_cubature
from numerics.sampling.minibatch_total_correlation import sample_minibatch_bias, sample_minibatch_terms
from theory import groups
from theory.groups.minibatch import ESTIMATORS, IN_PUBLIC_CODE

__all__ = ["CHECKS"]

NOISE = 0.3
PAIRS = [[0, 1], [2, 3]]
UNEQUAL = [[0, 1, 2], [3]]
WITHIN = {"within the first group": 0, "within the second group": 1}
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
    for name, weights in _in_public_code(**sizes).items():
        sums = weights.sum(axis=1, keepdims=True)
        own, squares = np.diagonal(weights / sums), np.sum((weights / sums) ** 2, axis=1)
        factors[name] = float(np.mean(own - (squares - own**2) / 2))
        offset[name] = _offset_of(-float(np.log(sums).mean()))
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
    simulated = sample_minibatch_bias(vae, covariance, PAIRS, batches=8000, rng=505, estimators=[*factors], **sizes)
    # The second group has so little information that so few minibatches show nothing of its bias.
    shown = [part for part in coefficients if part != "within the second group"]
    for name, estimates in simulated.items():
        for part in shown:
            if name == "fixed-column" and part in WITHIN:  # its offset and its bias nearly cancel there
                continue
            stated = _part(exact[name], part)
            neglected = next_order * abs(stated - _part(offset[name], part))
            yield compare(f"{part}, {name}", stated, monte_carlo=_part(estimates, part), bias=neglected)
    yield from _offsets(vae, covariance)


def _in_public_code(dataset_size: int, batch_size: int) -> dict[str, np.ndarray]:
    """The weights that public code gives to the points of a minibatch (columns) for each code (rows)."""
    size, others = dataset_size, batch_size - 1
    fixed = np.full((batch_size, batch_size), 1 / others)
    fixed.flat[::batch_size], fixed.flat[1::batch_size] = 1 / size, (size - others) / (size * others)
    fixed[others - 1, 0] = (size - others) / (size * others)
    return {"unnormalised": np.ones((batch_size, batch_size)), "fixed-column": fixed}


def _offset_of(log: float) -> SimpleNamespace:
    """What a constant in every log q^ adds to the parts of four latents in `PAIRS`."""
    return SimpleNamespace(mutual_information=log, between=log, within=np.array([log, log]), dimension_wise_kl=-4 * log)


def _offsets(vae: theory.LinearVAE, covariance: np.ndarray) -> Iterator[Comparison]:
    """Groups of unequal size: from the same draws, weighted estimates less those of a data set that is the batch."""
    exact = groups.minibatch_offset(UNEQUAL, 4, 1000)
    of_all, of_batch = (
        sample_minibatch_terms(vae, covariance, UNEQUAL, dataset_size=size, batch_size=5, batches=2, rng=512)[name]
        for name, size in (("weighted", 1000), ("stratified", 5))
    )
    for part in ("mutual_information", "between", *WITHIN, "dimension_wise_kl"):
        excess = _part(of_all, part).value - _part(of_batch, part).value
        yield compare(f"offset, {part}", _part(exact, part), trained=excess, tolerance=TOLERANCE, scale=1.0)


def _part(parts, name: str):
    """By its name, or by that of a group in `WITHIN`."""
    return parts.within[WITHIN[name]] if name in WITHIN else getattr(parts, name)


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
        **{name: pairs[at] - sum(single[latent] for latent in PAIRS[at]) for name, at in WITHIN.items()},
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
    terms = sample_minibatch_terms(
        vae, covariance, PAIRS, batches=10, rng=506, estimators=(*ESTIMATORS, *IN_PUBLIC_CODE), **sizes
    )
    for name, estimates in terms.items():
        exact = groups.minibatch_bounds(vae, PAIRS, estimator=name, **sizes)
        if name == "stratified":  # the default
            by_default = groups.minibatch_bounds(vae, PAIRS, **sizes).between
            yield compare("between, by default", by_default, trained=estimates.between.value, tolerance=TOLERANCE)
        for part in ("mutual_information", "between"):
            reached = getattr(estimates, part).value
            if name == "fixed-column":  # only the codes whose own point has the least weight are at the bound
                reached = -float(np.log(_in_public_code(**sizes)[name].min()))
            yield compare(f"{part}, {name}", getattr(exact, part), trained=reached, tolerance=TOLERANCE, scale=1.0)
    yield from _bound_of_linked_groups(sizes)


def _bound_of_linked_groups(sizes: dict[str, int]) -> Iterator[Comparison]:
    """Two groups with noise that becomes the same: no bound on the estimates of their total correlation."""
    largest = []
    for width in (1e-6, 1e-12):
        posterior = np.array([[1.0, 1 - width], [1 - width, 1.0]])
        vae = theory.LinearVAE(np.eye(2), np.eye(2) / 2, posterior, NOISE)
        terms = sample_minibatch_terms(vae, np.eye(2), "diagonal", batches=4, rng=513, **sizes)["stratified"]
        largest.append(terms.between.value)
    limit = limit_of_two(*largest)
    bound = groups.minibatch_bounds(vae, "diagonal", **sizes).between
    yield compare("between, posterior that links groups", bound, trained=limit, scale=1.0)


def _weak_code() -> tuple[theory.LinearVAE, np.ndarray]:
    """A code of little information about data of unit covariance, and a posterior that links latents in pairs."""
    encoder = np.random.default_rng(507).standard_normal((4, 5)) / 7
    posterior = np.kron(np.diag([0.8, 1.2]), [[1.0, 0.3], [0.3, 1.0]])
    return theory.LinearVAE(encoder.T, encoder, posterior, NOISE), np.eye(5)


CHECKS = {"minibatch_estimates": minibatch_estimates, "minibatch_bounds": minibatch_bounds}
