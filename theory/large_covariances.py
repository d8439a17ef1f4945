"""Eigenvalues and leading eigenvectors of covariances that are never formed, because they are large.

**Few observations** (N < D): S = C^T C / N has the eigenvalues of the N x N matrix C C^T / N, and zeros. If u is an
eigenvector of the latter with the eigenvalue l, then C^T u / sqrt(N l) is one of S. Eigenvalues that are small against
the largest come from the singular values of C, which keep twice the digits.

**An operator**, which only multiplies: its largest eigenvalues by Lanczos iteration with restarts (ARPACK). The others
enter by their sum, the trace less the largest. From one start the iteration sees one direction of each eigenspace, and
of equal eigenvalues it may miss some. So it begins again, from another start and orthogonal to what was found, until
nothing larger than the K-th appears.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from theory import validation
from theory.leading_modes import LEAST_RESOLVED, leading_modes, leading_modes_and_mean
from theory.moments.few_rows import CentredRows, SparseRows
from theory.singular_values import GRADED, ROUNDING, principal_axes

__all__ = ["modes_of_operator", "modes_of_rows"]

EPS = float(np.finfo(float).eps)
FORMED = 200  # dimensions up to which an operator is multiplied by the identity
LANCZOS_SHARE = 1 / 4  # of the eigenvectors; for more, it is too
ROOM = 4  # eigenvalues that are found beyond those that are wanted, where these nearly tie with them
ROUGH = 1e-3  # relative error of an eigenvalue that is far below another
CLEARLY_BELOW = 0.9
RESTARTS, MOST_RESTARTS = 200, 1000  # of the iteration, alone and with room, before it gives up; most take 50
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
    # With all eigenvalues, which are zero does not depend on the count.
    needed = count if others_by_mean else 0
    if _are_small(eigenvalues[: size - 1], needed) and _may_be_filled(rows):
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


def _may_be_filled(rows: CentredRows | SparseRows) -> bool:
    """Whether a singular value decomposition may be made: its numbers fit, and sparse ones are not too many."""
    size = 8 * len(rows) * rows.data_dim
    if isinstance(rows, SparseRows) and size > LARGEST_FILLED:
        return False
    what = f"the singular values of {len(rows)} x {rows.data_dim} data"
    validation.fits_into_memory(what, 3 * size, "pass fewer columns")
    return True


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
        D eps l_1, with the eps of the numbers that the operator returns.

    Raises
    ------
    ValueError
        if the operator is not symmetric, its values are not finite, or the trace does not fit the largest eigenvalues.
    """
    size = operator.shape[0]
    typical, eps = _tried(operator)
    count = min(count, size)
    if size > FORMED and count <= LANCZOS_SHARE * size:
        found, directions = _largest(operator, count, typical, eps)
        _refuse_negative(found, eps)
    else:
        formed = _formed(operator, eps)
        ascending, directions = leading_modes(formed, count)
        _refuse_negative(ascending, eps)
        if abs(np.trace(formed) - trace) > (size * eps + validation.ROUNDING) * trace:
            raise ValueError(
                f"trace must be the sum of all {size} eigenvalues of the covariance, {np.trace(formed):.12g}, got "
                f"{trace:.12g}; pass the sum of the variances"
            )
        found, directions = ascending[::-1][:count], directions[:, ::-1]
    tolerance = size * eps * found.max(initial=0.0)
    found = np.where(found > tolerance, found, 0.0)
    mean = _mean_of_others(found, trace, size, eps)
    return np.concatenate([found, np.full(size - len(found), mean)]), directions, float(tolerance)


def _refuse_negative(eigenvalues: np.ndarray, eps: float) -> None:
    rounding = max(validation.ROUNDING, len(eigenvalues) * eps) * eigenvalues.max(initial=0.0)
    if (least := eigenvalues.min(initial=0.0)) < -rounding:
        raise validation.negative_eigenvalue("covariance", least)


def _largest(operator, count: int, typical: float, eps: float) -> tuple[np.ndarray, np.ndarray]:
    """The largest eigenvalues of an operator, descending, and their eigenvectors."""
    size = operator.shape[0]
    if not count or not typical:
        return np.zeros(count), np.eye(size, count)
    values, directions = _lanczos(lambda vector: _product(operator, vector) / typical, size, count, size * eps)
    return values * typical, directions


def _formed(operator, eps: float) -> np.ndarray:
    """The matrix of an operator."""
    size = operator.shape[0]
    validation.fits_into_memory(f"a covariance of {size} variables", 2 * 8 * size**2, "pass fewer latents")
    formed = np.column_stack([_product(operator, column) for column in np.eye(size)])
    if eps > EPS:
        formed = (formed + formed.T) / 2  # rounded to single numbers, it need not be symmetric
    return validation.symmetric_matrix("covariance", formed)


def _mean_of_others(largest: np.ndarray, trace: float, size: int, eps: float) -> float:
    """The mean of the eigenvalues beyond the largest, which is no larger than these and not negative."""
    others, count = trace - largest.sum(), size - len(largest)
    rounding = (size * eps + validation.ROUNDING) * trace
    most = count * largest[-1] if len(largest) else np.inf
    if not -rounding <= others <= most + rounding:
        raise ValueError(
            f"trace must be the sum of all {size} eigenvalues of the covariance, the sum of the {len(largest)} largest "
            f"is {largest.sum():.12g} and the smallest of these {largest[-1]:.12g}, got {trace:.12g}; pass the sum of "
            "the variances"
        )
    return float(min(others, most) / count) if count and others > size * eps * trace else 0.0


def _product(operator, vector: np.ndarray) -> np.ndarray:
    """S v, one vector at a time: the least that operators do. They may use their memory again, or change v."""
    return np.array(operator.matvec(vector.copy()), dtype=float)


def _tried(operator) -> tuple[float, float]:
    """A typical size of eigenvalues, |S v| / |v|, and the eps of the products; refuses what is no covariance."""
    vectors = np.random.default_rng(0).standard_normal((2, operator.shape[0]))
    products = np.array([np.array(operator.matvec(vector.copy())) for vector in vectors])
    if products.dtype.kind not in "iuf" or not np.isfinite(products).all():
        raise ValueError("covariance must be real and finite, its product with a vector is not; pass another operator")
    eps = max(EPS, float(np.finfo(products.dtype).eps)) if products.dtype.kind == "f" else EPS
    products = products.astype(float)
    sizes, norms = np.linalg.norm(products, axis=1), np.linalg.norm(vectors, axis=1)
    difference = np.abs(vectors[0] @ products[1] - vectors[1] @ products[0])
    if difference > max(validation.ROUNDING, 10 * eps) * (sizes @ norms):
        raise ValueError("covariance must be symmetric, x^T S y and y^T S x differ; pass a symmetric operator")
    return float(sizes[0] / norms[0]), eps


def _lanczos(product: Callable, size: int, count: int, resolution: float) -> tuple[np.ndarray, np.ndarray]:
    """The largest eigenvalues of S, near 1 in size, descending, and their eigenvectors; all of those that are equal.

    Parameters
    ----------
    product : callable
        from v to S v.
    size : int, D
    count : int
    resolution : float
        difference of eigenvalues, as a share of the largest, up to which they count as equal.
    """
    from scipy.sparse.linalg import ArpackError, ArpackNoConvergence, LinearOperator, eigsh

    starts, found = np.random.default_rng(0), np.empty((size, 0))

    def orthogonal(vector):
        return vector - found @ (found.T @ vector)

    def deflated(vector):
        return orthogonal(product(orthogonal(vector.ravel())))

    def iterated(some, restarts, tolerance):
        operator = LinearOperator((size, size), matvec=deflated, dtype=float)
        start, columns = starts.standard_normal(size), max(2 * some + 1, 20)
        if not np.any(deflated(start)):
            return np.zeros(some), np.zeros((size, some))
        options = {"which": "LA", "v0": start, "ncv": columns, "maxiter": restarts, "tol": tolerance}
        values, vectors = eigsh(operator, k=some, **options)
        return values[::-1], vectors[:, ::-1]

    def largest(some, tolerance=0.0):
        try:
            return iterated(some, RESTARTS, tolerance)
        except ArpackNoConvergence:  # the last may nearly tie with others, of which then a few are found too
            values, vectors = iterated(some + ROOM, MOST_RESTARTS, tolerance)
            return values[:some], vectors[:, :some]

    try:
        values, found = largest(count)
        for _ in range(count):
            # Far below the K-th a few digits show that nothing is left; near it they are not enough.
            if largest(1, ROUGH)[0][0] < CLEARLY_BELOW * values[-1]:
                break
            value, vector = largest(1)
            if value[0] <= values[-1] + resolution * values[0]:
                break
            values, found = np.append(values, value), np.hstack([found, vector])
            order = np.argsort(-values, kind="stable")[:count]
            values, found = values[order], found[:, order]
    except ArpackError as error:
        raise ValueError(
            f"covariance must have leading eigenvalues that Lanczos iteration finds, it gave up ({error}); pass "
            "another latent_dim, or the covariance as an array"
        ) from None
    return values, found
