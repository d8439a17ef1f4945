"""The rotations that a block-diagonal posterior leaves free.

At an optimum with a learned decoder the best posterior has the precision P = diag(p) in the axes of the modes,
p_i = l_i / t for an active latent and 1 for a collapsed one (l_i the eigenvalues of the data covariance, t = beta s2).
With a posterior of blocks b a rotation R costs the Hadamard gap (beta/2) [ sum_b log det M_bb - log det M ] at the
rotated precision M = R P R^T. To second order in a small angle a in the plane of latents i and j that is

    (beta/2) a^2 (p_i - p_j)^2 / (p_i p_j)   across blocks,   0 inside a block,

and the planes add up (`theory.axes.rotation_curvature`). So the axes are fixed up to rotations inside a block and
between latents of equal p: with blocks of size b over distinct p, K (b - 1) / 2 planes are free. The gap of a fixed
decoder is `theory.inference.family_gap`, that of a rotation `theory.axes.rotation_energy`. Exact; this project's.
"""

from __future__ import annotations

import numpy as np

from theory import validation
from theory.axes.orthogonal import random_orthogonal
from theory.partition import Posterior, partition, partition_mask

__all__ = ["block_rotation", "free_planes"]

TIE = 1e-12  # relative difference of precisions up to which they count as equal


def free_planes(precisions, *, posterior: Posterior = "diagonal") -> int:
    """Number of planes in which the latents rotate at no cost: pairs in one block, or of equal precision.

    The dimension of the manifold of optima that rotations generate; reflections and permutations of equal blocks come
    on top. Parameters and errors as for `theory.axes.rotation_curvature`, which gives the cost in the other planes.

    Examples
    --------
    >>> from theory.groups import free_planes
    >>> free_planes([4.0, 3.0, 2.0, 2.0]), free_planes([4.0, 3.0, 2.0, 2.0], posterior=[[0, 1], [2, 3]])
    (1, 2)
    """
    precisions = validation.positive_array("precisions", validation.vector("precisions", precisions))
    together = partition_mask(partition(posterior, len(precisions)), len(precisions))
    larger = np.maximum.outer(precisions, precisions)
    tied = np.abs(np.subtract.outer(precisions, precisions)) <= TIE * larger
    return int(np.count_nonzero(np.triu(together | tied, 1)))


def block_rotation(latent_dim: int, posterior: Posterior, rng: np.random.Generator | int) -> np.ndarray:
    """An orthogonal matrix, uniform in each block and zero across blocks; `theory.axes.rotate` by it keeps an optimum.

    Parameters
    ----------
    latent_dim : int
    posterior : "diagonal", "full", or a list of groups of latents
    rng : numpy.random.Generator, or a seed

    Returns
    -------
    (K, K) array

    Examples
    --------
    >>> from theory.groups import block_rotation
    >>> (block_rotation(4, [[0, 2], [1, 3]], rng=0) != 0).astype(int)
    array([[1, 0, 1, 0],
           [0, 1, 0, 1],
           [1, 0, 1, 0],
           [0, 1, 0, 1]])
    """
    latent_dim, rng = validation.count("latent_dim", latent_dim), validation.random_generator("rng", rng)
    validation.count("latent_dim", latent_dim, bytes_each=8 * latent_dim)
    rotation = np.zeros((latent_dim, latent_dim))
    for group in partition(posterior, latent_dim):
        rotation[np.ix_(group, group)] = random_orthogonal(len(group), rng)
    return rotation
