"""Gradient training with a prior that is not N(0, I), and with a penalty on the aggregate code.

    loss = distortion / (2 s2) + (D/2) log(2 pi s2) + beta E KL(q(z|x) || p) + alpha KL(p || q(z))

Data x = A s + n, n ~ N(0, tau2 I), with factors s that are Gaussian or a finite mixture of Gaussians. The expectations
are those of `theory.priors` and sums over nodes, see `numerics.priors.mixture_code`. Decoder, encoder and a Cholesky
factor of Q start at random and follow the exact gradient (L-BFGS); no closed form of an optimum is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

from numerics.priors.mixture_code import (
    FINER,
    NODES,
    PriorPlane,
    code_entropy,
    divergence,
    divergence_and_slopes,
    factor_components,
    log_prior_and_slopes,
)
from theory import validation
from theory.model import LinearVAE
from theory.partition import Posterior, partition, partition_mask
from theory.priors import ClusterPrior, GaussianPrior, Prior
from theory.priors.arguments import LONGEST, within
from theory.priors.protocol import checked_prior

__all__ = ["PriorRun", "train_with_prior"]

FAR, LOG_FAR = (-1e20, 1e20), (-200.0, 100.0)
PLANE_ERROR = 1e-5  # nats, or of the size of a divergence above one


@dataclass(frozen=True, eq=False)
class PriorRun:
    """What one training run reached.

    Attributes
    ----------
    vae : LinearVAE
    loss : float
    distortion, reconstruction, rate : float
        E ||x - W z||^2; -E log p(x|z); E KL(q(z|x) || p). Nats, the first in squared units of the data.
    divergence : float >= 0
        KL(p || q(z)), infinite if the prior has no variance. NaN if there are not two latents, if the prior is a user's
        own, or if the nodes do not resolve it to 1e-5 nats (of its size, where that is above one).
    mutual_information : float >= 0
        I(x; z) = H[q(z)] - H[q(z|x)]: the smaller, the more the encodings overlap. NaN if there are not two latents, or
        if the nodes do not resolve it.
    gradient_norm : float
        largest entry of the gradient, in nats, for parameters in units of the data and the prior.
    stopped : str
        "gradient"; or "stalled" where rounding or `max_steps` ended the descent before the gradient fell to the
        tolerance; or "unresolved" if alpha > 0 and the nodes do not resolve the divergence that was descended.
    """

    vae: LinearVAE
    loss: float
    distortion: float
    reconstruction: float
    rate: float
    divergence: float
    mutual_information: float
    gradient_norm: float
    stopped: str


def train_with_prior(
    factors: Prior,
    loading,
    data_noise: float,
    prior: Prior,
    *,
    beta: float,
    noise_variance: float,
    alpha: float = 0.0,
    posterior: Posterior = "full",
    decoder: np.ndarray | None = None,
    start: LinearVAE | None = None,
    gradient_tolerance: float = 1e-6,
    max_steps: int = 2000,
    rng: np.random.Generator | int | None = None,
) -> PriorRun:
    """Train a linear VAE, from a random start or another, by descending the gradient of the loss above.

    Parameters
    ----------
    factors : GaussianPrior, SpikeSlabPrior or ClusterPrior
        the law of s; mean zero.
    loading : (D, factors) array, A
    data_noise : float >= 0, tau2
    prior : Prior
        of any family in `theory.priors`, or a user's own, of K latents.
    beta, noise_variance : float from 1e-100 to 1e100
    alpha : float >= 0
        needs K = 2 and a prior of those families that has a variance, if it is not zero.
    posterior : "full", "diagonal", or a list of groups of latents
    decoder : (D, K) array, optional
        hold the decoder there.
    start : LinearVAE, optional
        where to start, for a path of solutions; of the family `posterior`.
    gradient_tolerance : float > 0
        stop when no entry of the gradient is larger.
    max_steps : int >= 0
    rng : numpy.random.Generator or seed, optional
        source of a random start; `None` means seed 0.

    Returns
    -------
    PriorRun

    Raises
    ------
    ValueError
        for arguments that do not fit.
    """
    problem = _pose(factors, loading, data_noise, prior, beta, noise_variance, alpha, posterior, decoder)
    rng = validation.random_generator("rng", 0 if rng is None else rng)
    tolerance = validation.positive("gradient_tolerance", gradient_tolerance)
    max_steps = validation.count("max_steps", max_steps, maximum=2**29)
    options = {"maxiter": max_steps, "maxfun": 2 * max_steps, "gtol": tolerance, "ftol": 0.0, "maxcor": 30}
    first = problem.start(rng) if start is None else _checked_start(start, problem, posterior)
    # What overflows is refused at the end, by its value.
    with np.errstate(over="ignore", invalid="ignore"):
        # The matrices are tiny: threads of the linear algebra would only wait for each other, ten times as long.
        with threadpool_limits(1, user_api="blas"):
            found = minimize(
                problem.value_and_gradient, first, jac=True, method="L-BFGS-B", options=options, bounds=problem.bounds
            )
        if not (np.isfinite(found.fun) and np.isfinite(found.jac).all()):
            raise _overflow()
        return problem.run(found.x, tolerance)


@dataclass(frozen=True, eq=False)
class _PriorProblem:
    """What is trained on what; `data` holds weights, means and covariances of the components of x."""

    data: tuple[np.ndarray, np.ndarray, np.ndarray]
    covariance: np.ndarray
    prior: Prior
    plane: PriorPlane | None
    beta: float
    alpha: float
    noise_variance: float
    decoder: np.ndarray | None
    within: np.ndarray

    @cached_property
    def units(self) -> np.ndarray:
        """The deviation of each latent that suits the prior, (K,): parameters are counted in these."""
        if isinstance(self.prior, GaussianPrior):
            return np.sqrt(np.diagonal(self.prior.covariance))
        if isinstance(self.prior, ClusterPrior):
            return np.full(2, max(self.prior.distance, np.sqrt(self.prior.variance)))
        return np.ones(self.prior.latent_dim)

    @cached_property
    def decoder_units(self) -> np.ndarray:
        """The deviation of the data over that of each latent, (K,)."""
        return np.sqrt(np.mean(np.diagonal(self.covariance)) or 1.0) / self.units

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.covariance), self.prior.latent_dim

    def start(self, rng: np.random.Generator) -> np.ndarray:
        """In the units of data and prior: decoder N(0, 1/D), encoder N(0, 1/D), and Q about a tenth of the identity."""
        data_dim, latent_dim = self.shape
        decoder, encoder = rng.standard_normal((2, data_dim, latent_dim)) / np.sqrt(data_dim)
        logarithms, lower = np.full(latent_dim, -1.0), 0.1 * rng.standard_normal(np.count_nonzero(self.within))
        fixed = [] if self.decoder is not None else decoder.ravel()
        return np.concatenate([fixed, encoder.ravel(), logarithms, lower])

    @property
    def bounds(self) -> list[tuple[float, float]]:
        """Of the parameters, in units of data and prior: no minimum lies out there, but a first step may."""
        size = self.shape[0] * self.shape[1] * (1 if self.decoder is not None else 2)
        return [FAR] * size + [LOG_FAR] * self.shape[1] + [FAR] * np.count_nonzero(self.within)

    def pack(self, vae: LinearVAE) -> np.ndarray:
        factor = np.linalg.cholesky(vae.posterior_covariance) / self.units[:, np.newaxis]
        fixed = [] if self.decoder is not None else (vae.decoder / self.decoder_units).ravel()
        encoder = vae.encoder.T * self.decoder_units
        return np.concatenate([fixed, encoder.ravel(), np.log(np.diagonal(factor)), factor[self.within]])

    def unpack(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        data_dim, latent_dim = self.shape
        size, decoder = data_dim * latent_dim, self.decoder
        if decoder is None:
            decoder, theta = theta[:size].reshape(self.shape) * self.decoder_units, theta[size:]
        encoder, logarithms, lower = np.split(theta, [size, size + latent_dim])
        factor = np.diag(np.exp(logarithms))
        factor[self.within] = lower
        encoder = (encoder.reshape(data_dim, latent_dim) / self.decoder_units).T
        return decoder, encoder, self.units[:, np.newaxis] * factor

    def code(self, encoder, factor):
        weights, means, covariances = self.data
        return weights, means @ encoder.T, encoder @ covariances @ encoder.T + factor @ factor.T

    def value_and_gradient(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        decoder, encoder, factor = self.unpack(theta)
        _, latent_dim = self.shape
        _, means, covariances = self.data
        code = self.code(encoder, factor)
        if not all(np.all(np.abs(part) <= LONGEST**2) for part in code[1:]):
            raise _overflow()
        total = encoder @ self.covariance @ encoder.T + factor @ factor.T
        precision = 1 / (2 * self.noise_variance)
        crossed = encoder @ self.covariance  # K x D

        value = precision * _distortion(self.covariance, decoder, crossed, total) + self._constant
        to_decoder = 2 * precision * (decoder @ total - crossed.T)
        to_total = precision * decoder.T @ decoder
        to_encoder = 2 * to_total @ crossed - 2 * precision * decoder.T @ self.covariance

        expected, to_means, to_covariances = log_prior_and_slopes(self.prior, code)
        value -= self.beta * (expected + latent_dim / 2 * np.log(2 * np.pi * np.e))
        value -= self.beta * np.log(np.diagonal(factor)).sum()
        to_means, to_covariances = -self.beta * to_means, -self.beta * to_covariances
        if self.alpha:
            apart, more_to_means, more_to_covariances = divergence_and_slopes(self.plane, code)
            value += self.alpha * apart
            to_means, to_covariances = (
                to_means + self.alpha * more_to_means,
                to_covariances + self.alpha * more_to_covariances,
            )
        to_encoder += to_means.T @ means + 2 * np.sum(to_covariances @ encoder @ covariances, axis=0)
        to_factor = 2 * (to_total + to_covariances.sum(axis=0)) @ factor
        to_logarithms = np.diagonal(to_factor) * np.diagonal(factor) - self.beta
        to_factor *= self.units[:, np.newaxis]
        parts = [(to_encoder.T / self.decoder_units).ravel(), to_logarithms, to_factor[self.within]]
        if self.decoder is None:
            parts.insert(0, (to_decoder * self.decoder_units).ravel())
        return float(value), np.concatenate(parts)

    def run(self, theta: np.ndarray, tolerance: float) -> PriorRun:
        decoder, encoder, factor = self.unpack(theta)
        if not all(np.all(np.abs(part) <= LONGEST) for part in (decoder, encoder)):
            raise _overflow()
        value, gradient = self.value_and_gradient(theta)
        code = self.code(encoder, factor)
        total = encoder @ self.covariance @ encoder.T + factor @ factor.T
        distortion = _distortion(self.covariance, decoder, encoder @ self.covariance, total)
        latent_dim = self.shape[1]
        conditional = np.log(np.diagonal(factor)).sum() + latent_dim / 2 * np.log(2 * np.pi * np.e)
        norm = float(np.abs(gradient).max(initial=0.0))
        apart = information = np.nan
        resolved = True
        if latent_dim == 2:
            information = _resolved(*(code_entropy(code, nodes) - conditional for nodes in (NODES, *FINER)))
        if self.plane is not None and self.plane.off == np.inf:
            apart = np.inf
        elif self.plane is not None:
            planes = self.plane, *(PriorPlane.of(self.prior, nodes) for nodes in FINER)
            apart = _resolved(*(divergence(plane, code) for plane in planes))
            resolved = not np.isnan(apart)
        return PriorRun(
            vae=LinearVAE(decoder, encoder, factor @ factor.T, self.noise_variance),
            loss=value,
            distortion=float(distortion),
            reconstruction=float(distortion / (2 * self.noise_variance) + self._constant),
            rate=max(0.0, float(-log_prior_and_slopes(self.prior, code)[0] - conditional)),
            divergence=apart,
            mutual_information=information,
            gradient_norm=norm,
            stopped="unresolved" if self.alpha and not resolved else "gradient" if norm <= tolerance else "stalled",
        )

    @property
    def _constant(self) -> float:
        return self.shape[0] / 2 * np.log(2 * np.pi * self.noise_variance)


def _pose(factors, loading, data_noise, prior, beta, noise_variance, alpha, posterior, decoder) -> _PriorProblem:
    weights, means, covariances = factor_components(factors)
    loading = within("loading", validation.matrix("loading", loading), LONGEST)
    if loading.shape[1] != means.shape[1]:
        raise ValueError(
            f"loading must have a column for each of the {means.shape[1]} factors, got {loading.shape[1]}; pass a law "
            "of as many factors"
        )
    if not len(loading):
        raise ValueError("loading must have at least one row, got none; pass one for each column of the data")
    data_noise = float(within("data_noise", validation.non_negative("data_noise", data_noise), LONGEST**2))
    alpha = float(within("alpha", validation.non_negative("alpha", alpha), LONGEST**2))
    prior = checked_prior("prior", prior)
    latent_dim, plane = prior.latent_dim, PriorPlane.of(prior)
    if alpha and latent_dim != 2:
        raise ValueError(f"alpha must be 0 unless there are two latents, got alpha {alpha} and {latent_dim} latents")
    if alpha and plane is None:
        raise ValueError(f"alpha must be 0 for a prior of another class, got alpha {alpha} and {type(prior).__name__}")
    if alpha and plane.off > PLANE_ERROR:
        raise ValueError(
            f"alpha must be 0 unless the prior has a variance that nodes can hold, got alpha {alpha} and {prior}: "
            "KL(p || q) is infinite up to 2 degrees of freedom; take 2.2 or more"
        )
    if decoder is not None:
        decoder = within("decoder", validation.matrix("decoder", decoder, (len(loading), latent_dim)), LONGEST)
    covariances = loading @ covariances @ loading.T + data_noise * np.eye(len(loading))
    means = means @ loading.T
    total = np.einsum("c,cij->ij", weights, covariances) + (means * weights[:, np.newaxis]).T @ means
    mask = partition_mask(partition(posterior, latent_dim), latent_dim)
    return _PriorProblem(
        data=(weights, means, covariances),
        covariance=total,
        prior=prior,
        plane=plane,
        beta=validation.scale("beta", beta),
        alpha=alpha,
        noise_variance=validation.scale("noise_variance", noise_variance),
        decoder=decoder,
        within=np.tril(mask, -1).astype(bool),
    )


def _checked_start(start, problem: _PriorProblem, posterior: Posterior) -> np.ndarray:
    """The parameters of a VAE to start from."""
    start = validation.instance("start", start, LinearVAE)
    if start.decoder.shape != problem.shape:
        wanted, got = (" x ".join(map(str, shape)) for shape in (problem.shape, start.decoder.shape))
        raise ValueError(f"start must have a {wanted} decoder, got {got}; pass a VAE of these data and this prior")
    if not start.belongs_to(posterior):
        raise ValueError("start must have a posterior covariance of the family `posterior`; pass such a VAE")
    first = problem.pack(start)
    if not all(low <= value <= high for value, (low, high) in zip(first, problem.bounds, strict=True)):
        raise ValueError("start must be of the size of data and prior; pass a VAE in their units")
    return first


def _overflow() -> ValueError:
    return ValueError(
        "loading, data_noise, prior, decoder, start, noise_variance, beta and alpha are too far apart in size: the "
        "loss or the model overflows; change the units of data or latents"
    )


def _resolved(coarse: float, *finer: float) -> float:
    """A divergence from several sets of nodes: the first, never negative, or NaN where they disagree.

    A tenth of the error that is allowed, because differences of sums that do not converge are small by chance.
    """
    allowed = PLANE_ERROR / 10 * max(1.0, abs(finer[-1]))
    close = coarse > -PLANE_ERROR and all(abs(coarse - fine) <= allowed for fine in finer)
    return max(0.0, float(coarse)) if close else np.nan


def _distortion(covariance, decoder, crossed, total) -> float:
    return np.trace(covariance) - 2 * np.sum(decoder * crossed.T) + np.sum((decoder @ total) * decoder)
