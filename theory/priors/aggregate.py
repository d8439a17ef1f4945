"""Divergences between the aggregate code and the prior, closed for Gaussians.

For q(z) = N(0, C) and p = N(0, Pi):

    inclusive   KL(p || q(z)) = 1/2 [ tr(C^-1 Pi) - K + log det C - log det Pi ]
    exclusive   KL(q(z) || p) = 1/2 [ tr(Pi^-1 C) - K + log det Pi - log det C ]
    mmd         sum_j e(2 C_jj) + e(2 Pi_jj) - 2 e(C_jj + Pi_jj),   e(v) = E c / (c + u^2), u ~ N(0, v)

mmd is the squared maximum mean discrepancy, summed over single latents, with the inverse multiquadratic kernel
c / (c + (x - y)^2), whose mean is e(v) = sqrt(pi a) exp(a) erfc(sqrt a), a = c / (2 v). It ignores correlations.
"""

from __future__ import annotations

import numpy as np
from scipy.special import erfcx

from theory import gaussian, validation
from theory.objective import prior_covariance
from theory.priors.arguments import LONGEST, SHORTEST, within

__all__ = ["DIVERGENCES", "aggregate_divergence", "divergence_and_slope", "kernel_mean"]

# From this sqrt(c / (2 v)) on the slope is computed by its series: here its truncation error and the rounding of the
# closed form are both a few 1e-9.
SERIES_FROM = 50.0

DIVERGENCES = ("inclusive", "exclusive", "mmd")


def kernel_mean(variance, scale: float = 1.0) -> float | np.ndarray:
    """E c / (c + u^2) for u ~ N(0, v): sqrt(pi a) exp(a) erfc(sqrt a) with a = c / (2 v); one for v = 0. Exact.

    Parameters
    ----------
    variance : float or array >= 0, v
    scale : float from 1e-100 to 1e100, c

    Returns
    -------
    float or array, between 0 and 1

    Raises
    ------
    ValueError
        for a variance that is negative or not finite, or a scale out of its range.

    Examples
    --------
    >>> from theory.priors import kernel_mean
    >>> kernel_mean([0.0, 1.0, 100.0]).round(4)
    array([1.    , 0.6557, 0.1159])
    """
    variance, scale = validation.real_array("variance", variance), validation.scale("scale", scale)
    if not np.all((variance >= 0) & np.isfinite(variance)):
        raise ValueError(
            f"variance must be >= 0 everywhere and finite, its smallest entry is {float(np.min(variance))!r}; pass the "
            "variance of a latent"
        )
    return _kernel_mean(variance, scale)[0][()]


def aggregate_divergence(covariance, prior=None, *, divergence: str = "inclusive", scale: float = 1.0) -> float:
    """D(N(0, C), N(0, Pi)) between the aggregate code and the prior; formulas at the top of the module. Exact.

    Parameters
    ----------
    covariance : (K, K) array, C
        of the aggregate code; if it is singular (to rounding, or with a variance below 1e-100), the divergences
        "inclusive" and "exclusive" are infinite.
    prior : (K, K) array, optional
        Pi, positive definite; the identity by default.
    divergence : "inclusive", "exclusive" or "mmd"
    scale : float from 1e-100 to 1e100
        c of the kernel, in squared units of the latents; used only by "mmd".

    Returns
    -------
    float >= 0

    Raises
    ------
    ValueError
        if an argument is out of its range.

    Notes
    -----
    "inclusive" and "mmd" are the divergences in the code of the authors of Mathieu et al. (2019).

    Examples
    --------
    >>> from theory.priors import aggregate_divergence
    >>> round(aggregate_divergence([[1.5, 0.4], [0.4, 0.8]]), 4)
    0.1254
    >>> round(aggregate_divergence([[1.5, 0.4], [0.4, 0.8]], divergence="mmd"), 4)
    0.0089
    """
    covariance = within("covariance", validation.covariance_matrix("covariance", covariance), LONGEST**2)
    prior = prior_covariance(prior, len(covariance))
    kind = validation.choice("divergence", divergence, DIVERGENCES)
    scale = validation.scale("scale", scale)
    if kind != "mmd" and _is_singular(covariance):
        return np.inf
    return max(0.0, divergence_and_slope(covariance, prior, kind, scale)[0])


def _is_singular(covariance: np.ndarray) -> bool:
    """Whether a code has no variance in some direction, up to rounding, in whatever units."""
    variances = np.diagonal(covariance)
    if not np.all(variances >= SHORTEST**2):
        return True
    return not gaussian.is_positive_definite(covariance)


def divergence_and_slope(covariance, prior, divergence: str, scale: float) -> tuple[float, np.ndarray]:
    """The divergence of `aggregate_divergence`, and its gradient in C, (K, K) and symmetric; C positive definite."""
    return _DIVERGENCES[divergence](covariance, prior, scale)


def _inclusive(code, prior, scale):
    inverse = np.linalg.inv(code)
    return _kl(prior, code), (inverse - inverse @ prior @ inverse) / 2


def _exclusive(code, prior, scale):
    return _kl(code, prior), (np.linalg.inv(prior) - np.linalg.inv(code)) / 2


def _kl(covariance_q, covariance_p) -> float:
    """KL(N(0, A) || N(0, B)) of positive definite A and B, as `gaussian.kl_divergence` but without its checks.

    A search computes it at every step, and its steps are positive definite by the form of their parameters.
    """
    parts, root = gaussian.cholesky(covariance_q), gaussian.cholesky(covariance_p)
    spread = np.sum(gaussian.solve_lower(root, parts) ** 2)
    log_ratio = 2 * np.log(np.diagonal(root) / np.diagonal(parts)).sum()
    return max(0.0, float(spread - len(root) + log_ratio) / 2)


def _mmd(code, prior, scale):
    of_code, of_prior = np.diagonal(code), np.diagonal(prior)
    (own, own_slope), (cross, cross_slope) = _kernel_mean(2 * of_code, scale), _kernel_mean(of_code + of_prior, scale)
    value = own + _kernel_mean(2 * of_prior, scale)[0] - 2 * cross
    return float(value.sum()), np.diag(2 * own_slope - 2 * cross_slope)


_DIVERGENCES = {"inclusive": _inclusive, "exclusive": _exclusive, "mmd": _mmd}


def _kernel_mean(variance: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """E c / (c + u^2), and its derivative in the variance of u."""
    # The ratio of sqrt(c) and sqrt(v) is a float even if that of c and v overflows.
    deviation = np.sqrt(np.where(variance > 0, variance, 1.0))
    root = np.where(variance > 0, np.sqrt(scale / 2) / deviation, 1.0)
    value = np.where(variance > 0, np.sqrt(np.pi) * root * erfcx(root), 1.0)
    # At small variance the closed form of the slope cancels: use its series.
    small = (root > SERIES_FROM) | (variance == 0)
    few = np.minimum(root, SERIES_FROM)
    slope = np.sqrt(np.pi) * few**3 * (2 * few / np.sqrt(np.pi) - (1 + 2 * few**2) * erfcx(few))
    ratio = np.where(small, variance, 0.0) / scale
    return value, np.where(small, -1 + 6 * ratio - 45 * ratio**2, slope) / scale
