"""Nodes and masses for expectations over a prior of two latents, which is a product of densities along two directions.

The nodes of a Gaussian N(m, v) are m + sqrt(v) a sinh(y), y evenly spaced and a = `CORE`: they are dense about its
mean, where priors have spikes, and reach nine deviations. A density that is a mixture of Gaussians has the nodes of
each.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

__all__ = ["NEGLIGIBLE", "mean_log_density", "mixture_nodes", "normal_nodes", "product_nodes"]

CORE = 0.1  # in deviations: nodes of a Gaussian are even within this of its mean, ever wider farther out
NEGLIGIBLE = 1e-18  # nodes with a smaller part of mass and of mean square are left out


def normal_nodes(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes for expectations over N(0, 1), dense about zero, and their masses."""
    even, step = np.linspace(-1, 1, count, retstep=True)
    stretch = np.arcsinh(9 / CORE)
    places = CORE * np.sinh(stretch * even)
    masses = step * stretch * CORE * np.cosh(stretch * even) * np.exp(-(places**2) / 2) / np.sqrt(2 * np.pi)
    return places, masses


def mixture_nodes(components: Iterable[tuple[float, float, float]], count: int) -> tuple[np.ndarray, np.ndarray]:
    """The nodes of each Gaussian (weight, mean, deviation) of a density along a line, `count` for each."""
    away, masses = normal_nodes(count)
    places = [mean + deviation * away for _, mean, deviation in components]
    return np.concatenate(places), np.concatenate([weight * masses for weight, _, _ in components])


def product_nodes(lines, covariance: np.ndarray, directions=((1.0, 0.0), (0.0, 1.0))) -> tuple[np.ndarray, np.ndarray]:
    """Nodes (n, 2) and masses (n,), of sum one, of a product of densities along two directions.

    Parameters
    ----------
    lines : two pairs of arrays
        nodes and masses along each direction.
    covariance : (2, 2) array
        of the prior; its entries may be infinite.
    directions : (2, 2) array
        one in each row, of length one and orthogonal; the axes by default.
    """
    if covariance.shape != (2, 2):
        raise ValueError(f"nodes are those of a prior of two latents, got {len(covariance)}; pass such a prior")
    directions = np.asarray(directions)
    places, masses = zip(*lines, strict=True)
    points = np.stack(np.meshgrid(*places, indexing="ij"), axis=-1).reshape(-1, 2)
    masses = np.outer(*masses).ravel()
    # An infinite variance has no directions; then only the mass of a node counts.
    finite = np.isfinite(covariance).all()
    deviations = np.sqrt(np.diagonal(directions @ covariance @ directions.T)) if finite else np.full(2, np.inf)
    kept = masses * (1 + np.sum((points / deviations) ** 2, axis=1)) > NEGLIGIBLE
    return points[kept] @ directions, masses[kept] / masses[kept].sum()


def mean_log_density(prior) -> float:
    """E log p(z), z ~ p, of a finite mixture of Gaussians, in nats."""
    return float(sum(weight * prior.expected_log_density(mean, spread) for weight, mean, spread in prior.components()))
