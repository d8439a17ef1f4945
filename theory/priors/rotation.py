"""What a rotation of the latents costs under a prior: nothing for its symmetries, and for an isotropic Gaussian code.

If the latents are rotated, z -> R z, with decoder and (full) posterior covariance, one part of the loss changes: the
rotation energy of the prior, beta { E log p(z) - E log p(R z) }, expectations over the aggregate code. If the code is
distributed as the prior, it is beta KL(distribution of R z || p) >= 0, zero only for the symmetries of the prior: with
non-Gaussian factors a prior can fix the axes. With Gaussian data none does, see `theory.priors.optimum`.
"""

from __future__ import annotations

import numpy as np

from theory import validation
from theory.axes.orthogonal import checked_rotation
from theory.priors.protocol import Prior, checked_factors, checked_prior, expectations

__all__ = ["factor_rotation_energy", "prior_rotation_energy"]


def prior_rotation_energy(prior: Prior, covariance, rotation, beta: float) -> float | np.ndarray:
    """The cost of a rotation z -> R z of a Gaussian code N(0, C), full posterior: beta E[log p(z) - log p(R z)].

    Zero for every R if C is a multiple of I, and for every R that is a symmetry of the prior or of the code. Negative
    if the rotated code fits the prior better. Exact for Gaussian priors, by quadrature (1e-12 relative to the expected
    log density) for the other families.

    Parameters
    ----------
    prior : Prior
        of any family, or a user's own.
    covariance : (K, K) array, C
        of the aggregate code before the rotation.
    rotation : (K, K) array, orthogonal, or many of them (..., K, K)
    beta : float from 1e-100 to 1e100

    Returns
    -------
    float, or array of the shape of the rotations, in nats

    Raises
    ------
    ValueError
        if an argument is out of its range.

    Notes
    -----
    In the setting of Mathieu et al. (2019), Theorem 2.

    Examples
    --------
    >>> from theory.axes import plane_rotation
    >>> from theory.priors import GaussianPrior, prior_rotation_energy
    >>> prior = GaussianPrior.anisotropic([4.0, 1.0])
    >>> round(prior_rotation_energy(prior, [[4.0, 0.0], [0.0, 1.0]], plane_rotation(2, 0.3), 1.0), 4)
    0.0982
    """
    prior = checked_prior("prior", prior)
    covariance = validation.covariance_matrix("covariance", covariance, prior.latent_dim)
    return _energy(prior, [(1.0, np.zeros(prior.latent_dim), covariance)], rotation, beta)


def factor_rotation_energy(prior: Prior, factors: Prior, rotation, beta: float) -> float | np.ndarray:
    """The rotation energy of a code R s, s distributed as `factors`: beta E[log p(s) - log p(R s)].

    The factors are a finite mixture of Gaussians, so R s is one too and each component is a Gaussian code. If `factors`
    is `prior`, the energy is beta KL(distribution of R s || p) >= 0, zero only for symmetries of the prior. Otherwise
    it can have either sign. Exact or by quadrature, as `prior_rotation_energy`; a sum over the components of the
    factors, 2^K for spike and slab.

    Parameters
    ----------
    prior : Prior
        of any family, or a user's own.
    factors : Prior with the method `components`, with as many latents as the prior
    rotation : (K, K) array, orthogonal, or many of them (..., K, K)
    beta : float from 1e-100 to 1e100

    Returns
    -------
    float, or array of the shape of the rotations, in nats

    Raises
    ------
    ValueError
        if an argument is out of its range, or the factors are not a finite mixture.

    Notes
    -----
    In the setting of Mathieu et al. (2019).

    Examples
    --------
    >>> from theory.axes import plane_rotation
    >>> from theory.priors import ClusterPrior, factor_rotation_energy
    >>> prior = ClusterPrior()
    >>> [round(factor_rotation_energy(prior, prior, plane_rotation(2, angle), 1.0), 4) for angle in (0.1, 0.7)]
    [0.1663, 6.1343]
    """
    prior, factors = checked_prior("prior", prior), checked_factors("factors", factors)
    if factors.latent_dim != prior.latent_dim:
        raise ValueError(
            f"factors must have the {prior.latent_dim} latents of the prior, got {factors.latent_dim}; pass a "
            "distribution of as many"
        )
    return _energy(prior, factors.components(), rotation, beta)


def _energy(prior: Prior, components, rotation, beta: float) -> float | np.ndarray:
    rotation = validation.real_array("rotation", rotation)
    stack = rotation.reshape(-1, *rotation.shape[-2:]) if rotation.ndim > 2 else [rotation]
    turns = np.array([checked_rotation(one, prior.latent_dim) for one in stack])
    beta = validation.scale("beta", beta)
    gain = 0.0
    for weight, mean, covariance in components:
        rotated = turns @ covariance @ turns.mT
        after = expectations(prior, turns @ mean, (rotated + rotated.mT) / 2)
        gain = gain + weight * (prior.expected_log_density(mean, covariance) - after)
    energies = [validation.number("expected_log_density of prior", beta * one) for one in gain]
    return np.reshape(energies, rotation.shape[:-2]) if rotation.ndim > 2 else energies[0]
