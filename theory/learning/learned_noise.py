"""The noise variance that a VAE learns, from the eigenvalues of the data covariance alone.

With decoder and encoder at their best for a noise s2, the derivative of the loss in log s2 is h(s2) / (2 s2) with

    h(s2) = D s2 - sum_{i <= K} min(l_i, beta s2) - sum_{i > K} l_i.

The loss is convex in log s2, so the learned noise is the root of h. While q modes are active,

    s2 = sum_{i > q} l_i / (D - q beta),   and mode q is active iff beta < beta_q = D l_q / (q l_q + sum_{i > q} l_i).

If there is a latent for every mode (K >= r, the rank) and beta < D/r, the loss falls without bound as s2 goes to zero;
at beta = D/r every s2 up to l_r / beta is optimal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theory import validation
from theory.learning.water_filling import reverse_water_filling
from theory.objective import loss_of_checked
from theory.spectrum import Spectrum

__all__ = ["LearnedNoise", "critical_betas", "learned_noise_variance", "profile_loss"]


@dataclass(frozen=True, eq=False)
class LearnedNoise:
    """The noise that minimises the loss; each field a number, or an array over beta.

    Attributes
    ----------
    noise_variance : float, s2; zero where the loss has no minimum because the noise runs to zero
    water_level : float, t = beta s2
    active_count : int, q, the number of modes above the water
    status : str
        "learned" (one minimiser), "zero" (the loss falls without bound as s2 -> 0), or "undetermined" (every s2 up to
        the one given is a minimiser; this is the limit from larger beta).

    Examples
    --------
    >>> from theory.learning import learned_noise_variance
    >>> noise = learned_noise_variance([3.0, 2.0, 1.0], latent_dim=3, beta=[0.5, 1.0, 1.2])
    >>> noise.status, noise.active_count
    (array(['zero', 'undetermined', 'learned'], dtype='<U12'), array([3, 2, 1]))
    """

    noise_variance: float | np.ndarray
    water_level: float | np.ndarray
    active_count: int | np.ndarray
    status: str | np.ndarray


def critical_betas(eigenvalues, latent_dim: int, noise_variance="learned") -> np.ndarray:
    """The beta at which each latent collapses: latent i is active if and only if beta < beta_i.

    Fixed noise: beta_i = l_i / s2. Learned noise: beta_i = D l_i / (i l_i + sum_{j > i} l_j), whatever K >= i is;
    beta_1 = D l_1 / tr S is total collapse, and beta_r = D / r for rank r. Exact.

    Parameters
    ----------
    eigenvalues : (D,) array, of the data covariance, in any order; or the covariance, or Moments
        values of at most D eps l_1, rounding of the largest, count as zero, because the result depends on the rank.
    latent_dim : int, K
    noise_variance : "learned" or float > 0

    Returns
    -------
    (K,) array, descending; zero for a latent that has no mode of its own (l_i = 0 or i > D): it is never active

    Raises
    ------
    ValueError
        for a negative eigenvalue, a noise that is not positive, or a negative `latent_dim`.

    Examples
    --------
    >>> from theory.learning import critical_betas
    >>> critical_betas([3.0, 2.0, 1.0], latent_dim=2), critical_betas([3.0, 2.0, 1.0], 2, noise_variance=0.5)
    (array([1.5, 1.2]), array([6., 4.]))
    """
    spectrum = Spectrum.computed(eigenvalues)
    latent_dim = validation.count("latent_dim", latent_dim, bytes_each=32)
    return thresholds(spectrum, latent_dim, checked_noise(noise_variance))


def checked_noise(noise_variance) -> float | str:
    """The argument `noise_variance`: "learned", or a positive number."""
    noise = validation.positive_or_keyword("noise_variance", noise_variance, "learned")
    return noise if noise == "learned" else validation.scale("noise_variance", noise)


def thresholds(spectrum: Spectrum, latent_dim: int, noise: float | str) -> np.ndarray:
    """`critical_betas` of a descending spectrum whose zeros are exact."""
    critical = np.zeros(latent_dim)
    coded = spectrum.eigenvalues[:latent_dim]
    coded = coded[coded > 0]
    if noise == "learned":
        mode = np.arange(1, len(coded) + 1)
        # Divided by l_i, so that beta_r = D / r holds to the last digit.
        betas = len(spectrum) / (mode + spectrum.tail_sums[mode] / coded)
        critical[: len(coded)] = np.minimum.accumulate(betas)  # ties may come out of order by rounding
    else:
        critical[: len(coded)] = coded / noise
    return critical


def learned_noise_variance(eigenvalues, latent_dim: int, beta) -> LearnedNoise:
    """The noise variance that minimises the loss, for one beta or many.

    s2 = sum_{i > q} l_i / (D - q beta), with q the number of latents whose critical beta lies above beta: continuous
    and non-decreasing in beta, with a kink where a mode drops out. At beta = 1 it is the maximum likelihood noise of
    probabilistic PCA, the mean of the eigenvalues beyond the K-th. Exact; no iteration.

    Parameters
    ----------
    eigenvalues : (D,) array, of the data covariance, in any order; or the covariance, or Moments
        as for `critical_betas`.
    latent_dim : int, K
    beta : float or array > 0

    Returns
    -------
    LearnedNoise, of the shape of `beta`. For rank r <= K: status "zero" for beta < D/r, "undetermined" at exactly
    beta = D/r (compared as floats). Data without any variance are always "zero".

    Raises
    ------
    ValueError
        for a negative eigenvalue, a beta that is not positive, or a negative `latent_dim`.

    Examples
    --------
    >>> from theory.learning import learned_noise_variance
    >>> learned_noise_variance([3.0, 2.0, 1.0], latent_dim=1, beta=[0.5, 1.0, 2.0]).noise_variance
    array([1.2, 1.5, 2. ])
    """
    spectrum, beta = Spectrum.computed(eigenvalues), validation.scales("beta", beta)
    latent_dim = validation.count("latent_dim", latent_dim, bytes_each=32)
    return noise_of_minimum(spectrum, thresholds(spectrum, latent_dim, "learned"), beta)


def noise_at(spectrum: Spectrum, critical: np.ndarray, beta: np.ndarray, noise: float | str) -> LearnedNoise:
    """The noise of the optimum, learned or fixed (status "fixed"), with its water level and active modes."""
    if noise == "learned":
        return noise_of_minimum(spectrum, critical, beta)
    return LearnedNoise(
        noise_variance=np.full(beta.shape, noise)[()],
        water_level=(beta * noise)[()],
        active_count=np.count_nonzero(beta[..., np.newaxis] < critical, axis=-1)[()],
        status=np.full(beta.shape, "fixed")[()],
    )


def noise_of_minimum(spectrum: Spectrum, critical: np.ndarray, beta: np.ndarray) -> LearnedNoise:
    """`learned_noise_variance` of a descending spectrum whose zeros are exact, and of its critical betas."""
    active = np.count_nonzero(beta[..., np.newaxis] < critical, axis=-1)
    remaining = spectrum.tail_sums[active]
    data_dim, rank = len(spectrum), spectrum.rank
    with np.errstate(divide="ignore"):
        level = np.divide(beta * remaining, data_dim - active * beta, out=np.zeros(beta.shape), where=remaining > 0)
    # The last active mode lies above the water, even if D - q beta has lost its digits because little variance remains.
    level = np.minimum(level, np.concatenate([[np.inf], spectrum.eigenvalues])[active])
    undetermined = 0 < rank <= len(critical) and beta == critical[rank - 1]
    return LearnedNoise(
        noise_variance=(level / beta)[()],
        water_level=level[()],
        active_count=active[()],
        status=np.where(remaining == 0, "zero", np.where(undetermined, "undetermined", "learned"))[()],
    )


def profile_loss(eigenvalues, latent_dim: int, beta: float, noise_variance) -> float | np.ndarray:
    """The smallest loss over decoder and encoder at a given noise: convex in log s2.

    1/(2 s2) [sum_{i <= K} min(l_i, t) + sum_{i > K} l_i] + D/2 log(2 pi s2) + beta/2 sum_{i <= K} log+ (l_i / t),
    t = beta s2. Its derivative in log s2 is h(s2) / (2 s2), h as above. Exact, for every posterior family.

    Parameters
    ----------
    eigenvalues : (D,) array, of the data covariance, in any order; or the covariance, or Moments
    latent_dim : int, K
    beta : float > 0
    noise_variance : float or array > 0

    Returns
    -------
    float or array, of the shape of `noise_variance`, in nats

    Raises
    ------
    ValueError
        for a negative eigenvalue or `latent_dim`, or a beta or noise that is not positive.

    Examples
    --------
    >>> from theory.learning import profile_loss
    >>> profile_loss([3.0, 2.0, 1.0], latent_dim=1, beta=1.0, noise_variance=[1.0, 1.5, 2.0]).round(3)
    array([5.306, 5.212, 5.249])
    """
    spectrum, latent_dim = Spectrum.stated(eigenvalues), validation.count("latent_dim", latent_dim)
    beta, noise = validation.scale("beta", beta), validation.scales("noise_variance", noise_variance)
    point = reverse_water_filling(spectrum, latent_dim, beta * noise)
    return loss_of_checked(point.distortion, point.rate, noise, beta, len(spectrum))
