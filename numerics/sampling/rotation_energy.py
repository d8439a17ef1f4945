"""What a rotation of drawn codes costs under a prior, from densities alone."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from numerics.sampling.estimate import Estimate

__all__ = ["sampled_rotation_energies"]


def sampled_rotation_energies(prior, codes: np.ndarray, rotations: Iterable[np.ndarray], beta: float) -> list[Estimate]:
    """beta E[log p(z) - log p(R z)], in nats, over codes (n, K), for each R; no error if R keeps the density."""
    before = prior.log_density(codes)
    after = (prior.log_density(codes @ rotation.T) for rotation in rotations)
    return [Estimate.of(beta * (before - one)) for one in after]
