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
from theory.model import LinearVAE, linear_vae, mean_offset
from theory.moments import as_moments
from theory.objective import elbo_terms, prior_covariance
from theory.priors.arguments import LONGEST, within
from theory.priors.gaussian import gaussian_log_normaliser
from theory.priors.protocol import Prior, checked_prior

__all__ = [
    "AnnealedTerms",
    "RescaledTerms",
    "annealed_terms",
    "rescale",
    "rescaled_terms",
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
    """The parts of the right side of the identity, for a Gaussian prior or any other whose normaliser is known.

    For a Gaussian prior their `loss` equals `elbo_terms(..., prior=prior).loss(beta)`. Exact: for any data with this
    covariance if the prior is Gaussian, else for Gaussian data.

    Parameters
    ----------
    vae : LinearVAE
    covariance : (D, D) array, or Moments
    beta : float from 1e-100 to 1e100
    prior : (K, K) array, or Prior, optional
        the covariance of the prior N(0, Pi), positive definite (the identity by default); or a prior with the method
        `log_normaliser(beta)`.

    Returns
    -------
    AnnealedTerms

    Raises
    ------
    ValueError
        if beta is not positive, a covariance is not valid, or the annealed prior cannot be normalised.

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
    entropy = gaussian.entropy(vae.posterior_covariance)
    if prior is not None and hasattr(prior, "log_density"):
        prior = checked_prior("prior", prior)
        terms = elbo_terms(vae, covariance)
        log_normaliser = _log_normaliser(prior, beta, vae.latent_dim)
        annealed_kl = log_normaliser - entropy - beta * _expected_log_prior(prior, vae, covariance)
    else:
        prior = prior_covariance(prior, vae.latent_dim)
        terms = elbo_terms(vae, covariance, prior=prior / beta)
        log_normaliser, annealed_kl = gaussian_log_normaliser(prior, beta), terms.rate
    return AnnealedTerms(
        reconstruction=terms.reconstruction,
        annealed_kl=annealed_kl,
        entropy=entropy,
        log_normaliser=log_normaliser,
        beta=beta,
    )


def _log_normaliser(prior: Prior, beta: float, latent_dim: int) -> float:
    """log F of a prior that says so, if it is finite."""
    if prior.latent_dim != latent_dim:
        raise ValueError(f"prior must have the {latent_dim} latents of vae, got {prior.latent_dim}; pass such a prior")
    if not hasattr(prior, "log_normaliser"):
        raise ValueError(
            f"prior must have the method log_normaliser(beta), the logarithm of the integral of p^beta, which "
            f"{type(prior).__name__} lacks; pass a prior with that method, or define it"
        )
    value = float(prior.log_normaliser(beta))
    if not np.isfinite(value):
        raise ValueError(f"beta must leave the annealed prior a normaliser, got {beta}; pass a larger beta")
    return value


def _expected_log_prior(prior: Prior, vae: LinearVAE, covariance) -> float:
    """E log p(z) over the aggregate code of Gaussian data of covariance S, which is N(V offset, V S V^T + Q)."""
    code = vae.encoder @ as_moments(covariance).covariance @ vae.encoder.T + vae.posterior_covariance
    return prior.expected_log_density(vae.encoder @ mean_offset(vae, covariance), (code + code.T) / 2)


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
