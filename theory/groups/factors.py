"""The covariance of the factors, seen through a known decoder, and how certain it is.

Data x = W s + m + n, n ~ N(0, s2 I), W of full column rank. y = W^+ x is sufficient for the covariance Gamma of the
factors, and has covariance M = Gamma + R, R = s2 (W^T W)^-1; so

    estimate    Gamma^ = W^+ S W^+^T - R, the least-squares and (where it is positive definite) maximum likelihood one
    its error   N cov(Gamma^_ij, Gamma^_kl) -> M_ik M_jl + M_il M_jk  (+ 2 R_ij R_kl / (D - K) if s2 is estimated too)

Unbiased up to 1/N for any data of this form; the errors are those of Gaussian data, to leading order in 1/N.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theory import validation
from theory.model import Moments

__all__ = ["FactorEstimate", "estimate_factors"]


@dataclass(frozen=True, eq=False)
class FactorEstimate:
    """The covariance of the factors as seen through a decoder.

    Attributes
    ----------
    count : int, N
    covariance : (K, K) array, Gamma^; not positive definite where the noise hides a direction
    noise : (K, K) array, R
    noise_variance : float, s2
    residual_freedom : float
        D - K if the noise was estimated; infinite if it was given.
    noise_deviation : float
        standard errors between the given noise and that outside the decoder's range; 0 if there is nothing to compare.
    """

    count: int
    covariance: np.ndarray
    noise: np.ndarray
    noise_variance: float
    residual_freedom: float
    noise_deviation: float

    def error_covariance(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Covariance of the estimates of the entries (rows[a], columns[a]), to leading order in 1/N."""
        seen = self.covariance + self.noise
        i, j, k, m = rows[:, None], columns[:, None], rows, columns
        shared = np.outer(self.noise[rows, columns], self.noise[rows, columns])
        return (seen[i, k] * seen[j, m] + seen[i, m] * seen[j, k] + 2 * shared / self.residual_freedom) / self.count


def estimate_factors(moments: Moments, decoder, noise_variance: float | str = "learned") -> FactorEstimate:
    """The covariance of the factors, Gamma^ = W^+ S W^+^T - s2 (W^T W)^-1.

    Parameters
    ----------
    moments : Moments, of N >= 2 observations
    decoder : (D, K) array, of rank K
    noise_variance : "learned" or float >= 0
        learned from the data outside the decoder's range, which needs D > K.

    Returns
    -------
    FactorEstimate

    Raises
    ------
    ValueError
        if the decoder has not full column rank, there is no count, or the noise cannot be learned.

    Notes
    -----
    Unbiased up to 1/N for any data of this form; errors for Gaussian data.
    """
    decoder = validation.matrix("decoder", decoder, (len(moments.covariance), None))
    data_dim, latent_dim = decoder.shape
    if moments.count < 2:
        raise ValueError(
            f"moments must know how many observations there are, got {moments.count}; use Moments.of(data)"
        )
    left, singular, right = np.linalg.svd(decoder, full_matrices=False)
    if latent_dim > data_dim or singular.min(initial=np.inf) <= validation.rank_tolerance(singular):
        raise ValueError(
            f"decoder must have {latent_dim} independent columns, got {data_dim} x {latent_dim} of rank "
            f"{np.linalg.matrix_rank(decoder)}: factors that it mixes up cannot be told apart; drop columns"
        )
    outside = data_dim - latent_dim
    inverse = (right.T / singular) @ left.T
    residual = max(0.0, float(np.trace(moments.covariance) - np.sum(left * (moments.covariance @ left))))
    deviation, freedom = 0.0, np.inf
    if isinstance(noise_variance, str):
        validation.choice("noise_variance", noise_variance, ("learned",))
        if not outside:
            raise ValueError("noise_variance cannot be learned with as many factors as data dimensions; pass a number")
        variance, freedom = residual / outside, float(outside)
    else:
        variance = validation.non_negative("noise_variance", noise_variance)
        if outside and variance > 0:
            deviation = (residual / (outside * variance) - 1) * np.sqrt(moments.count * outside / 2)
    noise = variance * (right.T / singular**2) @ right
    return FactorEstimate(
        count=moments.count,
        covariance=inverse @ moments.covariance @ inverse.T - noise,
        noise=noise,
        noise_variance=variance,
        residual_freedom=freedom,
        noise_deviation=float(deviation),
    )
