"""Checks of groups chosen from data: by simulated data, and by what means of squares of Gaussian data vary by.

A mean of x^T A x over N Gaussian data points of covariance S has the variance 2 tr(A S A S) / N, and two such means,
of A and B, the covariance 2 tr(A S B S) / N. The estimated factors are such means.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.special import gammaincc, ndtri

import theory
from numerics.comparison import Budget, Comparison, compare, compare_arrays
from numerics.sampling.estimate import Estimate
from theory import groups

__all__ = ["CHECKS"]

NOISE = 0.3
PAIR = np.array([[1.0, 0.8], [0.8, 1.0]])
DECODER = np.array([[1.0, 0.3], [0.2, 0.8], [0.4, 0.1], [-0.3, 0.5]])
ENTRIES = np.triu_indices(2)  # of the covariance of its two factors


def group_selection(budget: Budget) -> Iterator[Comparison]:
    """Factors estimated from simulated data, with their error; and how often the true groups are chosen."""
    truth = theory.GenerativeModel(np.random.default_rng(509).standard_normal((6, 4)), NOISE, np.kron(np.eye(2), PAIR))
    rng, count, repeats, searched = np.random.default_rng(510), 400, 1000 if budget.quick else 8000, 100
    estimates, errors, hits = [], [], 0
    for number in range(repeats):
        moments = theory.Moments.of(truth.sample(count, rng)[1])
        estimate = groups.estimate_factors(moments, truth.loading)
        estimates.append(estimate.covariance)
        errors.append(np.diagonal(estimate.error_covariance([0, 0, 0], [0, 1, 2])))
        if number < searched:
            hits += groups.choose_groups(moments, truth.loading).groups == ((0, 1), (2, 3))
    for number, other in enumerate((0, 1, 2)):
        name, values = f"factors 1 and {other + 1}", np.array(estimates)[:, 0, other]
        bias = 3 / count  # of order 1/N
        exact = truth.factor_covariance[0, other]
        yield compare(f"covariance, {name}", exact, monte_carlo=Estimate.of(values), bias=bias, scale=1.0)
        stated = float(np.mean(np.array(errors)[:, number]))
        squares = Estimate.of((values - values.mean()) ** 2 * repeats / (repeats - 1))
        # To leading order in 1/N, which here leaves a few percent.
        yield compare(f"squared error of the estimate, {name}", stated, monte_carlo=squares, bias=10 / count * stated)
    # Independent groups are joined with the chance alpha = 1e-3: in four of 100 only in one of 1e5 tables.
    yield compare("data sets with the true groups", 1.0, trained=hits / searched, tolerance=0.03)
    yield from _errors_of_estimates()
    yield from _errors_from_observations()
    yield from _tests_of_the_model()
    yield from _decisions()


def _errors_of_estimates() -> Iterator[Comparison]:
    """Errors of all entries, with a learned and with a given noise; and how far the data are from a given noise."""
    covariance, count = theory.GenerativeModel(DECODER, NOISE, PAIR).covariance, 400
    moments = theory.Moments(count, np.zeros(4), covariance)
    for name, noise in (("learned noise", "learned"), ("given noise", NOISE)):
        forms = _forms(learned=noise == "learned") @ covariance
        error = groups.estimate_factors(moments, DECODER, noise).error_covariance(*ENTRIES)
        yield compare_arrays(f"errors, {name}", error, 2 * np.einsum("aij,bji->ab", forms, forms) / count, 1e-12)
    outside, given = _outside(), 0.5
    spread = given * np.sqrt(2 * np.trace(outside @ outside) / count)
    far = (np.trace(outside @ covariance) - given * np.trace(outside)) / spread
    stated = groups.estimate_factors(moments, DECODER, given).noise_deviation
    yield compare("standard errors from a given noise", stated, trained=far, tolerance=1e-9)


def _outside() -> np.ndarray:
    """The projection to the data outside the range of the decoder."""
    return np.eye(4) - DECODER @ np.linalg.pinv(DECODER)


def _forms(*, learned: bool) -> np.ndarray:
    """The matrices A of the means of x^T A x that estimate the `ENTRIES`, up to a given noise."""
    inverse, outside = np.linalg.pinv(DECODER), _outside()
    noise = outside / np.trace(outside) if learned else np.zeros((4, 4))
    forms = [np.outer(inverse[i], inverse[j]) - inverse[i] @ inverse[j] * noise for i, j in zip(*ENTRIES, strict=True)]
    return np.array([(form + form.T) / 2 for form in forms])


def _errors_from_observations() -> Iterator[Comparison]:
    """Heavy tails: the error of an estimate is that of a mean, and the tests of the model are less sharp."""
    truth, rng, count = theory.GenerativeModel(DECODER, NOISE, PAIR), np.random.default_rng(511), 5000
    data = truth.sample(count, rng)[1] * np.sqrt(rng.choice([0.2, 1.8], (count, 1)))
    centred = data - data.mean(axis=0)
    for name, noise in (("learned noise", "learned"), ("given noise", NOISE)):
        terms = np.einsum("ni,aij,nj->na", centred, _forms(learned=noise == "learned"), centred)
        error = np.diagonal(groups.estimate_factors(data, DECODER, noise).error_covariance(*ENTRIES))
        yield compare_arrays(f"errors from observations, {name}", error, terms.var(axis=0) / count, 1e-12)
    inside, outside = centred @ np.linalg.pinv(DECODER).T, centred @ np.linalg.svd(DECODER)[0][:, 2:]
    length, other, q = _lengths(inside), _lengths(outside), np.sum(outside**2, axis=1)
    ratios = {"inside": np.mean(length * other) / 4, "outside": np.mean(other**2) / 8, "noise": np.var(q / q.mean())}
    of_moments, of_data = (
        groups.estimate_factors(values, DECODER, NOISE).fit.checks for values in (theory.Moments.of(data), data)
    )
    for gaussian, check in zip(of_moments, of_data, strict=True):
        quantity, ratio = f"by how much the test {check.name} is less sharp", gaussian.statistic / check.statistic
        yield compare(quantity, ratio, trained=ratios[check.name], tolerance=1e-3)  # 2/N, exact for Gaussian data


def _lengths(values: np.ndarray) -> np.ndarray:
    """Squared lengths of whitened data points."""
    return np.sum(values * np.linalg.solve(values.T @ values / len(values), values.T).T, axis=1)


def _tests_of_the_model() -> Iterator[Comparison]:
    """Each test by the likelihoods of the best covariances with and without what it tests, for very many data."""
    count, decoder = 10**8, np.eye(4, 2)
    covariance = np.diag([1.3, 1.3, NOISE + 1e-4, NOISE - 3e-5])
    covariance[0, 1] = covariance[1, 0] = 0.8
    covariance[0, 2] = covariance[2, 0] = 1.2e-4
    outside = covariance[2:, 2:]
    mean = np.trace(outside) / 2 * np.eye(2)
    uncorrelated = covariance.copy()
    uncorrelated[:2, 2:] = uncorrelated[2:, :2] = 0.0
    fit = groups.estimate_factors(theory.Moments(count, np.zeros(4), covariance), decoder, NOISE).fit
    expected = {
        "inside": _chance(count, covariance, uncorrelated, 4),  # four covariances are zero
        "outside": _chance(count, outside, mean, 2),  # one covariance is zero, two variances are equal
        "noise": _chance(count, mean, NOISE * np.eye(2), 1),
    }
    for check in fit.checks:
        yield compare(f"p-value of the test {check.name}", check.p_value, trained=expected[check.name], tolerance=1e-3)
    yield compare("p-value of the model", fit.p_value, trained=3 * min(expected.values()), tolerance=3e-3)


def _chance(count: int, covariance: np.ndarray, restricted: np.ndarray, freedom: int) -> float:
    """The chance that the log likelihood differs by more, between a covariance and one with so many numbers set."""
    ratio = np.linalg.solve(restricted, covariance)
    return float(gammaincc(freedom / 2, count * (np.trace(ratio) - len(ratio) - np.linalg.slogdet(ratio)[1]) / 2))


def _decisions() -> Iterator[Comparison]:
    """Which groups are found among factors that are seen without noise, and whether they are decided."""
    for factors, correlation, count, options in (
        (2, 0.0, 250, {}),
        (2, 0.0, 400, {}),
        (2, 0.0, 250, {"alpha": 0.01}),
        (2, 0.0, 250, {"resolution": 0.5}),
        (2, 0.3, 100, {}),
        (2, 0.3, 150, {}),
        (3, 0.0, 300, {}),
        (3, 0.3, 150, {}),
        (3, 0.3, 200, {}),
        (3, 0.3, 400, {}),
    ):
        covariance = np.eye(factors)
        covariance[[0, 1], [1, 0]] = correlation
        moments = theory.Moments(count, np.zeros(factors), covariance)
        found = groups.choose_groups(moments, np.eye(factors), noise_variance=0.0, **options)
        joined, decided = _decision(factors, correlation, count, **options)
        settings = (f"{name} {value}" for name, value in options.items())
        case = ", ".join([f"correlation {correlation} of {factors} factors", f"{count} data", *settings])
        expected = (((0, 1),) if joined else ((0,), (1,))) + tuple((other,) for other in range(2, factors))
        yield compare(f"groups are {expected}, {case}", float(found.groups == expected), trained=1.0)
        yield compare(f"decided, {case}", float(found.decided), trained=float(decided), scale=1.0)


def _decision(
    factors: int, correlation: float, count: int, alpha: float = 0.001, resolution: float = 0.2
) -> tuple[bool, bool]:
    """Whether two factors are joined, and whether that is decided: by the errors of all covariances, each at N data."""
    chance = alpha / (factors * (factors - 1) / 2) / 2  # of each pair, on either side
    of_joined, of_others = (-ndtri(chance) * np.sqrt((1 + size**2) / count) for size in (correlation, 0.0))
    joined = correlation > of_joined
    largest = max(0.0 if joined else correlation + of_joined, of_others if factors > 2 else 0.0)
    return joined, largest < resolution


CHECKS = {"group_selection": group_selection}
