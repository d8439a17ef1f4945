"""The optimum for Gaussian data and any prior: the Gaussian nearest to the prior, at axes that no prior fixes.

**Theorem.** For Gaussian data, a learned decoder and a full posterior covariance, no prior fixes the axes, whatever its
density (encoders with a code of mean zero). *Proof*: the rate is I(x; z) + KL(q(z) || p), and q(z) = N(0, C). A change
of basis z -> T z of encoder, posterior and decoder keeps I(x; z) and the distortion, and maps C to T C T^T, which can
be any positive definite matrix. So the two terms are minimised separately: the first gives the optimum for the standard
normal prior, the second is least at some C* that depends only on the prior, and T = C*^(1/2) O C^(-1/2) reaches C* for
every orthogonal O. The optima form an orbit C*^(1/2) O(K) C*^(-1/2); so do the local minima in which an optimiser may
end, at local minima of KL(N(0, C) || p). Hence also

    the reconstruction and I(x; z) at the optimum are the same for every prior,
    the loss is larger than with a Gaussian prior by beta KL(N(0, C*) || p).

**C*.** For a product of identical densities C* = b I: with given variances b_j the entropy of N(0, C) is largest
without correlations (Hadamard), the expected log prior depends only on the variances, and every b_j maximises the same
function (1/2) log b + E log p_1(sqrt(b) e), e ~ N(0, 1). For an anisotropic Gaussian prior C* = Pi, and the axes are
not fixed either. This differs from Mathieu et al. (2019), where such priors break the invariance: they do so for a
fixed code of another shape, or if the decoder or the factors are not of this kind.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq, minimize

from theory import gaussian, validation
from theory.learning import optimum
from theory.model import LinearVAE
from theory.objective import elbo_terms, loss_from_parts
from theory.priors.arguments import LONGEST
from theory.priors.protocol import Prior, checked_prior, expectation_and_slopes

__all__ = ["PriorOptimum", "nearest_gaussian", "prior_optimum"]

WIDEST = (np.log(1e-20), np.log(1e20))  # of log variances, where a prior does not say where its nearest Gaussian is
GRADIENT_LEFT = 1e-6  # the largest entry of a gradient at which a search has found its minimum


@dataclass(frozen=True, eq=False)
class PriorOptimum:
    """One optimal VAE with a full posterior covariance for Gaussian data and a given prior.

    Attributes
    ----------
    vae : LinearVAE
    aggregate : (K, K) array
        C*, the covariance of its aggregate code, the Gaussian nearest to the prior.
    mismatch : float
        KL(N(0, C*) || p), nats.
    distortion, reconstruction, mutual_information : float
        the same for every prior.
    rate : float
        mutual_information + mismatch, nats.
    loss : float
        reconstruction + beta rate, nats.

    Examples
    --------
    >>> from theory.priors import GaussianPrior, prior_optimum
    >>> best = prior_optimum([[3.0]], GaussianPrior([[2.0]]), beta=1.0, noise_variance=0.5)
    >>> best.aggregate, best.mismatch, round(best.distortion, 6)
    (array([[2.]]), 0.0, 0.5)
    """

    vae: LinearVAE
    aggregate: np.ndarray
    mismatch: float
    distortion: float
    reconstruction: float
    mutual_information: float
    rate: float
    loss: float


def nearest_gaussian(prior: Prior) -> tuple[np.ndarray, float]:
    """The C* that minimises KL(N(0, C) || p), and the least value.

    Pi and 0 for a Gaussian prior; b I for the other families, products of K identical densities p_1 (the cluster prior
    along the diagonals of the plane), where b maximises (1/2) log b + E log p_1(sqrt(b) e). For a Student-t prior b is
    the only root of (nu + 1) E[b e^2 / (nu + b e^2)] = 1; for spike and slab and clusters the best of all local maxima
    is taken (spike and slab may have two). Divergence and b are accurate to 1e-12.

    For a user's own prior C may be any covariance: a numerical search from the local minima of the form b I, b between
    1e-20 and 1e20, accurate to about 1e-7 in C and 1e-10 in the divergence where `expected_log_density` is smooth to
    rounding; refused where the gradient, of log C, does not fall to 1e-6.

    Parameters
    ----------
    prior : Prior
        of any family, or a user's own.

    Returns
    -------
    covariance : (K, K) array
    divergence : float >= 0, nats

    Raises
    ------
    ValueError
        if `prior` is not a prior, or no minimum is found.

    Examples
    --------
    >>> from theory.priors import StudentPrior, nearest_gaussian
    >>> covariance, divergence = nearest_gaussian(StudentPrior(5.0, 1))
    >>> covariance.round(4), round(divergence, 4)
    (array([[1.3628]]), 0.0181)
    """
    prior = checked_prior("prior", prior)
    latent_dim = prior.latent_dim
    if hasattr(prior, "nearest_gaussian"):
        return prior.nearest_gaussian()
    if latent_dim == 0:
        return np.zeros((0, 0)), 0.0
    log_variances = _isotropic_minima(prior)
    values = _isotropic_divergence(prior, np.array(log_variances))[0]
    if hasattr(prior, "isotropic_range"):
        best = np.argmin(values)
        return np.exp(log_variances[best]) * np.eye(latent_dim), max(0.0, float(values[best]))
    results = (_search(prior, variance) for variance in np.exp(log_variances))
    return min(results, key=lambda result: result[1])


def prior_optimum(covariance, prior: Prior, *, beta: float, noise_variance: float) -> PriorOptimum:
    """The global optimum for Gaussian data, a full posterior covariance and any of the priors.

    The optimum for the prior N(0, I), in the basis z -> C*^(1/2) z of the code. Any further z -> C*^(1/2) O C*^(-1/2) z
    with O orthogonal is as good. Exact for linear encoders about the mean of the data; proof in the module's docstring.

    Parameters
    ----------
    covariance : (D, D) array
    prior : Prior
        of any family, or a user's own.
    beta, noise_variance : float from 1e-100 to 1e100

    Returns
    -------
    PriorOptimum

    Raises
    ------
    ValueError
        if an argument is out of its range.

    Examples
    --------
    >>> from theory.priors import StudentPrior, prior_optimum
    >>> best = prior_optimum([[3.0, 0.0], [0.0, 1.0]], StudentPrior(5.0, 2), beta=1.0, noise_variance=0.5)
    >>> round(best.rate, 4), round(best.mutual_information, 4)
    (1.2787, 1.2425)
    """
    prior = checked_prior("prior", prior)
    beta, noise_variance = validation.scale("beta", beta), validation.scale("noise_variance", noise_variance)
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


def _isotropic_minima(prior: Prior) -> list[float]:
    """All log b at which KL(N(0, b I) || p) is at a local minimum."""
    low, high = getattr(prior, "isotropic_range", WIDEST)
    if low == high:
        return [low]
    high = min(high, np.log(LONGEST**2) - 1e-9)

    def slope(point):
        return _isotropic_divergence(prior, np.array([point]))[1][0]

    grid = np.linspace(low, high, 241)
    slopes = _isotropic_divergence(prior, grid)[1]
    falls = np.flatnonzero((slopes[:-1] < 0) & (slopes[1:] >= 0))
    if not len(falls):
        raise ValueError("prior has no nearest Gaussian of a variance between 1e-20 and 1e20; change its units")
    return [brentq(slope, grid[at], grid[at + 1], xtol=1e-14) for at in falls]


def _isotropic_divergence(prior: Prior, log_variances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """KL(N(0, b I) || p) for many log b at once, and its derivative in log b."""
    size, variances = prior.latent_dim, np.exp(log_variances)
    covariances = variances[:, np.newaxis, np.newaxis] * np.eye(size)
    expected, _, to_covariances = expectation_and_slopes(prior, np.zeros((len(variances), size)), covariances)
    values = -size / 2 * (np.log(2 * np.pi * np.e) + log_variances) - expected
    return values, -size / 2 - variances * np.trace(to_covariances, axis1=-2, axis2=-1)


def _search(prior: Prior, variance: float) -> tuple[np.ndarray, float]:
    """The least KL(N(0, C) || p) over all covariances near b I, by a Cholesky factor."""
    size = prior.latent_dim
    lower = np.tril_indices(size, -1)

    def factor_of(parameters):
        factor = np.diag(np.exp(parameters[:size]))
        factor[lower] = parameters[size:]
        return np.sqrt(variance) * factor

    def divergence(parameters):
        factor = factor_of(parameters)
        covariance = factor @ factor.T
        expected, _, to_covariance = expectation_and_slopes(prior, np.zeros((1, size)), covariance[np.newaxis])
        to_factor = -2 * np.sqrt(variance) * to_covariance[0] @ factor
        slope = np.concatenate([np.diagonal(to_factor) * np.exp(parameters[:size]) - 1, to_factor[lower]])
        return -gaussian.entropy(covariance) - expected[0], slope

    # Rounding mostly ends the search before gtol does, which scipy calls a failure: the gradient decides.
    result = minimize(divergence, np.zeros(size + len(lower[0])), jac=True, method="BFGS", options={"gtol": 1e-9})
    left = np.abs(result.jac).max()
    if not left <= GRADIENT_LEFT:
        raise ValueError(
            f"prior must have an expected log density that is smooth and leaves KL(N(0, C) || p) a minimum: the search "
            f"for its nearest Gaussian ended at a gradient of {left:.1g}; make expected_log_density more accurate, or "
            "give the prior the method nearest_gaussian()"
        )
    factor = factor_of(result.x)
    return factor @ factor.T, max(0.0, float(result.fun))
