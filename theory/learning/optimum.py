"""What a beta-VAE learns: the global optimum over decoder, encoder, posterior covariance and (if learned) noise.

With t = beta s2 the water level and l_i, u_i the eigenvalues and eigenvectors of the data covariance, latent i <= K is
active iff l_i > t, and then

    decoder column  sqrt(l_i - t) u_i,   encoder row  sqrt(l_i - t) / l_i u_i^T,   posterior variance  t / l_i;

an inactive latent has collapsed: zero weights, posterior variance 1. Up to a constant that contains s2 the loss is
beta times the beta = 1 loss at noise t, so this is probabilistic PCA at noise t. The aggregate posterior is exactly
N(0, I): the rate is all mutual information, sum 1/2 log(l_i / t), and the distortion is t per active mode and l_i per
other mode.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theory import validation
from theory.learning.noise import critical_betas, learned_noise_variance
from theory.learning.rate_distortion import vae_rate_distortion
from theory.model import LinearVAE, Moments, as_moments
from theory.objective import loss_from_parts
from theory.partition import Posterior, partition
from theory.spectrum import leading_modes, leading_pairs

__all__ = ["Optimum", "OptimumCurve", "optimum", "optimum_curve"]


@dataclass(frozen=True, eq=False)
class Optimum:
    """A global optimum of the objective, and its parts.

    Attributes
    ----------
    vae : LinearVAE or None
        one optimal VAE, with latents in order of their eigenvalues and the largest entry of each decoder column
        positive; None when there is none because the noise runs to zero.
    eigenvalues : (D,) array, of the data covariance, descending; zero where they are so up to rounding. With
        `leading_only` just the K largest.
    active : (K,) boolean array
    critical_betas : (K,) array
        the beta from which on each latent is collapsed; zero for a latent that is never active.
    distortion : float, expected squared error
    rate : float, expected KL in nats; all of it mutual information
    loss : float, nats; minus infinity when the noise runs to zero
    noise_variance : float
    noise_status : str
        "fixed", "learned", "zero" (rank r <= K and beta < D/r: the loss has no lower bound and the limit s2 -> 0 is
        given), or "undetermined" (beta = D/r exactly: every s2 <= l_r / beta is optimal, the largest is given).
    resolution : float
        D eps l_1 (eps = 2.2e-16), the size up to which an eigenvalue of a covariance in double precision is rounding: a
        smaller one counts as zero, and the learned noise is known to about this much. Status "zero" then says only that
        the noise is below it. Singular values of the centred data have twice the digits; see `Moments`.
    """

    vae: LinearVAE | None
    eigenvalues: np.ndarray
    active: np.ndarray
    critical_betas: np.ndarray
    distortion: float
    rate: float
    loss: float
    noise_variance: float
    noise_status: str
    resolution: float

    @property
    def active_count(self) -> int:
        return int(np.count_nonzero(self.active))


@dataclass(frozen=True, eq=False)
class OptimumCurve:
    """The optimum as a function of beta: what `Optimum` holds, each an array over `betas` (but for the last two)."""

    betas: np.ndarray
    active_count: np.ndarray
    distortion: np.ndarray
    rate: np.ndarray
    loss: np.ndarray
    noise_variance: np.ndarray
    noise_status: np.ndarray
    eigenvalues: np.ndarray
    critical_betas: np.ndarray

    @property
    def resolution(self) -> float:
        return float(validation.rank_tolerance(self.eigenvalues))


def optimum(
    covariance,
    latent_dim: int,
    *,
    beta: float = 1.0,
    noise_variance: float | str = "learned",
    posterior: Posterior = "diagonal",
    leading_only: bool = False,
) -> Optimum:
    """The global minimum of the objective when decoder and encoder are both learned.

    Latent i is active iff l_i > t = beta s2, with decoder column sqrt(l_i - t) u_i, encoder row sqrt(l_i - t)/l_i u_i^T
    and posterior variance t / l_i. Learned noise: s2 = sum_{i > q} l_i / (D - q beta) with q latents active.

    The value is unique. The VAE is not: with a diagonal posterior and distinct active eigenvalues it is unique up to
    signed permutations of the latents; eigenvalues that tie may be mixed by a rotation; if the K-th ties with the next
    the subspace is free within the tie. With a posterior that keeps groups together (or `"full"`) any rotation within
    a group is as good. The one returned has a diagonal posterior and is optimal in every family.

    Parameters
    ----------
    covariance : (D, D) array or Moments
        of the data; with `Moments` their mean becomes the mean of the VAE.
    latent_dim : int
        K; zero and more than D are allowed.
    beta : float > 0
    noise_variance : "learned" or float > 0
    posterior : "diagonal", "full", or a list of groups of latents
    leading_only : bool
        compute only the K largest eigenvalues and the trace, on which all but the other eigenvalues depends. In large
        data with a gap in the spectrum this is several times faster. A negative eigenvalue then passes unnoticed.

    Returns
    -------
    Optimum

    Raises
    ------
    ValueError
        if the covariance is not one, or an argument is out of its range.

    Notes
    -----
    Exact. beta = 1 is probabilistic PCA by maximum likelihood; the linear VAE is in the setting of Lucas et al. (2019)
    and Wang & Ziyin (2022).
    """
    moments = as_moments(covariance)
    latent_dim = validation.count("latent_dim", latent_dim)
    each = 8 * (2 * len(moments.covariance) + latent_dim)  # of decoder, encoder and posterior covariance
    validation.count("latent_dim", latent_dim, bytes_each=each)
    if leading_only:
        ascending, directions = _leading(moments.covariance, latent_dim)
    else:
        ascending, directions = leading_modes(moments.covariance, latent_dim)
    partition(posterior, latent_dim)  # only to refuse a family that is none
    curve = _evaluate(ascending, latent_dim, np.array([validation.positive("beta", beta)]), noise_variance)
    active = beta < curve.critical_betas
    noise, status = float(curve.noise_variance[0]), str(curve.noise_status[0])
    vae = None
    if status != "zero":
        water_level = beta * noise
        mean = moments.mean if isinstance(covariance, Moments) else None
        vae = _assemble(curve.eigenvalues, directions[:, ::-1], active, water_level, noise, mean)
    return Optimum(
        vae=vae,
        eigenvalues=curve.eigenvalues[:latent_dim] if leading_only else curve.eigenvalues,
        active=active,
        critical_betas=curve.critical_betas,
        distortion=float(curve.distortion[0]),
        rate=float(curve.rate[0]),
        loss=float(curve.loss[0]),
        noise_variance=noise,
        noise_status=status,
        resolution=curve.resolution,
    )


def optimum_curve(covariance, latent_dim: int, betas, *, noise_variance: float | str = "learned") -> OptimumCurve:
    """The optimum at many betas from one eigendecomposition; the same for every posterior family.

    Parameters
    ----------
    covariance : (D, D) array or Moments
    latent_dim : int, K
    betas : (B,) array > 0
    noise_variance : "learned" or float > 0

    Returns
    -------
    OptimumCurve, arrays of shape (B,)

    Raises
    ------
    ValueError
        if the covariance is not one, or an argument is out of its range.
    """
    betas = validation.positive_array("betas", validation.vector("betas", betas))
    latent_dim = validation.count("latent_dim", latent_dim, bytes_each=8 * max(len(betas), 1))
    # Not eigenvalues alone: these are the same as in `optimum` to the last digit, and so are the thresholds.
    eigenvalues, _ = leading_modes(as_moments(covariance).covariance, latent_dim)
    return _evaluate(eigenvalues, latent_dim, betas, noise_variance)


def _leading(covariance: np.ndarray, latent_dim: int) -> tuple[np.ndarray, np.ndarray]:
    """As many eigenvalues as there are, ascending: the K largest, and for each other one the mean of the others.

    They enter the optimum by their sum alone. With the eigenvectors of the K largest.
    """
    values, directions = leading_pairs(covariance, min(latent_dim, len(covariance)))
    rest = len(covariance) - len(values)
    others = np.full(rest, (np.trace(covariance) - values.sum()) / max(rest, 1))
    return np.concatenate([np.minimum(others, values.min(initial=np.inf)), values]), directions


def _evaluate(eigenvalues, latent_dim: int, betas: np.ndarray, noise_variance) -> OptimumCurve:
    """All that follows from the eigenvalues, in any order and with their rounding errors."""
    eigenvalues = validation.non_negative_spectrum("covariance", eigenvalues)
    critical = critical_betas(eigenvalues, latent_dim, noise_variance)
    if isinstance(noise_variance, str):
        learned = learned_noise_variance(eigenvalues, latent_dim, betas)
        noise, level, status = learned.noise_variance, learned.water_level, learned.status
    else:
        noise = np.full(betas.shape, float(noise_variance))
        level, status = betas * noise, np.full(betas.shape, "fixed")
    point = vae_rate_distortion(eigenvalues, latent_dim, level)
    bounded = noise > 0  # as the noise runs to zero the loss falls without bound
    losses = np.full(betas.shape, -np.inf)
    losses[bounded] = loss_from_parts(
        point.distortion[bounded], point.rate[bounded], noise[bounded], betas[bounded], len(eigenvalues)
    )
    return OptimumCurve(
        betas=betas,
        active_count=np.count_nonzero(betas[:, np.newaxis] < critical, axis=-1),
        distortion=point.distortion,
        rate=point.rate,
        loss=losses,
        noise_variance=noise,
        noise_status=status,
        eigenvalues=eigenvalues,
        critical_betas=critical,
    )


def _assemble(eigenvalues, directions, active, water_level, noise_variance, mean) -> LinearVAE:
    """The optimal VAE from the eigenvectors (columns, in the order of the eigenvalues)."""
    latent_dim, count = len(active), np.count_nonzero(active)
    powers, axes = eigenvalues[:count], directions[:, :count]
    axes = axes * np.where(np.take_along_axis(axes, np.abs(axes).argmax(axis=0)[np.newaxis], axis=0) < 0, -1.0, 1.0)
    weights = np.sqrt(np.maximum(powers - water_level, 0.0))  # a difference below zero is rounding at the threshold
    decoder, encoder = np.zeros((len(eigenvalues), latent_dim)), np.zeros((latent_dim, len(eigenvalues)))
    variances = np.ones(latent_dim)
    decoder[:, :count] = axes * weights
    encoder[:count] = (axes * (weights / powers)).T
    variances[:count] = np.minimum(water_level / powers, 1.0)
    return LinearVAE(decoder, encoder, np.diag(variances), noise_variance, mean)
