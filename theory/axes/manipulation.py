"""The smallest change of a loading that rotates its principal axes away from the factors.

A changed loading A + E with singular values s and right singular vectors R (columns, in the order of s) is
U' diag(s) R^T with orthonormal U', so for given R and s this is an orthogonal Procrustes problem, solved by the polar
factor U' of A R diag(s),

    min ||E||_F^2 = ||A||_F^2 + sum s_i^2 - 2 ||A R diag(s)||_*        (nuclear norm).

For two orthogonal columns there is a closed form: `theory.axes.two_columns`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theory import validation
from theory.minimise import convex_minus_convex_minimum

__all__ = ["Manipulation", "largest_size", "manipulation_to", "smallest_manipulation"]


# The search over the smallest singular value ends when it can gain at most this share of ||A||^2.
SEARCH_TOLERANCE = 1e-12


@dataclass(frozen=True, eq=False)
class Manipulation:
    """A change of a loading, and the changed loading with its principal axes.

    Attributes
    ----------
    change : (D, K) array, E
    loading : (D, K) array, A + E
    singular_values : (K,) array, of A + E, descending
    axes : (K, K) array
        right singular vectors of A + E in columns: its principal axes in the space of the factors.
    size : float, ||E||_F

    Examples
    --------
    >>> from theory.axes import two_factor_manipulation
    >>> change = two_factor_manipulation([[2.0, 0.0], [0.0, 1.9]], angle=0.5)
    >>> round(change.size, 4), change.axes.round(3)
    (0.0595, array([[ 0.878, -0.479],
           [ 0.479,  0.878]]))
    """

    change: np.ndarray
    loading: np.ndarray
    singular_values: np.ndarray
    axes: np.ndarray
    size: float


def manipulation_to(loading, axes, singular_values) -> Manipulation:
    """The smallest change of a loading that gives it the principal axes R and the singular values s.

    A + E = U' diag(s) R^T with U' the polar factor of A R diag(s); ||E||^2 = ||A||^2 + sum s_i^2 - 2 ||A R diag(s)||_*.
    If singular values tie or vanish, the axes of the result are not unique; R is one choice.

    Parameters
    ----------
    loading : (D, K) array, A, any, with D >= K
    axes : (K, K) array, R, orthogonal
    singular_values : (K,) array >= 0, descending

    Returns
    -------
    Manipulation

    Raises
    ------
    ValueError
        for shapes that do not fit, axes that are not orthogonal, or values that are negative or ascend.

    Notes
    -----
    Exact.

    Examples
    --------
    >>> from theory.axes import manipulation_to, plane_rotation
    >>> change = manipulation_to([[2.0, 0.0], [0.0, 1.5]], plane_rotation(2, 0.3), [2.0, 1.5])
    >>> round(change.size, 4)
    0.207
    """
    loading, axes = _loading_and_axes(loading, axes)
    values = validation.vector("singular_values", singular_values, loading.shape[1])
    if np.any(values < 0) or np.any(np.diff(values) > 0):
        raise ValueError(f"singular_values must be >= 0 and descend, got {values}; sort them and the axes with them")
    # The polar factor does not depend on the units of A and s.
    left, _, right = np.linalg.svd(
        (loading / largest_size(loading)) @ axes * (values / largest_size(values)), full_matrices=False
    )
    with np.errstate(over="ignore", invalid="ignore"):
        changed = (left @ right * values) @ axes.T
        change = changed - loading
        size = np.linalg.norm(change / largest_size(loading, values)) * largest_size(loading, values)
    validation.finite_result("loading or singular_values", size)
    return Manipulation(change, changed, values, axes, float(size))


def smallest_manipulation(loading, axes, gaps) -> Manipulation:
    """The smallest change of a loading of K factors that gives it the principal axes R with given spectral gaps.

    With s_i = s_K + (sum of the gaps after i) only s_K >= 0 is free, and

        ||E||^2 = ||A||^2 + sum s_i^2 - 2 ||A R diag(s)||_*

    is a convex quadratic minus a convex function of it, and may have several minima. Branch and bound
    (`theory.minimise`) ends at a point that is certainly within 1e-12 ||A||^2 of the global minimum (so a size of zero
    is found to 1e-6 ||A||). R and the gaps of the result are exact.

    Parameters
    ----------
    loading : (D, K) array, A, any, with D >= K
    axes : (K, K) array, R, orthogonal
    gaps : (K - 1,) array >= 0
        s_i - s_{i+1}. A gap of zero leaves the two axes undetermined.

    Returns
    -------
    Manipulation

    Raises
    ------
    ValueError
        for shapes that do not fit, axes that are not orthogonal, or a negative gap.

    Examples
    --------
    >>> from theory.axes import plane_rotation, smallest_manipulation
    >>> change = smallest_manipulation([[2.0, 0.0], [0.0, 1.5]], plane_rotation(2, 0.3), gaps=[0.5])
    >>> round(change.size, 4), change.singular_values.round(4)
    (0.207, array([1.9999, 1.4999]))
    """
    loading, axes = _loading_and_axes(loading, axes)
    latent_dim = loading.shape[1]
    gaps = validation.vector("gaps", gaps, max(latent_dim - 1, 0))
    if np.any(gaps < 0):
        raise ValueError(f"gaps must be >= 0, got {gaps}; order the axes by descending singular value")
    unit = largest_size(loading, gaps)
    above = np.concatenate([np.cumsum(gaps[::-1] / unit)[::-1], np.zeros(min(latent_dim, 1))])
    scaled = loading / unit
    rotated = scaled @ axes

    def parts(smallest: float) -> tuple[float, float]:
        values = smallest + above
        return float(values @ values), 2 * float(np.linalg.norm(rotated * values, ord="nuc")) if latent_dim else 0.0

    smallest = convex_minus_convex_minimum(
        parts,
        upper=max(0.0, (np.linalg.svd(scaled, compute_uv=False).sum() - above.sum()) / max(latent_dim, 1)),
        curvature=float(latent_dim),
        tolerance=SEARCH_TOLERANCE * float(np.sum(scaled**2)),
    )
    with np.errstate(over="ignore"):
        values = validation.finite_result("loading or gaps", (smallest + above) * unit)
    return manipulation_to(loading, axes, values)


def _loading_and_axes(loading, axes) -> tuple[np.ndarray, np.ndarray]:
    loading = validation.matrix("loading", loading)
    data_dim, latent_dim = loading.shape
    if data_dim < latent_dim:
        raise ValueError(
            f"loading must have at least as many rows as columns, got {data_dim} x {latent_dim}; pass D x K with D >= K"
        )
    return loading, validation.orthogonal_matrix("axes", axes, latent_dim, f"np.eye({latent_dim})")


def largest_size(*lengths) -> float:
    """The largest absolute value among arrays, 1 for zeros: a unit in which no product of them overflows."""
    return max(float(np.abs(length).max(initial=0.0)) for length in lengths) or 1.0
