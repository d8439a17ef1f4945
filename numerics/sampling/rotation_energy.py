"""What a rotation of drawn codes costs under a prior, from densities alone."""

from __future__ import annotations

import numpy as np

from numerics.sampling.estimate import Estimate

__all__ = ["sampled_rotation_energy"]


def sampled_rotation_energy(prior, codes: np.ndarray, rotation: np.ndarray, beta: float) -> Estimate:
    """beta E[log p(z) - log p(R z)], in nats, over codes (n, K); standard error 0 where R keeps the density."""
    return Estimate.of(beta * (prior.log_density(codes) - prior.log_density(codes @ rotation.T)))
