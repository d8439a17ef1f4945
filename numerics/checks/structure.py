"""Checks of what axes mean for factors: orthogonality, small changes that hide them, separation by time, scores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

import numpy as np
from scipy.optimize import minimize

from numerics.checks.comparison import Effort, Row, compare, compare_arrays
from numerics.monte_carlo import Estimate
from numerics.sample_scores import sample_scores
from numerics.training import train
from theory import axes, metrics

__all__ = ["CHECKS"]

BATCHES = 10


def orthogonality_chance(effort: Effort) -> Iterator[Row]:
    """Singular vectors of Gaussian decoders are uniform: their distance to each of the eight signed permutations."""
    rng = np.random.default_rng(401)
    right = np.linalg.svd(rng.standard_normal((effort.samples, 2, 2)))[2]
    straight, crossed = np.abs(right[:, 0, 0]) + np.abs(right[:, 1, 1]), np.abs(right[:, 0, 1]) + np.abs(right[:, 1, 0])
    squared = 4 - 2 * np.maximum(straight, crossed)
    exact = axes.orthogonality_chance_level(2)
    yield compare("mean, 2 latents", exact.mean, monte_carlo=_estimate(np.sqrt(np.maximum(squared, 0))))
    mean_square = exact.mean**2 + exact.standard_deviation**2
    yield compare("mean square, 2 latents", mean_square, monte_carlo=_estimate(squared))


def polarized_regime(effort: Effort) -> Iterator[Row]:
    """The share of the divergence that is left out, of a trained model; and how often a latent carries little."""
    eigenvalues, beta, noise = np.array([4.0, 2.0, 0.3]), 1.2, 0.3
    run = train(np.diag(eigenvalues), 3, beta=beta, noise_variance=noise, gradient_tolerance=1e-9)
    rng = np.random.default_rng(402)
    means = rng.standard_normal((effort.samples, 3)) * np.sqrt(eigenvalues) @ run.vae.encoder.T
    widths = np.diagonal(run.vae.posterior_covariance)
    power = np.diagonal(run.vae.encoder * eigenvalues @ run.vae.encoder.T)
    used = widths < 0.9
    left_out = -np.sum(widths[used]) / np.sum((power + widths - 1 - np.log(widths))[used])
    exact = axes.polarized_relative_error(eigenvalues, beta * noise, 3)
    yield compare("relative error", exact, trained=float(left_out), tolerance=1e-6)
    below = (means**2 + widths - 1 - np.log(widths)) / 2 < 1.0
    for latent, probability in enumerate(axes.collapse_probability(run.vae, np.diag(eigenvalues), 1.0)):
        # The collapsed latent is so only up to the accuracy of training, and then in every draw.
        yield compare(f"collapse, latent {latent + 1}", float(probability), monte_carlo=_estimate(below[:, latent]))


def smallest_manipulation(effort: Effort) -> Iterator[Row]:
    """Two and three factors: the change of a loading, entry by entry, searched for under constraints."""
    loading = np.diag([2.0, 1.2])
    for degrees in (20, 45, 75):
        found = axes.two_factor_manipulation(loading, np.deg2rad(degrees), gap=0.3)
        turned = axes.plane_rotation(2, np.deg2rad(degrees))
        searched = _searched_change(loading, turned, [0.3])
        yield compare(f"2 factors, {degrees} degrees", found.size, trained=searched, tolerance=1e-6)
    rng = np.random.default_rng(403)
    loading, basis = rng.standard_normal((4, 3)), np.linalg.qr(rng.standard_normal((3, 3)))[0]
    found = axes.smallest_manipulation(loading, basis, [0.4, 0.2])
    yield compare("3 factors", found.size, trained=_searched_change(loading, basis, [0.4, 0.2]), tolerance=1e-6)


def largest_angle(effort: Effort) -> Iterator[Row]:
    """Two factors: the angle of the leading axis, maximised over what a change of limited size can reach."""
    norms = np.array([2.0, 1.2])
    for gap in (0.1, 0.4):
        exact = axes.two_factor_largest_angle(np.diag(norms), 0.62, gap=gap)
        yield compare(f"gap {gap}", exact, trained=_searched_angle(norms, 0.62, gap), tolerance=1e-6)


def separation_by_time(effort: Effort) -> Iterator[Row]:
    """Three factors with different memories: separated time series against the separation of the true covariances."""
    rng = np.random.default_rng(404)
    truth = axes.TemporalModel(rng.standard_normal((4, 3)), np.array([0.8, 0.4, -0.3]), 0.2)
    exact = axes.separate(truth.covariance, truth.lagged_covariance(), 3)
    batches = []
    for _ in range(BATCHES):
        found = axes.separate_series(truth.sample(effort.samples // BATCHES, rng)[1], 3)
        batches.append([*found.lag_correlations, *np.abs(found.demixing @ truth.loading).max(axis=1)])
    # The errors of the second order in 1/sqrt(n), which batches share.
    bias = 20 * BATCHES / effort.samples
    closed_form = [*exact.lag_correlations, *np.abs(exact.demixing @ truth.loading).max(axis=1)]
    for index, (value, values) in enumerate(zip(closed_form, np.transpose(batches), strict=True)):
        name = f"{'lag correlation' if index < 3 else 'demixed loading'} {index % 3 + 1}"
        yield compare(name, float(value), monte_carlo=_estimate(values), bias=bias)
    sizes = np.sort(np.abs(exact.demixing @ truth.loading), axis=1)
    yield compare_arrays("what is left of the mixing", sizes[:, :2], np.zeros((3, 2)), 1e-9)


def gaussian_scores(effort: Effort) -> Iterator[Row]:
    """Every score of a code that mixes three factors, against those of draws."""
    rng = np.random.default_rng(405)
    mixing = np.array([[1.0, 0.3, 0.0], [-0.2, 0.8, 0.4], [0.1, 0.0, 0.5], [0.5, 0.5, -0.5]])
    exact = metrics.scores(metrics.GaussianCode(np.eye(3), mixing @ mixing.T + 0.2 * np.eye(4), mixing.T))
    count = effort.samples // BATCHES
    batches = []
    for _ in range(BATCHES):
        factors = rng.standard_normal((count, 3))
        codes = factors @ mixing.T + np.sqrt(0.2) * rng.standard_normal((count, 4))
        batches.append(asdict(sample_scores(factors, codes)))
    for name, value in asdict(exact).items():
        # Counting in 20 x 20 bins adds up to 19^2/2n nats to an information; everything else is off by less.
        estimate = _estimate(np.array([batch[name] for batch in batches]))
        yield compare(name.replace("_", " "), value, monte_carlo=estimate, bias=19**2 / (2 * count))


def _estimate(values: np.ndarray) -> Estimate:
    return Estimate(float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(len(values))))


def _searched_change(loading: np.ndarray, basis: np.ndarray, gaps: list[float]) -> float:
    """The least norm of a change after which the columns in the new basis are orthogonal and differ by the gaps."""
    pairs = np.triu_indices(len(basis), 1)

    def violations(entries):
        columns = (loading + entries.reshape(loading.shape)) @ basis
        lengths = np.linalg.norm(columns, axis=0)
        return np.concatenate([(columns.T @ columns)[pairs], lengths[:-1] - lengths[1:] - gaps])

    rng = np.random.default_rng(0)
    runs = [
        minimize(
            lambda entries: entries @ entries,
            rng.standard_normal(loading.size),
            jac=lambda entries: 2 * entries,
            constraints={"type": "eq", "fun": violations},
            method="SLSQP",
            options={"ftol": 1e-15, "maxiter": 500},
        )
        for _ in range(6)
    ]
    return float(np.sqrt(min(run.fun for run in runs if np.abs(violations(run.x)).max() < 1e-8)))


def _searched_angle(norms: np.ndarray, budget: float, gap: float) -> float:
    """The largest angle over loadings U diag(s) R^T within the budget; U and R rotations, s a gap apart."""

    def left(parameters):
        outer, angle, smaller = parameters
        turned = axes.plane_rotation(2, outer) * [smaller + gap, smaller] @ axes.plane_rotation(2, angle).T
        return budget**2 - np.sum((turned - np.diag(norms)) ** 2)

    runs = [
        minimize(
            lambda parameters: -parameters[1],
            [0.1, 0.1, smaller],
            bounds=[(-np.pi, np.pi), (0, np.pi / 2), (0, None)],
            constraints={"type": "ineq", "fun": left},
            method="SLSQP",
            options={"ftol": 1e-14, "maxiter": 500},
        )
        for smaller in (0.5, 1.0, 1.5)
    ]
    return float(max(run.x[1] for run in runs if left(run.x) > -1e-10))


CHECKS = {
    "orthogonality_chance": orthogonality_chance,
    "polarized_regime": polarized_regime,
    "smallest_manipulation": smallest_manipulation,
    "largest_angle": largest_angle,
    "separation_by_time": separation_by_time,
    "gaussian_scores": gaussian_scores,
}
