"""Checks of the results on groups of latents: by sampling codes, and by training the grouped objective."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import theory
from numerics.comparison import Budget, Comparison, compare
from numerics.experiments.granularity import factor_errors
from numerics.sampling.cubature import mean_of_quadratic
from numerics.sampling.gaussian import log_density
from numerics.sampling.minibatch_total_correlation import sample_minibatch_bias, sample_minibatch_terms
from numerics.sweeps.complete import complete_sweep
from theory import groups

__all__ = ["CHECKS"]

NOISE = 0.3
PAIRS = [[0, 1], [2, 3]]
TOLERANCE = 1e-9  # in the loss, second order in what a gradient of 1e-8 leaves, weak directions aside


def grouped_parts(budget: Budget) -> Iterator[Comparison]:
    """Total correlation between and within groups: averages of log densities of codes, which are quadratic."""
    rng = np.random.default_rng(501)
    loading, encoder, variances = rng.standard_normal((5, 4)), 0.4 * rng.standard_normal((4, 5)), [0.3, 0.5, 0.4, 0.2]
    truth = theory.GenerativeModel(loading, NOISE, _blocks(2))
    exact = groups.grouped_terms(theory.LinearVAE(loading, encoder, np.diag(variances), NOISE), truth.covariance, PAIRS)
    code_root = np.hstack(
        [encoder @ truth.loading @ truth.factor_root, NOISE**0.5 * encoder, np.diag(variances) ** 0.5]
    )
    covariance = code_root @ code_root.T

    def values(source) -> dict[str, np.ndarray]:
        codes = source(code_root.shape[1]) @ code_root.T
        whole = _log_density(codes, covariance, [0, 1, 2, 3])
        inside = [_log_density(codes, covariance, group) for group in PAIRS]
        singles = [sum(_log_density(codes, covariance, [latent]) for latent in group) for group in PAIRS]
        within = {f"within group {number}": inside[number] - singles[number] for number in range(len(PAIRS))}
        return within | {"between": whole - sum(inside)}

    found = mean_of_quadratic(values, code_root.shape[1])
    closed_form = dict(zip(found, [*exact.within, exact.between], strict=True))
    for name, value in found.items():
        yield compare(name, closed_form[name], trained=value, tolerance=1e-12)


def grouped_learned_decoder(budget: Budget) -> Iterator[Comparison]:
    """The least value with a learned decoder, for several weights; training does not know the whitened form."""
    root = np.random.default_rng(502).standard_normal((5, 5))
    covariance = root @ root.T
    for kind, weights in {
        "unequal weights": groups.Weights(1.5, 4.0, 0.3, 2.0),
        "information only": groups.Weights(0.8, 0.0, 0.0, 0.0),
    }.items():
        for name, partition_of in {"pairs": PAIRS, "singles": "diagonal"}.items():
            exact = groups.learned_decoder_value(covariance, 4, weights, partition_of, noise_variance=NOISE).value
            trained = _least_loss(covariance, 4, weights, partition_of)
            yield compare(f"{name}, {kind}", exact, trained=trained, tolerance=TOLERANCE)


def correlated_prior(budget: Budget) -> Iterator[Comparison]:
    """The change of that value by a correlated prior, with a full posterior."""
    covariance = np.diag([4.0, 2.0, 0.5])
    for correlation, weight in ((0.6, 3.0), (0.6, 0.5), (-0.9, 20.0)):
        prior = np.array([[1.0, correlation], [correlation, 1.0]])
        options = {"posterior": "full", "prior": prior}
        plain = _least_loss(covariance, 2, groups.Weights(), "diagonal", **options)
        moved = _least_loss(covariance, 2, groups.Weights(between=weight), "diagonal", **options) - plain
        exact = groups.correlated_prior_shift(correlation, weight)
        yield compare(f"correlation {correlation}, weight {weight}", exact, trained=moved, tolerance=TOLERANCE)


def grouped_optimum(budget: Budget) -> Iterator[Comparison]:
    """The optimum for a fixed decoder, and its limit of independent groups from losses at two large weights."""
    loading = np.random.default_rng(503).standard_normal((6, 4))
    truth = theory.GenerativeModel(loading, NOISE, _blocks(2))
    for posterior in ("diagonal", "full"):
        weights = groups.Weights(1.0, 6.0, 0.7, 1.0)
        best = groups.grouped_optimum(loading, NOISE, truth.covariance, weights, PAIRS, posterior=posterior)
        trained = _least_loss(truth.covariance, 4, weights, PAIRS, posterior=posterior, decoder=loading)
        yield compare(f"loss, {posterior}", best.loss, trained=trained, tolerance=TOLERANCE)


def independent_groups(budget: Budget) -> Iterator[Comparison]:
    """Losses at weights w and 2 w are L - c/w + O(1/w^2), so twice the second less the first is L."""
    loading = np.random.default_rng(504).standard_normal((6, 4))
    truth = theory.GenerativeModel(loading, NOISE, _blocks(2))
    exact = groups.independent_groups(loading, NOISE, truth.covariance, PAIRS).loss
    first, second = (
        _least_loss(truth.covariance, 4, groups.Weights.independence(weight), PAIRS, decoder=loading)
        for weight in (500.0, 1000.0)
    )
    yield compare("loss", exact, trained=2 * second - first, tolerance=1e-4)  # c / w^2 with c of order 10


def granularity_slope(budget: Budget) -> Iterator[Comparison]:
    """Differences, of fourth order, of the errors of encoders trained at weights about one."""
    truth = theory.GenerativeModel(np.random.default_rng(508).standard_normal((6, 4)), NOISE, _blocks(2))
    step = 0.02
    weights = [groups.Weights.independence(1 + shift * step) for shift in (-2, -1, 1, 2)]
    for name, partition_of in {"true pairs": PAIRS, "crossed pairs": [[0, 2], [1, 3]], "singles": "diagonal"}.items():
        done = complete_sweep(
            truth.covariance, 4, betas=weights, groups=partition_of, noise_variance=NOISE, decoder=truth.loading,
            gradient_tolerance=1e-10,
        )  # fmt: skip
        errors = [factor_errors(truth, vae).sum() for (vae,) in done.vaes()]
        slope = (errors[0] - 8 * errors[1] + 8 * errors[2] - errors[3]) / (12 * step)
        # The fourth power of the step, and what the gradient leaves of the encoder over the step.
        yield compare(name, groups.granularity_slope(truth, partition_of), trained=slope, tolerance=1e-6)


def minibatch_estimates(budget: Budget) -> Iterator[Comparison]:
    """Bias of the minibatch estimates of a weak code, where few points are enough for the leading order."""
    vae, covariance = _weak_code()
    sizes = {"dataset_size": 1000, "batch_size": 25}
    bias = sample_minibatch_bias(vae, covariance, PAIRS, batches=8000, rng=np.random.default_rng(505), **sizes)
    offset = {"weighted": groups.minibatch_offset(PAIRS, 4, 1000), "stratified": groups.minibatch_offset(PAIRS, 4, 1)}
    next_order = groups.minibatch_scale(vae, covariance) / 25  # relative to the leading one
    for name, estimates in bias.items():
        exact = groups.minibatch_bias(vae, covariance, PAIRS, estimator=name, **sizes)
        for part in ("mutual_information", "between", "dimension_wise_kl"):
            predicted = getattr(exact, part)
            neglected = next_order * abs(predicted - getattr(offset[name], part))
            yield compare(f"{part}, {name}", predicted, monte_carlo=getattr(estimates, part), bias=neglected)
        neglected = next_order * abs(exact.within[0] - offset[name].within[0])
        yield compare(f"within group 0, {name}", exact.within[0], monte_carlo=estimates.within[0], bias=neglected)


def minibatch_bounds(budget: Budget) -> Iterator[Comparison]:
    """An almost noiseless code: no two points of a minibatch overlap, and the estimates lie at their bounds."""
    weak, covariance = _weak_code()
    vae = theory.LinearVAE(weak.decoder, weak.encoder, 1e-16 * weak.posterior_covariance, weak.noise_variance)
    sizes = {"dataset_size": 1000, "batch_size": 20}
    terms = sample_minibatch_terms(vae, covariance, PAIRS, batches=10, rng=np.random.default_rng(506), **sizes)
    for name, estimates in terms.items():
        exact = groups.minibatch_bounds(vae, PAIRS, estimator=name, **sizes)
        for part in ("mutual_information", "between"):
            yield compare(
                f"{part}, {name}", getattr(exact, part), trained=getattr(estimates, part).value, tolerance=TOLERANCE
            )


def _weak_code() -> tuple[theory.LinearVAE, np.ndarray]:
    """A code of little information about data of unit covariance, and a posterior that links latents in pairs."""
    encoder = np.random.default_rng(507).standard_normal((4, 5)) / 7
    posterior = np.kron(np.diag([0.8, 1.2]), [[1.0, 0.3], [0.3, 1.0]])
    return theory.LinearVAE(encoder.T, encoder, posterior, NOISE), np.eye(5)


def _least_loss(covariance, latent_dim: int, weights: groups.Weights, partition_of, **options) -> float:
    """The least loss that training finds from three starts."""
    done = complete_sweep(
        covariance, latent_dim, betas=[weights], seeds=3, groups=partition_of, noise_variance=NOISE, **options
    )
    return float(done.losses.min())


def _blocks(count: int) -> np.ndarray:
    return np.kron(np.eye(count), [[1.0, 0.8], [0.8, 1.0]])


def _log_density(codes: np.ndarray, covariance: np.ndarray, members: list[int]) -> np.ndarray:
    return log_density(codes[:, members], np.linalg.cholesky(covariance[np.ix_(members, members)]))


CHECKS = {
    "grouped_parts": grouped_parts,
    "grouped_learned_decoder": grouped_learned_decoder,
    "correlated_prior": correlated_prior,
    "grouped_optimum": grouped_optimum,
    "independent_groups": independent_groups,
    "granularity_slope": granularity_slope,
    "minibatch_estimates": minibatch_estimates,
    "minibatch_bounds": minibatch_bounds,
}
