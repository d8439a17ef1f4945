"""Identities of Gaussian distributions: entropy, divergence, total correlation and the Hadamard gap.

All exact, in nats. A singular covariance gives the infinite value that the limit has, never an error.
"""

from __future__ import annotations

import numpy as np

from theory.partition import Posterior, partition

__all__ = ["entropy", "hadamard_gap", "kl_divergence", "log_determinant", "total_correlation"]


def log_determinant(matrix: np.ndarray) -> float:
    """log det of a positive semi-definite matrix; minus infinity where it is singular."""
    sign, value = np.linalg.slogdet(matrix)
    return float(value) if sign > 0 else -np.inf


def entropy(covariance: np.ndarray) -> float:
    """Differential entropy of N(., C): (n log(2 pi e) + log det C) / 2, in nats; minus infinity for a singular C."""
    return (len(covariance) * np.log(2 * np.pi * np.e) + log_determinant(covariance)) / 2


def kl_divergence(mean_q, covariance_q, mean_p, covariance_p) -> float:
    """KL(q || p) between Gaussians, in nats.

    KL(N(a, A) || N(b, B)) = 1/2 [ tr(B^-1 A) + (a - b)^T B^-1 (a - b) - n + log det B - log det A ].

    Parameters
    ----------
    mean_q, mean_p : (n,) arrays
    covariance_q, covariance_p : (n, n) arrays
        `covariance_p` positive definite; a singular `covariance_q` gives infinity.

    Raises
    ------
    numpy.linalg.LinAlgError
        if `covariance_p` is singular.
    """
    difference = np.asarray(mean_q, dtype=float) - np.asarray(mean_p, dtype=float)
    second_moment = np.asarray(covariance_q, dtype=float) + np.outer(difference, difference)
    mahalanobis = np.trace(np.linalg.solve(covariance_p, second_moment))
    return float(mahalanobis - len(difference) + log_determinant(covariance_p) - log_determinant(covariance_q)) / 2


def hadamard_gap(matrix: np.ndarray, posterior: Posterior = "diagonal") -> float:
    """What a positive definite matrix loses in log-determinant when only its diagonal blocks are kept.

    gap = sum_b log det M_bb - log det M >= 0 (Fischer's inequality; Hadamard's for blocks of one), zero exactly when M
    is block-diagonal. For a Gaussian posterior of precision P the best member of the family costs (beta/2) gap(P) more
    than the full one; half the gap of a covariance is the total correlation between its groups.

    Parameters
    ----------
    matrix : (K, K) array, positive definite
    posterior : "diagonal", "full", or a list of groups of indices

    Returns
    -------
    float, in nats times two; infinite for a singular matrix whose blocks are regular

    Raises
    ------
    ValueError
        if a diagonal block is singular.
    """
    groups = partition(posterior, len(matrix))
    if len(groups) < 2:
        return 0.0
    try:
        roots = [np.linalg.cholesky(matrix[np.ix_(group, group)]) for group in groups]
    except np.linalg.LinAlgError:
        raise ValueError(
            "matrix must have positive definite diagonal blocks; remove variables without variance"
        ) from None
    # Scaling every block to the identity first leaves only what lies between blocks, so that a small gap keeps its
    # digits.
    whitened = np.array(matrix, dtype=float)
    for group, root in zip(groups, roots, strict=True):
        whitened[group] = np.linalg.solve(root, whitened[group])
        whitened[:, group] = np.linalg.solve(root, whitened[:, group].T).T
    return max(0.0, -log_determinant(whitened))


def total_correlation(covariance: np.ndarray, groups: Posterior = "diagonal") -> float:
    """Total correlation between the groups of a Gaussian, 1/2 [ sum_g log det C_gg - log det C ], in nats."""
    return hadamard_gap(covariance, groups) / 2
