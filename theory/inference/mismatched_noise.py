"""The optimal beta for every loading: slope of the error at 1, scaling with a wrong noise, correlated factors.

With the truth's decoder (W = A) and independent unit factors (Gamma = I):

    slope at 1      the forward KL falls through beta = 1 unless the columns are orthogonal: with s2 = tau2, G = A^T A,
                    J'(1) = -sum_i (Sigma_ii - d_i) s2 G_ii / (2 d_i^2 (G_ii + s2)^2) <= 0,
                    Sigma = s2 (G + s2 I)^-1, d_i = s2/(G_ii + s2)
    noise mismatch  q depends only on beta s2, so for every criterion beta*(s2) = (tau2/s2) beta*(tau2)

For correlated factors the prior N(0, I) itself is wrong: the first statement and optima at beta = 1 fail, the second
holds unchanged. For the mean squared error a bracket replaces the optimum at 1: with gamma_k = v_k^T Gamma v_k along
the eigenvectors v_k of G with non-zero eigenvalues, the optimal water level lies in [tau2 / max gamma_k, tau2 / min
gamma_k]. Exact; in the setting of Sikka et al. 2019.
"""

from __future__ import annotations

import numpy as np

from theory import validation
from theory.model import GenerativeModel
from theory.singular_values import principal_axes

__all__ = ["forward_kl_slope", "mismatched_beta", "squared_error_level_bracket"]


def forward_kl_slope(truth: GenerativeModel) -> float:
    """d/d beta of the forward KL at beta = 1, decoder and noise the truth's, diagonal posterior; never positive.

    Zero exactly when the columns of the loading are orthogonal.

    Raises
    ------
    ValueError
        if the factors are not independent with variance 1 (Gamma = I is assumed), or tau2 = 0 (then the posterior does
        not depend on beta).

    Examples
    --------
    >>> from theory import GenerativeModel
    >>> from theory.inference import forward_kl_slope
    >>> round(forward_kl_slope(GenerativeModel([[1.0, 0.9], [0.0, 0.4]], 0.05)), 3)
    -2.953
    """
    validation.instance("truth", truth, GenerativeModel)
    _require_unit_factors(truth)
    noise = validation.scale("truth.noise_variance", truth.noise_variance)
    gram = truth.loading.T @ truth.loading
    norms = np.diagonal(gram)
    errors = np.diagonal(truth.posterior()[1])
    # With s2/(G_ii + s2) = d_i the terms are (Sigma_ii/d_i - 1) G_ii / (2 (G_ii + s2)).
    slope = np.sum((errors * (norms + noise) / noise - 1) * norms / (2 * (norms + noise)))
    return 0.0 - max(0.0, float(slope))


def mismatched_beta(beta: float, true_noise: float, decoder_noise: float) -> float:
    """The optimal beta for a decoder noise other than the truth's: (tau2/s2) times that for the truth's noise.

    Holds for every criterion, loading, decoder and posterior family, because beta and the decoder's noise enter an
    encoder only through their product. (For correlated factors too, but there the optimum at the true noise is not 1.)

    Examples
    --------
    >>> from theory.inference import mismatched_beta
    >>> mismatched_beta(1.5, true_noise=0.1, decoder_noise=0.3)
    0.5
    """
    factors = [("beta", beta), ("true_noise", true_noise)]
    beta, true_noise = (
        validation.within_decades(name, validation.non_negative(name, value), validation.VARIANCE_DECADES)
        for name, value in factors
    )
    return beta * (true_noise / validation.scale("decoder_noise", decoder_noise))


def squared_error_level_bracket(truth: GenerativeModel) -> tuple[float, float]:
    """Water levels between which the mean squared error is least, for correlated factors and the truth's decoder.

    The error is stationary where sum_k g_k (t gamma_k - tau2)/(g_k + t)^3 = 0, g_k the eigenvalues of A^T A and
    gamma_k = v_k^T Gamma v_k; each term changes sign at t = tau2/gamma_k. Within the bracket there can be several
    minima.

    Returns
    -------
    (low, high) : floats
        both tau2 for Gamma = I; high is infinite if some gamma_k = 0; (0, inf) for a zero loading.

    Examples
    --------
    >>> from theory import GenerativeModel
    >>> from theory.inference import squared_error_level_bracket
    >>> truth = GenerativeModel([[1.0, 0.0], [0.0, 2.0]], 0.1, [[1.0, 0.0], [0.0, 0.5]])
    >>> [round(level, 6) for level in squared_error_level_bracket(truth)]
    [0.1, 0.2]
    """
    validation.instance("truth", truth, GenerativeModel)
    validation.within_decades("truth.noise_variance", truth.noise_variance, validation.VARIANCE_DECADES)
    _, singular, axes = principal_axes(truth.loading)
    seen = singular > 0
    if not seen.any():
        return 0.0, np.inf
    variances = np.sum((truth.factor_root.T @ axes[:, seen]) ** 2, axis=0)
    low, high = (
        float(truth.noise_variance / variance) if variance > 0 else np.inf
        for variance in (variances.max(), variances.min())
    )
    return low, high


def _require_unit_factors(truth: GenerativeModel) -> None:
    if not np.array_equal(truth.factor_covariance, np.eye(truth.latent_dim)):
        raise ValueError(
            "truth.factor_covariance must be the identity: for correlated factors the slope can be positive; use "
            "optimal_beta"
        )
