"""The polarized regime: active latents, with q(z_j|x) far narrower than the prior, and latents equal to the prior.

For codes z_j | x ~ N(mu_j, Q_jj) the divergence of a latent is (mu_j^2 + Q_jj - 1 - log Q_jj)/2. In the polarized
regime it is summed over the active latents only, without the small Q_jj,

    KL ~ 1/2 sum_active (mu_j^2 - log Q_jj - 1),

which is too small by half the sum of their Q_jj and by the divergence of all other latents. At the optimum (learned
decoder, water level t) Q_jj = t/l_j, E mu_j^2 = 1 - t/l_j, and the relative error is

    - sum_active (t/l_j) / sum_active log(l_j/t).

mu_j is Gaussian for Gaussian data, so the probability that a latent carries less than eps nats at a random x is that of
a chi-square variable with one degree of freedom.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from theory import validation
from theory.model import LinearVAE, linear_vae
from theory.moments import Moments, as_moments

__all__ = [
    "Activity",
    "PolarizedKL",
    "collapse_probability",
    "latent_activity",
    "polarized_kl",
    "polarized_relative_error",
]


@dataclass(frozen=True, eq=False)
class Activity:
    """How much each latent is used.

    Attributes
    ----------
    mean_variance : (K,) array, variance over x of the posterior mean mu_j
    order_parameter : (K,) array, var(mu_j) / (var(mu_j) + Q_jj), 0 to 1; at the optimum both are 1 - t/l_j
    active : (K,) boolean array, mean_variance above the threshold

    Examples
    --------
    >>> from theory import optimum
    >>> from theory.axes import latent_activity
    >>> covariance = [[3.0, 0.0], [0.0, 1.0]]
    >>> activity = latent_activity(optimum(covariance, 2, noise_variance=0.5).vae, covariance)
    >>> activity.count, activity.order_parameter.round(3)
    (2, array([0.833, 0.5  ]))
    """

    mean_variance: np.ndarray
    order_parameter: np.ndarray
    active: np.ndarray

    @property
    def count(self) -> int:
        """Number of active units."""
        return int(np.count_nonzero(self.active))


@dataclass(frozen=True)
class PolarizedKL:
    """The divergence summed over latents, in nats: exact, as taken in the polarized regime, and its relative error.

    `relative_error` is (approximate - exact) / exact, NaN where the exact value is zero.

    Examples
    --------
    >>> from theory import optimum
    >>> from theory.axes import polarized_kl
    >>> kl = polarized_kl(optimum([[3.0, 0.0], [0.0, 1.0]], 2, noise_variance=0.1).vae, [[3.0, 0.0], [0.0, 1.0]])
    >>> round(kl.exact, 3), round(kl.relative_error, 3)
    (2.852, -0.023)
    """

    exact: float
    approximate: float
    relative_error: float


def latent_activity(vae: LinearVAE, covariance, *, threshold: float = 0.01) -> Activity:
    """Active units, counted by the variance of the posterior mean, and the order parameter of each latent.

    Parameters
    ----------
    vae : LinearVAE
    covariance : (D, D) array, or Moments
    threshold : float >= 0
        of the variance of the mean; .01 is the usual choice, with zero every latent counts that is not constant.

    Returns
    -------
    Activity

    Raises
    ------
    ValueError
        if `covariance` is not a covariance matrix of the VAE's data dimension.

    Examples
    --------
    >>> from theory import optimum
    >>> from theory.axes import latent_activity
    >>> covariance = [[3.0, 0.0], [0.0, 0.2]]
    >>> latent_activity(optimum(covariance, 2, noise_variance=0.5).vae, covariance).active
    array([ True, False])
    """
    threshold = validation.non_negative("threshold", threshold)
    variance, _ = _code_mean(vae, covariance)
    widths = np.diagonal(vae.posterior_covariance)
    with np.errstate(over="ignore"):  # 1 / (1 + inf) is the right limit
        ratio = np.divide(widths, variance, out=np.full(len(widths), np.inf), where=variance > 0)
    return Activity(
        mean_variance=variance,
        order_parameter=1 / (1 + ratio),
        active=variance > threshold,
    )


def polarized_kl(vae: LinearVAE, covariance, *, active=None) -> PolarizedKL:
    """The expected divergence of the latents from N(0, 1), exact and as approximated in the polarized regime.

    Exact: sum over all latents of E_x KL(q(z_j|x) || p(z_j)), which is the rate if the posterior is diagonal.
    Approximate: 1/2 sum over the active ones of E mu_j^2 - log Q_jj - 1.

    Parameters
    ----------
    vae : LinearVAE
    covariance : (D, D) array, or Moments
    active : (K,) boolean array, optional
        by default those of `latent_activity`.

    Returns
    -------
    PolarizedKL

    Raises
    ------
    ValueError
        if an argument does not fit the VAE.

    Notes
    -----
    Exact for any data with these moments; the approximation is that of Rolinek et al. (2019).

    Examples
    --------
    >>> from theory import optimum
    >>> from theory.axes import polarized_kl
    >>> best = optimum([[3.0, 0.0], [0.0, 1.0]], 2, noise_variance=0.01)
    >>> round(polarized_kl(best.vae, [[3.0, 0.0], [0.0, 1.0]]).approximate, 3), round(best.rate, 3)
    (5.148, 5.154)
    """
    variance, mean = _code_mean(vae, covariance)
    if active is None:
        active = latent_activity(vae, covariance).active
    else:
        active = validation.mask("active", active, vae.latent_dim)
    widths = np.diagonal(vae.posterior_covariance)
    with np.errstate(over="ignore"):
        power = validation.finite_result("covariance", variance + mean**2)
        # Both parts are at least zero, and the second may fall below it by rounding.
        exact = float(np.sum(power + np.maximum(widths - 1 - np.log(widths), 0.0))) / 2
        approximate = float(np.sum((power - np.log(widths) - 1)[active])) / 2
    validation.finite_result("covariance", np.array([exact, approximate]))
    return PolarizedKL(exact, approximate, (approximate - exact) / exact if exact > 0 else np.nan)


def polarized_relative_error(eigenvalues, water_level: float, latent_dim: int | None = None) -> float:
    """The relative error of the polarized divergence at the optimum: - sum (t/l_j) / sum log(l_j/t), active latents.

    Parameters
    ----------
    eigenvalues : (D,) array >= 0, of the data covariance, in any order
    water_level : float > 0, t = beta * noise_variance
    latent_dim : int, optional
        K; by default the number of eigenvalues.

    Returns
    -------
    float
        negative: the approximation is too small. It vanishes like t/log(1/t) as t goes to zero and is unbounded as the
        last active latent approaches its threshold; NaN if none is active.

    Raises
    ------
    ValueError
        if an argument is out of its range.

    Notes
    -----
    Exact, for a decoder that is learned.

    Examples
    --------
    >>> from theory.axes import polarized_relative_error
    >>> round(polarized_relative_error([3.0, 1.0], water_level=0.1), 3)
    -0.023
    """
    eigenvalues = validation.stated_spectrum("eigenvalues", eigenvalues)
    level = validation.positive("water_level", water_level)
    used = eigenvalues if latent_dim is None else eigenvalues[: validation.count("latent_dim", latent_dim)]
    used = used[used > level]
    widths = level / used
    # log(l/t), also where t/l is below the range of floats
    logarithms = np.where(widths > 0.5, -np.log(np.maximum(widths, 0.5)), np.log(used) - np.log(level))
    return float(-np.sum(widths) / np.sum(logarithms)) if len(widths) else np.nan


def collapse_probability(vae: LinearVAE, covariance, epsilon: float) -> np.ndarray:
    """For each latent, the probability over x that KL(q(z_j|x) || p(z_j)) is below epsilon.

    With b = 2 eps + 1 + log Q_jj - Q_jj, m_j and v_j mean and variance of mu_j: P[mu_j^2 < b], for m_j = 0 the
    distribution function of chi-square with one degree of freedom at b / v_j; zero if b <= 0. A latent is
    (epsilon, delta)-collapsed if this is at least 1 - delta.

    Parameters
    ----------
    vae : LinearVAE
    covariance : (D, D) array, or Moments
        of Gaussian data; with `Moments` a difference between their mean and that of the VAE counts.
    epsilon : float >= 0, nats

    Returns
    -------
    (K,) array

    Raises
    ------
    ValueError
        if an argument is out of its range or does not fit the VAE.

    Notes
    -----
    Exact for Gaussian data.

    Examples
    --------
    >>> from theory import optimum
    >>> from theory.axes import collapse_probability
    >>> covariance = [[3.0, 0.0], [0.0, 0.2]]
    >>> collapse_probability(optimum(covariance, 2, noise_variance=0.5).vae, covariance, epsilon=0.5).round(3)
    array([0.177, 1.   ])
    """
    epsilon = validation.non_negative("epsilon", epsilon)
    variance, mean = _code_mean(vae, covariance)
    widths = np.diagonal(vae.posterior_covariance)
    bound = 2 * epsilon + 1 + np.log(widths) - widths
    reach, spread = np.sqrt(np.maximum(bound, 0.0)), np.sqrt(variance)
    mean = np.abs(mean)  # the tail that keeps its digits
    constant = spread == 0
    scale = np.where(constant, 1.0, spread)
    probability = ndtr((reach - mean) / scale) - ndtr((-reach - mean) / scale)
    return np.where(constant, (mean < reach).astype(float), probability)


def _code_mean(vae: LinearVAE, covariance) -> tuple[np.ndarray, np.ndarray]:
    """Variance and mean over x of the posterior mean of each latent."""
    vae = linear_vae("vae", vae)
    moments = as_moments(covariance)
    data_covariance = validation.covariance_matrix("covariance", moments.covariance, vae.data_dim)
    centred = vae.mean is None or not isinstance(covariance, Moments)
    with np.errstate(over="ignore", invalid="ignore"):
        variance = np.maximum(np.sum(vae.encoder * (vae.encoder @ data_covariance), axis=1), 0.0)
        mean = np.zeros(vae.latent_dim) if centred else vae.encoder @ (moments.mean - vae.mean)
    return validation.finite_result("covariance", variance), validation.finite_result("covariance", mean)
