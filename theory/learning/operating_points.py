"""Where on its curve of rate and distortion the optimal VAE works: at a beta, or at the beta that holds a rate.

The optimum is a point of water-filling with the level t = beta s2, whatever beta and s2 are by themselves. A rate or a
distortion fixes t: with the K modes that have a latent it is the level of Shannon's curve of these modes, whose
distortion is that of the VAE without the variance sum_{i > K} l_i of the other modes. Then

    fixed noise    beta = t / s2;
    learned noise  s2 = distortion / D, so that beta = D t / distortion.

A rate that is held at C nats is the capacity of the encoder, as in Burgess et al. (2018), who hold it by a penalty on
|KL - C|; here it is the beta of the plain objective whose optimum has this rate. Exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theory import validation
from theory.learning.learned_noise import checked_noise, noise_at, thresholds
from theory.learning.water_filling import reverse_water_filling, water_level_for_distortion, water_level_for_rate
from theory.spectrum import Spectrum

__all__ = ["OperatingPoint", "beta_for_distortion", "beta_for_rate", "operating_point"]


@dataclass(frozen=True, eq=False)
class OperatingPoint:
    """The optimal VAE at a beta, without its matrices; each field a number, or an array.

    Attributes
    ----------
    beta : float
    noise_variance : float, s2
    noise_status : str
        "fixed"; "learned" (one minimiser); "undetermined" (every noise up to l_r / beta is optimal, r the rank: given
        is the one that has the rate or distortion asked for, or else the largest); or "zero" (the loss falls without
        bound as the noise vanishes, and the limit is given).
    water_level : float, t = beta s2
    active_count : int
    rate : float, nats
    distortion : float, squared units of the data

    Examples
    --------
    >>> from theory import operating_point
    >>> operating_point([3.0, 2.0, 1.0], latent_dim=2, beta=[1.1, 1.3]).active_count
    array([2, 1])
    """

    beta: float | np.ndarray
    noise_variance: float | np.ndarray
    noise_status: str | np.ndarray
    water_level: float | np.ndarray
    active_count: int | np.ndarray
    rate: float | np.ndarray
    distortion: float | np.ndarray


def operating_point(eigenvalues, latent_dim: int, beta, noise_variance="learned") -> OperatingPoint:
    """Rate, distortion and noise of the optimal VAE at each beta: `optimum_curve` from the eigenvalues alone.

    Parameters
    ----------
    eigenvalues : (D,) array, of the data covariance, in any order; or the covariance, or Moments
        as for `critical_betas`.
    latent_dim : int, K
    beta : float or array > 0
    noise_variance : "learned" or float > 0

    Returns
    -------
    OperatingPoint, of the shape of `beta`

    Raises
    ------
    ValueError
        for a negative eigenvalue, or an argument out of its range.

    Examples
    --------
    >>> from theory import operating_point
    >>> operating_point([3.0, 2.0, 1.0], latent_dim=2, beta=[0.5, 1.3], noise_variance=2.0).rate.round(3)
    array([0.896, 0.072])
    """
    spectrum, beta = Spectrum.computed(eigenvalues), validation.scales("beta", beta)
    latent_dim = validation.count("latent_dim", latent_dim, bytes_each=32)
    noise = checked_noise(noise_variance)
    found = noise_at(spectrum, thresholds(spectrum, latent_dim, noise), beta, noise)
    point = reverse_water_filling(spectrum, latent_dim, np.asarray(found.water_level))
    return OperatingPoint(
        beta=beta[()],
        noise_variance=found.noise_variance,
        noise_status=found.status,
        water_level=found.water_level,
        active_count=found.active_count,
        **vars(point),
    )


def beta_for_rate(eigenvalues, latent_dim: int, rate, noise_variance="learned") -> OperatingPoint:
    """The beta at which the optimal VAE has a given rate, and its noise and distortion there.

    With q of the K latents active, log t = (1/q) sum_{i <= q} log l_i - 2 rate / q; beta follows from t as in the head
    of the module. Exact; the rate falls strictly with beta until total collapse, so that beta is unique for a positive
    rate. At rate zero it is the smallest such beta, that of total collapse.

    Parameters
    ----------
    eigenvalues : (D,) array, of the data covariance, in any order; or the covariance, or Moments
        as for `critical_betas`.
    latent_dim : int >= 1, K
    rate : float or array >= 0, in nats
    noise_variance : "learned" or float > 0

    Returns
    -------
    OperatingPoint, of the shape of `rate`
        status "undetermined" if every mode of the data has a latent (K >= rank r) and the rate is at least that at the
        level l_r: then beta = D / r for every such rate, and the loss is the same for all of them, so that training
        does not hold the rate.

    Raises
    ------
    ValueError
        for a rate that no beta in the range of floats has, and as `critical_betas`.

    Examples
    --------
    >>> from theory import beta_for_rate
    >>> point = beta_for_rate([3.0, 2.0, 1.0], latent_dim=2, rate=0.5)
    >>> round(float(point.beta), 4), round(float(point.noise_variance), 4)
    (1.1223, 1.3238)
    """
    spectrum, latent_dim, noise = _checked(eigenvalues, latent_dim, noise_variance)
    level = water_level_for_rate(spectrum.eigenvalues[:latent_dim], rate)
    level = np.minimum(level, spectrum.eigenvalues[0])  # rounding may put it above at rate zero
    return _at_level(spectrum, latent_dim, noise, level, rate=rate)


def beta_for_distortion(eigenvalues, latent_dim: int, distortion, noise_variance="learned") -> OperatingPoint:
    """The beta at which the optimal VAE has a given expected squared error, and its noise and rate there.

    With q of the K latents active, t = (distortion - sum_{i > q} l_i) / q; beta follows from t as in the head of the
    module. Exact; at a distortion equal to the total variance it is the smallest such beta, that of total collapse.

    Parameters
    ----------
    eigenvalues : (D,) array, of the data covariance, in any order; or the covariance, or Moments
        as for `critical_betas`.
    latent_dim : int >= 1, K
    distortion : float or array, squared units of the data
        more than the variance beyond the K-th mode, which no beta removes, and at most the total variance.
    noise_variance : "learned" or float > 0

    Returns
    -------
    OperatingPoint, of the shape of `distortion`; "undetermined" as in `beta_for_rate`

    Raises
    ------
    ValueError
        for a distortion that no beta has, and as `critical_betas`.

    Examples
    --------
    >>> from theory import beta_for_distortion
    >>> beta_for_distortion([3.0, 2.0, 1.0], latent_dim=2, distortion=[2.0, 4.0], noise_variance=0.5).beta
    array([1., 3.])
    """
    spectrum, latent_dim, noise = _checked(eigenvalues, latent_dim, noise_variance)
    values = validation.real_array("distortion", distortion)
    least, total = spectrum.tail_sums[min(latent_dim, len(spectrum))], spectrum.tail_sums[0]
    rounding = len(spectrum) * np.finfo(float).eps * total  # a sum in another order may be the total
    outside = ~((values > least) & (values <= total + rounding))
    if outside.any():
        raise ValueError(
            f"distortion must be above {least:.6g}, the variance beyond the K-th mode, and at most {total:.6g}, the "
            f"total variance, got {values[outside][0]:.6g}; pass one between, or more latents"
        )
    level = water_level_for_distortion(spectrum.eigenvalues[:latent_dim], values - least)
    return _at_level(spectrum, latent_dim, noise, level, distortion=distortion)


def _checked(eigenvalues, latent_dim: int, noise_variance) -> tuple[Spectrum, int, float | str]:
    spectrum, noise = Spectrum.computed(eigenvalues), checked_noise(noise_variance)
    if not spectrum.rank:
        raise ValueError("eigenvalues must have one above zero: data without variance have the rate zero at every beta")
    return spectrum, validation.count("latent_dim", latent_dim, minimum=1), noise


def _at_level(spectrum: Spectrum, latent_dim: int, noise: float | str, level, **asked) -> OperatingPoint:
    """The point at a water level; of its rate and distortion, one is what was asked for."""
    level = np.asarray(level)
    ((name, value),) = asked.items()
    if (beyond := level < np.finfo(float).tiny).any():
        first = float(np.broadcast_to(value, level.shape)[beyond][0])
        raise ValueError(
            f"{name} must be one that a beta in the range of floats has, got {first:g}; pass "
            f"{'less' if name == 'rate' else 'more'}"
        )
    point = vars(reverse_water_filling(spectrum, latent_dim, level)) | {name: np.asarray(value, float)[()]}
    if noise == "learned":
        variance, rank = np.asarray(point["distortion"]) / len(spectrum), spectrum.rank
        undetermined = (rank <= latent_dim) & (level <= spectrum.eigenvalues[rank - 1])
        beta = np.where(undetermined, len(spectrum) / rank, level / variance)
        status = np.where(undetermined, "undetermined", "learned")
    else:
        variance, beta, status = np.full(level.shape, noise), level / noise, np.full(level.shape, "fixed")
    return OperatingPoint(
        beta=beta[()],
        noise_variance=variance[()],
        noise_status=status[()],
        water_level=level[()],
        active_count=np.count_nonzero(level[..., np.newaxis] < spectrum.eigenvalues[:latent_dim], axis=-1)[()],
        **point,
    )
