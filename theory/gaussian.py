"""Identities of Gaussian distributions: entropy, divergence, total correlation and the Hadamard gap.

All exact, in nats. A singular covariance gives the infinite value of the limit, never an error. One rule, in
`unit_spectrum`, decides what is singular, whatever the units of the variables are.

C, Q and S are covariances, L a lower triangular Cholesky factor (L L^T = C), F any matrix with F F^T = C, E a residual
(in `unit_spectrum` eigenvectors).
"""

from __future__ import annotations

import numpy as np
from scipy.linalg.blas import dtrsm
from scipy.linalg.lapack import dpstrf

from theory import validation
from theory.partition import Posterior, partition

__all__ = [
    "cholesky",
    "covariance_root",
    "entropy",
    "hadamard_gap",
    "information",
    "information_by_direction",
    "is_clearer",
    "is_positive_definite",
    "kl_divergence",
    "log_determinant",
    "log_determinant_of_sum",
    "loss_between",
    "solve_lower",
    "total_correlation",
    "total_correlation_of_sum",
    "unit_spectrum",
]

# Eigenvalues of a correlation matrix up to this many units of rounding per row are zero: its entries are sums of
# products that carry a few units each. (Of 20,000 random singular matrices V S V^T the worst needed 5.3.)
SINGULAR = 16

# A Cholesky factor keeps twelve digits if this share of each variance is left by the variables before it.
WELL_CONDITIONED = 1e-4
SPLITTER = 2.0**27 + 1  # splits a float into two of half as many digits, whose products are exact (Veltkamp)

LARGE_GAP = 10.0  # for larger gaps the difference of log-determinants has more digits
SERIES_LIMIT = 1e-2  # up to here seven terms of the series of x - log(1 + x) have all digits


def unit_spectrum(covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Eigenvalues of a covariance after each variable is scaled to variance one; those that are rounding are zero.

    C = diag(scales) E diag(values) E^T diag(scales). Scaled to unit diagonal, every entry has the same rounding error,
    so that an eigenvalue below 16 n x machine epsilon cannot be distinguished from zero, whatever the units of the
    variables are. C is singular if and only if one of `values` is zero.

    Parameters
    ----------
    covariance : (n, n) array, symmetric
        a negative variance counts as zero.

    Returns
    -------
    values : (n,) array, ascending
    directions : (n, n) array, E, in columns
    scales : (n,) array
        square roots of the diagonal; variables without variance have scale zero, and eigenvalue zero.
    """
    covariance = validation.symmetric_matrix("covariance", covariance)
    scales = np.sqrt(np.maximum(np.diagonal(covariance), 0.0))
    varies = scales > 0
    inverse = np.divide(1.0, scales, out=np.zeros(len(scales)), where=varies)
    values, directions = np.linalg.eigh(covariance * inverse * inverse[:, np.newaxis])
    tolerance = SINGULAR * len(values) * np.finfo(float).eps
    return np.where(values > tolerance, values, 0.0), directions, scales


def covariance_root(covariance: np.ndarray) -> np.ndarray:
    """A matrix F of full column rank with F F^T = C, shape (n, rank), by a pivoted Cholesky factorisation.

    C is scaled to unit diagonal first, and remaining variances below the rounding of `unit_spectrum` are zero.
    """
    scales = np.sqrt(np.maximum(np.diagonal(covariance), 0.0))
    inverse = np.divide(1.0, scales, out=np.zeros(len(scales)), where=scales > 0)
    tolerance = SINGULAR * len(scales) * np.finfo(float).eps
    if not len(scales):
        return np.zeros((0, 0))
    factor, pivots, rank, _ = dpstrf(covariance * inverse * inverse[:, np.newaxis], tol=tolerance, lower=1)
    root = np.empty((len(scales), rank))
    root[pivots - 1] = np.tril(factor)[:, :rank]
    return scales[:, np.newaxis] * root


def solve_lower(root: np.ndarray, right: np.ndarray) -> np.ndarray:
    """L^-1 B for a lower triangular L without a zero on its diagonal, such as a Cholesky factor.

    By BLAS: LAPACK's dtrtrs, behind `scipy.linalg.solve_triangular`, starts the threads of OpenBLAS at any size, and
    waits for them if other processes keep the cores busy.
    """
    return dtrsm(1.0, root, right, lower=1) if right.size else np.zeros(right.shape)


def cholesky(covariance: np.ndarray) -> np.ndarray:
    """The lower triangular L with L L^T = C, of a positive definite C, with at least half of the digits of C.

    LAPACK's L L^T equals C up to rounding; in directions whose variance is 1/c of the largest the relative error is c
    units of rounding. So if c is large, the residual E = C - L L^T is computed with twice the digits and L is replaced
    by L M, with M M^T = I + L^-1 E L^-T. The error left is the rounding of L itself, sqrt(c) units.
    """
    # By powers of two, which round nothing: then no product leaves the range of floats.
    units = np.exp2(np.round(np.log2(np.diagonal(covariance)) / 2))
    scaled = covariance / units / units[:, np.newaxis]
    root = np.linalg.cholesky(scaled)
    if np.any(np.diagonal(root) ** 2 < WELL_CONDITIONED * np.diagonal(scaled)):
        residual = solve_lower(root, solve_lower(root, _residual(scaled, root)).T)
        root = root @ np.linalg.cholesky(np.eye(len(root)) + (residual + residual.T) / 2)
    return units[:, np.newaxis] * root


def _residual(covariance: np.ndarray, root: np.ndarray) -> np.ndarray:
    """C - L L^T with twice the digits of a float, by the error-free products of Dekker and sums of Knuth."""
    upper = root * SPLITTER - (root * SPLITTER - root)
    total, rest = covariance, np.zeros(covariance.shape)
    for column, high in zip(root.T, upper.T, strict=True):
        low = column - high
        product = np.outer(column, column)
        lost = np.outer(high, high) - product + np.outer(high, low) + np.outer(low, high) + np.outer(low, low)
        less = total - product
        change = less - total
        rest += (total - (less - change)) - (product + change) - lost
        total = less
    return total + rest


def information(root: np.ndarray, noise: np.ndarray) -> float:
    """I(e; F e + n) = 1/2 log det(I + Q^-1 F F^T) for e ~ N(0, I), n ~ N(0, Q), Q positive definite, in nats."""
    return float(information_by_direction(root, noise).sum())


def information_by_direction(root: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """The terms of `information`, one for each independent direction of the signal: 1/2 log(1 + s_i^2), descending.

    s_i are the singular values of Q^-1/2 F: the product F F^T would lose those whose squares are below the rounding of
    the largest. Singular values below the rounding of the largest come from dependent rows and count as zero.
    """
    if _is_diagonal(noise):
        whitened = root / np.sqrt(np.diagonal(noise))[:, np.newaxis]
    else:
        whitened = solve_lower(cholesky(noise), root)
    return _information_of(whitened)


def _information_of(whitened: np.ndarray) -> np.ndarray:
    singular = np.linalg.svd(whitened, compute_uv=False)
    singular = singular[singular > max(whitened.shape) * np.finfo(float).eps * singular.max(initial=0.0)]
    # The square of a large one may overflow.
    return np.where(singular < 1, np.log1p(np.minimum(singular, 1) ** 2) / 2, np.log(np.hypot(1, singular)))


def log_determinant_of_sum(root: np.ndarray, noise: np.ndarray) -> float:
    """log det(F F^T + Q) for a positive definite Q, also if F has dependent rows and Q is small.

    Then the sum is singular to rounding, while log det Q + 2 I(e; F e + n) keeps its digits; if the noise itself is
    nearly singular, the sum may keep more digits.
    """
    if _is_diagonal(noise):
        return float(np.log(np.diagonal(noise)).sum()) + 2 * information(root, noise)
    total = root @ root.T + noise
    if is_clearer(total, noise):
        return _log_determinant(total)
    factor = cholesky(noise)
    return 2 * float(np.log(np.diagonal(factor)).sum() + _information_of(solve_lower(factor, root)).sum())


def is_clearer(total: np.ndarray, noise: np.ndarray) -> bool:
    """Whether the log-determinant of signal plus noise keeps more digits by the sum than by a factor of the noise.

    With e the least eigenvalue of a matrix scaled to unit diagonal, the sum has an error of 1/e units of rounding, the
    factor of 1/sqrt(e).
    """
    least, of_noise = (unit_spectrum(matrix)[0].min(initial=1.0) for matrix in (total, noise))
    return bool(least > np.sqrt(of_noise))


def total_correlation_of_sum(root: np.ndarray, noise: np.ndarray, groups: tuple[np.ndarray, ...]) -> float:
    """Total correlation between groups of F e + n with e ~ N(0, I), n ~ N(0, Q), from the `log_determinant_of_sum`."""
    if len(groups) < 2:
        return 0.0
    singles = np.log(np.sum(root**2, axis=1) + np.diagonal(noise))
    parts = sum(
        singles[group[0]] if len(group) == 1 else log_determinant_of_sum(root[group], noise[np.ix_(group, group)])
        for group in groups
    )
    return max(0.0, float(parts - log_determinant_of_sum(root, noise))) / 2


def is_positive_definite(matrix: np.ndarray) -> bool:
    """Whether a symmetric matrix has no eigenvalue that is zero or negative, by the rule of `unit_spectrum`.

    A Cholesky factor of the scaled matrix less twice the tolerance of that rule shows it in a fraction of the time.
    Eigenvalues are computed only if that factor does not exist.
    """
    matrix = validation.symmetric_matrix("matrix", matrix)
    variances = np.diagonal(matrix)
    if not np.all(variances > 0):
        return False
    if np.count_nonzero(matrix) == len(matrix):  # a diagonal matrix, as most posterior covariances are
        return True
    scales, size = np.sqrt(variances), len(matrix)
    least = 2 * SINGULAR * size * np.finfo(float).eps
    try:
        np.linalg.cholesky(matrix / scales / scales[:, np.newaxis] - least * np.eye(size))
    except np.linalg.LinAlgError:
        return bool(unit_spectrum(matrix)[0].all())
    return True


def log_determinant(matrix: np.ndarray) -> float:
    """log det of a positive semi-definite matrix; minus infinity where it is singular (see `unit_spectrum`)."""
    return _log_determinant(validation.covariance_matrix("matrix", matrix))


def entropy(covariance: np.ndarray) -> float:
    """Differential entropy of N(., C): (n log(2 pi e) + log det C) / 2, in nats; minus infinity for a singular C."""
    covariance = validation.covariance_matrix("covariance", covariance)
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
    ValueError
        if shapes do not fit, or `covariance_p` is singular.
    """
    covariance_p = validation.covariance_matrix("covariance_p", covariance_p)
    size = len(covariance_p)
    covariance_q = validation.covariance_matrix("covariance_q", covariance_q, size)
    difference = validation.vector("mean_q", mean_q, size) - validation.vector("mean_p", mean_p, size)
    if not is_positive_definite(covariance_p):
        raise ValueError("covariance_p must be positive definite; remove variables that depend on others")
    root, singular = cholesky(covariance_p), not is_positive_definite(covariance_q)
    with np.errstate(over="ignore", invalid="ignore"):
        parts = covariance_root(covariance_q) if singular else cholesky(covariance_q)
        mahalanobis = np.sum(solve_lower(root, np.column_stack([parts, difference])) ** 2)
    if not np.isfinite(mahalanobis):
        raise ValueError(
            "covariance_q and mean_q - mean_p must not be so large against covariance_p that their ratio overflows"
        )
    if singular:
        return np.inf
    log_ratio = 2 * np.sum(np.log(np.diagonal(root)) - np.log(np.diagonal(parts)))
    return max(0.0, float(mahalanobis - size + log_ratio) / 2)


def hadamard_gap(matrix: np.ndarray, posterior: Posterior = "diagonal") -> float:
    """By how much the log-determinant of a positive definite matrix rises when only its diagonal blocks are kept.

    gap = sum_b log det M_bb - log det M >= 0 (Fischer's inequality; Hadamard's for blocks of one), zero exactly when M
    is block-diagonal. For a Gaussian posterior of precision P the best member of a block-diagonal family costs
    (beta/2) gap(P) more than the full posterior; half the gap of a covariance is the total correlation between its
    groups.

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
    matrix = validation.covariance_matrix("matrix", matrix)
    return _gap("matrix", matrix, partition(posterior, len(matrix)))


def total_correlation(covariance: np.ndarray, groups: Posterior = "diagonal") -> float:
    """Total correlation between the groups of a Gaussian, 1/2 [ sum_g log det C_gg - log det C ], in nats."""
    covariance = validation.covariance_matrix("covariance", covariance)
    return _gap("covariance", covariance, partition(groups, len(covariance), "groups")) / 2


def loss_between(whitened: np.ndarray, groups: tuple[np.ndarray, ...]) -> float:
    """-log det of a positive definite matrix whose diagonal blocks are the identity; only the rest of it is read.

    It is the sum of x - log(1 + x) over the eigenvalues x of the off-diagonal blocks, whose trace is zero. The errors
    of x are rounding of the largest |x|; those of the eigenvalues 1 + x would be rounding of 1. No 1 + x is taken to be
    below the rounding of a correlation matrix.
    """
    between = whitened.copy()
    for group in groups:
        between[np.ix_(group, group)] = 0.0
    x = np.maximum(np.linalg.eigvalsh(between), SINGULAR * len(whitened) * np.finfo(float).eps - 1)
    series = x**2 * np.polynomial.polynomial.polyval(x, [(-1) ** k / (k + 2) for k in range(7)])
    return float(np.where(np.abs(x) < SERIES_LIMIT, series, x - np.log1p(x)).sum())


def _is_diagonal(matrix: np.ndarray) -> bool:
    return np.count_nonzero(matrix) == np.count_nonzero(np.diagonal(matrix))


def _log_determinant(covariance: np.ndarray) -> float:
    if not unit_spectrum(covariance)[0].all():
        return -np.inf
    return 2 * float(np.log(np.diagonal(cholesky(covariance))).sum())


def _gap(name: str, matrix: np.ndarray, groups: tuple[np.ndarray, ...]) -> float:
    if len(groups) < 2:
        return 0.0
    gap = _small_gap(name, matrix, groups)
    if not LARGE_GAP < gap < np.inf:
        return gap
    return sum(_log_determinant(matrix[np.ix_(group, group)]) for group in groups) - _log_determinant(matrix)


def _small_gap(name: str, matrix: np.ndarray, groups: tuple[np.ndarray, ...]) -> float:
    """The gap, with an error of up to exp(gap) units of rounding."""
    # Scaling every block to the identity first leaves only the off-diagonal blocks, so that a small gap keeps its
    # digits. For blocks of one that is the scaling of `unit_spectrum`.
    if len(groups) == len(matrix):
        values, _, scales = unit_spectrum(matrix)
        if not scales.all():
            raise _singular_block(name)
        return loss_between(matrix / scales / scales[:, np.newaxis], groups) if values.all() else np.inf
    whitening = np.zeros(matrix.shape)
    for group in groups:
        values, directions, scales = unit_spectrum(matrix[np.ix_(group, group)])
        if not values.all():
            raise _singular_block(name)
        whitening[np.ix_(group, group)] = (directions / np.sqrt(values)).T / scales
    # Rounding errors of nearly singular blocks hide the off-diagonal blocks: check the matrix itself first.
    if _log_determinant(matrix) == -np.inf:
        return np.inf
    whitened = whitening @ matrix @ whitening.T
    whitened = (whitened + whitened.T) / 2
    return loss_between(whitened, groups) if unit_spectrum(whitened)[0].all() else np.inf


def _singular_block(name: str) -> ValueError:
    return ValueError(f"{name} must have positive definite diagonal blocks; remove variables without variance")
