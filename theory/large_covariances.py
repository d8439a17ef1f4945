"""Eigenvalues and leading eigenvectors of covariances that are never formed, because they are large.

**Few observations** (N < D): S = C^T C / N has the eigenvalues of the N x N matrix C C^T / N, and zeros. If u is an
eigenvector of the latter with the eigenvalue l, then C^T u / sqrt(N l) is one of S. Eigenvalues that are small against
the largest come from the singular values of C, which keep twice the digits.

**An operator**, which only multiplies: its largest eigenvalues by Lanczos iteration with restarts (ARPACK). The others
enter by their sum, the trace less the largest.
"""

from __future__ import annotations

import numpy as np

from theory import validation
from theory.leading_modes import LEAST_RESOLVED, leading_modes, leading_modes_and_mean
from theory.moments.few_rows import CentredRows, SparseRows
from theory.singular_values import GRADED, ROUNDING, principal_axes

__all__ = ["modes_of_operator", "modes_of_rows"]

EPS = float(np.finfo(float).eps)
FORMED = 200  # dimensions up to which an operator is multiplied by the identity
LANCZOS_SHARE = 1 / 4  # of the eigenvectors; for more, it is too
LARGEST_FILLED = 2**28  # bytes of sparse observations that are made numbers for the sake of digits


def modes_of_rows(
    rows: CentredRows | SparseRows, count: int, *, others_by_mean: bool = False
) -> tuple[np.ndarray, np.ndarray, float]:
    """Eigenvalues of C^T C / N, the eigenvectors of the largest, and the resolution.

    Parameters
    ----------
    rows : CentredRows or SparseRows, C
    count : int
        of the eigenvectors.
    others_by_mean : bool
        whether the other eigenvalues may be replaced by their mean.

    Returns
    -------
    eigenvalues : (D,) array, descending, zero where they are rounding
    directions : (D, k) array, k <= count
        in columns; none for the eigenvalue zero.
    resolution : float
        the size up to which an eigenvalue may be rounding.
    """
    size, data_dim = len(rows), rows.data_dim
    validation.fits_into_memory(f"the products of {size} observations", 2 * 8 * size**2, "pass fewer rows or columns")
    modes = leading_modes_and_mean if others_by_mean else leading_modes
    ascending, vectors = modes(rows.gram(), count)
    zeros = np.zeros(data_dim - size)
    eigenvalues = validation.non_negative_spectrum("covariance", np.concatenate([zeros, ascending]))
    if _are_small(eigenvalues[: size - 1], count) and 8 * size * data_dim <= LARGEST_FILLED:
        return _by_singular_values(rows.dense(), count)
    kept = min(vectors.shape[1], np.count_nonzero(eigenvalues))
    directions = rows.transposed_times(vectors[:, ::-1][:, :kept] / np.sqrt(size * eigenvalues[:kept]))
    return eigenvalues, _orthonormal(directions), float(validation.rank_tolerance(eigenvalues))


def _are_small(eigenvalues: np.ndarray, count: int) -> bool:
    """Whether those that matter, the first `count` and the sum of the others, are small against the largest."""
    least = LEAST_RESOLVED * eigenvalues.max(initial=0.0)
    wanted, others = eigenvalues[:count], eigenvalues[count:]
    if not count:  # all are wanted
        wanted, others = eigenvalues, others[:0]
    return bool(wanted.min(initial=np.inf) < least or (others.size and others.sum() < least))


def _by_singular_values(centred: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray, float]:
    """`modes_of_rows` by the singular value decomposition of C."""
    size, data_dim = centred.shape
    left, singular, _ = principal_axes(centred.T / np.sqrt(size))
    positive = np.count_nonzero(singular)
    eigenvalues = np.concatenate([singular**2, np.zeros(data_dim - size)])
    # Either singular values have the rounding of the largest, or, if variables differ in size, each a relative error.
    rounding = (ROUNDING * data_dim * EPS * singular.max(initial=0.0)) ** 2
    relative = data_dim * EPS / GRADED * eigenvalues[positive - 1] if positive else 0.0
    return eigenvalues, left[:, : min(count, positive)], float(min(rounding, relative))


def _orthonormal(directions: np.ndarray) -> np.ndarray:
    """Columns that are orthonormal but for rounding, with the same signs."""
    basis, factor = np.linalg.qr(directions)
    return basis * np.where(np.diagonal(factor) < 0, -1.0, 1.0)


def modes_of_operator(operator, count: int, trace: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Eigenvalues of an operator, of which only the largest are known; the eigenvectors of these; the resolution.

    Parameters
    ----------
    operator : LinearOperator, (D, D)
        symmetric and positive semi-definite; the first is tried on random vectors.
    count : int
        of the eigenvalues and eigenvectors.
    trace : float
        of the operator.

    Returns
    -------
    eigenvalues : (D,) array, descending
        from the one after `count` on, the mean of the others.
    directions : (D, count) array, in columns
    resolution : float

    Raises
    ------
    ValueError
        if the operator is not symmetric, its values are not finite, or the trace does not fit the largest eigenvalues.
    """
    size = operator.shape[0]
    _check_symmetry(operator)
    found, directions = _largest(operator, min(count, size))
    if found.min(initial=0.0) < -validation.ROUNDING * found.max(initial=0.0):
        raise validation.negative_eigenvalue("covariance", found.min())
    tolerance = size * EPS * max(trace, found.max(initial=0.0))
    found = np.where(found > tolerance, found, 0.0)
    mean = _mean_of_others(found, trace, size, tolerance)
    return np.concatenate([found, np.full(size - len(found), mean)]), directions, float(tolerance)


def _largest(operator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The largest eigenvalues of an operator, descending, and their eigenvectors."""
    size = operator.shape[0]
    if size > FORMED and count <= LANCZOS_SHARE * size:
        return _lanczos(operator, count) if count else (np.empty(0), np.empty((size, 0)))
    validation.fits_into_memory(f"a covariance of {size} variables", 2 * 8 * size**2, "pass fewer latents")
    formed = np.column_stack([operator.matvec(column) for column in np.eye(size)]).astype(float)
    ascending, directions = leading_modes(validation.symmetric_matrix("covariance", formed), count)
    return ascending[::-1][:count], directions[:, ::-1]


def _mean_of_others(largest: np.ndarray, trace: float, size: int, tolerance: float) -> float:
    """The mean of the eigenvalues beyond the largest, which is no larger than these and not negative."""
    others, count = trace - largest.sum(), size - len(largest)
    rounding = tolerance + validation.ROUNDING * trace
    most = count * largest[-1] if len(largest) else np.inf
    if not -rounding <= others <= most + rounding * max(count, 1):
        raise ValueError(
            f"trace must be the sum of all {size} eigenvalues of the covariance, the sum of the {len(largest)} largest "
            f"is {largest.sum():.6g} and the smallest of these {largest[-1]:.6g}, got {trace:.6g}; pass the sum of the "
            "variances"
        )
    return float(min(others, most) / count) if count and others > tolerance else 0.0


def _check_symmetry(operator) -> None:
    vectors = np.random.default_rng(0).standard_normal((2, operator.shape[0]))
    products = np.array([operator.matvec(vector) for vector in vectors])  # one by one: the least that operators do
    if products.dtype.kind not in "iuf" or not np.isfinite(products).all():
        raise ValueError("covariance must be real and finite, its product with a vector is not; pass another operator")
    size = np.linalg.norm(products, axis=1) @ np.linalg.norm(vectors, axis=1)
    if np.abs(vectors[0] @ products[1] - vectors[1] @ products[0]) > validation.ROUNDING * size:
        raise ValueError("covariance must be symmetric, x^T S y and y^T S x differ; pass a symmetric operator")


def _lanczos(operator, count: int) -> tuple[np.ndarray, np.ndarray]:
    from scipy.sparse.linalg import ArpackError, eigsh

    start = np.random.default_rng(0).standard_normal(operator.shape[0])
    try:
        values, vectors = eigsh(operator, k=count, which="LA", v0=start)
    except ArpackError as error:
        raise ValueError(
            f"covariance must have leading eigenvalues that Lanczos iteration finds, it gave up ({error}); pass "
            "another latent_dim, or the covariance as an array"
        ) from None
    return values[::-1], vectors[:, ::-1]
