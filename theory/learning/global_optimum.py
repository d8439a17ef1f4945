"""The global optimum of a beta-VAE over decoder, encoder, posterior covariance and (if learned) noise.

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
from theory.learning.learned_noise import checked_noise, noise_at, thresholds
from theory.learning.water_filling import reverse_water_filling
from theory.model import LinearVAE
from theory.moments import Moments, as_moments
from theory.objective import loss_of_checked
from theory.partition import Posterior, partition
from theory.spectrum import Spectrum

__all__ = ["Optimum", "OptimumCurve", "optimum", "optimum_curve"]


@dataclass(frozen=True, eq=False)
class Optimum:
    """A global optimum of the objective, and its parts.

    Attributes
    ----------
    vae : LinearVAE or None
        one optimal VAE, with latents in order of their eigenvalues and the largest entry of each decoder column
        positive; None if the noise runs to zero.
    eigenvalues : (D,) array
        of the data covariance, descending; those that are zero up to rounding are zero. With `leading_only` only the K
        largest.
    active : (K,) boolean array
    critical_betas : (K,) array
        each latent is collapsed from its critical beta on; zero for a latent that is never active.
    distortion : float, expected squared error
    rate : float, expected KL in nats; all of it mutual information
    loss : float, nats; minus infinity if the noise runs to zero
    noise_variance : float
    noise_status : str
        "fixed", "learned", "zero" (rank r <= K and beta < D/r: the loss has no lower bound and the limit s2 -> 0 is
        given), or "undetermined" (beta = D/r exactly: every s2 <= l_r / beta is optimal, the largest is given).
    resolution : float
        D eps l_1 (eps = 2.2e-16), the size up to which an eigenvalue of a covariance in double precision is rounding: a
        smaller one counts as zero, and the learned noise is accurate to about this size. Status "zero" then means only
        that the noise is below it. Singular values of the centred data have twice the digits; see `Moments`. If
        variables differ in size by decades and the small eigenvalues belong to small variables, each has a relative
        error, and this is the error of the smallest; or, if larger, the rounding of the smallest variable that depends
        on others.

    Examples
    --------
    >>> from theory import optimum
    >>> best = optimum([[4.0, 0.0], [0.0, 1.0]], latent_dim=1, noise_variance=0.5)
    >>> best.active_count, round(best.distortion, 3), round(best.rate, 3), best.noise_status
    (1, 1.5, 1.04, 'fixed')
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
    """The optimum as a function of beta: fields as in `Optimum`, all but the last three as arrays over `betas`.

    Examples
    --------
    >>> from theory.learning import optimum_curve
    >>> curve = optimum_curve([[4.0, 0.0], [0.0, 1.0]], 2, betas=[0.5, 1.0, 2.0], noise_variance=1.0)
    >>> curve.rate.round(3), curve.critical_betas
    (array([1.386, 0.693, 0.347]), array([4., 1.]))
    """

    betas: np.ndarray
    active_count: np.ndarray
    distortion: np.ndarray
    rate: np.ndarray
    loss: np.ndarray
    noise_variance: np.ndarray
    noise_status: np.ndarray
    eigenvalues: np.ndarray
    critical_betas: np.ndarray
    resolution: float


def optimum(
    covariance,
    latent_dim: int,
    *,
    beta: float = 1.0,
    noise_variance: float | str = "learned",
    posterior: Posterior = "diagonal",
    leading_only: bool = False,
    trace: float | None = None,
) -> Optimum:
    """The global minimum of the objective when decoder and encoder are both learned.

    Latent i is active iff l_i > t = beta s2, with decoder column sqrt(l_i - t) u_i, encoder row sqrt(l_i - t)/l_i u_i^T
    and posterior variance t / l_i. Learned noise: s2 = sum_{i > q} l_i / (D - q beta) with q latents active.

    The value is unique. The VAE is not: with a diagonal posterior and distinct active eigenvalues it is unique up to
    signed permutations of the latents; modes of equal eigenvalues may be mixed by a rotation; if the K-th eigenvalue
    ties with the next, the subspace is free within the tie. With a block posterior (or `"full"`) any rotation within a
    group is as good. The VAE returned has a diagonal posterior and is optimal in every family.

    Parameters
    ----------
    covariance : (D, D) array, (D,) eigenvalues, Moments, or LinearOperator
        of the data; with `Moments` their mean becomes the mean of the VAE, and eigenvalues stand for a diagonal matrix.
        Of an operator of `scipy.sparse.linalg` only the K largest eigenvalues are computed, by its products.
    latent_dim : int
        K; zero and more than D are allowed.
    beta : float > 0
    noise_variance : "learned" or float > 0
    posterior : "diagonal", "full", or a list of groups of latents
    leading_only : bool
        compute only the K largest eigenvalues and the trace: the optimum depends on nothing else. Meant for large data
        with a gap in the spectrum. A negative eigenvalue is then not detected.
    trace : float, optional
        the sum of the variances, which an operator cannot tell; needed for one, and refused otherwise.

    Returns
    -------
    Optimum

    Raises
    ------
    ValueError
        if `covariance` is not a covariance matrix, or an argument is out of its range.

    Notes
    -----
    Exact. beta = 1 is probabilistic PCA by maximum likelihood; the linear VAE is in the setting of Lucas et al. (2019)
    and Wang & Ziyin (2022).

    Examples
    --------
    >>> from theory import optimum
    >>> best = optimum([[4.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 0.6]], latent_dim=2, beta=1.5)
    >>> best.active, round(best.noise_variance, 3), best.critical_betas.round(3)
    (array([ True, False]), 1.733, array([1.818, 1.304]))
    """
    source = _checked_source(covariance, trace)
    latent_dim = _latent_dim(latent_dim, _data_dim(source))
    beta, noise = validation.scale("beta", beta), checked_noise(noise_variance)
    partition(posterior, latent_dim)  # only to refuse an invalid family
    leading_only = validation.flag("leading_only", leading_only)
    leading_only |= not isinstance(source, Moments)
    spectrum = _spectrum(source, latent_dim, trace, leading_only=leading_only)
    curve = _evaluate(spectrum, latent_dim, np.array([beta]), noise)
    active = beta < curve.critical_betas
    noise, status = float(curve.noise_variance[0]), str(curve.noise_status[0])
    vae = None
    if status != "zero":
        water_level = beta * noise
        mean = covariance.mean if isinstance(covariance, Moments) else None
        vae = _assemble(spectrum, active, water_level, noise, mean)
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
    covariance : (D, D) array, (D,) eigenvalues, or Moments
    latent_dim : int, K
    betas : (B,) array > 0
    noise_variance : "learned" or float > 0

    Returns
    -------
    OptimumCurve, arrays of shape (B,)

    Raises
    ------
    ValueError
        if `covariance` is not a covariance matrix, or an argument is out of its range.

    Examples
    --------
    >>> from theory import optimum_curve
    >>> curve = optimum_curve([[4.0, 0.0], [0.0, 1.0]], 1, betas=[0.5, 1.0, 2.0])
    >>> curve.noise_variance.round(3), curve.active_count
    (array([0.667, 1.   , 2.5  ]), array([1, 1, 0]))
    """
    betas = validation.scales("betas", validation.vector("betas", betas))
    moments = as_moments(covariance, or_eigenvalues=True)
    latent_dim = _latent_dim(latent_dim, moments.data_dim)
    validation.count("latent_dim", latent_dim, bytes_each=8 * max(len(betas), 1))
    # With eigenvectors too: so the eigenvalues, and the thresholds, equal those of `optimum` to the last digit.
    spectrum = Spectrum.of_moments(moments, latent_dim)
    return _evaluate(spectrum, latent_dim, betas, checked_noise(noise_variance))


def _checked_source(covariance, trace):
    """The covariance as `Moments`, or a square operator with a trace."""
    if hasattr(covariance, "matvec") and hasattr(covariance, "matmat"):
        if covariance.shape[0] != covariance.shape[1]:
            shape = " x ".join(map(str, covariance.shape))
            raise ValueError(f"covariance must be square, got an operator of {shape}; pass that of the covariance")
        if trace is None:
            raise ValueError(
                "trace must be given for an operator, which cannot tell it; pass the sum of the variances, trace="
            )
        return covariance
    if trace is not None:
        raise ValueError("trace is for a LinearOperator, other covariances have theirs; leave it out")
    return as_moments(covariance, or_eigenvalues=True)


def _data_dim(source) -> int:
    return source.data_dim if isinstance(source, Moments) else source.shape[0]


def _spectrum(source, latent_dim: int, trace: float | None, *, leading_only: bool) -> Spectrum:
    if isinstance(source, Moments):
        return Spectrum.of_moments(source, latent_dim, others_by_mean=leading_only)
    return Spectrum.of_operator(source, latent_dim, validation.scale("trace", trace))


def _latent_dim(latent_dim: int, data_dim: int) -> int:
    """The number of latents, if decoder, encoder and posterior covariance fit into memory."""
    latent_dim = validation.count("latent_dim", latent_dim)
    return validation.count("latent_dim", latent_dim, bytes_each=8 * (2 * data_dim + 2 * latent_dim))


def _evaluate(spectrum: Spectrum, latent_dim: int, betas: np.ndarray, noise_variance: float | str) -> OptimumCurve:
    """The curve: all that follows from the eigenvalues."""
    critical = thresholds(spectrum, latent_dim, noise_variance)
    found = noise_at(spectrum, critical, betas, noise_variance)
    noise, point = found.noise_variance, reverse_water_filling(spectrum, latent_dim, found.water_level)
    bounded = noise > 0  # as the noise runs to zero the loss falls without bound
    losses = np.full(betas.shape, -np.inf)
    losses[bounded] = loss_of_checked(
        point.distortion[bounded], point.rate[bounded], noise[bounded], betas[bounded], len(spectrum)
    )
    return OptimumCurve(
        betas=betas,
        active_count=found.active_count,
        distortion=point.distortion,
        rate=point.rate,
        loss=losses,
        noise_variance=noise,
        noise_status=found.status,
        eigenvalues=spectrum.eigenvalues,
        critical_betas=critical,
        resolution=spectrum.resolution,
    )


def _assemble(spectrum: Spectrum, active, water_level, noise_variance, mean) -> LinearVAE:
    """The optimal VAE from the eigenvectors."""
    latent_dim, count = len(active), np.count_nonzero(active)
    powers, axes = spectrum.eigenvalues[:count], spectrum.directions[:, :count]
    largest = np.abs(axes).argmax(axis=0)[np.newaxis] if count else np.zeros((1, 0), dtype=int)
    axes = axes * np.where(np.take_along_axis(axes, largest, axis=0) < 0, -1.0, 1.0)
    weights = np.sqrt(np.maximum(powers - water_level, 0.0))  # negative only by rounding, at the threshold
    decoder, encoder = np.zeros((len(spectrum), latent_dim)), np.zeros((latent_dim, len(spectrum)))
    variances = np.ones(latent_dim)
    decoder[:, :count] = axes * weights
    encoder[:count] = (axes * (weights / powers)).T
    variances[:count] = np.minimum(water_level / powers, 1.0)
    return LinearVAE(decoder, encoder, np.diag(variances), noise_variance, mean)
