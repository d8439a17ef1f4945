"""Orthogonal matrices: a rotation of one plane, a random one, and the check of one that was passed."""

from __future__ import annotations

import numpy as np

from theory import validation

__all__ = ["checked_rotation", "plane_rotation", "random_orthogonal"]


def plane_rotation(latent_dim: int, angle: float, i: int = 0, j: int = 1) -> np.ndarray:
    """The rotation of K latents that moves axis i towards axis j by an angle in radians and fixes all other axes.

    Raises
    ------
    ValueError
        if i and j are not two different latents, or the angle is not a finite number.

    Examples
    --------
    >>> from theory.axes import plane_rotation
    >>> plane_rotation(3, 0.1, i=0, j=2).round(3)
    array([[ 0.995,  0.   , -0.1  ],
           [ 0.   ,  1.   ,  0.   ],
           [ 0.1  ,  0.   ,  0.995]])
    """
    latent_dim = validation.count("latent_dim", latent_dim)
    validation.count("latent_dim", latent_dim, bytes_each=8 * latent_dim)  # what the matrix takes
    angle = validation.number("angle", angle)
    i, j = validation.count("i", i), validation.count("j", j)
    if i == j or not {i, j} <= set(range(latent_dim)):
        raise ValueError(f"i and j must be two different latents below latent_dim = {latent_dim}, got {i} and {j}")
    rotation = np.eye(latent_dim)
    rotation[i, i] = rotation[j, j] = np.cos(angle)
    rotation[j, i] = np.sin(angle)
    rotation[i, j] = -np.sin(angle)
    return rotation


def random_orthogonal(size: int, rng: np.random.Generator) -> np.ndarray:
    """A uniform orthogonal matrix: that of the QR factorisation of a Gaussian matrix, with positive diagonal."""
    basis, triangle = np.linalg.qr(rng.standard_normal((size, size)))
    return basis * np.where(np.diagonal(triangle) < 0, -1.0, 1.0)


def checked_rotation(rotation, size: int) -> np.ndarray:
    """Return `rotation` as an orthogonal (size, size) matrix, corrected for rounding; reflections pass.

    One step of Newton's iteration to the nearest orthogonal matrix, R (3 I - R^T R) / 2, squares its deviation.
    """
    rotation = validation.orthogonal_matrix("rotation", rotation, size, "plane_rotation(2, 0.3)")
    return rotation @ (3 * np.eye(size) - rotation.T @ rotation) / 2
