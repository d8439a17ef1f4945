"""The two halves of a model, each at its optimum while the other is fixed: the best decoder and the best encoder.

With the letters of `numerics.kernels.objective` (data covariance diag(r^2), W the (D, K) decoder, E the (K, D) encoder
of whitened data, Q = F F^T the posterior covariance, C = E E^T + Q the covariance of the code, M = W^T W, s2 the noise
variance), t = beta s2, and an index b for the block of a group of latents:

    decoder   W = diag(r) E^T C^-1,    s2 = distortion / D = (sum_i r_i^2 - <W, diag(r) E^T>) / D
    encoder   E = J^-1 W^T diag(r) / t,    Q_bb = (J_bb)^-1,    J = I + M / t

The arrays called `whitened` are E^T, (D, K), `image` is diag(r) E^T, `gram` is M, and `precision` is J.

Matrices are small, and a call costs as much as its work: what both halves need is computed once, and systems are solved
by one call of LAPACK.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg.lapack import dposv

from numerics.kernels.objective import MUTUAL_INFORMATION, Objective, noise_floor
from numerics.training.problem import TrainingProblem

__all__ = ["Decoder", "Encoder", "Setting", "best_decoder", "best_encoder", "least_noise", "squared_error"]

CANCELLED = 1e-4  # of the variance: a distortion below this has lost digits if it was computed as a difference


@dataclass(frozen=True, eq=False)
class Decoder:
    """Weights W, (D, K), and log s2; with M, where it is known already."""

    weights: np.ndarray
    log_noise: float
    gram: np.ndarray | None = None

    def ahead(self, last: Decoder, share: float) -> Decoder:
        """The point beyond this one, as seen from the last, by a share of their distance."""
        return Decoder(
            self.weights + share * (self.weights - last.weights),
            self.log_noise + share * (self.log_noise - last.log_noise),
        )


@dataclass(frozen=True, eq=False)
class Encoder:
    """The best encoder of a decoder, or any other to start from.

    Attributes
    ----------
    decoder : Decoder
        the one that it was made for, or belongs to.
    whitened, factor, code : (D, K), (K, K) and (K, K) arrays
        E^T, the lower triangle F of Q = F F^T, and C.
    loss, gradient_norm : float
        of both together, the gradient over what is learned of decoder and noise; that of a best encoder is zero.
    """

    decoder: Decoder
    whitened: np.ndarray
    factor: np.ndarray
    code: np.ndarray
    loss: float
    gradient_norm: float


@dataclass(frozen=True, eq=False)
class Setting:
    """The arguments of both halves: the data, beta, which of decoder and noise are learned, and the least noise."""

    standard_deviations: np.ndarray
    beta: float
    decoder_learned: bool
    noise_learned: bool
    least_noise: float = 0.0

    @cached_property
    def column(self) -> np.ndarray:
        """r as a column."""
        return self.standard_deviations[:, np.newaxis]

    @cached_property
    def variance(self) -> float:
        """The sum of r_i^2."""
        return float(self.standard_deviations @ self.standard_deviations)

    @classmethod
    def of(cls, problem: TrainingProblem, objective: Objective) -> Setting:
        learned = problem.decoder is None, bool(problem.mask[-1])
        return cls(
            problem.standard_deviations, float(objective.weights[MUTUAL_INFORMATION]), *learned, least_noise(objective)
        )


def least_noise(objective: Objective) -> float:
    """The smallest noise of a round; a run whose optimal noise is below it ends."""
    return math.exp(noise_floor(objective)) / 2


def best_decoder(encoder: Encoder, setting: Setting, *, expand: bool = False) -> Decoder:
    """The decoder and noise of least loss for an encoder; with `expand`, with a free covariance of the prior as well.

    W = diag(r) E^T C^-1, or diag(r) E^T C^(-1/2) with `expand`. Fixed ones are returned unchanged.
    """
    whitened, factor, code = encoder.whitened, encoder.factor, encoder.code
    weights, image = encoder.decoder.weights, setting.column * whitened
    if expand:
        variances, axes = np.linalg.eigh(code)
        to_identity = (axes / np.sqrt(variances)) @ axes.T
        weights = image @ to_identity
    elif setting.decoder_learned:
        weights = _solve(code, image.T).T
    if not setting.noise_learned:
        return Decoder(weights, encoder.decoder.log_noise)
    gram = weights.T @ weights
    if expand:
        distortion = setting.variance - float(gram.trace())
        whitened, factor = whitened @ to_identity, to_identity @ factor
    else:
        distortion = setting.variance - 2 * _dot(weights, image) + _dot(gram, code)
    distortion = squared_error(distortion, weights, whitened, factor, setting.standard_deviations)
    return Decoder(weights, math.log(max(distortion / len(image), setting.least_noise)), gram)


def best_encoder(decoder: Decoder, setting: Setting, stacks: Sequence[np.ndarray]) -> Encoder:
    """The encoder of least loss for a decoder and noise, in the family of the groups of latents in `stacks`.

    E = J^-1 W^T diag(r) / t, Q_bb = (J_bb)^-1. `stacks` has an array for every size of groups, with one group in each
    row.
    """
    weights, noise = decoder.weights, math.exp(decoder.log_noise)
    gram = weights.T @ weights if decoder.gram is None else decoder.gram
    rows, latent_dim = weights.shape
    precision, factor = gram / (setting.beta * noise), np.zeros((latent_dim, latent_dim))
    precision.flat[:: latent_dim + 1] += 1.0
    for members in stacks:
        block = members[:, :, np.newaxis], members[:, np.newaxis, :]
        factor[block] = _inverse_root(precision[block])
    covariance = factor @ factor.T
    whitened = setting.column * _solve(precision, weights.T / (setting.beta * noise)).T
    image, code = setting.column * whitened, whitened.T @ whitened + covariance

    distortion = setting.variance - 2 * _dot(weights, image) + _dot(gram, code)
    distortion = squared_error(distortion, weights, whitened, factor, setting.standard_deviations)
    rate = (float(code.trace()) - latent_dim) / 2 - float(np.log(factor.diagonal()).sum())
    loss = distortion / (2 * noise) + rows / 2 * (math.log(2 * math.pi) + decoder.log_noise) + setting.beta * rate
    to_weights = weights @ code - image if setting.decoder_learned else np.zeros(0)
    to_log_noise = rows / 2 - distortion / (2 * noise) if setting.noise_learned else 0.0
    norm = math.hypot(math.sqrt(_dot(to_weights, to_weights)) / noise, to_log_noise)
    return Encoder(decoder, whitened, factor, code, loss, norm)


def squared_error(quick: float, weights, whitened, factor, deviations) -> float:
    """The distortion, sum r^2 - 2 <W, diag(r) E^T> + tr M (E E^T + F F^T), which is `quick` up to rounding of sum r^2.

    Where it is far below sum r^2 it is computed again, with a sum of squares for the K leading modes: their residual
    may be far below their variance, and a difference would lose it. Nothing large is reconstructed of the other modes.
    """
    if quick > CANCELLED * (deviations @ deviations):
        return quick
    lead = min(weights.shape[1], len(deviations))
    left = np.diag(deviations[:lead]) - weights[:lead] @ whitened[:lead].T
    others = deviations[lead:] * (deviations[lead:] - 2 * np.sum(weights[lead:] * whitened[lead:], axis=1))
    gram_lead, gram_rest = (part.T @ part for part in (weights[:lead], weights[lead:]))
    code_lead, code_rest = (part.T @ part for part in (whitened[:lead], whitened[lead:]))
    crossed = np.sum(gram_lead * code_rest) + np.sum(gram_rest * (code_lead + code_rest))
    return float(np.sum(left**2) + np.sum(others) + crossed + np.sum((weights @ factor) ** 2))


def _solve(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The inverse of a positive definite matrix times another: by Cholesky, or by LU where rounding left no root."""
    if not matrix.size:
        return right  # LAPACK takes no empty ones
    _, solution, failed = dposv(matrix, right)
    return np.linalg.solve(matrix, right) if failed else solution


def _dot(x: np.ndarray, y: np.ndarray) -> float:
    """The sum of products of all entries; in one call, which counts where matrices are small."""
    return float(np.vdot(x, y))


def _inverse_root(matrices: np.ndarray) -> np.ndarray:
    """Lower triangles F with F F^T the inverse of each positive definite matrix: F = U^-T, U upper, of U U^T."""
    if matrices.shape[-1] == 1:
        return 1 / np.sqrt(matrices)
    upper = np.linalg.cholesky(matrices[..., ::-1, ::-1])[..., ::-1, ::-1]
    return np.linalg.inv(upper).swapaxes(-1, -2)
