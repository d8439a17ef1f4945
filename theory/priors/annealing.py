"""The weight beta as an annealed prior with an entropy bonus, and as a rescaling of the latents.

With F = integral p(z)^beta dz finite and f = p^beta / F, for every encoder q and decoder

    -loss = E log p(x|z) - beta KL(q || p)  =  E log p(x|z) - KL(q || f) + (beta - 1) H[q(z|x)] + log F.

For a prior N(0, Pi) and q = N(mu, Q), f is N(0, Pi / beta); and scaling the latents, z' = sqrt(beta) z, gives the same
objective as the weight 1 with the same prior, plus a bonus on the volume of the posterior:

    -loss = L' + ((beta - 1)/2) log det(beta Q) + c,    c = (K (beta - 1)/2) (1 + log(2 pi / beta)) + log F,

with L' = -loss at weight 1 of the VAE with decoder W / sqrt(beta), encoder sqrt(beta) V and covariance beta Q.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theory import gaussian, validation
from theory.model import LinearVAE, linear_vae
from theory.moments import as_moments
from theory.objective import elbo_terms, prior_covariance
from theory.priors.arguments import LONGEST, within
from theory.priors.quadrature import log_gamma_step

__all__ = [
    "AnnealedTerms",
    "RescaledTerms",
    "annealed_terms",
    "gaussian_log_normaliser",
    "rescale",
    "rescaled_terms",
    "student_log_normaliser",
]


@dataclass(frozen=True)
class AnnealedTerms:
    """The objective as weight 1 on an annealed prior; `loss` is computed from its parts, in nats.

    Attributes
    ----------
    reconstruction : float
        -E log p(x|z).
    annealed_kl : float
        E_x KL(q(z|x) || f), f = p^beta / F.
    entropy : float
        H[q(z|x)].
    log_normaliser : float
        log F.
    beta : float

    Examples
    --------
    >>> from theory import optimum
    >>> from theory.priors import annealed_terms
    >>> terms = annealed_terms(optimum([[3.0]], 1, noise_variance=0.5).vae, [[3.0]], beta=2.0)
    >>> round(terms.annealed_kl, 4), round(float(terms.entropy), 4), round(terms.log_normaliser, 4)
    (1.0493, 0.5231, -1.2655)
    """

    reconstruction: float
    annealed_kl: float
    entropy: float
    log_normaliser: float
    beta: float

    @property
    def loss(self) -> float:
        """reconstruction + annealed_kl - (beta - 1) entropy - log F, in nats."""
        return self.reconstruction + self.annealed_kl - (self.beta - 1) * self.entropy - self.log_normaliser


@dataclass(frozen=True)
class RescaledTerms:
    """The objective as weight 1 on latents scaled by sqrt(beta); `loss` is computed from its parts, in nats.

    Attributes
    ----------
    unit_loss : float
        the loss at weight 1 of the rescaled VAE.
    volume : float
        log det(beta Q).
    constant : float
        c = (K (beta - 1)/2) (1 + log(2 pi / beta)) + log F; it depends only on the prior and beta.
    beta : float

    Examples
    --------
    >>> from theory import optimum
    >>> from theory.priors import rescaled_terms
    >>> terms = rescaled_terms(optimum([[3.0]], 1, noise_variance=0.5).vae, [[3.0]], beta=2.0)
    >>> round(terms.unit_loss, 4), round(terms.volume, 4), round(terms.loss, 4)
    (2.1217, -1.0986, 2.8641)
    """

    unit_loss: float
    volume: float
    constant: float
    beta: float

    @property
    def loss(self) -> float:
        """unit_loss - ((beta - 1)/2) volume - constant, in nats."""
        return self.unit_loss - (self.beta - 1) / 2 * self.volume - self.constant


def annealed_terms(vae: LinearVAE, covariance, beta: float, *, prior=None) -> AnnealedTerms:
    """The parts of the right side of the identity; their `loss` equals `elbo_terms(..., prior=prior).loss(beta)`.

    Exact, for any data with this covariance and any Gaussian prior.

    Parameters
    ----------
    vae : LinearVAE
    covariance : (D, D) array, or Moments
    beta : float from 1e-100 to 1e100
    prior : (K, K) array, optional
        covariance of the prior N(0, Pi), positive definite; the identity by default.

    Returns
    -------
    AnnealedTerms

    Raises
    ------
    ValueError
        if beta is not positive, or `covariance` or `prior` is not a covariance matrix.

    Notes
    -----
    Mathieu et al. (2019), Theorem 1.

    Examples
    --------
    >>> from theory import elbo_terms, optimum
    >>> from theory.priors import annealed_terms
    >>> covariance = [[3.0, 0.0], [0.0, 1.0]]
    >>> vae = optimum(covariance, 2, noise_variance=0.5).vae
    >>> round(float(annealed_terms(vae, covariance, 2.0).loss), 4), round(elbo_terms(vae, covariance).loss(2.0), 4)
    (4.6296, 4.6296)
    """
    beta = validation.scale("beta", beta)
    vae = linear_vae("vae", vae)
    within("covariance", as_moments(covariance).covariance, LONGEST**2)
    prior = prior_covariance(prior, vae.latent_dim)
    terms = elbo_terms(vae, covariance, prior=prior / beta)
    return AnnealedTerms(
        reconstruction=terms.reconstruction,
        annealed_kl=terms.rate,
        entropy=gaussian.entropy(vae.posterior_covariance),
        log_normaliser=gaussian_log_normaliser(prior, beta),
        beta=beta,
    )


def rescale(vae: LinearVAE, beta: float) -> LinearVAE:
    """The same VAE with latents sqrt(beta) z: decoder W / sqrt(beta), encoder sqrt(beta) V, covariance beta Q.

    Examples
    --------
    >>> from theory import optimum
    >>> from theory.priors import rescale
    >>> vae = optimum([[3.0]], 1, noise_variance=0.5).vae
    >>> vae.posterior_covariance.round(3), rescale(vae, 4.0).posterior_covariance.round(3)
    (array([[0.167]]), array([[0.667]]))
    """
    vae = linear_vae("vae", vae)
    root = np.sqrt(beta := validation.scale("beta", beta))
    return LinearVAE(
        vae.decoder / root, root * vae.encoder, beta * vae.posterior_covariance, vae.noise_variance, vae.mean
    )


def rescaled_terms(vae: LinearVAE, covariance, beta: float, *, prior=None) -> RescaledTerms:
    """The parts of the Gaussian corollary; their `loss` equals `elbo_terms(..., prior=prior).loss(beta)`.

    Exact. Parameters and errors as for `annealed_terms`.

    Notes
    -----
    Mathieu et al. (2019), the corollary of Theorem 1 for Gaussian priors and encoders.

    Examples
    --------
    >>> from theory import elbo_terms, optimum
    >>> from theory.priors import rescaled_terms
    >>> covariance = [[3.0, 0.0], [0.0, 1.0]]
    >>> vae = optimum(covariance, 2, noise_variance=0.5).vae
    >>> round(float(rescaled_terms(vae, covariance, 2.0).loss), 4), round(elbo_terms(vae, covariance).loss(2.0), 4)
    (4.6296, 4.6296)
    """
    beta = validation.scale("beta", beta)
    vae = linear_vae("vae", vae)
    within("covariance", as_moments(covariance).covariance, LONGEST**2)
    prior = prior_covariance(prior, vae.latent_dim)
    scaled = rescale(vae, beta)
    constant = vae.latent_dim * (beta - 1) / 2 * (1 + np.log(2 * np.pi / beta))
    return RescaledTerms(
        unit_loss=elbo_terms(scaled, covariance, prior=prior).loss(1.0),
        volume=gaussian.log_determinant(scaled.posterior_covariance),
        constant=float(constant + gaussian_log_normaliser(prior, beta)),
        beta=beta,
    )


def gaussian_log_normaliser(prior, beta: float) -> float:
    """log F for p = N(0, Pi): ((1 - beta)/2) (K log 2 pi + log det Pi) - (K/2) log beta, finite for every beta > 0.

    Exact. Parameters as for `annealed_terms`; a `ValueError` for a beta or a covariance out of range.

    Examples
    --------
    >>> from theory.priors import gaussian_log_normaliser
    >>> round(gaussian_log_normaliser([[1.0]], beta=2.0), 4)
    -1.2655
    """
    beta = validation.scale("beta", beta)
    prior = prior_covariance(prior)
    latent_dim = len(prior)
    log_scale = latent_dim * np.log(2 * np.pi) + gaussian.log_determinant(prior)
    return float((1 - beta) / 2 * log_scale - latent_dim / 2 * np.log(beta))


def student_log_normaliser(degrees_of_freedom: float, beta: float, *, latent_dim: int = 1) -> float:
    """log F for a product of Student-t densities; infinite unless beta (nu + 1) > 1.

    log F = K { (1 - beta)/2 log(nu pi) + beta [log Gamma((nu+1)/2) - log Gamma(nu/2)] + log Gamma(b) - log Gamma(b +
    1/2) } with b = (beta (nu + 1) - 1)/2 > 0: annealing makes tails heavier for beta < 1, until the annealed prior
    cannot be normalised and the identity of `annealed_terms` no longer makes sense. Exact.

    Parameters
    ----------
    degrees_of_freedom, beta : float from 1e-100 to 1e100, nu and beta
    latent_dim : int, K

    Returns
    -------
    float, in nats

    Raises
    ------
    ValueError
        if an argument is out of its range.

    Notes
    -----
    The condition is that of Mathieu et al. (2019), Theorem 1, that F be finite.

    Examples
    --------
    >>> from theory.priors import student_log_normaliser
    >>> round(student_log_normaliser(3.0, beta=2.0), 4), student_log_normaliser(3.0, beta=0.25)
    (-1.4709, inf)
    """
    nu = validation.scale("degrees_of_freedom", degrees_of_freedom)
    beta = validation.scale("beta", beta)
    latent_dim = validation.count("latent_dim", latent_dim)
    if latent_dim == 0:
        return 0.0
    excess = (beta * nu + (beta - 1)) / 2
    if excess <= 0:
        return np.inf
    # log p(0) and the log of the integral of (1 + y^2 / nu)^-(excess + 1/2), each relative to sqrt(nu pi).
    at_zero, integral = log_gamma_step(nu / 2), -log_gamma_step(excess)
    return float(latent_dim * ((1 - beta) / 2 * np.log(nu * np.pi) + beta * at_zero + integral))
