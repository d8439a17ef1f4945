"""The definition of the objective, part by part. Every other loss in `theory` is tested against this one.

It is derived on the page elbo-parts. Other modules write it in other forms. In `theory`: `inference.decoder_noise` as a
function of the water level, `groups.objective` by determinants with a weight on each part, `groups.fixed_decoder` in
coordinates of a fixed decoder, `priors.annealing` and `priors.regularised` with another prior or penalty. In
`numerics`, for training: `kernels.objective` (exact), `kernels.minibatch` (sampled), `training.halves` (with the best
encoder or decoder inserted), `priors.problem` (other priors).

**Loss.** For a `LinearVAE` (W, V, Q, s2, mean m) and the prior N(0, I)

    loss = E_x[ -E_q log p(x|z) + beta KL(q(z|x) || p(z)) ]
         = distortion / (2 s2) + (D/2) log(2 pi s2) + beta rate

**Parts.** For data of covariance S and the same mean, with C = V S V^T + Q the covariance of the aggregate posterior
q(z):

    distortion = E ||x - m - W z||^2 = tr S - 2 tr(W V S) + tr(W C W^T)
    rate       = E_x KL              = 1/2 [ tr C - K - log det Q ]
               = I(x; z) + TC(z) + sum_j KL(q(z_j) || p(z_j))

Exact for any data distribution with these two moments, Gaussian or not, except for the parts of the rate: mutual
information, total correlation and dimension-wise KL are those of Gaussian data.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theory import gaussian, validation
from theory.model import LinearVAE, linear_vae, mean_offset
from theory.moments import Moments, as_moments

__all__ = ["ElboTerms", "elbo_terms", "loss_from_parts", "loss_of_checked", "prior_covariance", "terms_and_signal"]


@dataclass(frozen=True)
class ElboTerms:
    """The parts of the objective; every rate in nats.

    Attributes
    ----------
    distortion : float
        expected squared error E ||x - m - W z||^2, in squared units of the data. (Some of the VAE literature uses the
        word for -E log p(x|z), which here is `reconstruction`.)
    rate : float
        expected KL(q(z|x) || p(z)).
    mutual_information, total_correlation, dimension_wise_kl : float
        the parts of the rate: I(x; z), the total correlation of q(z), and the sum of KL(q(z_j) || p(z_j)).
    aggregate_kl : float
        KL(q(z) || p(z)) = rate - mutual_information; equal to total_correlation + dimension_wise_kl if and only if the
        prior is independent across latents.
    reconstruction : float
        -E log p(x|z) = distortion / (2 s2) + (D/2) log(2 pi s2).

    Examples
    --------
    >>> from theory import elbo_terms, optimum
    >>> terms = elbo_terms(optimum([[3.0, 0.0], [0.0, 1.0]], 1, noise_variance=0.5).vae, [[3.0, 0.0], [0.0, 1.0]])
    >>> round(terms.distortion, 3), round(terms.rate, 3), round(terms.mutual_information, 3)
    (1.5, 0.896, 0.896)
    """

    distortion: float
    rate: float
    mutual_information: float
    total_correlation: float
    dimension_wise_kl: float
    aggregate_kl: float
    reconstruction: float

    def loss(self, beta: float) -> float:
        """The objective at weight `beta` of the KL term, in nats: reconstruction + beta rate."""
        return self.reconstruction + validation.scale("beta", beta) * self.rate


def loss_from_parts(distortion, rate, noise_variance, beta, data_dim: int):
    """The objective from its two parts: distortion / (2 s2) + (D/2) log(2 pi s2) + beta rate, in nats.

    Numbers or arrays that broadcast; `distortion` >= 0, `noise_variance` and `beta` > 0.

    Raises
    ------
    ValueError
        for a noise or beta that is not positive, shapes that do not broadcast, or a result beyond the range of floats.
    """
    parts = {"distortion": distortion, "rate": rate, "noise_variance": noise_variance, "beta": beta}
    parts = {name: validation.real_array(name, values) for name, values in parts.items()}
    for name in ("noise_variance", "beta"):
        validation.positive_array(name, parts[name])
    try:
        np.broadcast_shapes(*(values.shape for values in parts.values()))
    except ValueError:
        shapes = ", ".join(f"{name} {values.shape}" for name, values in parts.items())
        raise ValueError(
            f"distortion, rate, noise_variance and beta must broadcast, got shapes {shapes}; pass numbers, or "
            "arrays of one shape"
        ) from None
    return loss_of_checked(**parts, data_dim=validation.count("data_dim", data_dim))


def loss_of_checked(distortion, rate, noise_variance, beta, data_dim: int):
    """`loss_from_parts` of arguments that are checked already: arrays that broadcast, noise and beta positive."""
    with np.errstate(over="ignore", invalid="ignore"):
        loss = np.asarray(_reconstruction(distortion, noise_variance, data_dim) + beta * rate)
    if not np.isfinite(loss).all():
        largest = [np.max(np.abs(part), initial=0) for part in (distortion, rate, noise_variance, beta)]
        raise ValueError(
            "distortion, rate, noise_variance and beta must be finite and of sizes that give a finite loss, their "
            f"largest are {', '.join(f'{size:.3g}' for size in largest)}"
        )
    return loss[()]


def elbo_terms(vae: LinearVAE, covariance, *, prior=None) -> ElboTerms:
    """Every part of the objective of a VAE on data with the given covariance.

    Parameters
    ----------
    vae : LinearVAE
    covariance : (D, D) array, or Moments
        with `Moments` a difference between the mean of the data and `vae.mean` counts too; a bare covariance is taken
        to be about the mean of the VAE.
    prior : (K, K) array, optional
        covariance of a Gaussian prior N(0, Pi), positive definite; the identity by default.

    Returns
    -------
    ElboTerms

    Raises
    ------
    ValueError
        if `covariance` is not a covariance matrix of the VAE's data dimension.

    Examples
    --------
    >>> from theory import elbo_terms, optimum
    >>> best = optimum([[3.0, 0.0], [0.0, 1.0]], 1, noise_variance=0.5)
    >>> round(elbo_terms(best.vae, [[3.0, 0.0], [0.0, 1.0]]).loss(1.0), 6), round(best.loss, 6)
    (3.54061, 3.54061)
    """
    return terms_and_signal(vae, covariance, prior)[0]


def terms_and_signal(vae: LinearVAE, covariance, prior) -> tuple[ElboTerms, np.ndarray]:
    """The terms of `elbo_terms`, and F of shape (K, rank) with F F^T = V S V^T (of the posterior means)."""
    linear_vae("vae", vae)
    moments = as_moments(covariance)
    offset = mean_offset(vae, covariance)
    is_standard, prior = prior is None, prior_covariance(prior, vae.latent_dim)

    decoder, encoder, posterior = vae.decoder, vae.encoder, vae.posterior_covariance
    with np.errstate(over="ignore", invalid="ignore"):
        signal, lost, root = _signal_and_loss(vae, moments)
        code, code_mean = (signal + signal.T) / 2 + posterior, encoder @ offset
        residual = offset - decoder @ code_mean
        # E ||x - m - W z||^2 as a sum of squares, as tr S - 2 tr(W V S) + tr(W C W^T) cancels when little is lost.
        factor = gaussian.cholesky(posterior)
        distortion = lost + np.sum((decoder @ factor) ** 2) + residual @ residual
        reconstruction = _reconstruction(distortion, vae.noise_variance, vae.data_dim)
    if not (np.isfinite(reconstruction) and np.isfinite(code).all() and np.isfinite(code_mean).all()):
        raise ValueError(
            "vae must not have weights so large against the covariance that the objective overflows; scale the latents"
        )
    mutual_information = gaussian.information(root, posterior)
    log_det_code = gaussian.log_determinant_of_sum(root, posterior)
    log_det_prior, parts = 0.0, np.column_stack([root, factor, code_mean])
    if not is_standard:
        prior_root = gaussian.cholesky(prior)
        log_det_prior, parts = 2 * np.log(np.diagonal(prior_root)).sum(), gaussian.solve_lower(prior_root, parts)
    spread = np.sum(parts**2)  # tr Pi^-1 (C + m m^T)
    aggregate_kl = max(0.0, float(spread - vae.latent_dim + log_det_prior - log_det_code) / 2)
    terms = ElboTerms(
        distortion=float(distortion),
        rate=mutual_information + aggregate_kl,
        mutual_information=mutual_information,
        total_correlation=max(0.0, float(np.log(np.diagonal(code)).sum() - log_det_code) / 2),
        dimension_wise_kl=_dimension_wise_kl(code_mean, np.diagonal(code), np.diagonal(prior)),
        aggregate_kl=aggregate_kl,
        reconstruction=float(reconstruction),
    )
    return terms, root


def _signal_and_loss(vae: LinearVAE, moments: Moments) -> tuple[np.ndarray, float, np.ndarray]:
    """The covariance V S V^T of the posterior means, E ||(I - W V)(x - m)||^2, and F with F F^T = V S V^T."""
    decoder, encoder = vae.decoder, vae.encoder
    if moments.are_few and moments.data_dim == vae.data_dim:  # S = X^T X, fewer rows than D
        rows = moments.rows.dense() / np.sqrt(moments.count)
        root = (rows @ encoder.T).T
        return root @ root.T, np.sum((rows - root.T @ decoder.T) ** 2), root
    covariance = validation.covariance_matrix("covariance", moments.covariance, vae.data_dim)
    leak = np.eye(vae.data_dim) - decoder @ encoder
    lost = np.sum((leak @ covariance) * leak)
    return encoder @ covariance @ encoder.T, lost, encoder @ gaussian.covariance_root(covariance)


def prior_covariance(prior, latent_dim: int | None = None, name: str = "prior") -> np.ndarray:
    """The covariance of a Gaussian prior, checked to be positive definite; `None` stands for the identity.

    Raises
    ------
    ValueError
        for a matrix that is singular by the rule of `gaussian.unit_spectrum`, or variances beyond 1e-100 to 1e100.
    """
    if prior is None and latent_dim is not None:
        return np.eye(latent_dim)
    prior = validation.covariance_matrix(name, prior, latent_dim)
    variances, decades = np.diagonal(prior), validation.VARIANCE_DECADES
    if not np.all((variances >= 10.0**-decades) & (variances <= 10.0**decades)):
        raise ValueError(
            f"{name} must be positive definite with variances between 1e-{decades} and 1e{decades}, got "
            f"{variances.min():.3g} to {variances.max():.3g}; change the units of the latents, or remove latents with "
            "zero prior variance"
        )
    if not gaussian.is_positive_definite(prior):
        raise ValueError(
            f"{name} must be positive definite, its smallest eigenvalue is {np.linalg.eigvalsh(prior)[0]:.3g}; remove "
            "latents that depend on others"
        )
    return prior


def _reconstruction(distortion, noise_variance, data_dim: int):
    return distortion / (2 * noise_variance) + data_dim / 2 * np.log(2 * np.pi * noise_variance)


def _dimension_wise_kl(mean: np.ndarray, variance: np.ndarray, prior_variance: np.ndarray) -> float:
    ratio = variance / prior_variance
    return float((ratio - 1 - np.log(ratio) + mean**2 / prior_variance).sum() / 2)
