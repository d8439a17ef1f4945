"""Factors that are correlated in blocks, with loadings of several kinds: truths for experiments on groups."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from theory import validation
from theory.model import GenerativeModel

__all__ = ["LOADINGS", "block_labels", "block_truth"]

WIDTH = 1.0  # of a local column, in data dimensions: neighbours overlap when there are fewer than two per factor


def _random(data_dim: int, latent_dim: int, rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal((data_dim, latent_dim))


def _orthogonal(data_dim: int, latent_dim: int, rng: np.random.Generator) -> np.ndarray:
    if latent_dim > data_dim:
        raise ValueError(f"data_dim must be at least the {latent_dim} factors for orthogonal columns, got {data_dim}")
    return np.linalg.qr(rng.standard_normal((data_dim, latent_dim)))[0] * np.sqrt(data_dim)


def _local(data_dim: int, latent_dim: int, rng: np.random.Generator) -> np.ndarray:
    centres = np.linspace(0, data_dim - 1, latent_dim)
    bumps = np.exp(-(np.subtract.outer(np.arange(data_dim), centres) ** 2) / (2 * WIDTH**2))
    bumps *= np.sqrt(data_dim) / np.linalg.norm(bumps, axis=0)
    return bumps * rng.choice([-1.0, 1.0], latent_dim)


# Columns of squared length data_dim, for the first kind on average.
LOADINGS = {"random": _random, "orthogonal": _orthogonal, "local": _local}


def block_truth(
    blocks: Sequence[int],
    correlation: float,
    noise_variance: float,
    data_dim: int,
    *,
    loading: str = "random",
    rng: np.random.Generator | int | None = None,
) -> GenerativeModel:
    """A truth whose factors have variance 1 and one correlation inside each block, none across.

    Parameters
    ----------
    blocks : sequence of ints > 0
        sizes of the blocks; the factors of a block are neighbours.
    correlation : float, below 1 and at least -1 / (largest block - 1)
    noise_variance : float >= 0
    data_dim : int, D
    loading : "random", "orthogonal" or "local"
        columns of squared length D: independent N(0, 1) entries (on average); orthogonal directions, uniform; bumps
        along a line of data dimensions, of random sign, one factor next to the other.
    rng : numpy.random.Generator or seed, optional
        `None` means `numpy.random.default_rng(0)`.

    Returns
    -------
    GenerativeModel

    Raises
    ------
    ValueError
        if an argument is out of its range, or the correlation leaves a block's covariance indefinite.
    """
    sizes = [validation.count("blocks", size) for size in validation.sequence("blocks", blocks, minimum=0)]
    if not sizes or min(sizes) < 1:
        raise ValueError(f"blocks must be positive whole numbers, got {sizes}; pass for example [2, 2, 2]")
    total = sum(sizes)
    validation.count("blocks", total, bytes_each=8 * total)
    data_dim = validation.count("data_dim", data_dim, minimum=1, bytes_each=8 * total)
    noise_variance = validation.non_negative("noise_variance", noise_variance)
    correlation = correlation_within("correlation", correlation, max(sizes))
    labels = block_labels(sizes)
    factors = np.where(np.equal.outer(labels, labels), correlation, 0.0)
    np.fill_diagonal(factors, 1.0)
    kind = LOADINGS[validation.choice("loading", loading, LOADINGS)]
    rng = validation.random_generator("rng", 0 if rng is None else rng)
    return GenerativeModel(kind(data_dim, len(labels), rng), noise_variance, factors)


def correlation_within(name: str, value: float, block: int) -> float:
    """Return `value` as a float if all factors of a block of that size can have this correlation."""
    correlation, least = validation.number(name, value), -1 / max(block - 1, 1)
    if not least <= correlation < 1:
        raise ValueError(
            f"{name} must be from {least:.3g} to below 1 for blocks of {block}, got {correlation:g}; pass another"
        )
    return correlation


def block_labels(blocks: Sequence[int]) -> np.ndarray:
    """The number of each factor's block."""
    return np.repeat(np.arange(len(blocks)), blocks)
