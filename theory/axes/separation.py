"""Separating factors by their correlation in time, whatever their variances: AMUSE, second-order separation at one lag.

Uncorrelated factors with distinct correlations in time, mixed by a loading, with added white noise:

    S = A A^T + tau2 I,    S_lag = A diag(rho) A^T        (lag > 0: the noise, white in time, drops out).

Remove the noise before whitening, on the leading K eigenvectors U of S with eigenvalues L: B = (L - tau2)^(-1/2) U^T
makes B A orthogonal, so the eigenvectors of B S_lag B^T are B A up to sign and order, and its eigenvalues are the rho.
Conditions: rank A = K <= D, and distinct lag correlations; the norms and angles of the columns are arbitrary. Rank and
ties are part of the result.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theory import validation
from theory.moments import Moments

__all__ = ["Separation", "separate", "separate_series"]

# Rounding of a covariance, as a share of its largest eigenvalue: twice the largest seen in 4,000 random models.
TIE = 10 * np.finfo(float).eps


@dataclass(frozen=True, eq=False)
class Separation:
    """A demixing of data into components by their correlation in time.

    Attributes
    ----------
    demixing : (r, D) array
        each row gives one component, of variance 1 plus its share of the noise; rows in descending order of lag
        correlation, the largest entry of each column of `loading` positive.
    loading : (D, r) array, of the components; `demixing @ loading` is the identity
    lag_correlations : (r,) array, descending
    tied : (r,) boolean array
        components whose lag correlation equals a neighbour's up to 1e-8, or up to the effect of rounding in the
        covariances, which is larger for components of small variance: only the space that they span together is
        determined.
    rank : int
        r, the number of directions in which the data vary by more than the noise, at most K. If it is below the number
        of factors, they cannot be separated, and the components are mixtures.
    noise_variance : float

    Examples
    --------
    >>> from theory.axes import TemporalModel, separate
    >>> model = TemporalModel([[1.0, 0.9], [0.0, 0.4]], [0.9, 0.9], noise_variance=0.1)
    >>> separate(model.covariance, model.lagged_covariance(), 2, noise_variance=0.1).separable
    array([False, False])
    """

    demixing: np.ndarray
    loading: np.ndarray
    lag_correlations: np.ndarray
    tied: np.ndarray
    rank: int
    noise_variance: float

    @property
    def separable(self) -> np.ndarray:
        """(r,) boolean array, components with a lag correlation of their own."""
        return ~self.tied


def separate(covariance, lagged_covariance, latent_dim: int, *, noise_variance: float | None = None) -> Separation:
    """Factors from two covariances, of the data and of the data with themselves one lag later.

    B = (L - tau2)^(-1/2) U^T on the leading K eigenvectors of S, O the eigenvectors of B (S_lag + S_lag^T) B^T / 2:
    demixing O^T B, loading U (L - tau2)^(1/2) O.

    Parameters
    ----------
    covariance : (D, D) array, S
    lagged_covariance : (D, D) array, S_lag
        need not be symmetric; that of a sample is not.
    latent_dim : int, K <= D
    noise_variance : float >= 0, optional
        tau2; by default the mean of the D - K smallest eigenvalues of S, which needs K < D and is exact for the S of
        the model.

    Returns
    -------
    Separation
        demixing @ A is a signed permutation if rank A = K and the lag correlations are distinct, for any columns of A.

    Raises
    ------
    ValueError
        if shapes do not fit, K > D, or K = D without `noise_variance`.

    Notes
    -----
    Exact for the two covariances of a `TemporalModel` at any lag. The method is AMUSE (Tong et al., 1991), with the
    noise subtracted before whitening.

    Examples
    --------
    >>> from theory.axes import TemporalModel, separate
    >>> model = TemporalModel([[1.0, 0.9], [0.0, 0.4]], [0.9, 0.2], noise_variance=0.1)
    >>> result = separate(model.covariance, model.lagged_covariance(), 2, noise_variance=0.1)
    >>> result.loading.round(3) + 0.0
    array([[1. , 0.9],
           [0. , 0.4]])
    """
    covariance = validation.covariance_matrix("covariance", covariance)
    data_dim = len(covariance)
    lagged = validation.matrix("lagged_covariance", lagged_covariance, (data_dim, data_dim))
    latent_dim = validation.count("latent_dim", latent_dim)
    noise = None if noise_variance is None else validation.non_negative("noise_variance", noise_variance)
    if latent_dim > data_dim:
        raise ValueError(
            f"latent_dim must be at most the {data_dim} data dimensions, got {latent_dim}; pass a smaller number"
        )
    ascending, directions = np.linalg.eigh(covariance)
    eigenvalues, directions = validation.finite_result("covariance", ascending[::-1]), directions[:, ::-1]
    if noise is None and latent_dim == data_dim:
        raise ValueError(
            "noise_variance must be given if latent_dim is the number of data dimensions: no eigenvalue is left to "
            "estimate it; pass a number"
        )
    if noise is None:
        noise = max(0.0, float(eigenvalues[latent_dim:].mean()))
    powers = eigenvalues[:latent_dim] - noise
    # The power of a direction without signal is rounding of the eigenvalues, which scales with the largest.
    largest = max(eigenvalues.max(initial=0.0), 0.0)
    powers = powers[powers > validation.ROUNDING * largest]
    basis = directions[:, : len(powers)]
    whitening = (basis / np.sqrt(powers)).T
    with np.errstate(over="ignore", invalid="ignore"):
        whitened = validation.finite_result("lagged_covariance", whitening @ lagged @ whitening.T)
    correlations, rotation = np.linalg.eigh(whitened / 2 + whitened.T / 2)
    correlations, rotation = correlations[::-1], rotation[:, ::-1]
    loading = basis * np.sqrt(powers) @ rotation
    signs = np.array([1.0 if column[np.argmax(np.abs(column))] > 0 else -1.0 for column in loading.T])
    # Rounding by e in the covariances changes the whitened entry of directions i and j by e / sqrt(power_i power_j),
    # hence the correlation of a component with weights o by up to (sum |o_i| / sqrt(power_i))^2 e.
    errors = TIE * largest * np.sum(np.abs(rotation) / np.sqrt(powers)[:, np.newaxis], axis=0) ** 2
    equal = -np.diff(correlations) <= np.maximum(errors[1:] + errors[:-1], validation.ROUNDING)
    tied = np.concatenate([equal, [False]]) | np.concatenate([[False], equal])
    return Separation(
        demixing=(rotation * signs).T @ whitening,
        loading=loading * signs,
        lag_correlations=correlations,
        tied=tied[: len(powers)],
        rank=len(powers),
        noise_variance=noise,
    )


def separate_series(data, latent_dim: int, *, noise_variance: float | None = None, lag: int = 1) -> Separation:
    """Factors from a time series: `separate` of its sample covariances at lag 0 and at the given lag.

    Parameters
    ----------
    data : (n, D) array, in order of time, n > lag
    latent_dim : int, K
    noise_variance : float >= 0, optional
        by default the mean of the D - K smallest sample eigenvalues.
    lag : int > 0

    Returns
    -------
    Separation
        errors shrink as 1/sqrt(n), and grow as lag correlations approach each other. If those of the factors tie, the
        sample correlations still differ by chance, so that `tied` does not show it: any rotation may be the result.

    Raises
    ------
    ValueError
        if there are no more observations than the lag, or an argument is out of its range.

    Examples
    --------
    >>> from theory.axes import TemporalModel, separate_series
    >>> _, data = TemporalModel([[1.0, 0.9], [0.0, 0.4]], [0.9, 0.2], 0.0).sample(5000, rng=0)
    >>> separate_series(data, 2, noise_variance=0.0).lag_correlations.round(1)
    array([0.9, 0.2])
    """
    data = validation.matrix("data", data)
    lag = validation.count("lag", lag, minimum=1)
    if len(data) <= lag:
        raise ValueError(
            f"lag must be below the {len(data)} observations, the rows of data, got {lag}; pass a smaller one"
        )
    moments = Moments.of(data)
    centred = data - moments.mean
    lagged = centred[lag:].T @ centred[:-lag] / (len(data) - lag)
    return separate(moments.covariance, lagged, latent_dim, noise_variance=noise_variance)
