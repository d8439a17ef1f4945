"""Which water level t = beta s2 belongs to a beta, when the decoder's mean is known and its noise fixed or learned.

A fixed noise: t = beta s2. A learned one minimises the objective together with the encoder. At the optimal encoder

    distortion(t) = outside + sum_k s_k t^2/(g_k+t)^2 + sum_i G_ii t/(t+G_ii)
    rate(t)       = 1/2 [ sum_k g_k s_k/(g_k+t)^2 + sum_i (d_i - 1 - log d_i) ],   d_i = t/(t+G_ii)

with s_k the data variance along the k-th left singular vector of W and `outside` that outside their span, so that

    loss(beta, t) = beta [ distortion/(2 t) + rate ] + (D/2) log(2 pi t/beta)

is stationary where s2 = distortion(t)/D, that is at beta = D t/distortion(t). The minimising t never falls as beta
rises, but can jump; levels that are jumped over belong to no beta. If nothing is outside, the noise runs to zero for
every beta < D / #{i: G_ii > 0}. Exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theory import validation
from theory.inference.path import block_axes
from theory.model import GenerativeModel
from theory.partition import Posterior, partition

__all__ = ["FixedNoise", "LearnedNoise", "decoder_noise"]

SMALLEST = 1e-18  # a learned noise below this fraction of its upper bound is taken to run to zero
GRID_POINTS = 512


@dataclass(frozen=True)
class FixedNoise:
    """A noise that does not depend on beta: t = beta s2."""

    variance: float

    def water_levels(self, betas: np.ndarray) -> np.ndarray:
        return betas * self.variance

    def beta(self, water_level: float) -> float:
        return water_level / self.variance

    def attained(self, water_levels: np.ndarray) -> np.ndarray:
        """Every level belongs to some beta."""
        return water_levels


@dataclass(frozen=True, eq=False)
class LearnedNoise:
    """The noise that minimises the objective at each beta, given the decoder's mean; see the module.

    `singular_squared`, `spread` (r,): the non-zero g_k and their s_k; `diagonal` (K,): the G_ii; `outside`: the data
    variance outside the decoder's span; `data_dim`: D.
    """

    singular_squared: np.ndarray
    spread: np.ndarray
    diagonal: np.ndarray
    outside: float
    data_dim: int

    def distortion(self, t: np.ndarray) -> np.ndarray:
        """Expected squared error at the optimal encoder for each water level t > 0."""
        t = np.asarray(t)[..., None]
        signal = self.spread * (t / (self.singular_squared + t)) ** 2
        return self.outside + signal.sum(axis=-1) + (self.diagonal * t / (t + self.diagonal)).sum(axis=-1)

    def rate(self, t: np.ndarray) -> np.ndarray:
        """Expected KL at the optimal encoder for each water level t > 0, in nats."""
        t = np.asarray(t)[..., None]
        means = self.singular_squared * self.spread / (self.singular_squared + t) ** 2
        variances = np.log1p(self.diagonal / t) - self.diagonal / (t + self.diagonal)  # d - 1 - log d
        return (means.sum(axis=-1) + variances.sum(axis=-1)) / 2

    def water_levels(self, betas: np.ndarray) -> np.ndarray:
        betas = np.asarray(betas, dtype=float)
        return np.array([self._water_level(beta) for beta in betas.ravel()]).reshape(betas.shape)

    def beta(self, water_level: float) -> float:
        """The only beta for which this level can be optimal: D t / distortion(t)."""
        if water_level == 0:
            return 0.0
        return float(self.data_dim * water_level / self.distortion(water_level))

    def attained(self, water_levels: np.ndarray) -> np.ndarray:
        """The levels that some beta brings about, and in place of each other one the two ends of the jump over it."""
        kept = []
        for level in water_levels:
            beta = self.beta(level)
            if np.isclose(self._water_level(beta), level, rtol=1e-6, atol=0):
                kept.append(level)
            else:
                kept.extend(self._jump_over(level, beta))
        return np.array(kept)

    def _water_level(self, beta: float) -> float:
        """The level that minimises the loss at this beta: the best of a grid in s2, then the root of its slope."""
        from scipy.optimize import brentq

        largest = self._noise_bound()
        smallest = max(self.outside / self.data_dim * (1 - 1e-9), SMALLEST * largest)
        noises = np.geomspace(smallest, largest, GRID_POINTS)
        profile = (
            self.distortion(beta * noises) / (2 * noises)
            + beta * self.rate(beta * noises)
            + self.data_dim / 2 * np.log(noises)
        )
        best = int(np.argmin(profile))
        if best == 0 and self.outside == 0:
            return 0.0
        low, high = noises[max(best - 1, 0)], noises[min(best + 1, GRID_POINTS - 1)]

        def excess(log_noise):
            noise = np.exp(log_noise)
            return float(self.distortion(beta * noise)) / (self.data_dim * noise) - 1

        return beta * float(np.exp(brentq(excess, np.log(low), np.log(high), xtol=1e-15)))

    def _noise_bound(self) -> float:
        """Above distortion(infinity)/D no noise is optimal."""
        return (self.outside + self.spread.sum() + self.diagonal.sum()) / self.data_dim * (1 + 1e-9)

    def _jump_over(self, level: float, beta: float) -> list[float]:
        """Both ends of the jump in the optimal level that passes over `level`; the level never falls as beta rises."""
        low = high = beta
        while self._water_level(low) > level:
            low /= 2
        while self._water_level(high) < level:
            high *= 2
        while high / low > 1 + 1e-13:
            middle = np.sqrt(low * high)
            low, high = (middle, high) if self._water_level(middle) < level else (low, middle)
        return [self._water_level(low), self._water_level(high)]


def decoder_noise(
    truth: GenerativeModel, decoder: np.ndarray | None, noise_variance: float | str, posterior: Posterior
) -> FixedNoise | LearnedNoise:
    """Read the argument `noise_variance`: a number, "true" (the truth's), or "learned".

    Raises
    ------
    ValueError
        for another word, or a number that is not positive.
    """
    if not isinstance(noise_variance, str):
        return FixedNoise(validation.positive("noise_variance", noise_variance))
    validation.choice("noise_variance", noise_variance, ("true", "learned"))
    if noise_variance == "true":
        return FixedNoise(truth.noise_variance)

    decoder = truth.loading if decoder is None else validation.matrix("decoder", decoder, truth.loading.shape)
    rotated = decoder @ block_axes(decoder.T @ decoder, partition(posterior, truth.latent_dim))
    left, singular, _ = np.linalg.svd(decoder, full_matrices=False)
    seen = singular**2 > validation.rank_tolerance(singular**2)
    left, singular = left[:, seen], singular[seen]
    signal = truth.loading @ truth.factor_root
    inside = left.T @ signal
    beyond = np.sum((signal - left @ inside) ** 2)
    beyond = beyond if beyond > validation.rank_tolerance(np.array([np.sum(signal**2)])) else 0.0
    return LearnedNoise(
        singular_squared=singular**2,
        spread=np.sum(inside**2, axis=1) + truth.noise_variance,
        diagonal=np.sum(rotated**2, axis=0),
        outside=float(beyond + truth.noise_variance * (truth.data_dim - len(singular))),
        data_dim=truth.data_dim,
    )
