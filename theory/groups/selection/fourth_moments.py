"""Fourth moments of data, which set the errors of covariances, as ratios to those of Gaussian data.

For Gaussian data every ratio is 1. For elliptical data (a Gaussian times a random scale) it is 1 + kappa, kappa
Mardia's parameter of kurtosis, for pairs of uncorrelated factors, and inside and outside. For other data the ratios
differ, and each belongs to one statistic. Of N data points, with u_i the coordinate y_i inside the range of the decoder
over its standard deviation, a and a' the squared lengths of the whitened data inside and outside the range, in K and p
dimensions, and q the squared length of the data outside over its mean,

    factors   var(u_i u_j - g_ij q) / (1 + r_ij^2 + 2 g_ij^2/p)     r the correlations of y, g the part of the noise
    inside    E a a' / (K p)
    outside   E a'^2 / (p (p + 2))
    noise     var(q) / (2/p)

with g = 0 if the noise variance is given, not estimated. Factors that are independent of one another have the ratio 1
for each pair, however heavy their tails are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theory.groups.selection.data_through_decoder import View

__all__ = ["FourthMoments"]

BLOCK_ROWS = 4096  # rows of data that are processed at a time


@dataclass(frozen=True, eq=False)
class FourthMoments:
    """The ratios: `factors` (K, K), and the numbers `inside`, `outside` and `noise`."""

    factors: np.ndarray
    inside: float = 1.0
    outside: float = 1.0
    noise: float = 1.0

    @classmethod
    def gaussian(cls, latent_dim: int) -> FourthMoments:
        return cls(np.ones((latent_dim, latent_dim)))

    @classmethod
    def of(cls, data: np.ndarray, mean: np.ndarray, view: View, share: np.ndarray) -> FourthMoments:
        """Those of (N, D) data; `share` is g, (K, K)."""
        count, spare, varying = len(data), len(view.variances), view.outside.shape[1]
        weights = view.variances[spare - varying :]  # ascending: zeros come first
        second, pairs, mixed, sums = (np.zeros(shape) for shape in (share.shape, share.shape, share.shape, 3))
        for first in range(0, count, BLOCK_ROWS):
            centred = data[first : first + BLOCK_ROWS] - mean
            u, rest = centred @ view.factors, (centred @ view.outside) ** 2
            length, length_outside = ((centred @ view.inside) ** 2).sum(axis=1), rest.sum(axis=1)
            q = rest @ (weights / weights.sum()) if varying else length_outside
            second += u.T @ u / count
            pairs += (u**2).T @ u**2 / count
            mixed += (u * q[:, np.newaxis]).T @ u / count
            sums += np.array([length @ length_outside, length_outside @ length_outside, q @ q]) / count
        if not varying:
            share = np.zeros_like(share)
        error = pairs - 2 * share * mixed + share**2 * sums[2] - (second - share) ** 2
        expected = 1 + second**2 + 2 * share**2 / max(1, spare)
        # A squared error is not estimated to be below 1/N of that of Gaussian data.
        factors = np.maximum(error / expected, 1 / count)
        if not varying:
            return cls(factors)
        inside = sums[0] / max(1, view.inside.shape[1] * varying)
        # Exact for Gaussian data: E a'^2 = p (p + 2) (N - 1)/(N + 1), whitened with the covariance of the same data.
        outside = sums[1] / (varying * (varying + 2)) * (count + 1) / (count - 1)
        noise = (sums[2] - 1) * spare / 2
        # Tails lighter than a Gaussian's do not sharpen the tests of the model.
        return cls(factors, *(max(1.0, float(ratio)) for ratio in (inside, outside, noise)))
