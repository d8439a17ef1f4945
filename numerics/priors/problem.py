"""The loss of a linear VAE with a prior that is not N(0, I), and its gradient, as a function of one vector.

    loss = distortion / (2 s2) + (D/2) log(2 pi s2) + beta E KL(q(z|x) || p) + alpha KL(p || q(z))

with W the decoder, V the encoder, Q = F F^T the posterior covariance and data x = A s + n, n ~ N(0, tau2 I). The vector
holds W (if it is learned), V^T, the logarithm of the diagonal of F, and the entries of F below it that the posterior
family allows, all in units of the data and the prior.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from numerics.priors.mixture_code import (
    PriorPlane,
    PriorPlanes,
    divergence_and_slopes,
    factor_components,
    log_prior_and_slopes,
)
from theory import validation
from theory.model import LinearVAE
from theory.partition import partition, partition_mask
from theory.priors import Prior
from theory.priors.arguments import LONGEST, within
from theory.priors.protocol import checked_prior

__all__ = ["PLANE_ERROR", "PriorProblem", "distortion_of", "overflow_error", "prior_problem", "with_alpha"]

FAR, LOG_FAR = (-1e20, 1e20), (-200.0, 100.0)
PLANE_ERROR = 1e-5  # nats, or of the size of a divergence above one


@dataclass(frozen=True, eq=False)
class PriorProblem:
    """The loss and its arguments; `data` holds weights, means and covariances of the components of x."""

    data: tuple[np.ndarray, np.ndarray, np.ndarray]
    covariance: np.ndarray
    prior: Prior
    planes: PriorPlanes
    beta: float
    alpha: float
    noise_variance: float
    decoder: np.ndarray | None
    within: np.ndarray

    @cached_property
    def units(self) -> np.ndarray:
        """The size of each latent that suits the prior, (K,): parameters are in these units."""
        return getattr(self.prior, "scales", np.ones(self.prior.latent_dim))

    @cached_property
    def decoder_units(self) -> np.ndarray:
        """The standard deviation of the data over that of each latent, (K,)."""
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
        """Bounds of the parameters, in units of data and prior: no minimum lies beyond, but a first step may."""
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
        encoder, logarithms, lower = theta[:size], theta[size : size + latent_dim], theta[size + latent_dim :]
        factor = np.diag(np.exp(logarithms))
        factor[self.within] = lower
        encoder = (encoder.reshape(data_dim, latent_dim) / self.decoder_units).T
        return decoder, encoder, self.units[:, np.newaxis] * factor

    def code(self, encoder, factor):
        weights, means, covariances = self.data
        return weights, means @ encoder.T, encoder @ covariances @ encoder.T + factor @ factor.T

    def value_and_gradient(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        decoder, encoder, factor = self.unpack(theta)
        _, means, covariances = self.data
        crossed, crossed_parts = encoder @ self.covariance, encoder @ covariances  # K x D, of all data and of each part
        noise = factor @ factor.T
        code = self.data[0], means @ encoder.T, crossed_parts @ encoder.T + noise
        if not all((np.abs(part) <= LONGEST**2).all() for part in code[1:]):
            raise overflow_error()
        total = crossed @ encoder.T + noise
        precision = 1 / (2 * self.noise_variance)

        value = precision * distortion_of(self.covariance, decoder, crossed, total) + self.constant
        to_total = precision * decoder.T @ decoder
        to_encoder = 2 * to_total @ crossed - 2 * precision * decoder.T @ self.covariance

        expected, to_means, to_covariances = log_prior_and_slopes(self.prior, code)
        deviations = factor.diagonal()
        value -= self.beta * (expected + self.shape[1] / 2 * np.log(2 * np.pi * np.e) + np.log(deviations).sum())
        to_means, to_covariances = -self.beta * to_means, -self.beta * to_covariances
        if self.alpha:
            divergence_value, more_to_means, more_to_covariances = divergence_and_slopes(self.planes.coarse, code)
            value += self.alpha * divergence_value
            to_means, to_covariances = (
                to_means + self.alpha * more_to_means,
                to_covariances + self.alpha * more_to_covariances,
            )
        to_encoder += to_means.T @ means + 2 * (to_covariances @ crossed_parts).sum(axis=0)
        to_factor = 2 * (to_total + to_covariances.sum(axis=0)) @ factor
        to_logarithms = to_factor.diagonal() * deviations - self.beta
        to_factor *= self.units[:, np.newaxis]
        parts = [(to_encoder.T / self.decoder_units).ravel(), to_logarithms, to_factor[self.within]]
        if self.decoder is None:
            to_decoder = 2 * precision * (decoder @ total - crossed.T)
            parts.insert(0, (to_decoder * self.decoder_units).ravel())
        return float(value), np.concatenate(parts)

    @cached_property
    def constant(self) -> float:
        return self.shape[0] / 2 * np.log(2 * np.pi * self.noise_variance)


def prior_problem(factors, loading, data_noise, prior, beta, noise_variance, alpha, posterior, decoder) -> PriorProblem:
    """The problem of `train_with_prior`, whose arguments these are, checked."""
    weights, means, covariances = factor_components(factors)
    loading = within("loading", validation.matrix("loading", loading), LONGEST)
    if loading.shape[1] != means.shape[1]:
        raise ValueError(
            f"loading must have a column for each of the {means.shape[1]} factors, got {loading.shape[1]}; pass a "
            "prior of as many factors"
        )
    if not len(loading):
        raise ValueError("loading must have at least one row, got none; pass one for each column of the data")
    data_noise = float(within("data_noise", validation.non_negative("data_noise", data_noise), LONGEST**2))
    prior = checked_prior("prior", prior)
    latent_dim = prior.latent_dim
    if decoder is not None:
        decoder = within("decoder", validation.matrix("decoder", decoder, (len(loading), latent_dim)), LONGEST)
    covariances = loading @ covariances @ loading.T + data_noise * np.eye(len(loading))
    means = means @ loading.T
    total = np.einsum("c,cij->ij", weights, covariances) + (means * weights[:, np.newaxis]).T @ means
    mask = partition_mask(partition(posterior, latent_dim), latent_dim)
    problem = PriorProblem(
        data=(weights, means, covariances),
        covariance=total,
        prior=prior,
        planes=PriorPlanes(prior),
        beta=validation.scale("beta", beta),
        alpha=0.0,
        noise_variance=validation.scale("noise_variance", noise_variance),
        decoder=decoder,
        within=np.tril(mask, -1).astype(bool),
    )
    return with_alpha(problem, alpha)


def with_alpha(problem: PriorProblem, alpha: float) -> PriorProblem:
    """The problem with another weight alpha, which is refused if the nodes of the prior cannot compute its penalty."""
    alpha = float(within("alpha", validation.non_negative("alpha", alpha), LONGEST**2))
    if alpha:
        _check_plane(alpha, problem.prior, problem.planes.coarse)
    return replace(problem, alpha=alpha)


def _check_plane(alpha: float, prior: Prior, plane: PriorPlane | None) -> None:
    """Refuse a penalty on the aggregate code that the nodes of the prior cannot compute."""
    if prior.latent_dim != 2:
        raise ValueError(
            f"alpha must be 0 unless there are two latents, got alpha {alpha} and {prior.latent_dim} latents"
        )
    if plane is None:
        raise ValueError(
            f"alpha must be 0 for a prior without the method nodes(count), got alpha {alpha} and {type(prior).__name__}"
        )
    if plane.moment_error > PLANE_ERROR:
        why = "it has none, and KL(p || q) is infinite"
        if np.isfinite(plane.moment_error):
            why = f"their variance or mass is off by {plane.moment_error:.1g}"
        raise ValueError(
            f"alpha must be 0 unless nodes can represent the variance of the prior, got alpha {alpha} and {prior}: "
            f"{why}; pass alpha 0, or a prior with lighter tails or better nodes"
        )


def overflow_error() -> ValueError:
    """The error to raise where numbers leave the range of floats."""
    return ValueError(
        "loading, data_noise, prior, decoder, start, noise_variance, beta and alpha are too far apart in size: the "
        "loss or the model overflows; change the units of data or latents"
    )


def distortion_of(covariance, decoder, crossed, total) -> float:
    """tr S - 2 tr(W V S) + tr(W C W^T), from S, W, V S and the second moments C of the code."""
    return covariance.trace() - 2 * (decoder * crossed.T).sum() + ((decoder @ total) * decoder).sum()
