"""Posterior families as partitions of the latents.

A Gaussian posterior with a block-diagonal covariance is described by its blocks, so every family is a partition:
`"diagonal"` (mean field) puts each latent in a group of its own, `"full"` puts all in one group, a list of lists of
latents is taken as it is.

For a decoder the best posterior covariance of a family is `inference.optimal_encoder` in closed form, and
`numerics.training.halves.best_encoder` in training; the compiled objective learns a factor of the covariance instead,
masked by the family (`numerics.kernels.objective`).
"""

from __future__ import annotations

import reprlib
from collections import Counter
from collections.abc import Iterable

import numpy as np

from theory import validation

__all__ = ["Posterior", "partition", "partition_mask"]

Posterior = str | Iterable[Iterable[int]]


def partition(posterior: Posterior, latent_dim: int, name: str = "posterior") -> tuple[np.ndarray, ...]:
    """The groups of latents of a posterior family, checked.

    Parameters
    ----------
    posterior : "diagonal", "full", or an iterable of groups of latent indices
    latent_dim : int
    name : str
        of the argument, for error messages.

    Returns
    -------
    tuple of integer arrays, each sorted; together they contain each of 0 .. latent_dim - 1 once

    Raises
    ------
    ValueError
        for an unknown family, indices that are not whole numbers, an empty group, or groups in which a latent is
        missing, repeated or unknown.
    """
    if isinstance(posterior, str):
        if posterior == "diagonal":
            return tuple(np.array([latent]) for latent in range(latent_dim))
        if posterior == "full":
            return (np.arange(latent_dim),) if latent_dim else ()
        raise ValueError(f"{name} must be 'diagonal', 'full' or a list of groups, got {validation.shown(posterior)}")
    try:
        parts = validation.sequence(name, posterior, minimum=0)
        groups = [
            sorted(validation.count(name, latent) for latent in validation.sequence(name, part, 0)) for part in parts
        ]
    except ValueError:
        raise ValueError(
            f"{name} must be 'diagonal', 'full' or a list of lists of latent indices, got {validation.shown(posterior)}"
        ) from None
    if [] in groups:
        raise ValueError(f"{name} must have no empty group, its group {groups.index([])} is empty; remove it")
    members = sorted(latent for group in groups for latent in group)
    if members != list(range(latent_dim)):
        missing = sorted(set(range(latent_dim)) - set(members))
        unknown = sorted(set(members) - set(range(latent_dim)))
        repeated = sorted(latent for latent, times in Counter(members).items() if times > 1)
        faults = [("misses", missing), ("repeats", repeated), ("names unknown", unknown)]
        message = "; ".join(f"{fault} latents {reprlib.repr(latents)}" for fault, latents in faults if latents)
        raise ValueError(f"{name} must hold each latent 0..{latent_dim - 1} exactly once: it {message}")
    return tuple(np.array(group) for group in groups)


def partition_mask(groups: Iterable[np.ndarray], latent_dim: int) -> np.ndarray:
    """Boolean (K, K) matrix, true where two latents share a group: where a posterior covariance may be non-zero."""
    mask = np.zeros((latent_dim, latent_dim), dtype=bool)
    for group in groups:
        mask[np.ix_(group, group)] = True
    return mask
