"""The generative model of data whose factors were measured: least squares, with standard errors.

With centred observations X (N rows), centred factors F and n = N - 1 - K degrees of freedom a column,

    loading            A = X^T F (F^T F)^-1
    noise              tau2 = |X - F A^T|^2 / (n D)            unbiased
    factor covariance  Gamma = F^T F / N                       as everywhere, divided by N

A and tau2 are the estimates of least variance for independent noise of one variance. Standard errors, V = (F^T F)^-1:
A_dk has sqrt(tau2 V_kk), exact given the factors; tau2 has tau2 sqrt(2 / (n D)), exact for Gaussian noise; Gamma_ij has
sqrt((Gamma_ii Gamma_jj + Gamma_ij^2) / N), asymptotic for Gaussian factors. Factors that are divided by their standard
deviations have the correlations r, with errors (1 - r^2) / sqrt(N), and the loading has the error of its unit besides,
A_dk / sqrt(2 N), again for Gaussian factors.

Whether the factors have anything to do with the data tells Fisher's F of all loadings against zero, exact for Gaussian
noise. A small share that they explain, or a large p value, is what rows in another order look like.

Two questions decide whether beta = 1 is best, and sampling error alone makes both look answered in the negative: are
the columns of A orthogonal, and the factors uncorrelated? Each has a p value, of the pair that deviates most, corrected
for the number of pairs (Bonferroni). Asymptotic, from

    a_i.a_j  has mean  (A^T A)_ij + D tau2 V_ij  and variance
    tau2 (|a_i|^2 V_jj + |a_j|^2 V_ii + 2 a_i.a_j V_ij) + D tau2^2 (V_ii V_jj + V_ij^2),

and, for independent factors, correlations of variance 1 / N.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import erfc, fdtrc

from theory import validation
from theory.moments import Moments

__all__ = ["Estimate", "Regression", "regression", "standard_errors"]

NEGLIGIBLE = 1e-20  # share of the sum of squares of a factor that is rounding: what is left of a constant column


@dataclass(frozen=True, eq=False)
class Estimate:
    """What least squares gives from the observations, or from a resample of them.

    Attributes
    ----------
    loading : (D, K) array, A
    residual_variances : (D,) array
        sums of squares of the residuals over n; their mean is the noise.
    gram : (K, K) array, F^T F
    count : float, N
    standard : bool
        whether the factors were divided by their standard deviations, which are estimates too.
    """

    loading: np.ndarray
    residual_variances: np.ndarray
    gram: np.ndarray
    count: float
    standard: bool = False

    @property
    def noise_variance(self) -> float:
        return float(self.residual_variances.mean())

    @property
    def factor_covariance(self) -> np.ndarray:
        return self.gram / self.count

    def standardized(self) -> Estimate:
        """The same with each factor divided by its standard deviation."""
        scales = np.sqrt(np.diagonal(self.factor_covariance))
        return replace(self, loading=self.loading * scales, gram=self.gram / np.outer(scales, scales), standard=True)


@dataclass(frozen=True, eq=False)
class Regression:
    """Observations that were regressed on factors; what is left of them is regressed again for each resample.

    Residuals instead of observations: so no digits are lost where the factors explain nearly everything.

    Attributes
    ----------
    factors : (N, K) array, centred
    residuals : (N, D) array
    loading : (D, K) array
    means : pair of arrays, (D,) and (K,)
    rounding : (D,) array
        residual variances up to which a column is explained but for rounding.
    scales : (K,) array
        sums of squares of the factors.
    """

    factors: np.ndarray
    residuals: np.ndarray
    loading: np.ndarray
    means: tuple[np.ndarray, np.ndarray]
    rounding: np.ndarray
    scales: np.ndarray

    def estimate(self, weights: np.ndarray | None = None) -> Estimate:
        """The estimate from each observation `weights` times, by default once.

        Raises
        ------
        numpy.linalg.LinAlgError
            if the resample has factors that follow from each other.
        """
        weights = np.ones(len(self.factors)) if weights is None else weights
        count = weights.sum()
        factors, residuals = (values - weights @ values / count for values in (self.factors, self.residuals))
        weighted = weights[:, np.newaxis] * factors
        gram, cross = weighted.T @ factors, weighted.T @ residuals
        _refuse_dependent(gram, self.scales)
        change = np.linalg.solve(gram, cross).T
        squares = weights @ residuals**2 - np.sum(change * cross.T, axis=1)
        variances = np.maximum(squares, 0.0) / (count - 1 - len(gram))
        variances = np.where(variances > self.rounding, variances, 0.0)
        return Estimate(self.loading + change, variances, gram, count)


def regression(data, factors) -> Regression:
    """Check observations and factors, one in each row of both, and regress.

    Raises
    ------
    ValueError
        if the rows do not match or are too few, or a factor is constant or follows from the others.
    """
    data, factors = validation.observations("data", data), validation.observations("factors", factors)
    if len(data) != len(factors):
        raise ValueError(
            f"data and factors must have one row for each observation, got {len(data)} and {len(factors)} rows; pass "
            "both in the same order"
        )
    count, latents = factors.shape
    if count < latents + 2:
        raise ValueError(
            f"data must have at least two rows more than factors has columns, got {count} rows for {latents} factors; "
            "pass more observations"
        )
    of_data, of_factors = Moments.of(data), Moments.of(factors)
    deviations = np.sqrt(of_factors.variances)
    if not deviations.all():
        column = int(np.argmin(deviations))
        raise ValueError(f"factors must vary, column {column} (counted from 0) is constant; leave it out")
    values, directions = np.linalg.eigh(of_factors.covariance / np.outer(deviations, deviations))
    if values[0] <= 8 * latents * np.finfo(float).eps:
        column = int(np.abs(directions[:, 0]).argmax())
        raise ValueError(
            f"factors must not follow from each other, column {column} (counted from 0) is a linear combination of the "
            "others; leave it out"
        )
    centred, factors = data - of_data.mean, factors - of_factors.mean
    loading = np.linalg.lstsq(factors / deviations, centred, rcond=None)[0].T / deviations
    # of the numbers as they were given, so that their means count
    squares = of_data.variances + of_data.mean**2 + loading**2 @ of_factors.mean**2
    rounding = (8 * latents * np.finfo(float).eps) ** 2 * squares
    scales = np.sum(factors**2, axis=0)
    return Regression(
        factors, centred - factors @ loading.T, loading, (of_data.mean, of_factors.mean), rounding, scales
    )


def _refuse_dependent(gram: np.ndarray, scales: np.ndarray) -> None:
    """Raise where a factor of a resample is constant, or follows from the others, up to rounding."""
    sizes = np.diagonal(gram)
    if not (sizes > NEGLIGIBLE * scales).all():
        raise np.linalg.LinAlgError("a factor is constant")
    roots = np.sqrt(sizes)
    if np.linalg.eigvalsh(gram / np.outer(roots, roots))[0] <= 8 * len(gram) * np.finfo(float).eps:
        raise np.linalg.LinAlgError("factors are dependent")


def standard_errors(found: Estimate) -> dict:
    """The standard errors and p values of a `FittedModel`."""
    loading, noise, gamma = found.loading, found.noise_variance, found.factor_covariance
    data_dim, latent_dim = loading.shape
    spread = np.linalg.inv(found.gram)  # V
    diagonal, scales = np.diagonal(spread), np.diagonal(gamma)
    products = loading.T @ loading
    norms = np.diagonal(products)
    variances = noise * (np.outer(norms, diagonal) + np.outer(diagonal, norms) + 2 * products * spread)
    variances = variances + data_dim * noise**2 * (np.outer(diagonal, diagonal) + spread**2)
    correlations = gamma / np.sqrt(np.outer(scales, scales))
    explained = float(np.sum(loading * (loading @ found.gram)))
    freedom = (found.count - 1 - latent_dim) * data_dim
    unexplained = freedom * noise
    ratio = explained / (latent_dim * data_dim) / noise if noise else np.inf  # of F(K D, n D) if A = 0
    loading_errors = np.tile(np.sqrt(noise * diagonal), (data_dim, 1))
    gamma_errors = np.sqrt((np.outer(scales, scales) + gamma**2) / found.count)
    if found.standard:  # the standard deviations, by which factors were divided, have relative errors of 1 / sqrt(2 N)
        loading_errors = np.sqrt(loading_errors**2 + loading**2 / (2 * found.count))
        gamma_errors = np.where(np.eye(latent_dim) > 0, 0.0, (1 - gamma**2) / np.sqrt(found.count))
    return {
        "loading_errors": loading_errors,
        "noise_error": float(noise * np.sqrt(2 / freedom)),
        "explained": explained / (explained + unexplained) if explained else 0.0,
        "relation_p_value": float(fdtrc(latent_dim * data_dim, freedom, ratio)) if explained else 1.0,
        "factor_covariance_errors": gamma_errors,
        "orthogonality_p_value": _least_p_value(products - data_dim * noise * spread, variances),
        "independence_p_value": _least_p_value(correlations, np.full(gamma.shape, 1 / found.count)),
    }


def _least_p_value(values: np.ndarray, variances: np.ndarray) -> float:
    """Two-sided, of the pair with the largest value in standard errors, times the number of pairs."""
    pairs = np.triu_indices(len(values), 1)
    if not len(pairs[0]):
        return 1.0
    values, variances = np.abs(values[pairs]), variances[pairs]
    sizes = np.divide(values, np.sqrt(variances), out=np.full(values.shape, np.inf), where=variances > 0)
    sizes = np.where(values == 0, 0.0, sizes)
    return float(min(1.0, len(sizes) * erfc(sizes.max() / np.sqrt(2))))
