"""Gaussian codes that the tests of several scores share."""

from __future__ import annotations

import numpy as np

from theory.scores.gaussian_code import GaussianCode


def linear(mixing, noise=0.0, factor_covariance=None):
    """The code z = M s + noise of independent unit factors, or of those with the given covariance."""
    mixing = np.asarray(mixing, dtype=float)
    factors = np.eye(mixing.shape[1]) if factor_covariance is None else np.asarray(factor_covariance, dtype=float)
    code = mixing @ factors @ mixing.T + noise * np.eye(len(mixing))
    return GaussianCode(factors, code, factors @ mixing.T)
