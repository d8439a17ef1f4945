"""What a prior says about the axes of the code: nothing in the end if data are Gaussian, something for other factors.

Rotated latents z -> R z, with decoder and posterior covariance rotated too (full posterior), change one part of the
loss: the rotation energy of the prior is beta { E log p(z) - E log p(R z) }, expectations over the aggregate code. If
the code has the law of the prior, it is beta KL(law of R z || p) >= 0, zero for the symmetries of the prior alone: with
factors that are not Gaussian a prior can lock axes.

Not with Gaussian data. Theorem: for Gaussian data, a learned decoder and a full posterior covariance, no prior locks
the axes, whatever its density (encoders with a code of mean zero). Proof: the rate is I(x; z) + KL(q(z) || p), and
q(z) = N(0, C). A change of basis z -> T z, done by encoder, posterior and decoder, keeps I(x; z) and the distortion,
and takes C to T C T^T, so to any positive definite matrix. So the two parts are minimal separately: the first is what
the prior N(0, I) gives, the second is minimal at some C* that depends on the prior alone, and T = C*^(1/2) O C^(-1/2)
gets there for every orthogonal O. The optima are a whole orbit C*^(1/2) O(K) C*^(-1/2), and so are the local minima
that an optimiser may end in, at local minima of KL(N(0, C) || p). Hence also

    the reconstruction and I(x; z) at the optimum are the same for every prior,
    the loss is larger than with a Gaussian prior by beta KL(N(0, C*) || p).

For a product of identical densities C* = b I: with given variances b_j the entropy of N(0, C) is largest without
correlations (Hadamard), the expected log prior sees the variances only, and every b_j maximises the same function
(1/2) log b + E log p_1(sqrt(b) e), e ~ N(0, 1). For an anisotropic Gaussian prior C* = Pi, and the axes are not fixed
either. This is where the linear world departs from Mathieu et al. (2019), in which such priors break the invariance:
they do at a given code of other shape, or if the decoder or the factors are not of this kind.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar

from theory import gaussian, validation
from theory.axes.priors import GaussianPrior, Prior, StudentPrior
from theory.axes.rotation import checked_rotation
from theory.learning import optimum
from theory.model import LinearVAE
from theory.objective import elbo_terms, loss_from_parts

__all__ = ["PriorOptimum", "factor_rotation_energy", "nearest_gaussian", "prior_optimum", "prior_rotation_energy"]


@dataclass(frozen=True, eq=False)
class PriorOptimum:
    """One optimal VAE with a full posterior covariance for Gaussian data and a given prior.

    Attributes
    ----------
    vae : LinearVAE
    aggregate : (K, K) array
        C*, the covariance of its aggregate code: nearest to the prior of all Gaussians.
    mismatch : float
        KL(N(0, C*) || p), nats.
    distortion, reconstruction, mutual_information : float
        the same for every prior.
    rate : float
        mutual_information + mismatch, nats.
    loss : float
        reconstruction + beta rate, nats.
    """

    vae: LinearVAE
    aggregate: np.ndarray
    mismatch: float
    distortion: float
    reconstruction: float
    mutual_information: float
    rate: float
    loss: float


def prior_rotation_energy(prior: Prior, covariance, rotation, beta: float) -> float:
    """What a rotation z -> R z of a Gaussian code N(0, C) costs with a full posterior: beta E[log p(z) - log p(R z)].

    Zero for every R if C is a multiple of I, and for every R that is a symmetry of the prior or of the code. Negative
    if the rotated code suits the prior better. Exact for Gaussian priors, by quadrature (1e-10 relative to the expected
    log density) for the others.

    Parameters
    ----------
    prior : GaussianPrior, StudentPrior, SpikeSlabPrior or ClusterPrior
    covariance : (K, K) array, C
        of the aggregate code before the rotation.
    rotation : (K, K) array, orthogonal
    beta : float > 0

    Returns
    -------
    float, in nats

    Raises
    ------
    ValueError
        if an argument is out of its range.

    Notes
    -----
    In the setting of Mathieu et al. (2019), Theorem 2.
    """
    covariance = validation.covariance_matrix("covariance", covariance, prior.latent_dim)
    return _energy(prior, [(1.0, np.zeros(prior.latent_dim), covariance)], rotation, beta)


def factor_rotation_energy(prior: Prior, factors: Prior, rotation, beta: float) -> float:
    """The rotation energy of a code R s, s with the law `factors`: beta E[log p(s) - log p(R s)].

    The factors are a finite mixture of Gaussians (`SpikeSlabPrior`, `ClusterPrior`, `GaussianPrior`), so R s is one too
    and each component is a Gaussian code. If `factors` is `prior`, the energy is beta KL(law of R s || p) >= 0: zero
    for symmetries of the prior alone. Otherwise it can have either sign. Exact or by quadrature, as
    `prior_rotation_energy`; of 2^K terms for spike-and-slab factors.

    Parameters
    ----------
    prior : GaussianPrior, StudentPrior, SpikeSlabPrior or ClusterPrior
    factors : SpikeSlabPrior, ClusterPrior or GaussianPrior, of as many latents
    rotation : (K, K) array, orthogonal
    beta : float > 0

    Returns
    -------
    float, in nats

    Raises
    ------
    ValueError
        if an argument is out of its range, or the factors are no finite mixture.

    Notes
    -----
    In the setting of Mathieu et al. (2019).
    """
    if not hasattr(factors, "components"):
        raise ValueError(
            f"factors must be a finite mixture of Gaussians, got {type(factors).__name__}; pass SpikeSlabPrior, "
            "ClusterPrior or GaussianPrior"
        )
    if factors.latent_dim != prior.latent_dim:
        raise ValueError(f"factors must have the {prior.latent_dim} latents of the prior, got {factors.latent_dim}")
    return _energy(prior, factors.components(), rotation, beta)


def nearest_gaussian(prior: Prior) -> tuple[np.ndarray, float]:
    """The C* that minimises KL(N(0, C) || p), and the least value.

    Pi and 0 for a Gaussian prior; b I for the others, products of K identical densities p_1 (the cluster prior along
    the diagonals of the plane), where b maximises (1/2) log b + E log p_1(sqrt(b) e). For a Student-t prior b is the
    only root of (nu + 1) E[b e^2 / (nu + b e^2)] = 1; for the others the best of all local maxima is taken (spike
    and slab may have two). The divergence is good to 1e-10, b (a minimiser) to about 1e-7.

    Parameters
    ----------
    prior : GaussianPrior, StudentPrior, SpikeSlabPrior or ClusterPrior

    Returns
    -------
    covariance : (K, K) array
    divergence : float, nats
    """
    latent_dim = prior.latent_dim
    if isinstance(prior, GaussianPrior):
        return prior.covariance, 0.0
    if latent_dim == 0:
        return np.zeros((0, 0)), 0.0
    nowhere, identity = np.zeros(latent_dim), np.eye(latent_dim)

    def divergence(log_variance):
        covariance = np.exp(log_variance) * identity
        return -gaussian.entropy(covariance) - prior.expected_log_density(nowhere, covariance)

    grid = np.linspace(*_search_range(prior), 121)
    values = np.array([divergence(point) for point in grid])
    inside = np.flatnonzero((values[1:-1] <= values[:-2]) & (values[1:-1] <= values[2:])) + 1
    found = [
        minimize_scalar(divergence, bracket=tuple(grid[index - 1 : index + 2]), options={"xtol": 1e-12})
        for index in inside
    ]
    best = min(found, key=lambda one: one.fun)
    return np.exp(best.x) * identity, float(best.fun)


def prior_optimum(covariance, prior: Prior, *, beta: float, noise_variance: float) -> PriorOptimum:
    """The global optimum for Gaussian data, a full posterior covariance and any of the priors.

    The optimum for the prior N(0, I), in the basis z -> C*^(1/2) z of the code. Any further z -> C*^(1/2) O C*^(-1/2) z
    with O orthogonal is as good. Exact for linear encoders about the mean of the data; proof at the top of the module.

    Parameters
    ----------
    covariance : (D, D) array
    prior : GaussianPrior, StudentPrior, SpikeSlabPrior or ClusterPrior
    beta, noise_variance : float > 0

    Returns
    -------
    PriorOptimum

    Raises
    ------
    ValueError
        if an argument is out of its range.
    """
    aggregate, mismatch = nearest_gaussian(prior)
    best = optimum(covariance, prior.latent_dim, beta=beta, noise_variance=noise_variance, posterior="full")
    terms = elbo_terms(best.vae, covariance)
    root = np.linalg.cholesky(aggregate)
    vae = LinearVAE(
        best.vae.decoder @ np.linalg.inv(root),
        root @ best.vae.encoder,
        root @ best.vae.posterior_covariance @ root.T,
        noise_variance,
    )
    rate = terms.mutual_information + mismatch
    return PriorOptimum(
        vae=vae,
        aggregate=aggregate,
        mismatch=mismatch,
        distortion=terms.distortion,
        reconstruction=terms.reconstruction,
        mutual_information=terms.mutual_information,
        rate=rate,
        loss=float(loss_from_parts(terms.distortion, rate, noise_variance, beta, vae.data_dim)),
    )


def _energy(prior: Prior, components, rotation, beta: float) -> float:
    rotation = checked_rotation(rotation, prior.latent_dim)
    beta = validation.positive("beta", beta)
    gain = 0.0
    for weight, mean, covariance in components:
        rotated = rotation @ covariance @ rotation.T
        gain += weight * (
            prior.expected_log_density(mean, covariance)
            - prior.expected_log_density(rotation @ mean, (rotated + rotated.T) / 2)
        )
    return float(beta * gain)


def _search_range(prior: Prior) -> tuple[float, float]:
    """Between these log variances the score E[z (log p_1)'(z)] + 1 changes sign: a minimum is nowhere else."""
    if isinstance(prior, StudentPrior):
        nu = prior.degrees_of_freedom
        low, high = nu / (nu + 1), 2 + 4 / nu
    else:
        variances = [np.linalg.eigvalsh(covariance) for _, _, covariance in prior.components()]
        farthest = max(np.linalg.norm(mean) for _, mean, _ in prior.components())
        low, high = np.min(variances), (farthest + np.sqrt(np.max(variances))) ** 2
    return np.log(low) - 1, np.log(high) + 1
