"""Tests of a fixed decoder and of noise that is equal in all directions, for any covariance of the factors.

**Hypotheses.** N data points x = W s + mean + n, n ~ N(0, s2 I), W of full column rank K in D dimensions; their
covariance is S. Let U be an orthonormal basis of the range of W, and U' one of its orthogonal complement, of p = D - K
dimensions. Then

    inside    U^T S U' = 0         the data inside and outside the range are uncorrelated
    outside   U'^T S U' = s2 I     outside the range, every direction has the same variance
    noise     tr(U'^T S U')/p      is s2, if s2 is given

A wrong decoder breaks the first two, and so does noise that differs between directions.

**Tests.** Each is tested by its likelihood ratio; with nu = N - 1 and v the mean variance outside,

    -(nu - (D + 1)/2) log |S| / (|U^T S U| |U'^T S U'|)                   chi-square of K p degrees of freedom
    -(nu - (2 p^2 + p + 2)/(6 p)) log |U'^T S U'| / v^p                   chi-square of p (p + 1)/2 - 1
    nu p (v/s2 - 1 - log v/s2)                                            chi-square of 1

The probabilities of the first two include the next term of Box's expansion: from N = 2 D + 1 on the level is within a
quarter of the nominal one (simulated for D = 4 to 20). For Gaussian data; for elliptical data each statistic is
divided by a ratio of fourth moments (`theory.groups.selection.fourth_moments`).

Sources: Muirhead (1982), theorems 8.3.7 and 11.2.4; for elliptical data Muirhead and Waternaux (1980).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaincc

from theory.groups.selection.fourth_moments import FourthMoments

__all__ = ["ModelCheck", "ModelFit", "fit_of_model"]

OBJECTIONS = {
    "inside": "the data inside and outside the decoder's range are correlated",
    "outside": "outside the decoder's range the data vary more in some directions than in others",
    "noise": "outside the decoder's range the data do not have the given noise variance",
}


@dataclass(frozen=True)
class ModelCheck:
    """One test of the model.

    Attributes
    ----------
    name : "inside", "outside" or "noise"
    statistic, freedom : float, int
        chi-square if the model is true; the statistic is infinite where the data exclude the model.
    p_value : float
    """

    name: str
    statistic: float
    freedom: int
    p_value: float


@dataclass(frozen=True)
class ModelFit:
    """The tests of the decoder and the noise.

    Attributes
    ----------
    checks : tuple of ModelCheck
    untested : str
        why there are no checks; empty if there are.
    enough : bool
        whether the observations are enough for the checks, and for the approximations of the search.
    """

    checks: tuple[ModelCheck, ...]
    untested: str = ""
    enough: bool = True

    @property
    def p_value(self) -> float:
        """The smallest probability of a check, times their number; NaN without checks."""
        return min(1.0, len(self.checks) * min(check.p_value for check in self.checks)) if self.checks else np.nan

    @property
    def objection(self) -> str:
        """The objection to the model by the check of the smallest probability; empty without checks."""
        return OBJECTIONS[min(self.checks, key=lambda check: check.p_value).name] if self.checks else ""


def fit_of_model(
    count: int,
    correlations: np.ndarray,
    variances: np.ndarray,
    noise_variance: float | None,
    fourth: FourthMoments,
) -> ModelFit:
    """Test the model from the parts of the covariance that do not depend on the covariance of the factors.

    Parameters
    ----------
    count : int, N
    correlations : (K', p') array
        covariance of the data inside with those outside, each in coordinates that are whitened: a row or a column for
        each direction that varies.
    variances : (p,) array
        eigenvalues of the covariance outside, zero where they are rounding.
    noise_variance : float >= 0, or None if it is estimated
    fourth : FourthMoments

    Returns
    -------
    ModelFit
    """
    spare, data_dim = len(variances), len(correlations) + len(variances)
    if count <= 2 * data_dim:
        return ModelFit((), f"{count} observations in {data_dim} dimensions, {2 * data_dim + 1} are needed", False)
    if not spare:
        return ModelFit((), "with as many factors as data dimensions every covariance fits")
    checks = []
    if variances.any():
        checks.append(_inside(count, correlations, data_dim, fourth.inside))
        if spare > 1:
            checks.append(_outside(count, variances, fourth.outside))
    if noise_variance is not None and (noise_variance > 0 or variances.any()):
        checks.append(_noise(count, variances, noise_variance, fourth.noise))
    return ModelFit(tuple(checks), "" if checks else "the data do not leave the decoder's range")


def _inside(count: int, correlations: np.ndarray, data_dim: int, fourth: float) -> ModelCheck:
    rows, columns = correlations.shape
    freedom, scale = rows * columns, count - 1 - (data_dim + 1) / 2
    # |S| / (|U^T S U| |U'^T S U'|) = prod (1 - r^2), r the canonical correlations.
    left = 1 - np.linalg.svd(correlations, compute_uv=False) ** 2
    second = freedom * (rows**2 + columns**2 - 5) / (48 * scale**2)
    return _check("inside", -scale * _sum_of_logs(left) / fourth, freedom, second)


def _outside(count: int, variances: np.ndarray, fourth: float) -> ModelCheck:
    p = len(variances)
    freedom, scale = p * (p + 1) // 2 - 1, count - 1 - (2 * p**2 + p + 2) / (6 * p)
    second = (p - 1) * (p - 2) * (p + 2) * (2 * p**3 + 6 * p**2 + 3 * p + 2) / (288 * p**2 * scale**2)
    return _check("outside", -scale * _sum_of_logs(variances / variances.mean()) / fourth, freedom, second)


def _noise(count: int, variances: np.ndarray, noise_variance: float, fourth: float) -> ModelCheck:
    with np.errstate(divide="ignore", over="ignore"):
        ratio = float(np.divide(variances.mean() * (count / (count - 1)), noise_variance))
    excess = ratio - 1 - np.log(ratio) if 0 < ratio < np.inf else np.inf
    return _check("noise", (count - 1) * len(variances) * excess / fourth, 1, 0.0)


def _check(name: str, statistic: float, freedom: int, second: float) -> ModelCheck:
    """The check with its probability: that of chi-square, and the next term of its expansion with this weight."""
    statistic = max(0.0, float(statistic))
    first, further = (gammaincc(degrees / 2, statistic / 2) for degrees in (freedom, freedom + 4))
    return ModelCheck(name, statistic, freedom, float(min(1.0, first + second * (further - first))))


def _sum_of_logs(values: np.ndarray) -> float:
    """Sum of the logarithms of values, negative only by rounding; minus infinity if one is zero."""
    with np.errstate(divide="ignore"):
        return float(np.log(np.maximum(values, 0.0)).sum())
