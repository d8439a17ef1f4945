"""A block-diagonal posterior, the second meaning of granularity: which rotations it leaves free and what others cost.

At an optimum with learned decoder the best posterior has precision P = diag(c) in the axes of the modes, c_i = l_i / t
for an active latent and 1 for a collapsed one. A posterior that keeps the blocks of a partition pays the Hadamard gap
(beta/2) [ sum_b log det M_bb - log det M ] at the rotated precision M = R P R^T. To second order in a small angle a in
the plane of latents i and j it is

    (beta/2) a^2 (c_i - c_j)^2 / (c_i c_j)   across blocks,   0 inside a block,

and the planes add up. So the axes are fixed up to rotations inside a block and between latents of equal c: with blocks
of size b over distinct c, K (b - 1) / 2 planes are free. The gap of a given decoder is `theory.inference.family_gap`,
that of a rotation `theory.axes.rotation_energy`. Exact; this project's.
"""

from __future__ import annotations

import numpy as np

from theory import validation
from theory.partition import Posterior, partition, partition_mask

__all__ = ["block_rotation", "free_planes", "rotation_stiffness"]

TIE = 1e-12  # relative difference of precisions up to which they are one


def rotation_stiffness(precisions, beta: float, *, posterior: Posterior = "diagonal") -> np.ndarray:
    """Second derivative of the loss in the angle of a rotation in the plane of each two latents, at angle 0.

    beta (c_i - c_j)^2 / (c_i c_j) for latents in different blocks of the posterior, 0 within a block; the posterior is
    optimised again after the rotation. Mixed derivatives between planes vanish.

    Parameters
    ----------
    precisions : (K,) array > 0, c
        eigenvalues of I + W^T W / t, one for each latent.
    beta : float > 0
    posterior : "diagonal", "full", or a list of groups of latents

    Returns
    -------
    (K, K) array, symmetric, in nats per squared radian

    Raises
    ------
    ValueError
        if an argument is out of its range.
    """
    precisions = validation.positive_array("precisions", validation.vector("precisions", precisions))
    beta, roots = validation.positive("beta", beta), np.sqrt(precisions)
    with np.errstate(over="ignore"):  # to infinity, for precisions further apart than floats can tell
        differences = np.subtract.outer(precisions, precisions) / roots / roots[:, np.newaxis]
        stiffness = beta * differences**2
    stiffness[partition_mask(partition(posterior, len(precisions)), len(precisions))] = 0.0
    return stiffness


def free_planes(precisions, *, posterior: Posterior = "diagonal") -> int:
    """In how many planes the latents may be turned at no cost: pairs in one block, or of equal precision.

    The dimension of the manifold of optima that rotations make; reflections and permutations of equal blocks come on
    top. Parameters and errors as for `rotation_stiffness`.
    """
    precisions = validation.positive_array("precisions", validation.vector("precisions", precisions))
    together = partition_mask(partition(posterior, len(precisions)), len(precisions))
    larger = np.maximum.outer(precisions, precisions)
    tied = np.abs(np.subtract.outer(precisions, precisions)) <= TIE * larger
    return int(np.count_nonzero(np.triu(together | tied, 1)))


def block_rotation(latent_dim: int, posterior: Posterior, rng: np.random.Generator | int) -> np.ndarray:
    """An orthogonal matrix, uniform inside each block and zero across: `theory.axes.rotate` by it leaves the optimum.

    Parameters
    ----------
    latent_dim : int
    posterior : "diagonal", "full", or a list of groups of latents
    rng : numpy.random.Generator, or a seed

    Returns
    -------
    (K, K) array
    """
    latent_dim, rng = validation.count("latent_dim", latent_dim), validation.random_generator("rng", rng)
    validation.count("latent_dim", latent_dim, bytes_each=8 * latent_dim)
    rotation = np.zeros((latent_dim, latent_dim))
    for group in partition(posterior, latent_dim):
        basis, triangle = np.linalg.qr(rng.standard_normal((len(group), len(group))))
        rotation[np.ix_(group, group)] = basis * np.where(np.diagonal(triangle) < 0, -1.0, 1.0)
    return rotation
