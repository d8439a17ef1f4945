"""The principal axes of a matrix with every direction of the latent space, and the eigenvalues that a covariance
knows."""

from __future__ import annotations

import numpy as np
import scipy.linalg

from theory import validation
from theory.gaussian import SINGULAR, unit_spectrum

__all__ = ["known_modes", "principal_axes"]


GAP = 1e-6  # share of the largest eigenvalue below which one that is computed with its rounding lacks ten digits
GRADED = 1e-4  # ratio of singular values below which the smaller keep fewer than twelve digits
EQUILIBRATIONS = 5  # of rows and columns by turns; so many bring most matrices to norms within a few percent of one
PART = 1e-7  # of a variable in a direction, up to which leaving it out changes correlations by rounding
ROUNDING = 8  # units of rounding a row or column that an entry of a matrix of products may carry


def known_modes(
    covariance: np.ndarray, ascending: np.ndarray, directions: np.ndarray, latent_dim: int
) -> tuple[np.ndarray, np.ndarray, float]:
    """Eigenvalues of a covariance, descending and zero where they are rounding; eigenvectors; resolution.

    Eigenvalues are computed with the rounding error of the largest. That is not enough where all that has no latent (or
    the last latent's mode) is small against it, and where the variables differ in size, so that the covariance itself
    knows the small ones: there they come from the covariance scaled to unit diagonal.

    Parameters
    ----------
    covariance : (D, D) array, symmetric
    ascending, directions : (D,) and (D, n) arrays
        its eigenvalues and eigenvectors, as `numpy.linalg.eigh` has them, or the last of these.
    latent_dim : int, K

    Returns
    -------
    eigenvalues : (D,) array
    directions : (D, n) array, in columns, in the order of the eigenvalues
    resolution : float
        the size up to which an eigenvalue may be rounding.
    """
    eigenvalues = validation.non_negative_spectrum("covariance", ascending)
    diagonal = np.diagonal(covariance)
    rest = eigenvalues[latent_dim:].sum() if latent_dim < len(eigenvalues) else eigenvalues.min(initial=np.inf)
    if eigenvalues.size and rest < GAP * eigenvalues[0] and diagonal[diagonal > 0].min() < GAP * diagonal.max():
        values, axes, scales = unit_spectrum(covariance)
        left, singular, _ = principal_axes(scales[:, np.newaxis] * axes * np.sqrt(values))
        # Each eigenvalue is known up to a share of itself, the rounding over the least eigenvalue of the correlations,
        # or that of `principal_axes`, whichever is larger.
        rounding = validation.rank_tolerance(values)
        share = max(rounding / values[values > 0].min(), len(values) * np.finfo(float).eps / GRADED)
        least = (singular[singular > 0] ** 2).min()
        return singular**2, left, float(max(share * least, _dropped(values, axes, scales)))
    return eigenvalues, directions[:, ::-1], float(validation.rank_tolerance(eigenvalues))


def _dropped(values: np.ndarray, axes: np.ndarray, scales: np.ndarray) -> float:
    """The size up to which eigenvalues may be that are zero since the correlations E are singular up to rounding, e.

    On D^-1 v, with S = D E D and E v = 0, S is at most e / |D^-1 v|^2. In v the smallest variable counts, if it has a
    part in v that is not rounding; other v are taken orthogonal to its row, and so on to the largest variable.
    """
    left, size = axes[:, values == 0], 0.0
    for variable in np.argsort(scales, kind="stable"):
        row = left[variable]
        part = np.linalg.norm(row)
        if part > PART:
            size = max(size, (scales[variable] / part) ** 2)
            mirror = row / part  # Householder's, that makes the row the first axis
            mirror[0] += np.copysign(1.0, mirror[0])
            mirror /= np.linalg.norm(mirror)
            left = (left - 2 * np.outer(left @ mirror, mirror))[:, 1:]
    return SINGULAR * len(values) * np.finfo(float).eps * size


def principal_axes(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Singular value decomposition W = left diag(singular) axes^T with all K latent directions.

    Singular values keep twice the digits of the eigenvalues of W^T W. How many of them are zero is decided on the
    matrix scaled to rows and columns of norm one, where every entry has the same rounding error: units of latents or
    data, such as a column 10^16 times smaller than another, have no part in it. Where they spread over more than four
    decades, one-sided Jacobi rotations keep the digits of the smallest (`scipy.linalg.lapack.dgejsv`; Drmac and
    Veselic 2008). What `left` would hold for those that are zero because K > D is zero too.

    Parameters
    ----------
    matrix : (D, K) array, W

    Returns
    -------
    left : (D, K) array
        orthonormal columns where `singular` is positive.
    singular : (K,) array, descending
    axes : (K, K) array, orthogonal
    """
    data_dim, latent_dim = matrix.shape
    left, singular, right = np.linalg.svd(matrix, full_matrices=latent_dim > data_dim)
    axes = right.T
    if _is_graded(singular, zeros=True):
        rank = _rank(matrix)
        if any(map(_is_graded, (singular[:rank], *(np.linalg.norm(matrix, axis=axis) for axis in (0, 1))))):
            if latent_dim > data_dim:
                axes, singular, left = _by_rotations(matrix.T, full=True)
            else:
                left, singular, axes = _by_rotations(matrix, full=False)
        singular = np.where(np.arange(len(singular)) < rank, singular, 0.0)
    if blind := max(0, latent_dim - data_dim):
        left, singular = np.pad(left, ((0, 0), (0, blind))), np.concatenate([singular, np.zeros(blind)])
    return left, singular, axes


def _is_graded(sizes: np.ndarray, zeros: bool = False) -> bool:
    """Whether sizes, but for those that are zero, spread over more than four decades."""
    sizes = sizes if zeros else sizes[sizes > 0]
    return bool(sizes.size) and sizes.min() < GRADED * sizes.max()


def _by_rotations(matrix: np.ndarray, full: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Singular value decomposition of a matrix with no fewer rows than columns, each value to its own last digits."""
    scale = np.abs(matrix).max()
    values, left, right, work, _, info = scipy.linalg.lapack.dgejsv(
        matrix / scale,
        joba=2,  # accurate for a diagonal times a well-conditioned matrix times a diagonal
        jobu=1 if full else 0,
        jobv=0,
        jobr=0,
        jobp=0,
    )
    if info:
        raise np.linalg.LinAlgError(f"dgejsv: info = {info}")
    return left, values * (work[0] / work[1] * scale), right


def _rank(matrix: np.ndarray) -> int:
    """How many singular values are more than rounding once rows and columns have norm one, as far as both can."""
    scaled = matrix
    for _ in range(EQUILIBRATIONS):
        for axis in (0, 1):
            norms = np.linalg.norm(scaled, axis=axis, keepdims=True)
            scaled = np.divide(scaled, norms, out=np.zeros(scaled.shape), where=norms > 0)
    singular = np.linalg.svd(scaled, compute_uv=False)
    return np.count_nonzero(singular > ROUNDING * max(matrix.shape) * np.finfo(float).eps * singular.max(initial=0.0))
