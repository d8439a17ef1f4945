"""What a rotation of drawn codes costs under a prior, from densities alone."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from numerics.sampling.estimate import Estimate

__all__ = ["sampled_rotation_energies"]


BLOCK = 8192  # codes at once, of which the arrays of a density fit into the cache of a core


def sampled_rotation_energies(prior, codes: np.ndarray, rotations: Iterable[np.ndarray], beta: float) -> list[Estimate]:
    """beta E[log p(z) - log p(R z)], in nats, over codes (n, K), for each R; no error if R keeps the density."""
    rotations = list(rotations)
    falls = np.empty((len(rotations), len(codes)))
    for start in range(0, len(codes), BLOCK):
        block = codes[start : start + BLOCK]
        before = prior.log_density(block)
        for fall, rotation in zip(falls, rotations, strict=True):
            fall[start : start + BLOCK] = beta * (before - prior.log_density(block @ rotation.T))
    return [Estimate.of(fall) for fall in falls]
