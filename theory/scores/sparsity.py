"""Hoyer sparsity of a Gaussian code, by one smooth integral, and its chance level."""

from __future__ import annotations

import numpy as np
from scipy.special import beta

from theory import validation
from theory.scores.gaussian_code import GaussianCode, checked_gaussian_code

__all__ = ["hoyer_chance_level", "hoyer_sparsity"]


DECAY, STEP = 40.0, 0.1  # range and step of the integral in log t: exp(-40) is below rounding


def hoyer_sparsity(code: GaussianCode) -> float:
    """Expected normalised Hoyer sparsity of a code: (sqrt L - E ||z||_1/||z||_2) / (sqrt L - 1), z standardised.

    With l_k, B the eigenvalues > 0 and eigenvectors of the correlation matrix, the expected ratio is

        (2/pi) int_0^inf prod_k (1 + l_k t^2)^(-1/2) sum_j sqrt(sum_k B_jk^2 l_k / (1 + l_k t^2)) dt,

    from 1/||z|| = pi^(-1/2) int x^(-1/2) exp(-x ||z||^2) dx with 2 x = t^2. In log t the integrand is analytic within
    pi/2 of the real line, so that the trapezoidal rule is exact to rounding. A constant code counts as a zero entry.
    The mean of the code is taken to be zero.

    Parameters
    ----------
    code : GaussianCode

    Returns
    -------
    float
        0 for entries of equal size, 1 for a single one that is not zero; NaN for fewer than two codes, or if none
        varies.

    Examples
    --------
    >>> from theory.scores import GaussianCode, hoyer_sparsity
    >>> code = GaussianCode([[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]], [[0.9, 0.1], [0.2, 0.7]])
    >>> round(hoyer_sparsity(code), 4)
    0.3403
    """
    latent_dim = len(checked_gaussian_code(code).code_covariance)
    variances, directions = code.code_spectrum
    if latent_dim < 2 or not len(variances):
        return np.nan
    shares = directions**2 * variances

    # The integrand falls as t below the first 1/sqrt(l), and at least as 1/t above the last.
    logarithms = np.arange(-DECAY, DECAY - np.log(variances.min()) / 2, STEP)
    grown = 1 + np.multiply.outer(variances, np.exp(2 * logarithms))
    heights = np.exp(logarithms - np.log(grown).sum(axis=0) / 2)
    ratio = 2 / np.pi * STEP * (heights @ np.sqrt(shares @ (1 / grown)).sum(axis=0))
    return float((np.sqrt(latent_dim) - ratio) / (np.sqrt(latent_dim) - 1))


def hoyer_chance_level(latent_dim: int) -> float:
    """Hoyer sparsity of a code of L independent Gaussians: E ||z||_1/||z||_2 = L Gamma(L/2) / (sqrt pi Gamma((L+1)/2)).

    Normalised as in `hoyer_sparsity`; .2307 at L = 50, 1 - sqrt(2/pi) = .2021 for many; NaN for fewer than two codes.

    Examples
    --------
    >>> from theory.scores import hoyer_chance_level
    >>> round(hoyer_chance_level(50), 4)
    0.2307
    """
    latent_dim = validation.count("latent_dim", latent_dim)
    if latent_dim < 2:
        return np.nan
    ratio = latent_dim * beta(latent_dim / 2, 0.5) / np.pi  # Gamma(1/2) = sqrt pi
    return float((np.sqrt(latent_dim) - ratio) / (np.sqrt(latent_dim) - 1))
