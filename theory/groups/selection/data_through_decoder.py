"""Data seen through a fixed decoder W, (D, K): the fitted factors, and the data outside its range.

Every data point x is a sum of a part inside the range of W, with coordinates y = W^+ x, and a part outside it. Both
parts are also stored whitened, in the directions in which they vary; variance that is rounding of the covariance counts
as zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theory import validation

__all__ = ["LARGEST", "View"]

SMALLEST, LARGEST = 1e-150, 1e150  # variances whose products are floats


@dataclass(frozen=True, eq=False)
class View:
    """Linear maps of centred data, one column for each coordinate, and second moments of the mapped data.

    Attributes
    ----------
    factors : (D, K) array
        to y over its standard deviations (or to zero where it does not vary).
    inside : (D, K') array
        to y whitened, in the K' directions that vary.
    outside : (D, p') array
        to the data outside the range whitened, in the p' directions that vary.
    variances : (p,) array, p = D - K
        of the data outside the range along principal axes, ascending; zero where they are rounding.
    seen : (K, K) array, M
        covariance of y.
    spread : (K, K) array, (W^T W)^-1
        covariance of y for noise of variance 1.
    """

    factors: np.ndarray
    inside: np.ndarray
    outside: np.ndarray
    variances: np.ndarray
    seen: np.ndarray
    spread: np.ndarray

    @classmethod
    def of(cls, decoder: np.ndarray, covariance: np.ndarray) -> View:
        """The view of data of this covariance; the decoder must have full column rank, whatever its columns' units."""
        data_dim, latent_dim = decoder.shape
        # The size of a column is the unit of a factor and irrelevant for the rank.
        units = np.abs(decoder).max(axis=0, initial=0.0)
        basis, singular, axes = np.linalg.svd(decoder / np.where(units > 0, units, 1.0))
        rank = int(np.count_nonzero(singular > validation.rank_tolerance(singular)))
        if not 0 < latent_dim == rank:
            raise ValueError(
                f"decoder must have {max(1, latent_dim)} independent columns, got {data_dim} x {latent_dim} of rank "
                f"{rank}: factors of dependent columns cannot be distinguished; drop columns"
            )
        pseudo_inverse = (axes.T / singular) @ basis[:, :latent_dim].T
        spread = (axes.T / singular**2) @ axes
        seen = pseudo_inverse @ covariance @ pseudo_inverse.T
        deviations = np.sqrt(np.diagonal(seen))
        factors = pseudo_inverse.T / np.where(deviations > 0, deviations, np.inf)
        rest = basis[:, latent_dim:]
        rounding = data_dim * np.finfo(float).eps * np.trace(covariance)
        variances, principal = np.linalg.eigh(rest.T @ covariance @ rest)
        variances = np.where(variances > rounding, variances, 0.0)
        with np.errstate(over="ignore", under="ignore", divide="ignore", invalid="ignore"):
            # Factors in the units of the given decoder.
            seen, spread = ((array / units) / units[:, np.newaxis] for array in (seen, spread))
            sizes = np.concatenate([np.diagonal(seen)[deviations > 0], np.diagonal(spread)])
        if not (np.all(sizes >= SMALLEST) and np.all(sizes <= LARGEST)):
            raise ValueError(
                f"decoder must have entries of a size that fits the data: variances of factors are {sizes.min():.3g} "
                f"to {sizes.max():.3g}, beyond {SMALLEST:g} to {LARGEST:g}; scale its columns"
            )
        return cls(
            factors=factors,
            inside=factors @ _whitening(*np.linalg.eigh(factors.T @ covariance @ factors)),
            outside=rest @ _whitening(variances, principal),
            variances=variances,
            seen=seen,
            spread=spread,
        )


def _whitening(variances: np.ndarray, axes: np.ndarray) -> np.ndarray:
    kept = variances > validation.rank_tolerance(variances)
    return axes[:, kept] / np.sqrt(variances[kept])
