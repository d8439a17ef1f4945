"""The objective with a penalty on the aggregate code.

    loss = -E log p(x|z) + beta KL(q(z|x) || p) + alpha Delta(q(z), p)

For Gaussian data and a prior N(0, Pi) the aggregate q(z) is N(0, C), C = V S V^T + Q (encoder V, data covariance S,
posterior covariance Q), and the divergence Delta is closed for the choices of `theory.priors.aggregate`: inclusive KL(p
|| q(z)), exclusive KL(q(z) || p), and mmd, latent by latent.

The rate is I(x; z) + KL(q(z) || p), and a small I(x; z) means that the encodings overlap.

**Learned decoder.** alpha changes nothing at the optimum, for any Delta that is zero at q(z) = p: a change of basis
z -> T z of the code, undone by the decoder, keeps I(x; z) and the distortion, and T can always be chosen to make
q(z) = p, where both KL(q(z) || p) and Delta are zero. With p = N(0, I) a diagonal posterior reaches this too, at the
optimum on the PCA axes.

**Fixed decoder.** T is not free, and alpha trades the overlap and the reconstruction for the fit of the code.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from theory import gaussian, validation
from theory.inference import optimal_encoder
from theory.model import LinearVAE, linear_vae
from theory.objective import ElboTerms, elbo_terms, prior_covariance
from theory.partition import Posterior, partition, partition_mask
from theory.priors.aggregate import DIVERGENCES, aggregate_divergence, divergence_and_slope
from theory.priors.arguments import LONGEST, within
from theory.singular_values import principal_axes

__all__ = [
    "RegularisedEncoder",
    "RegularisedTerms",
    "regularised_encoder",
    "regularised_terms",
]


@dataclass(frozen=True)
class RegularisedTerms:
    """The parts of the objective: those of the ELBO, and the divergence of the aggregate code from the prior.

    Attributes
    ----------
    elbo : ElboTerms
        the smaller its `mutual_information` I(x; z), the more the encodings overlap.
    divergence : float
        Delta(q(z), p): nats for "inclusive" and "exclusive", no unit for "mmd".

    Examples
    --------
    >>> from theory import optimum
    >>> from theory.priors import regularised_terms
    >>> terms = regularised_terms(optimum([[3.0]], 1, noise_variance=0.5).vae, [[4.0]])
    >>> round(terms.loss(beta=1.0, alpha=2.0), 4), round(terms.elbo.loss(1.0), 4)
    (2.1626, 2.1349)
    """

    elbo: ElboTerms
    divergence: float

    def loss(self, beta: float, alpha: float) -> float:
        """reconstruction + beta rate + alpha divergence, for alpha >= 0."""
        return self.elbo.loss(beta) + validation.non_negative("alpha", alpha) * self.divergence


@dataclass(frozen=True, eq=False)
class RegularisedEncoder:
    """A locally optimal encoder for a fixed decoder.

    Attributes
    ----------
    vae : LinearVAE
    terms : RegularisedTerms
    loss : float
    gradient_norm : float
        largest entry of the gradient in the parameters of the search.

    Examples
    --------
    >>> from theory.priors import regularised_encoder
    >>> result = regularised_encoder([[1.0]], [[3.0]], noise_variance=0.5, beta=1.0, alpha=0.0)
    >>> result.vae.encoder.round(4), result.gradient_norm < 1e-6
    (array([[0.6667]]), True)
    """

    vae: LinearVAE
    terms: RegularisedTerms
    loss: float
    gradient_norm: float


def regularised_terms(
    vae: LinearVAE, covariance, *, divergence: str = "inclusive", prior=None, scale: float = 1.0
) -> RegularisedTerms:
    """The parts of the loss for a VAE on Gaussian data of the given covariance (about the mean of the VAE).

    Exact. The divergence assumes Gaussian data; the terms of the ELBO loss do not.

    Parameters
    ----------
    vae : LinearVAE
    covariance : (D, D) array
    divergence, prior, scale : as for `aggregate_divergence`

    Returns
    -------
    RegularisedTerms

    Raises
    ------
    ValueError
        if an argument is out of its range.

    Notes
    -----
    The objective is that of Mathieu et al. (2019), as a loss to be minimised.

    Examples
    --------
    >>> from theory import optimum
    >>> from theory.priors import regularised_terms
    >>> vae = optimum([[3.0]], 1, noise_variance=0.5).vae
    >>> round(regularised_terms(vae, [[4.0]]).divergence, 4)
    0.0139
    """
    vae = linear_vae("vae", vae)
    covariance = validation.covariance_matrix("covariance", covariance, vae.data_dim)
    within("covariance", covariance, LONGEST**2)
    elbo = elbo_terms(vae, covariance, prior=prior)
    code = vae.encoder @ covariance @ vae.encoder.T + vae.posterior_covariance
    code = (code + code.T) / 2
    value = aggregate_divergence(code, prior, divergence=divergence, scale=scale)
    # The code's covariance can be singular up to rounding even if signal and posterior covariance are not.
    if divergence == "exclusive":
        value = elbo.aggregate_kl
    if divergence == "inclusive" and not gaussian.is_clearer(code, vae.posterior_covariance):
        value = _inclusive_of_parts(vae, covariance, prior_covariance(prior, vae.latent_dim))
    return RegularisedTerms(elbo, value)


def _inclusive_of_parts(vae: LinearVAE, covariance: np.ndarray, prior: np.ndarray) -> float:
    """KL(p || q(z)), where C = F F^T + Q, F = V S^(1/2), is closer to singular than the factor L of Q = L L^T.

    tr(C^-1 Pi) = sum_i |u_i^T L^-1 Pi^(1/2)|^2 / (1 + s_i^2), s_i and u_i the singular values and vectors of L^-1 F.
    """
    root = vae.encoder @ gaussian.covariance_root(covariance)
    factor = gaussian.cholesky(vae.posterior_covariance)
    _, singular, axes = principal_axes(gaussian.solve_lower(factor, root).T)
    seen = axes.T @ gaussian.solve_lower(factor, gaussian.cholesky(prior))
    spread = np.sum((seen / np.hypot(1, singular)[:, np.newaxis]) ** 2)
    log_ratio = gaussian.log_determinant_of_sum(root, vae.posterior_covariance) - gaussian.log_determinant(prior)
    return max(0.0, float(spread - vae.latent_dim + log_ratio) / 2)


def regularised_encoder(
    decoder,
    covariance,
    noise_variance: float,
    beta: float,
    alpha: float,
    *,
    divergence: str = "inclusive",
    posterior: Posterior = "diagonal",
    prior=None,
    scale: float = 1.0,
) -> RegularisedEncoder:
    """The encoder that minimises the loss for a fixed decoder, by numerical search.

    A local minimum: the search (BFGS, exact gradients) starts at the best encoder for alpha = 0 and prior N(0, I).

    Parameters
    ----------
    decoder : (D, K) array
    covariance : (D, D) array
    noise_variance, beta : float > 0
    alpha : float >= 0
    divergence, prior, scale : as for `aggregate_divergence`
    posterior : "diagonal", "full", or a list of groups of latents

    Returns
    -------
    RegularisedEncoder

    Raises
    ------
    ValueError
        if an argument is out of its range.

    Examples
    --------
    >>> from theory.priors import regularised_encoder
    >>> result = regularised_encoder([[1.0]], [[3.0]], noise_variance=0.5, beta=1.0, alpha=10.0)
    >>> round(result.terms.divergence, 4)
    0.002
    """
    alpha = float(within("alpha", validation.non_negative("alpha", alpha), LONGEST**2))
    beta, noise_variance = validation.scale("beta", beta), validation.scale("noise_variance", noise_variance)
    kind = validation.choice("divergence", divergence, DIVERGENCES)
    scale = validation.scale("scale", scale)
    decoder = within("decoder", validation.matrix("decoder", decoder), LONGEST)
    start = optimal_encoder(decoder, noise_variance, beta, posterior=posterior)
    if start.latent_dim == 0:  # nothing to search
        terms = regularised_terms(start, covariance, divergence=kind, scale=scale)
        return RegularisedEncoder(start, terms, terms.loss(beta, alpha), 0.0)
    covariance = validation.covariance_matrix("covariance", covariance, start.data_dim)
    within("covariance", covariance, LONGEST**2)
    prior = prior_covariance(prior, start.latent_dim)
    # The loss does not depend on directions in which the data do not vary: the search leaves them out.
    variances, directions = np.linalg.eigh(covariance)
    seen = variances > validation.rank_tolerance(variances)
    root = directions[:, seen] * np.sqrt(variances[seen])
    latent_dim = start.latent_dim
    shape = latent_dim, root.shape[1]
    below = np.tril(partition_mask(partition(posterior, latent_dim), latent_dim), -1)
    gradient_of = _gradient(start.decoder, root, noise_variance, beta, alpha, prior, kind, scale)

    def unpack(parameters):
        signal, logarithms, lower = np.split(parameters, [shape[0] * shape[1], shape[0] * shape[1] + latent_dim])
        factor = np.diag(np.exp(logarithms))
        factor[below] = lower
        return signal.reshape(shape), factor

    def objective(parameters):
        signal, factor = unpack(parameters)
        value, by_signal, by_factor = gradient_of(signal, factor)
        by_logarithms = np.diagonal(by_factor) * np.diagonal(factor) - beta
        return value, np.concatenate([by_signal.ravel(), by_logarithms, by_factor[below]])

    factor = np.linalg.cholesky(start.posterior_covariance)
    first = np.concatenate([(start.encoder @ root).ravel(), np.log(np.diagonal(factor)), factor[below]])
    with np.errstate(over="ignore", invalid="ignore"):  # refused afterwards
        try:
            result = minimize(objective, first, jac=True, method="BFGS", options={"gtol": 1e-9, "maxiter": 10_000})
        except np.linalg.LinAlgError:  # a code that is not positive definite to rounding
            raise _overflow() from None
    if not (np.isfinite(result.fun) and np.isfinite(result.jac).all()):
        raise _overflow()
    signal, factor = unpack(result.x)
    encoder = signal / variances[seen] @ root.T
    vae = LinearVAE(start.decoder, encoder, factor @ factor.T, start.noise_variance)
    terms = regularised_terms(vae, covariance, divergence=kind, prior=prior, scale=scale)
    return RegularisedEncoder(vae, terms, terms.loss(beta, alpha), float(np.abs(result.jac).max()))


def _overflow() -> ValueError:
    """The error to raise where a search leaves the range of floats."""
    return ValueError(
        "decoder, covariance, noise_variance, beta and alpha are too different in size: the loss overflows; change "
        "the units of the data"
    )


def _gradient(decoder, root, noise_variance, beta, alpha, prior, divergence, scale) -> Callable:
    """A function of F = V S^(1/2) and a triangle L, Q = L L^T: the loss up to a constant, and its slopes in both.

    The slope in L is without that of -beta log det L, which is -beta in the logarithm of each entry on the diagonal.
    """
    cross = decoder.T @ root / noise_variance
    of_code = decoder.T @ decoder / (2 * noise_variance) + beta / 2 * np.linalg.inv(prior)

    def evaluate(signal, factor):
        code = signal @ signal.T + factor @ factor.T
        loss = np.sum(of_code * code) - np.sum(cross * signal) - beta * np.log(np.diagonal(factor)).sum()
        by_code = of_code
        if alpha:
            value, slope = divergence_and_slope(code, prior, divergence, scale)
            loss, by_code = loss + alpha * value, of_code + alpha * slope
        return loss, 2 * by_code @ signal - cross, 2 * by_code @ factor

    return evaluate
