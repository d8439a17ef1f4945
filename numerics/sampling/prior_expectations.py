"""Priors of two latents as scipy knows their densities, and their expectations over Gaussian codes, for the checks.

A Gaussian's log density is quadratic, so that a few points give its expectation. Where the latents are independent the
expectation is a sum of one over each, else one over the plane, both by the trapezoidal rule, which converges
exponentially for analytic functions, here with spikes as wide as a twentieth and clusters as wide as a third.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import logsumexp

from numerics.sampling.cubature import points_of_normal
from theory.priors import ClusterPrior, GaussianPrior, SpikeSlabPrior, StudentPrior

__all__ = ["expected_log_density", "factor_components", "scipy_log_density"]

STEP, FINE_STEP = 0.03, 0.005  # over the plane, whose points lie obliquely, and over the line
REACH = 9.0  # standard deviations; what lies beyond has a probability of 1e-18
LEAST_IN_DEVIATION = 4  # steps

LogDensity = Callable[[np.ndarray], np.ndarray]


def scipy_log_density(prior) -> LogDensity:
    """log p of points (n, 2), from the densities of `scipy.stats`."""
    from scipy import stats  # which takes long to import

    match prior:
        case GaussianPrior():
            return stats.multivariate_normal(np.zeros(2), prior.covariance).logpdf
        case ClusterPrior():
            parts = [stats.norm(place, np.sqrt(prior.variance)) for place in prior.distance * np.array([0, 1, -1])]

            def of_clusters(points):
                middle, above, below = (part.logpdf(points) for part in parts)  # of each coordinate
                beside = np.logaddexp(above, below)
                return logsumexp([middle[:, 0] + beside[:, 1], beside[:, 0] + middle[:, 1]], axis=0) - np.log(4)

            return of_clusters
    one = _of_one_latent(prior)
    return lambda points: one(points).sum(axis=1)


def _of_one_latent(prior) -> LogDensity:
    """log p of one latent, where all are independent and alike."""
    from scipy import stats  # which takes long to import

    match prior:
        case StudentPrior():
            return stats.t(prior.degrees_of_freedom).logpdf
        case SpikeSlabPrior():
            share, width = prior.spike_probability, prior.spike_deviation
            parts = ((1 - share, stats.norm()), (share, stats.norm(scale=width)))
            return lambda values: logsumexp([np.log(weight) + part.logpdf(values) for weight, part in parts], axis=0)
    raise TypeError(f"prior must be of a family that has a density here, got {type(prior).__name__}")


def factor_components(prior: ClusterPrior | SpikeSlabPrior) -> list[tuple[float, np.ndarray, np.ndarray]]:
    """Two sparse or clustered factors as a mixture of Gaussians: weights, means and covariances."""
    if isinstance(prior, ClusterPrior):
        centres = prior.distance * np.array([[0, 1], [0, -1], [1, 0], [-1, 0]])
        return [(1 / 4, centre, prior.variance * np.eye(2)) for centre in centres]
    one = ((1 - prior.spike_probability, 1.0), (prior.spike_probability, prior.spike_deviation**2))
    return [(first * second, np.zeros(2), np.diag([a, b])) for first, a in one for second, b in one]


def expected_log_density(prior, covariance: np.ndarray, mean=(0.0, 0.0)) -> float:
    """E log p(z) for z ~ N(mean, C) in the plane, from the densities of `scipy.stats`."""
    mean = np.asarray(mean, dtype=float)
    if isinstance(prior, GaussianPrior):
        points = mean + points_of_normal(2) @ np.linalg.cholesky(covariance).T
        return float(np.mean(scipy_log_density(prior)(points)))
    if isinstance(prior, ClusterPrior):
        return _over_the_plane(scipy_log_density(prior), covariance, mean)
    one, deviations = _of_one_latent(prior), np.sqrt(np.diagonal(covariance))
    return sum(_over_the_line(one, deviation, centre) for deviation, centre in zip(deviations, mean, strict=True))


def _over_the_line(function: LogDensity, deviation: float, mean: float) -> float:
    z = _grid(deviation, FINE_STEP)
    weights = np.exp(-((z / deviation) ** 2) / 2)
    return float(weights @ function(mean + z) / weights.sum())


def _over_the_plane(function: LogDensity, covariance: np.ndarray, mean: np.ndarray) -> float:
    variances, directions = np.linalg.eigh(covariance)
    first, second = (_grid(deviation, STEP) for deviation in np.sqrt(variances))
    weights = np.exp(-(first[:, np.newaxis] ** 2) / (2 * variances[0]) - second**2 / (2 * variances[1]))
    points = np.stack(np.broadcast_arrays(first[:, np.newaxis], second), axis=-1).reshape(-1, 2) @ directions.T
    return float(weights.ravel() @ function(mean + points) / weights.sum())


def _grid(deviation: float, step: float) -> np.ndarray:
    """Points about zero in steps that resolve the density and the prior."""
    step = min(step, deviation / LEAST_IN_DEVIATION)
    count = int(np.ceil(REACH * deviation / step))
    return step * np.arange(-count, count + 1)
