"""How many latents a model uses, whatever its posterior family and wherever training stopped."""

from __future__ import annotations

import numpy as np

from theory import validation
from theory.gaussian import covariance_root, information_by_direction
from theory.model import LinearVAE, linear_vae
from theory.moments import as_moments

__all__ = ["active_count"]


def active_count(vae: LinearVAE, covariance, threshold: float = 1e-6) -> int:
    """The number of independent directions of the code that carry information about the data.

    The mutual information is a sum 1/2 log(1 + e) over the eigenvalues e of Q^-1 V S V^T (S, V, Q: covariance of the
    data, encoder, posterior covariance); the terms above `threshold`, in nats, are counted. For a diagonal code these
    are the latents that have not collapsed; a code may be rotated.

    Parameters
    ----------
    vae : LinearVAE
    covariance : (D, D) array, or Moments
    threshold : float > 0
        below which a direction counts as collapsed; above the rest that training leaves, far below an active direction.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        for arguments that do not fit.
    """
    vae, threshold = linear_vae("vae", vae), validation.positive("threshold", threshold)
    covariance = validation.covariance_matrix("covariance", as_moments(covariance).covariance, vae.data_dim)
    information = information_by_direction(vae.encoder @ covariance_root(covariance), vae.posterior_covariance)
    return int(np.count_nonzero(information > threshold))
