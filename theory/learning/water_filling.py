"""The optimal VAE on Shannon's rate-distortion curve of a Gaussian source.

Reverse water-filling: at water level t a mode of variance l_i has the distortion min(l_i, t) and the rate
1/2 log+ (l_i / t). The optimal VAE does the same with t = beta s2, but only for the K modes that have a latent; all the
variance of every other mode is distortion. With at least one latent it is therefore on the curve if and only if
K >= #{i : l_i > t}.

Rates in nats; distortion is the expected squared error, summed over the data dimensions. A level, rate or distortion
may be a number or an array; zero and infinity stand for their limits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theory import validation
from theory.spectrum import Spectrum

__all__ = [
    "CapacityPenalty",
    "RateDistortion",
    "capacity_penalty",
    "rate_distortion",
    "vae_rate_distortion",
    "water_level_for_distortion",
    "water_level_for_rate",
]


@dataclass(frozen=True, eq=False)
class RateDistortion:
    """A point, or points, in the plane of rate (nats) and distortion (squared units of the data).

    Examples
    --------
    >>> from theory import rate_distortion
    >>> rate_distortion([3.0, 1.0], water_level=[0.5, 1.0, 3.0]).distortion
    array([1., 2., 4.])
    """

    rate: float | np.ndarray
    distortion: float | np.ndarray


@dataclass(frozen=True, eq=False)
class CapacityPenalty:
    """How far above Shannon's curve a point lies: in rate at equal distortion, and in distortion at equal rate.

    Examples
    --------
    >>> from theory.learning import capacity_penalty
    >>> capacity_penalty([3.0, 2.0, 1.0], latent_dim=2, water_level=[0.5, 1.0, 2.0]).rate.round(3)
    array([0.085, 0.   , 0.   ])
    """

    rate: float | np.ndarray
    distortion: float | np.ndarray


def rate_distortion(eigenvalues, water_level) -> RateDistortion:
    """Shannon's curve of a Gaussian source by its water level: no code at this rate has a smaller squared error.

    distortion = sum_i min(l_i, t),  rate = sum_i 1/2 log+ (l_i / t).

    Exact (reverse water-filling for independent Gaussian components of variances l_i).

    Parameters
    ----------
    eigenvalues : (D,) array, variances of the source in any order; or a covariance, or Moments
        used as they are, however small; eigenvalues computed from a matrix have a rounding error of D eps l_1, with eps
        = 2.2e-16, so that a level below it means little.
    water_level : float or array >= 0
        t; zero gives distortion 0 and, unless the source is constant, an infinite rate.

    Returns
    -------
    RateDistortion, of the shape of `water_level`; rate in nats

    Raises
    ------
    ValueError
        for a negative eigenvalue or level.

    Examples
    --------
    >>> from theory import rate_distortion
    >>> point = rate_distortion([3.0, 2.0, 1.0], water_level=1.5)
    >>> round(float(point.rate), 3), float(point.distortion)
    (0.49, 4.0)
    """
    spectrum = Spectrum.stated(eigenvalues)
    return reverse_water_filling(spectrum, len(spectrum), _non_negative("water_level", water_level))


def vae_rate_distortion(eigenvalues, latent_dim: int, water_level) -> RateDistortion:
    """Rate and distortion of the optimal VAE with K latents at the water level t = beta s2.

    distortion = sum_{i <= K} min(l_i, t) + sum_{i > K} l_i,  rate = sum_{i <= K} 1/2 log+ (l_i / t).

    Exact, for every posterior family (the optimum is the same in all). Shannon's curve when K >= #{i : l_i > t}.

    Parameters
    ----------
    eigenvalues : (D,) array, of the data covariance, in any order; or the covariance, or Moments
    latent_dim : int, K; zero and more than D are allowed
    water_level : float or array >= 0, t = beta s2

    Returns
    -------
    RateDistortion, of the shape of `water_level`; rate in nats

    Raises
    ------
    ValueError
        for a negative eigenvalue, level or `latent_dim`.

    Examples
    --------
    >>> from theory.learning import vae_rate_distortion
    >>> point = vae_rate_distortion([3.0, 2.0, 1.0], latent_dim=1, water_level=0.5)
    >>> round(float(point.rate), 3), float(point.distortion)
    (0.896, 3.5)
    """
    spectrum, latent_dim = Spectrum.stated(eigenvalues), validation.count("latent_dim", latent_dim)
    return reverse_water_filling(spectrum, latent_dim, _non_negative("water_level", water_level))


def reverse_water_filling(spectrum: Spectrum, latent_dim: int, water_level: np.ndarray) -> RateDistortion:
    """`vae_rate_distortion` of a descending spectrum whose zeros are exact."""
    level = water_level[..., np.newaxis]
    coded = spectrum.eigenvalues[:latent_dim]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        # log(l/t): by the excess of l if l is close to t, else by two logarithms, whose difference cannot overflow.
        near = np.log1p((coded - level) / level)
        far = np.log(coded) - np.log(level)
    rates = np.where(coded > level, np.where(coded / 2 < level, near, far), 0.0)
    return RateDistortion(
        rate=(rates.sum(axis=-1) / 2)[()],
        distortion=(np.minimum(coded, level).sum(axis=-1) + spectrum.eigenvalues[latent_dim:].sum())[()],
    )


def water_level_for_rate(eigenvalues, rate):
    """The water level at which Shannon's curve has a given rate: rate -> t, exactly, one piece per number of modes.

    With k modes above the water level, log t = (1/k) sum_{i <= k} log l_i - 2 rate / k; the k-th mode reaches it at the
    rate 1/2 sum_{i <= k} log(l_i / l_k).

    Parameters
    ----------
    eigenvalues : (D,) array, variances of the source in any order; or a covariance, or Moments
    rate : float or array >= 0, in nats; infinity gives the level 0

    Returns
    -------
    float or array, of the shape of `rate`: the level; at rate 0 the smallest level with that rate, the largest
    eigenvalue. For a source without variance 0.

    Raises
    ------
    ValueError
        for a negative eigenvalue or rate.

    Examples
    --------
    >>> from theory.learning import rate_distortion, water_level_for_rate
    >>> level = water_level_for_rate([3.0, 2.0, 1.0], rate=1.0)
    >>> round(float(level), 4), round(float(rate_distortion([3.0, 2.0, 1.0], level).rate), 4)
    (0.9329, 1.0)
    """
    eigenvalues = Spectrum.stated(eigenvalues).eigenvalues
    rate = _non_negative("rate", rate)
    logs = np.log(eigenvalues[eigenvalues > 0])
    if not logs.size:
        return np.zeros(rate.shape)[()]
    counts = np.arange(1, len(logs) + 1)
    sums = np.cumsum(logs)
    thresholds = np.maximum.accumulate((sums - counts * logs) / 2)  # rounding may put ties out of order
    modes = np.maximum(np.searchsorted(thresholds, rate, side="right"), 1)
    with np.errstate(over="ignore"):
        return np.exp((sums[modes - 1] - 2 * rate) / modes)[()]


def water_level_for_distortion(eigenvalues, distortion):
    """The water level at which Shannon's curve has a given distortion: exactly, one piece per number of modes.

    With k modes above the water level, t = (distortion - sum_{i > k} l_i) / k; the k-th mode reaches it at the
    distortion k l_k + sum_{i > k} l_i.

    Parameters
    ----------
    eigenvalues : (D,) array, variances of the source in any order; or a covariance, or Moments
    distortion : float or array >= 0, expected squared error

    Returns
    -------
    float or array, of the shape of `distortion`: the level; 0 for distortion 0 (where the rate is infinite), and the
    largest eigenvalue (where the rate is zero) once the distortion reaches the total variance

    Raises
    ------
    ValueError
        for a negative eigenvalue or distortion.

    Examples
    --------
    >>> from theory.learning import water_level_for_distortion
    >>> water_level_for_distortion([3.0, 2.0, 1.0], distortion=[0.0, 3.0, 6.0])
    array([0., 1., 3.])
    """
    spectrum = Spectrum.stated(eigenvalues)
    eigenvalues, tails = spectrum.eigenvalues, spectrum.tail_sums
    distortion = _non_negative("distortion", distortion)
    if not eigenvalues.size:
        return np.zeros(distortion.shape)[()]
    counts = np.arange(1, len(eigenvalues) + 1)
    thresholds = np.minimum.accumulate(counts * eigenvalues + tails[1:])  # rounding may put ties out of order
    modes = np.maximum(np.searchsorted(-thresholds, -distortion, side="right"), 1)
    return np.minimum((distortion - tails[modes]) / modes, eigenvalues[0])[()]


def capacity_penalty(eigenvalues, latent_dim: int, water_level) -> CapacityPenalty:
    """The cost of too few latents: the distance of the optimal VAE from Shannon's curve.

    For the VAE's rate and distortion at water level t: rate - rate_Shannon(distortion) and distortion -
    distortion_Shannon(rate). Both are zero if and only if K >= #{i : l_i > t} or K = 0 (rate zero, the end of the
    curve). Exact.

    Parameters
    ----------
    eigenvalues : (D,) array, of the data covariance, in any order; or the covariance, or Moments
    latent_dim : int, K
    water_level : float or array >= 0, t = beta s2

    Returns
    -------
    CapacityPenalty, of the shape of `water_level`; rate in nats. At level 0 the excess rate is infinite unless zero.

    Raises
    ------
    ValueError
        for a negative eigenvalue, level or `latent_dim`.

    Examples
    --------
    >>> from theory.learning import capacity_penalty
    >>> penalty = capacity_penalty([3.0, 2.0, 1.0], latent_dim=1, water_level=0.5)
    >>> round(float(penalty.rate), 3), round(float(penalty.distortion), 3)
    (0.223, 0.5)
    """
    spectrum = Spectrum.stated(eigenvalues)
    eigenvalues = spectrum.eigenvalues
    latent_dim, level = validation.count("latent_dim", latent_dim), _non_negative("water_level", water_level)
    point = reverse_water_filling(spectrum, latent_dim, level)
    above = (latent_dim > 0) & (eigenvalues[latent_dim:].max(initial=0.0) > level)
    at_distortion = rate_distortion(eigenvalues, water_level_for_distortion(eigenvalues, point.distortion))
    at_rate = rate_distortion(eigenvalues, water_level_for_rate(eigenvalues, point.rate))
    # On the curve nothing is subtracted: the differences are zero, and both rates may be infinite.
    rate = np.subtract(point.rate, at_distortion.rate, out=np.zeros(level.shape), where=above)
    distortion = np.subtract(point.distortion, at_rate.distortion, out=np.zeros(level.shape), where=above)
    # Near the curve negative values are rounding.
    return CapacityPenalty(rate=np.maximum(rate, 0.0)[()], distortion=np.maximum(distortion, 0.0)[()])


def _non_negative(name: str, values) -> np.ndarray:
    """`values` as a float array, zero or above; infinity is allowed, as a limit."""
    array = validation.real_array(name, values)
    if not (array >= 0).all():
        raise ValueError(f"{name} must be >= 0 everywhere and not NaN, got {values!r}; pass zero or positive numbers")
    return array
