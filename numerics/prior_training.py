"""Gradient training with a prior that is not N(0, I), and with a penalty on the aggregate code.

    loss = distortion / (2 s2) + (D/2) log(2 pi s2) + beta E KL(q(z|x) || p) + alpha KL(p || q(z))

Data x = A s + n, n ~ N(0, tau2 I), with factors s that are Gaussian or a finite mixture of Gaussians. The expectations
are integrals over a grid, see `numerics.mixture_code`. Decoder, encoder and a Cholesky factor of Q start at random and
follow the exact gradient (L-BFGS); no closed form of an optimum is used.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

from numerics.mixture_code import (
    LINE_REACH,
    PriorLines,
    code_entropy,
    divergence_and_slopes,
    factor_components,
    log_prior_and_slopes,
    marginals,
    plane_of,
)
from theory import validation
from theory.axes.priors import Prior
from theory.model import LinearVAE
from theory.partition import Posterior, partition, partition_mask

__all__ = ["PriorRun", "train_with_prior"]


@dataclass(frozen=True, eq=False)
class PriorRun:
    """What one training run reached.

    Attributes
    ----------
    vae : LinearVAE
    loss : float
    distortion, reconstruction, rate : float
        E ||x - W z||^2; -E log p(x|z); E KL(q(z|x) || p). Nats, the first in squared units of the data.
    divergence : float
        KL(p || q(z)); NaN if alpha = 0 and there are not two latents.
    mutual_information : float
        I(x; z) = H[q(z)] - H[q(z|x)]: the smaller, the more the encodings overlap. NaN if there are not two latents.
    gradient_norm : float
        largest entry of the gradient, in nats.
    stopped : str
        "gradient", or "stalled" where rounding ended the descent before the gradient fell to the tolerance, or
        "outside" if the code left the grid.
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
    rng: np.random.Generator | None = None,
) -> PriorRun:
    """Train a linear VAE, from a random start or another, by descending the gradient of the loss above.

    Parameters
    ----------
    factors : GaussianPrior, SpikeSlabPrior or ClusterPrior
        the law of s; mean zero.
    loading : (D, factors) array, A
    data_noise : float >= 0, tau2
    prior : any prior of `theory.axes.priors`, of K latents
    beta, noise_variance : float > 0
    alpha : float >= 0
        needs K = 2 if it is not zero.
    posterior : "full", "diagonal", or a list of groups of latents
    decoder : (D, K) array, optional
        hold the decoder there.
    start : LinearVAE, optional
        where to start, for a path of solutions; of the family `posterior`.
    gradient_tolerance : float > 0
        stop when no entry of the gradient is larger.
    max_steps : int
    rng : numpy.random.Generator, optional
        source of a random start; `None` means `numpy.random.default_rng(0)`.

    Returns
    -------
    PriorRun

    Raises
    ------
    ValueError
        for arguments that do not fit.
    """
    problem = _pose(factors, loading, data_noise, prior, beta, noise_variance, alpha, posterior, decoder)
    rng = np.random.default_rng(0) if rng is None else rng
    tolerance = validation.positive("gradient_tolerance", gradient_tolerance)
    options = {"maxiter": max_steps, "maxfun": 2 * max_steps, "gtol": tolerance, "ftol": 0.0, "maxcor": 30}
    first = problem.start(rng) if start is None else problem.pack(start)
    # The matrices are tiny: threads of the linear algebra would only wait for each other, ten times as long.
    with threadpool_limits(1, user_api="blas"):
        found = minimize(problem.value_and_gradient, first, jac=True, method="L-BFGS-B", options=options)
    return problem.run(found.x, tolerance)


@dataclass(frozen=True, eq=False)
class _Problem:
    """What is trained on what; `data` holds weights, means and covariances of the components of x."""

    data: tuple[np.ndarray, np.ndarray, np.ndarray]
    covariance: np.ndarray
    lines: PriorLines
    plane: tuple[np.ndarray, np.ndarray, float] | None
    beta: float
    alpha: float
    noise_variance: float
    decoder: np.ndarray | None
    within: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.covariance), self.lines.directions.shape[1]

    def start(self, rng: np.random.Generator) -> np.ndarray:
        """Decoder N(0, var/D), encoder N(0, 1/(var D)), var the mean variance, and Q about a tenth of the identity."""
        data_dim, latent_dim = self.shape
        scale = np.sqrt(np.trace(self.covariance) / data_dim)
        decoder, encoder = rng.standard_normal((2, data_dim, latent_dim)) / np.sqrt(data_dim)
        logarithms, lower = np.full(latent_dim, -1.0), 0.1 * rng.standard_normal(np.count_nonzero(self.within))
        held = [] if self.decoder is not None else scale * decoder.ravel()
        return np.concatenate([held, encoder.ravel() / scale, logarithms, lower])

    def pack(self, vae: LinearVAE) -> np.ndarray:
        factor = np.linalg.cholesky(vae.posterior_covariance)
        held = [] if self.decoder is not None else vae.decoder.ravel()
        return np.concatenate([held, vae.encoder.T.ravel(), np.log(np.diagonal(factor)), factor[self.within]])

    def unpack(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        data_dim, latent_dim = self.shape
        size, decoder = data_dim * latent_dim, self.decoder
        if decoder is None:
            decoder, theta = theta[:size].reshape(self.shape), theta[size:]
        encoder, logarithms, lower = np.split(theta, [size, size + latent_dim])
        factor = np.diag(np.exp(logarithms))
        factor[self.within] = lower
        return decoder, encoder.reshape(data_dim, latent_dim).T, factor

    def code(self, encoder, factor):
        weights, means, covariances = self.data
        return weights, means @ encoder.T, encoder @ covariances @ encoder.T + factor @ factor.T

    def value_and_gradient(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        decoder, encoder, factor = self.unpack(theta)
        _, latent_dim = self.shape
        _, means, covariances = self.data
        code = self.code(encoder, factor)
        total = encoder @ self.covariance @ encoder.T + factor @ factor.T
        precision = 1 / (2 * self.noise_variance)
        crossed = encoder @ self.covariance  # K x D

        value = precision * _distortion(self.covariance, decoder, crossed, total) + self._constant
        to_decoder = 2 * precision * (decoder @ total - crossed.T)
        to_total = precision * decoder.T @ decoder
        to_encoder = 2 * to_total @ crossed - 2 * precision * decoder.T @ self.covariance

        expected, to_means, to_covariances = log_prior_and_slopes(self.lines, code)
        value -= self.beta * (expected + latent_dim / 2 * np.log(2 * np.pi * np.e))
        value -= self.beta * np.log(np.diagonal(factor)).sum()
        to_means, to_covariances = -self.beta * to_means, -self.beta * to_covariances
        if self.alpha:
            divergence, more_to_means, more_to_covariances = divergence_and_slopes(self.plane, code)
            value += self.alpha * divergence
            to_means, to_covariances = (
                to_means + self.alpha * more_to_means,
                to_covariances + self.alpha * more_to_covariances,
            )
        to_encoder += to_means.T @ means + 2 * np.sum(to_covariances @ encoder @ covariances, axis=0)
        to_factor = 2 * (to_total + to_covariances.sum(axis=0)) @ factor
        to_logarithms = np.diagonal(to_factor) * np.diagonal(factor) - self.beta
        parts = [to_encoder.T.ravel(), to_logarithms, to_factor[self.within]]
        if self.decoder is None:
            parts.insert(0, to_decoder.ravel())
        return float(value), np.concatenate(parts)

    def run(self, theta: np.ndarray, tolerance: float) -> PriorRun:
        decoder, encoder, factor = self.unpack(theta)
        value, gradient = self.value_and_gradient(theta)
        code = self.code(encoder, factor)
        total = encoder @ self.covariance @ encoder.T + factor @ factor.T
        distortion = _distortion(self.covariance, decoder, encoder @ self.covariance, total)
        latent_dim = self.shape[1]
        conditional = np.log(np.diagonal(factor)).sum() + latent_dim / 2 * np.log(2 * np.pi * np.e)
        marginal_means, marginal_variances = marginals(self.lines, code)
        norm = float(np.abs(gradient).max())
        inside = np.max(np.abs(marginal_means) + 6 * np.sqrt(marginal_variances)) < LINE_REACH
        return PriorRun(
            vae=LinearVAE(decoder, encoder, factor @ factor.T, self.noise_variance),
            loss=value,
            distortion=float(distortion),
            reconstruction=float(distortion / (2 * self.noise_variance) + self._constant),
            rate=float(-log_prior_and_slopes(self.lines, code)[0] - conditional),
            divergence=divergence_and_slopes(self.plane, code)[0] if self.plane else np.nan,
            mutual_information=code_entropy(code) - float(conditional) if self.plane else np.nan,
            gradient_norm=norm,
            stopped="outside" if not inside else "gradient" if norm <= tolerance else "stalled",
        )

    @property
    def _constant(self) -> float:
        return self.shape[0] / 2 * np.log(2 * np.pi * self.noise_variance)


def _pose(factors, loading, data_noise, prior, beta, noise_variance, alpha, posterior, decoder) -> _Problem:
    weights, means, covariances = factor_components(factors)
    loading = validation.matrix("loading", loading)
    if loading.shape[1] != means.shape[1]:
        raise ValueError(f"loading must have a column for each of the {means.shape[1]} factors, got {loading.shape[1]}")
    data_noise = validation.non_negative("data_noise", data_noise)
    alpha = validation.non_negative("alpha", alpha)
    latent_dim = prior.latent_dim
    if alpha and latent_dim != 2:
        raise ValueError(f"alpha must be 0 unless there are two latents, got alpha {alpha} and {latent_dim} latents")
    if decoder is not None:
        decoder = validation.matrix("decoder", decoder, (len(loading), latent_dim))
    covariances = loading @ covariances @ loading.T + data_noise * np.eye(len(loading))
    means = means @ loading.T
    total = np.einsum("c,cij->ij", weights, covariances) + (means * weights[:, np.newaxis]).T @ means
    mask = partition_mask(partition(posterior, latent_dim), latent_dim)
    return _Problem(
        data=(weights, means, covariances),
        covariance=total,
        lines=PriorLines.of(prior),
        plane=plane_of(prior) if latent_dim == 2 else None,
        beta=validation.positive("beta", beta),
        alpha=alpha,
        noise_variance=validation.positive("noise_variance", noise_variance),
        decoder=decoder,
        within=np.tril(mask, -1).astype(bool),
    )


def _distortion(covariance, decoder, crossed, total) -> float:
    return np.trace(covariance) - 2 * np.sum(decoder * crossed.T) + np.sum((decoder @ total) * decoder)
