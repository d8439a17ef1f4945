"""Checks of the beta of least inference error: a scalar search that trains an encoder at every evaluation."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
from scipy.optimize import minimize_scalar

from numerics.checks.differences import SHIFTS, slope_of
from numerics.checks.inference import (
    FAMILIES,
    LOSS_TOLERANCE,
    NOISELESS,
    three_factors,
    trained_errors,
    with_best_noise,
)
from numerics.comparison import Budget, Comparison, compare, compare_arrays
from numerics.sampling.cubature import errors_by_cubature
from theory import inference
from theory.inference.errors_along_beta import CRITERIA
from theory.model import GenerativeModel

__all__ = ["CHECKS"]

# Training leaves 1e-11 in an error; the beta of the least error is known only to about the square root of that.
SEARCH_TOLERANCE = 1e-4

COHERENT = GenerativeModel(np.array([[1.0, 0.9], [0.0, 0.436]]), 0.5)


def optimal_beta(budget: Budget) -> Iterator[Comparison]:
    for criterion in CRITERIA:
        exact = inference.optimal_beta(COHERENT, criterion)
        beta, error = _search(COHERENT, criterion, bounds=(0.3, 5.0))
        yield compare(f"beta*, {criterion}", exact.beta, trained=beta, tolerance=SEARCH_TOLERANCE)
        yield compare(f"error at beta*, {criterion}", exact.error, trained=error, tolerance=LOSS_TOLERANCE)
    truth, decoder, _, noise = three_factors()
    for family in ("full", "groups"):
        options = {"decoder": decoder, "noise_variance": noise, "posterior": FAMILIES[family]}
        exact = inference.optimal_beta(truth, **options)
        beta, error = _search(truth, "forward_kl", (0.3, 10.0), decoder, noise, FAMILIES[family])
        yield compare(f"beta*, another decoder, {family}", exact.beta, trained=beta, tolerance=SEARCH_TOLERANCE)
        yield compare(f"error there, {family}", exact.error, trained=error, tolerance=LOSS_TOLERANCE)
    yield from _optima_at_an_end()


def _optima_at_an_end() -> Iterator[Comparison]:
    """Squared errors that fall towards one end of the betas, zero or infinity, and one that does not depend on beta."""
    loading = np.array([[1.0, 0.3], [0.0, 0.8], [0.0, 0.0]])
    decoder = np.array([[0.0, 0.0], [0.0, 0.0], [1.0, 0.5]])  # which sees the noise alone
    cases = {
        "no noise in the data": (GenerativeModel(loading, 0.0), loading, 0.0),
        "a decoder that sees the noise alone": (GenerativeModel(loading, 0.4), decoder, np.inf),
    }
    betas = np.geomspace(1e-4, 1e4, 9)
    for name, (truth, fixed, end) in cases.items():
        best = inference.optimal_beta(truth, "mean_squared_error", decoder=fixed, noise_variance=0.5)
        errors = [trained_errors(truth, beta, fixed, 0.5)["mean_squared_error"] for beta in betas]
        fall = np.diff(errors if end else errors[::-1])
        found = end if np.all(fall < 0) else betas[np.argmin(errors)]
        yield compare(f"beta*, {name}", best.beta, trained=found, scale=1.0)
        yield compare(f"attained, {name}", float(best.attained), trained=float(0 < found < np.inf), scale=1.0)
        # At a water level, or an inverse one, of 5e-5 the error is still of the order of its square above the limit.
        limit = errors[-1] if end else errors[0]
        yield compare(f"error in the limit, {name}", best.error, trained=limit, tolerance=1e-6, scale=truth.latent_dim)
    yield from _flat_curves()


def _flat_curves() -> Iterator[Comparison]:
    """Where no beta is better than another: no signal, a decoder that sees nothing of it, a noise of zero.

    The reverse KL is infinite for all betas if the data have no noise; the forward KL is too, but its log score is not.
    """
    nothing, one = GenerativeModel(np.zeros((3, 2)), 0.4), GenerativeModel(np.array([[1.0], [0.0]]), 0.0)
    wide = GenerativeModel(np.array([[1.0, 0.5, -0.4], [0.2, 0.9, 0.7]]), 0.0)
    squared, exact = "mean_squared_error", GenerativeModel(NOISELESS, 0.0)
    for name, truth, criterion, decoder, noise in (
        ("no signal", nothing, squared, None, "true"),
        ("no signal in the decoder's range", one, squared, np.array([[0.0], [1.0]]), 0.5),
        ("no noise at all", exact, squared, None, "true"),
        ("no noise in the data, reverse KL", exact, "reverse_kl", None, 0.5),
        ("no noise, K > D, reverse KL", wide, "reverse_kl", None, 0.5),
        ("no noise in the data, log score", exact, "log_score", None, 0.5),
        ("no noise in the data, forward KL", exact, "forward_kl", None, 0.5),
    ):
        best = inference.optimal_beta(truth, criterion, decoder=decoder, noise_variance=noise)
        # In place of zeros a noise that is negligible, and of the forward KL the log score, of the same optimum.
        near = dataclasses.replace(truth, noise_variance=truth.noise_variance or 1e-12)
        of_decoder = 1e-12 if noise == "true" and truth.noise_variance == 0 else noise
        measured = {"forward_kl": "log_score"}.get(criterion, criterion)
        errors = [trained_errors(near, beta, decoder, of_decoder)[measured] for beta in (0.5, 1.0, 2.0)]
        infinite = criterion == "reverse_kl" and min(errors) > 1e6
        spread = 0.0 if infinite else float(np.ptp(errors))
        yield compare(f"flat, {name}", float(best.flat), trained=float(spread < 1e-6), scale=1.0)
        if best.flat:
            value = np.inf if infinite else errors[1]
            yield compare(f"error, {name}", best.error, trained=value, tolerance=1e-6, scale=1.0)


def optimal_beta_learned_noise(budget: Budget) -> Iterator[Comparison]:
    """Noise and encoder learned together, with the true decoder fixed."""
    truth, *_ = three_factors()
    for criterion in CRITERIA[:2]:
        exact = inference.optimal_beta(truth, criterion, noise_variance="learned")
        beta, error = _search(truth, criterion, bounds=(0.3, 3.0), noise="learned")
        yield compare(f"beta*, {criterion}", exact.beta, trained=beta, tolerance=SEARCH_TOLERANCE)
        yield compare(f"error at beta*, {criterion}", exact.error, trained=error, tolerance=LOSS_TOLERANCE)
    yield from _optimum_at_a_jump()


def _optimum_at_a_jump() -> Iterator[Comparison]:
    """Below beta = 1 the loss falls as (1 - beta) log s2 for ever, from 1 on its noise is finite: least error at 1."""
    loading = np.diag([10.0, 0.1]) @ np.array([[1.0, 0.3], [0.2, 1.0]])
    truth, decoder, squared = GenerativeModel(loading, 0.01), np.diag([1.0, 5.0]), "mean_squared_error"
    exact = inference.optimal_beta(truth, squared, decoder=decoder, noise_variance="learned")
    betas = np.array([1.0001, 1.05, 1.2])
    errors = [errors_by_cubature(truth, with_best_noise(truth, decoder, beta))[squared] for beta in betas]
    beta, error = betas[np.argmin(errors)], min(errors)
    yield compare("beta* at a jump", exact.beta, trained=float(beta), tolerance=1e-3)
    yield compare("error at a jump", exact.error, trained=error, tolerance=1e-3 * error)


def slope_at_one(budget: Budget) -> Iterator[Comparison]:
    """A central difference of trained encoders' errors, wrong by the step squared (1e-6) times a third derivative."""
    step = 1e-3
    right, left = (trained_errors(COHERENT, 1 + h)["forward_kl"] for h in (step, -step))
    exact = inference.forward_kl_slope(COHERENT)
    yield compare("d forward KL / d beta", exact, trained=(right - left) / (2 * step), tolerance=1e-5)


def two_factors(budget: Budget) -> Iterator[Comparison]:
    """The polynomial against the search for trained encoders, across the jump against the general closed form."""
    a, r = 2.0, 0.3
    truth = GenerativeModel(inference.two_factor_loading(a, r), 1.0)
    exact = inference.two_factor_optimal_beta(a, r)
    beta, _ = _search(truth, "forward_kl", bounds=(0.5, 2.0))
    yield compare(f"beta*, a = {a:g}, r = {r:g}", exact, trained=beta, tolerance=SEARCH_TOLERANCE)
    weak = GenerativeModel(inference.two_factor_loading(0.2, 0.5), 1.0)
    exact = inference.two_factor_optimal_beta(0.2, 0.5)
    beta, _ = _search(weak, "forward_kl", bounds=(0.5, 2.0))
    yield compare("beta*, a = 0.2, r = 0.5", exact, trained=beta, tolerance=SEARCH_TOLERANCE)
    scaled = inference.two_factor_loading(a, r, 0.25)
    lengths = 0.25 * a * np.array([[1.0, r], [r, 1.0]])
    yield compare_arrays("products of the columns, noise 0.25", scaled.T @ scaled, lengths, 1e-13)
    # The polynomial is the slope of the forward KL of both factors times what keeps its sign.
    at, step = 1.4, 0.02
    slope = slope_of([trained_errors(truth, at + shift * step)["forward_kl"] for shift in SHIFTS], step)
    factor = at**2 * (at + a) * (at + a * (1 + r)) ** 3 * (at + a * (1 - r)) ** 3
    polynomial = float(inference.two_factor_polynomial(a, r) @ at ** np.arange(8))
    yield compare("polynomial", polynomial, trained=slope * factor, tolerance=1e-4 * abs(polynomial))
    for r in (0.9575, 0.96):
        general = inference.optimal_beta(GenerativeModel(inference.two_factor_loading(200.0, r), 1.0)).beta
        exact = inference.two_factor_optimal_beta(200.0, r)
        yield compare(f"beta*, a = 200, r = {r:g}", exact, trained=general, tolerance=1e-9 * exact)
    r = 0.02  # the expansion leaves out terms of order r^4
    general = inference.optimal_beta(GenerativeModel(inference.two_factor_loading(a, r), 1.0)).beta
    exact = inference.small_coherence_beta(a, r)
    yield compare(f"expansion of beta* - 1, r = {r:g}", exact - 1, trained=general - 1, tolerance=r**4)


def noise_mismatch(budget: Budget) -> Iterator[Comparison]:
    """A decoder with a noise other than the true one: the optimum of every error is scaled by the ratio."""
    noise = 0.8
    for criterion in CRITERIA:
        matched = inference.optimal_beta(COHERENT, criterion).beta
        exact = inference.mismatched_beta(matched, COHERENT.noise_variance, noise)
        beta, _ = _search(COHERENT, criterion, bounds=(0.2, 3.0), noise=noise)
        yield compare(f"beta*, {criterion}", exact, trained=beta, tolerance=SEARCH_TOLERANCE)


def correlated_factors(budget: Budget) -> Iterator[Comparison]:
    """Where the results for independent factors fail: forward KL least below 1, a bracket for the squared error."""
    loading = np.linalg.cholesky(2 * np.array([[1.0, 0.99], [0.99, 1.0]])).T
    truth = GenerativeModel(loading, 1.0, np.array([[1.0, 0.9], [0.9, 1.0]]))
    exact = inference.optimal_beta(truth).beta
    beta, _ = _search(truth, "forward_kl", bounds=(0.2, 2.0))
    yield compare("beta*, forward_kl", exact, trained=beta, tolerance=SEARCH_TOLERANCE)
    low, high = inference.squared_error_level_bracket(truth)
    level = _search(truth, "mean_squared_error", bounds=(0.2, 2.0))[0] * truth.noise_variance
    yield compare("water level in its bracket", float(np.clip(level, low, high)), trained=level)
    # Orthogonal columns and independent factors: the ends are the best levels of the factors alone, s2 / variance.
    variances = np.array([1.0, 0.5, 0.2])
    apart = GenerativeModel(np.diag([2.0, 1.5, 1.0]), 0.3, np.diag(variances))
    alone = [
        _search(GenerativeModel(apart.loading[:, [at]], 0.3, [[variance]]), "mean_squared_error", (0.3, 9.0))[0] * 0.3
        for at, variance in enumerate(variances)
    ]
    low, high = inference.squared_error_level_bracket(apart)
    for name, value, found in (("low", low, min(alone)), ("high", high, max(alone))):
        yield compare(f"bracket of independent factors, {name}", value, trained=found, tolerance=1e-3 * value)
    # A factor that does not vary is best left alone, at any level; without a signal no level is better than another.
    betas = np.geomspace(1e-3, 1e6, 7)
    for name, one in {
        "a factor that does not vary": GenerativeModel(np.eye(2), 0.3, np.diag([1.0, 0.0])),
        "no signal": GenerativeModel(np.zeros((3, 2)), 0.3),
    }.items():
        least = max(one.factor_covariance[1, 1], 1e-12)  # the errors below need a factor that varies
        last = GenerativeModel(one.loading[:, [1]], 0.3, [[least]])
        errors = [trained_errors(last, beta)["mean_squared_error"] for beta in betas]
        low, high = inference.squared_error_level_bracket(one)
        yield compare(f"high end, {name}", high, trained=np.inf if np.all(np.diff(errors) <= 0) else 0.0, scale=1.0)
        yield compare(f"low end, {name}", low, trained=0.3 if one.loading.any() else 0.0, tolerance=1e-12, scale=1.0)
    one_direction = GenerativeModel(np.array([[1.0, 0.5], [2.0, 1.0]]), 1.0, np.array([[1.0, 0.6], [0.6, 2.0]]))
    level = _search(one_direction, "mean_squared_error", bounds=(0.2, 2.0))[0] * one_direction.noise_variance
    for end, value in zip(("low", "high"), inference.squared_error_level_bracket(one_direction), strict=True):
        yield compare(f"bracket of a single direction, {end}", value, trained=level, tolerance=SEARCH_TOLERANCE)


def _search(
    truth: GenerativeModel, criterion: str, bounds, decoder=None, noise: float | str = "true", posterior="diagonal"
) -> tuple[float, float]:
    """The beta at which the error of trained encoders is least, and the error there."""
    sign = -1 if criterion == "log_score" else 1

    def cost(beta):
        return sign * trained_errors(truth, beta, decoder, noise, posterior)[criterion]

    minimum = minimize_scalar(cost, bounds=bounds, method="bounded", options={"xatol": 1e-9})
    return float(minimum.x), sign * float(minimum.fun)


CHECKS = {
    "optimal_beta": optimal_beta,
    "optimal_beta_learned_noise": optimal_beta_learned_noise,
    "slope_at_one": slope_at_one,
    "two_factors": two_factors,
    "noise_mismatch": noise_mismatch,
    "correlated_factors": correlated_factors,
}
