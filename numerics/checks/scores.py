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
