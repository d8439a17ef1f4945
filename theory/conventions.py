"""Which beta a weight in code is: every usual loss of a VAE, in the convention of this project.

Code weights the KL of a VAE in many ways: beside a sum of squares or their mean over the pixels, halved or not, with a
KL that is summed or averaged over the latents. The optimum of a linear VAE depends on them through one number, the
water level t: latent i is alive if and only if the i-th eigenvalue of the data covariance is above t. In the loss of
this project, |x - Wz|^2 / (2 s2) + beta KL with everything summed, t = beta s2. Exact, by division of the loss.

With D data dimensions (pixels times channels), K latents, weight b:

    reconstruction                                       t          beta
    nll         |x - Wz|^2 / (2 s2) + (D/2) log s2       b s2       b
    nll-mean    the same, divided by D                   b D s2     b D
    half-sum    |x - Wz|^2 / 2                           b          t / s2
    sum         |x - Wz|^2                               b / 2      t / s2
    half-mean   |x - Wz|^2 / (2 D)                       b D        t / s2
    mean        |x - Wz|^2 / D                           b D / 2    t / s2

    kl          KL                                       put for b
    sum         summed over the latents                  b
    mean        averaged over the latents                b / K
    norm        the normalized beta of Higgins et al.    b D / K

A squared error has no noise: it fixes t alone, and beta only for the noise s2 that is named. For a batch of B
observations both terms are summed, or both averaged, and t stays; where they differ (`batch_size`), the loss of MSELoss
with a KL that is summed over the batch has B t, and a sum of squares over the batch beside the mean KL has t / B.

A binary cross-entropy is no squared error: it has no water level, and nothing here is about it. Data multiplied by c,
such as pixels of 0 to 255 instead of 0 to 1, have eigenvalues c^2 times as large: the same latents live if the weight
is c^2 times as large too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theory import validation

__all__ = ["KL_REDUCTIONS", "RECONSTRUCTIONS", "Convention", "convention", "kl_weight", "loss_as_written"]

KL_REDUCTIONS = ("sum", "mean", "norm")
LIKELIHOODS = ("nll", "nll-mean")
RECONSTRUCTIONS = ("nll", "half-sum", "sum", "half-mean", "mean", "nll-mean")
LEARNED = "learned"


@dataclass(frozen=True)
class Convention:
    """A weight in code, and what it is here.

    Attributes
    ----------
    kl_weight : float
        b, as in the code.
    water_level : float or None
        t, in squared units of the data: latents of modes above it live. None if the noise is learned, which sets it.
    beta : float
        of this project's loss.
    noise_variance : float or "learned"
        s2, for which `beta` is meant.

    Examples
    --------
    >>> from theory import convention
    >>> convention(0.00025, reconstruction="mean", data_dim=12288).water_level
    1.536
    """

    kl_weight: float
    water_level: float | None
    beta: float
    noise_variance: float | str


def convention(
    kl_weight: float,
    *,
    reconstruction: str,
    data_dim: int,
    kl: str = "sum",
    latent_dim: int | None = None,
    noise_variance: float | str | None = None,
    batch_size: int | None = None,
) -> Convention:
    """The water level and the beta of a weight b in code; see the module for the table. Exact.

    Parameters
    ----------
    kl_weight : float > 0, b
        what the KL is multiplied by.
    reconstruction : {"nll", "half-sum", "sum", "half-mean", "mean", "nll-mean"}
        the other term of one observation: the squared error |x - x'|^2 summed over the D dimensions ("sum") or averaged
        over them ("mean", as `MSELoss`), halves of these, or the negative log-likelihood of a Gaussian of variance s2,
        summed or averaged. Its constant does not matter.
    data_dim : int, D
        dimensions of an observation; of images, pixels times channels.
    kl : {"sum", "mean", "norm"}
        whether the KL is summed over the latents, averaged over them, or summed and multiplied by b D / K, where b is
        the normalized beta of Higgins et al. The last two need `latent_dim`.
    latent_dim : int, optional, K
    noise_variance : float > 0 or "learned", optional, s2
        the likelihoods need it. Beside a squared error, which has none, it only says for which noise `beta` is meant
        (default 1).
    batch_size : int, optional, B
        only if one term is summed over the batch and the other averaged: "mean" losses with a KL that is summed over
        the batch, or summed losses beside a KL that is averaged over the batch.

    Returns
    -------
    Convention

    Raises
    ------
    ValueError
        for a missing or needless argument, or a squared error with a learned noise.

    Examples
    --------
    >>> from theory import convention
    >>> convention(4.0, reconstruction="nll-mean", data_dim=784, noise_variance="learned").beta
    3136.0
    """
    weight = validation.positive("kl_weight", kl_weight)
    noise = _noise(reconstruction, noise_variance)
    factor = _factor(reconstruction, data_dim, kl, latent_dim, batch_size)
    if reconstruction in LIKELIHOODS:
        beta = weight * factor
        level = None if noise == LEARNED else beta * noise
    else:
        level = weight * factor
        beta = level / noise
    for name, value in (("beta", beta), ("water_level", 1.0 if level is None else level)):
        validation.scale(f"{name} of kl_weight", value)
    return Convention(kl_weight=weight, water_level=level, beta=beta, noise_variance=noise)


def kl_weight(
    beta: float,
    *,
    reconstruction: str,
    data_dim: int,
    kl: str = "sum",
    latent_dim: int | None = None,
    noise_variance: float | str | None = None,
    batch_size: int | None = None,
) -> float:
    """The weight b that a code with this loss needs for a beta of this project: the inverse of `convention`.

    Parameters
    ----------
    beta : float > 0
    reconstruction, data_dim, kl, latent_dim, noise_variance, batch_size
        as in `convention`.

    Examples
    --------
    >>> from theory import kl_weight
    >>> kl_weight(1.0, reconstruction="mean", data_dim=784, noise_variance=0.1)
    0.00025510204081632655
    """
    beta = validation.positive("beta", beta)
    noise = _noise(reconstruction, noise_variance)
    factor = _factor(reconstruction, data_dim, kl, latent_dim, batch_size)
    return validation.scale("kl_weight of beta", (beta if reconstruction in LIKELIHOODS else beta * noise) / factor)


def loss_as_written(
    distortion,
    rate,
    kl_weight: float,
    *,
    reconstruction: str,
    data_dim: int,
    kl: str = "sum",
    latent_dim: int | None = None,
    noise_variance: float | None = None,
):
    """The loss of the code, in its own units, from distortion and rate in nats: its two terms as the table has them.

    Parameters
    ----------
    distortion, rate : floats or arrays
        expected squared error, and expected KL summed over the latents.
    kl_weight, reconstruction, data_dim, kl, latent_dim
        as in `convention`.
    noise_variance : float > 0, optional, s2
        of a likelihood, which is then taken with its constant (D/2) log(2 pi s2).

    Examples
    --------
    >>> from theory.conventions import loss_as_written
    >>> loss_as_written(6.0, 0.5, 2.0, reconstruction="mean", data_dim=3)
    3.0
    """
    latents = latent_dim or 1
    error, divergence = distortion, rate * {"sum": 1.0, "mean": 1 / latents, "norm": data_dim / latents}[kl]
    if reconstruction in LIKELIHOODS:
        error = error / (2 * noise_variance) + data_dim / 2 * np.log(2 * np.pi * noise_variance)
    elif reconstruction.startswith("half"):
        error = error / 2
    return (error / data_dim if reconstruction.endswith("mean") else error) + kl_weight * divergence


def _noise(reconstruction: str, noise_variance) -> float | str:
    reconstruction = validation.choice("reconstruction", reconstruction, RECONSTRUCTIONS)
    if reconstruction not in LIKELIHOODS:
        if noise_variance == LEARNED:
            raise ValueError(
                f"noise_variance must be a number for reconstruction {reconstruction!r}, got 'learned': a squared "
                "error has no noise to learn; pass 'nll' or 'nll-mean' if your loss divides it by a learned variance"
            )
        return 1.0 if noise_variance is None else validation.positive("noise_variance", noise_variance)
    if noise_variance is None:
        raise ValueError(
            f"noise_variance must be given for reconstruction {reconstruction!r}: pass the variance of the likelihood, "
            "or 'learned'"
        )
    return validation.positive_or_keyword("noise_variance", noise_variance, LEARNED)


def _factor(reconstruction: str, data_dim: int, kl: str, latent_dim: int | None, batch_size: int | None) -> float:
    """What a weight is multiplied by for the beta of a likelihood, or for the water level of a squared error."""
    dimensions = validation.count("data_dim", data_dim, minimum=1)
    averaged = reconstruction.endswith("mean")
    factor = (dimensions if averaged else 1.0) * (0.5 if reconstruction in ("sum", "mean") else 1.0)
    if validation.choice("kl", kl, KL_REDUCTIONS) != "sum":
        if latent_dim is None:
            raise ValueError(f"latent_dim must be given for kl {kl!r}; pass the number of latents")
        latents = validation.count("latent_dim", latent_dim, minimum=1)
        factor *= (dimensions if kl == "norm" else 1.0) / latents
    elif latent_dim is not None:
        validation.count("latent_dim", latent_dim, minimum=1)
    if batch_size is not None:
        batch = validation.count("batch_size", batch_size, minimum=1)
        factor = factor * batch if averaged else factor / batch
    return float(factor)
