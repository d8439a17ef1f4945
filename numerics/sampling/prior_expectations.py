"""Priors as scipy knows their densities, and expectations over the plane on a grid, for the checks of `theory.priors`.

The trapezoidal rule converges exponentially for analytic functions on the whole plane; the densities here, with spikes
and clusters as wide as a twentieth, need a step of a fiftieth for ten digits.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import logsumexp

from theory.priors import ClusterPrior, GaussianPrior, SpikeSlabPrior, StudentPrior

__all__ = ["expectation_in_plane", "factor_components", "scipy_log_density"]

STEP = 0.02
REACH = 9.0  # standard deviations; what lies beyond has a probability of 1e-18
LEAST_IN_DEVIATION = 4  # steps

LogDensity = Callable[[np.ndarray], np.ndarray]


def scipy_log_density(prior) -> LogDensity:
    """log p of points (n, 2), from the densities of `scipy.stats`."""
    from scipy import stats  # which takes long to import

    match prior:
        case GaussianPrior():
            return stats.multivariate_normal(np.zeros(2), prior.covariance).logpdf
        case StudentPrior():
            return lambda points: stats.t(prior.degrees_of_freedom).logpdf(points).sum(axis=1)
        case SpikeSlabPrior():
            share, width = prior.spike_probability, prior.spike_deviation
            parts = ((1 - share, stats.norm()), (share, stats.norm(scale=width)))
            return lambda points: logsumexp(
                [np.log(weight) + part.logpdf(points) for weight, part in parts], axis=0
            ).sum(axis=1)
        case ClusterPrior():
            centres = prior.distance * np.array([[0, 1], [0, -1], [1, 0], [-1, 0]])
            parts = [stats.multivariate_normal(centre, prior.variance * np.eye(2)) for centre in centres]
            return lambda points: logsumexp([part.logpdf(points) for part in parts], axis=0) - np.log(4)
    raise TypeError(f"prior must be of a family that has a density here, got {type(prior).__name__}")


def factor_components(prior: SpikeSlabPrior) -> list[tuple[float, np.ndarray]]:
    """Two sparse factors as a mixture of Gaussians of mean zero: weights and covariances."""
    one = ((1 - prior.spike_probability, 1.0), (prior.spike_probability, prior.spike_deviation**2))
    return [(first * second, np.diag([a, b])) for first, a in one for second, b in one]


def expectation_in_plane(function: LogDensity, covariance: np.ndarray, mean: np.ndarray | None = None) -> float:
    """E f(z) for z ~ N(mean, C) in the plane, by the trapezoidal rule on a grid; without a mean, of an even f."""
    variances, directions = np.linalg.eigh(covariance)
    deviations = np.sqrt(variances)
    steps = np.minimum(STEP, deviations / LEAST_IN_DEVIATION)
    counts = np.ceil(REACH * deviations / steps).astype(int)
    first, second = (step * np.arange(-count, count + 1) for step, count in zip(steps, counts, strict=True))
    if mean is None:
        second = second[counts[1] :]  # a half of the plane: the other has the same values
    weights = np.exp(-(first[:, None] ** 2) / (2 * variances[0]) - second**2 / (2 * variances[1]))
    if mean is None:
        weights[:, 1:] *= 2
    points = np.stack(np.broadcast_arrays(first[:, None], second), axis=-1).reshape(-1, 2) @ directions.T
    points = points if mean is None else points + mean
    return float(weights.ravel() @ function(points) / weights.sum())
