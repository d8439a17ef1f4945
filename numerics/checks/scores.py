"""Checks of the disentanglement scores of a Gaussian code: the usual scores of samples, quadrature, draws."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

import numpy as np
from scipy.integrate import quad

import theory
from numerics.comparison import Budget, Comparison, compare, compare_arrays
from numerics.sampling.cubature import points_of_normal
from numerics.sampling.estimate import Estimate
from numerics.sampling.scores import binned_gap_by_quadrature, sample_scores
from theory import scores

__all__ = ["CHECKS"]

MIXING = np.array([[1.0, 0.3, 0.0], [-0.2, 0.8, 0.4], [0.1, 0.0, 0.5], [0.5, 0.5, -0.5]])
NOISE = 0.2
DRAWS = 5  # times the samples of other checks: the sparsity has no moments that a few points could have


def gaussian_scores(budget: Budget) -> Iterator[Comparison]:
    """Every score of a code that mixes three factors.

    Most scores depend on second moments alone, so that those of a few points with the moments of the code are exact.
    """
    covariance = MIXING @ MIXING.T + NOISE * np.eye(4)
    code = scores.GaussianCode(np.eye(3), covariance, MIXING.T)
    exact = asdict(scores.scores(code))
    of_points = asdict(sample_scores(*_codes(points_of_normal(7))))
    for name, value in exact.items():
        if name not in ("mutual_information_gap", "hoyer_sparsity"):
            yield compare(name.replace("_", " "), value, trained=of_points[name], tolerance=1e-11)
    factors = np.array([[1.7, 0.5, 0.0], [0.5, 0.8, -0.2], [0.0, -0.2, 1.2]])  # correlated, of unequal variances
    dependent = scores.GaussianCode(factors, MIXING @ factors @ MIXING.T + NOISE * np.eye(4), factors @ MIXING.T)
    normal = points_of_normal(7)
    normal = np.hstack([normal[:, :3] @ np.linalg.cholesky(factors).T, normal[:, 3:]])
    of_points = asdict(sample_scores(*_codes(normal)))
    for name, value in asdict(scores.scores(dependent)).items():
        if name not in ("mutual_information_gap", "hoyer_sparsity"):
            quantity = f"{name.replace('_', ' ')}, correlated factors"
            yield compare(quantity, value, trained=of_points[name], tolerance=1e-11)
    correlations = MIXING.T / np.sqrt(np.diagonal(covariance))
    yield compare(
        "mutual information gap",
        exact["mutual_information_gap"],
        trained=binned_gap_by_quadrature(correlations),
        tolerance=1e-9,
    )
    information = np.array([[_information(rho) for rho in row] for row in correlations])
    yield compare_arrays("mutual information", scores.mutual_information_matrix(code), information, 1e-12)
    rng, deviations = np.random.default_rng(405), np.sqrt(np.diagonal(covariance))
    sparsity = np.concatenate(
        [_sparsity(_codes(rng.standard_normal((budget.samples, 7)))[1] / deviations) for _ in range(DRAWS)]
    )
    yield compare("hoyer sparsity", exact["hoyer_sparsity"], monte_carlo=Estimate.of(sparsity))
    yield from _codes_at_an_end()
    yield from _degenerate_codes()
    yield from _codes_without_scores()
    yield from _codes_of_models()
    yield compare("no chance level, 1 latent", float(np.isnan(scores.hoyer_chance_level(1))), trained=1.0, scale=1.0)
    for latent_dim in (2, 3, 5):
        # The length of one coordinate of a point on the sphere: a density proportional to (1 - u^2)^((K - 3)/2).
        total, size = (
            quad(lambda a, k=latent_dim, p=p: np.cos(a) ** p * np.sin(a) ** (k - 2), 0, np.pi / 2)[0] for p in (0, 1)
        )
        ratio = latent_dim * size / total
        level = (np.sqrt(latent_dim) - ratio) / (np.sqrt(latent_dim) - 1)
        exact_level = scores.hoyer_chance_level(latent_dim)
        yield compare(
            f"chance level of the sparsity, {latent_dim} latents", exact_level, trained=level, tolerance=1e-10
        )


def _codes_at_an_end() -> Iterator[Comparison]:
    """A code equal to its factor, or opposite to it; and two codes that differ by a thousandth."""
    for sign in (1.0, -1.0):
        correlations = np.diag([sign, -0.6])
        stated = scores.mutual_information_gap(scores.GaussianCode(np.eye(2), np.eye(2), correlations))
        found = binned_gap_by_quadrature(correlations)
        yield compare(f"mutual information gap, correlation {sign:g}", stated, trained=found, tolerance=1e-9)
    rng = np.random.default_rng(406)
    truth = theory.GenerativeModel(rng.standard_normal((4, 2)), 0.3)
    encoder = np.array([[1.0, 0.0], [1.0, 1e-3]]) @ rng.standard_normal((2, 4))
    code = scores.GaussianCode.of(truth, theory.LinearVAE(truth.loading, encoder, np.eye(2), 0.3))
    points = points_of_normal(6)
    data = points[:, :2] @ truth.loading.T + np.sqrt(0.3) * points[:, 2:]
    of_points = sample_scores(points[:, :2], data @ encoder.T)
    for name, value in asdict(scores.dci(code)).items():
        found = getattr(of_points, name)
        yield compare(f"{name}, nearly dependent codes", value, trained=found, tolerance=1e-9)


def _code_of(factors: np.ndarray, codes: np.ndarray) -> scores.GaussianCode:
    """Factors and codes that are given by their weights on the same normal numbers."""
    return scores.GaussianCode(factors @ factors.T, codes @ codes.T, factors @ codes.T)


def _of_moments(found: scores.Scores) -> np.ndarray:
    """The scores that depend on second moments alone, without the total correlation, which may be infinite."""
    names = ("continuous_gap", "sap", "disentanglement", "completeness", "informativeness", "mean_correlation")
    return np.array([getattr(found, name) for name in names])


def _degenerate_codes() -> Iterator[Comparison]:
    """Codes that are constant, equal or fewer than the factors, and factors that are; and a code of noise alone."""
    both = np.array([[1.0, 0.3, 0.5, 0.0, 0.0], [-0.2, 0.8, 0.0, 0.4, 0.0]])  # two codes of five normal numbers
    exactly = np.array([[1.0, 0.0, 0.0, 0.0, 0.0], [0.5, 0.6, 0.4, 0.0, 0.0]])
    for name, factors, codes in (
        ("a constant latent", np.eye(2, 5), np.insert(both, 1, 0.0, axis=0)),
        ("two equal codes", np.eye(2, 5), both[[0, 1, 0]]),
        ("a code equal to its factor", np.eye(2, 5), exactly),
        ("two codes equal to one factor", np.eye(2, 5), exactly[[0, 1, 0]]),
        ("a constant factor", np.diag([1.0, 0.0]) @ np.eye(2, 5), both),
        ("one factor", np.eye(1, 5), both),
        ("one code of two factors", np.eye(2, 5), both[:1]),
        ("no code varies", np.eye(2, 5), np.zeros((2, 5))),
    ):
        points = points_of_normal(5)
        stated = _of_moments(scores.scores(_code_of(factors, codes)))
        found = _of_moments(sample_scores(points @ factors.T, points @ codes.T))
        yield compare_arrays(f"scores, {name}", stated, found, 1e-11, scale=1.0)
    equal = scores.total_correlation(_code_of(np.eye(2, 5), both[[0, 0]]))
    yield compare("total correlation, equal codes", equal, trained=-np.linalg.slogdet(np.ones((2, 2)))[1], scale=1.0)
    unrelated = scores.scores(_code_of(np.eye(2, 5), both * [0, 0, 1, 1, 1]))
    yield compare_arrays("scores, a code of noise alone", _of_moments(unrelated), np.zeros(6), 0.0, scale=1.0)
    angles = 2 * np.pi * (np.arange(20_000) + 0.5) / 20_000
    standard = both / np.linalg.norm(both, axis=1, keepdims=True)
    directions = np.column_stack([np.cos(angles), np.sin(angles)]) @ np.linalg.cholesky(standard @ standard.T).T
    ratio = np.mean(np.abs(directions).sum(axis=1) / np.linalg.norm(directions, axis=1))
    sparsity = scores.hoyer_sparsity(_code_of(np.eye(2, 5), np.insert(both, 1, 0.0, axis=0)))
    of_directions = (np.sqrt(3) - ratio) / (np.sqrt(3) - 1)
    yield compare("hoyer sparsity, a constant latent", sparsity, trained=of_directions, tolerance=1e-8)


def _codes_without_scores() -> Iterator[Comparison]:
    """Which scores are undefined: if no factor varies, if no code does, and of one latent."""
    code = np.array([[1.0, 0.3, 0.5], [-0.2, 0.8, 0.0]])
    for name, factors, codes in (
        ("no factor varies", np.zeros((2, 3)), code),
        ("no code varies", np.eye(2, 3), np.zeros((2, 3))),
        ("one latent", np.eye(2, 3), code[:1]),
    ):
        points = points_of_normal(3)
        stated = np.array([*asdict(scores.scores(_code_of(factors, codes))).values()])
        found = np.array([*asdict(sample_scores(points @ factors.T, points @ codes.T)).values()])
        yield compare_arrays(f"undefined scores, {name}", np.isnan(stated), np.isnan(found), 0.0, scale=1.0)


def _codes_of_models() -> Iterator[Comparison]:
    """The mean of q(z|x) of more latents than data, and a sample; and information in fewer and narrower bins."""
    loading, noise = np.array([[1.0, 0.4], [-0.3, 0.9]]), 0.3
    encoder, root = np.array([[0.5, 0.2], [0.1, 0.6], [0.4, -0.3]]), np.diag([0.6, 0.8, 0.7])
    truth = theory.GenerativeModel(loading, noise)
    vae = theory.LinearVAE(encoder.T, encoder, root**2, noise)
    points = points_of_normal(7)
    data = points[:, :2] @ loading.T + np.sqrt(noise) * points[:, 2:4]
    for kind, codes in {"mean": data @ encoder.T, "sample": data @ encoder.T + points[:, 4:] @ root}.items():
        stated = scores.scores(scores.GaussianCode.of(truth, vae, code=kind))
        found = sample_scores(points[:, :2], codes)
        yield compare_arrays(f"scores, {kind} of a model", _of_moments(stated), _of_moments(found), 1e-11)
        correlations = np.linalg.eigvalsh(np.corrcoef(codes.T))
        total = -np.sum(np.log(correlations)) / 2 if correlations.min() > 1e-12 else np.inf
        quantity = f"total correlation, {kind} of a model"
        yield compare(quantity, stated.total_correlation, trained=float(total), tolerance=1e-11, scale=1.0)
    correlations = np.array([[0.8, 0.0]])
    code = scores.GaussianCode(np.eye(1), np.eye(2), correlations)
    share = binned_gap_by_quadrature(correlations, bins=10, half_width=2.0)
    gap = scores.mutual_information_gap(code, bins=10, half_width=2.0)
    yield compare("mutual information gap, 10 bins", gap, trained=share, tolerance=1e-9)
    entropy = _entropy_of_bins(10, 2.0)
    information = scores.mutual_information_matrix(code, bins=10, half_width=2.0)
    yield compare_arrays("mutual information, 10 bins", information, [[share * entropy, 0.0]], 1e-9)


def _entropy_of_bins(bins: int, half_width: float) -> float:
    """Of a normal number in bins of equal width, the outer ones open, by scipy."""
    from scipy import stats

    edges = np.linspace(-half_width, half_width, bins + 1)[1:-1]
    return float(stats.entropy(np.diff(stats.norm.cdf([-np.inf, *edges, np.inf]))))


def _codes(normal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Factors and codes from seven normal numbers each."""
    factors = normal[:, :3]
    return factors, factors @ MIXING.T + np.sqrt(NOISE) * normal[:, 3:]


def _sparsity(codes: np.ndarray) -> np.ndarray:
    """Hoyer's, of each code of four latents."""
    return 2 - np.abs(codes).sum(axis=1) / np.linalg.norm(codes, axis=1)


def _information(correlation: float) -> float:
    """Of two normal numbers, by scipy's entropies."""
    from scipy import stats

    both = stats.multivariate_normal(np.zeros(2), [[1.0, correlation], [correlation, 1.0]])
    return 2 * stats.norm.entropy() - both.entropy()


CHECKS = {"gaussian_scores": gaussian_scores}
