"""How far a decoder is from one with orthogonal columns, and how far a random decoder would be.

With W = U Sigma V^T the columns of W are orthogonal iff V is a signed permutation, or can be chosen as one if singular
values tie. (V is here the matrix of right singular vectors, not the encoder.) The distance to orthogonality is

    DtO = min_P ||V - P||_F = sqrt(2 K - 2 max_p sum_i |V_{i, p(i)}|),

with P over the signed permutations: an assignment problem. The mean distance of a V drawn uniformly from O(K) is the
chance level. For K = 2 it has a closed form: up to signed permutations V is a rotation by an angle a uniform on
(-pi/4, pi/4), at distance 2 sqrt2 |sin(a/2)|, so

    mean = (16 sqrt2 / pi) (1 - cos(pi/8)) = .548,    mean square = 4 - 8 sqrt2 / pi,    standard deviation .313,
    P(DtO <= d) = (8 / pi) arcsin(d / (2 sqrt2)) up to the largest, 2 sqrt2 sin(pi/8) = 1.082.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theory import validation

__all__ = [
    "ChanceLevel",
    "OrthogonalityDistance",
    "distance_to_orthogonality",
    "distances_to_orthogonality",
    "orthogonality_chance_level",
    "orthogonality_distribution",
]


@dataclass(frozen=True, eq=False)
class OrthogonalityDistance:
    """The distance of a decoder to one with orthogonal columns.

    Attributes
    ----------
    distance : float
    right_singular : (k, k) array
        V of the k latents that are used, columns by descending singular value; within a tie rotated to be as near as
        possible to `nearest`.
    nearest : (k, k) array, the nearest signed permutation P(V)
    singular_values : (k,) array, descending; zero beyond the rank
    active : (K,) boolean array, the latents that are used
    tied : (k,) boolean array
        singular values that tie with a neighbour, so that the decoder determines their vectors to less than half of the
        digits, or not at all.

    Examples
    --------
    >>> from theory.axes import distance_to_orthogonality
    >>> result = distance_to_orthogonality([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    >>> round(result.distance, 6), result.active, result.tied
    (0.0, array([ True,  True, False]), array([ True,  True]))
    """

    distance: float
    right_singular: np.ndarray
    nearest: np.ndarray
    singular_values: np.ndarray
    active: np.ndarray
    tied: np.ndarray


@dataclass(frozen=True)
class ChanceLevel:
    """Mean and standard deviation of the distance of a random orthogonal matrix; `standard_error` is of the mean.

    Examples
    --------
    >>> from theory.axes import orthogonality_chance_level
    >>> level = orthogonality_chance_level(2)
    >>> round(level.standard_deviation, 4), level.standard_error
    (0.3133, 0.0)
    """

    mean: float
    standard_deviation: float
    standard_error: float


def distance_to_orthogonality(decoder, *, active=None, tie: float = validation.ROUNDING) -> OrthogonalityDistance:
    """The Frobenius distance of the right singular vectors of a decoder to the nearest signed permutation.

    W = U Sigma V^T on the active latents; ||V - P(V)||_F with P(V) by assignment. Zero iff the columns are orthogonal;
    without ties DtO^2 <= 2 (k - sqrt k) for k active latents, as the assignment scores at least
    sum |V_ij|^3 >= sqrt k.

    Equal singular values leave V free within their subspace. Then latents are assigned to the subspace in which they
    are longest, and V is rotated within it to be nearest to P (Procrustes); so the result does not depend on the basis
    that a library returns, and orthogonal columns of equal length have distance zero. Directions without a singular
    value (dependent columns, more latents than data dimensions) are a tie at zero.

    Parameters
    ----------
    decoder : (D, K) array
    active : (K,) boolean array, optional
        the latents to use; by default those with a column that is not zero.
    tie : float, from 0 to below 1
        singular values within this share of the largest tie. In a trained decoder ties hold to the accuracy of the
        training, not to rounding.

    Returns
    -------
    OrthogonalityDistance
        zero for one latent or none.

    Raises
    ------
    ValueError
        if an argument has a wrong shape, or `tie` is out of its range.

    Notes
    -----
    Exact. The distance is that of Rolinek et al. (2019); the treatment of ties is this project's.

    Examples
    --------
    >>> from theory.axes import distance_to_orthogonality
    >>> round(distance_to_orthogonality([[2.0, 0.0], [0.0, 1.0]]).distance, 3)
    0.0
    >>> round(distance_to_orthogonality([[2.0, 0.5], [0.0, 1.0]]).distance, 3)
    0.443
    """
    decoder = validation.matrix("decoder", decoder)
    latent_dim = decoder.shape[1]
    tie = validation.non_negative("tie", tie)
    if tie >= 1:
        raise ValueError(f"tie must be below 1, got {tie}; pass a share such as 1e-8")
    active = np.any(decoder != 0, axis=0) if active is None else validation.mask("active", active, latent_dim)
    unit = float(np.abs(decoder).max(initial=0.0)) or 1.0
    used = decoder[:, active] / unit
    count = used.shape[1]
    singular, right = np.zeros(count), np.eye(count)
    if used.size:
        values, transposed = np.linalg.svd(used, full_matrices=True)[1:]
        singular[: len(values)], right = values, transposed.T
    blocks = _ties(singular, tie)
    # The length of each latent's part in each tied subspace: for a single vector its absolute entry.
    parts = np.empty((count, count))
    for block in blocks:
        parts[:, block] = np.linalg.norm(right[:, block], axis=1)[:, np.newaxis]
    nearest = _signed_permutation(parts, right)
    right = right.copy()
    for block in blocks:
        if len(block) > 1:
            left, _, other = np.linalg.svd(right[:, block].T @ nearest[:, block])
            right[:, block] = right[:, block] @ (left @ other)
    with np.errstate(over="ignore"):
        lengths = validation.finite_result("decoder", singular * unit)
    return OrthogonalityDistance(
        distance=float(np.linalg.norm(right - nearest)),
        right_singular=right,
        nearest=nearest,
        singular_values=lengths,
        active=active,
        tied=np.concatenate([np.full(len(block), len(block) > 1) for block in blocks] or [np.zeros(0, dtype=bool)]),
    )


def distances_to_orthogonality(decoders: np.ndarray, *, tie: float) -> np.ndarray:
    """The distance of `distance_to_orthogonality` for each decoder of a stack, (N, D, K) -> (N,).

    At once for those that use all latents and have no ties, where every singular vector is assigned to one latent.
    """
    largest = np.abs(decoders).max(axis=(1, 2), initial=0.0)
    plain = np.all(np.any(decoders != 0, axis=1), axis=1)
    found = np.empty(len(decoders))
    values, transposed = np.linalg.svd(decoders[plain] / largest[plain, np.newaxis, np.newaxis], full_matrices=True)[1:]
    singular = np.zeros(transposed.shape[:2])
    singular[:, : values.shape[1]] = values
    apart = np.all(-np.diff(singular) > tie * singular[:, :1], axis=1)
    plain[plain] = apart
    right = transposed[apart].mT
    found[plain] = np.linalg.norm(right - _signed_permutation(np.abs(right), right), axis=(1, 2))
    found[~plain] = [distance_to_orthogonality(decoder, tie=tie).distance for decoder in decoders[~plain]]
    return found


def orthogonality_chance_level(
    latent_dim: int, *, samples: int = 10_000, rng: np.random.Generator | int | None = None
) -> ChanceLevel:
    """Mean and standard deviation of the distance to orthogonality if V is drawn uniformly from O(K).

    K = 2: mean (16 sqrt2/pi)(1 - cos(pi/8)), mean square 4 - 8 sqrt2/pi. Beyond, by Monte Carlo.

    Parameters
    ----------
    latent_dim : int, K
    samples : int, at least 2
        draws for K > 2.
    rng : numpy.random.Generator, or a seed
        needed for K > 2 only.

    Returns
    -------
    ChanceLevel
        exact, with standard error 0, for K <= 2; zero for K <= 1.

    Raises
    ------
    ValueError
        if an argument is out of its range or `rng` is missing.

    Examples
    --------
    >>> from theory.axes import orthogonality_chance_level
    >>> round(orthogonality_chance_level(2).mean, 4)
    0.5483
    """
    latent_dim = validation.count("latent_dim", latent_dim)
    samples = validation.count("samples", samples, minimum=2)
    if rng is not None or latent_dim > 2:
        rng = validation.random_generator("rng", rng)
    if latent_dim <= 1:
        return ChanceLevel(0.0, 0.0, 0.0)
    if latent_dim == 2:
        mean = 16 * np.sqrt(2) / np.pi * (1 - np.cos(np.pi / 8))
        return ChanceLevel(float(mean), float(np.sqrt(4 - 8 * np.sqrt(2) / np.pi - mean**2)), 0.0)
    validation.count("latent_dim", latent_dim, bytes_each=8 * latent_dim)
    validation.count("samples", samples, bytes_each=8 * latent_dim**2)
    from scipy.stats import ortho_group

    drawn = ortho_group.rvs(latent_dim, size=samples, random_state=rng)
    distances = np.linalg.norm(drawn - _signed_permutation(np.abs(drawn), drawn), axis=(1, 2))
    spread = float(np.std(distances, ddof=1))
    return ChanceLevel(float(np.mean(distances)), spread, spread / np.sqrt(samples))


def orthogonality_distribution(distance) -> float | np.ndarray:
    """The chance that a V drawn uniformly from O(2) has at most this distance to orthogonality.

    (8/pi) arcsin(d / (2 sqrt2)); one from d = 2 sqrt2 sin(pi/8) on. Exact.

    Parameters
    ----------
    distance : float or array >= 0, d

    Returns
    -------
    float or array, between 0 and 1

    Raises
    ------
    ValueError
        for a distance that is negative or not finite.

    Examples
    --------
    >>> from theory.axes import orthogonality_distribution
    >>> orthogonality_distribution([0.0, 0.5, 2.0]).round(4)
    array([0.    , 0.4525, 1.    ])
    """
    distance = validation.real_array("distance", distance)
    if not np.all((distance >= 0) & np.isfinite(distance)):
        raise ValueError(
            f"distance must be >= 0 everywhere and finite, its smallest entry is {float(np.min(distance))!r}; pass "
            "distances to orthogonality"
        )
    largest = 2 * np.sqrt(2) * np.sin(np.pi / 8)
    below = 8 / np.pi * np.arcsin(np.minimum(distance, largest) / (2 * np.sqrt(2)))
    return np.where(distance < largest, below, 1.0)[()]


def _signed_permutation(scores: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The signed permutation of the largest total score, with the signs of V; for each matrix of a stack."""
    from scipy.optimize import linear_sum_assignment

    columns = np.zeros((*right.shape[:-1], 1), dtype=np.intp)
    for place in np.ndindex(right.shape[:-2]):
        columns[place][:, 0] = linear_sum_assignment(-scores[place])[1]
    nearest = np.zeros_like(right)
    signs = np.where(np.take_along_axis(right, columns, axis=-1) < 0, -1.0, 1.0)
    np.put_along_axis(nearest, columns, signs, axis=-1)
    return nearest


def _ties(descending: np.ndarray, tie: float) -> list[np.ndarray]:
    """Runs of values in which neighbours differ by at most `tie` times the largest value."""
    if not len(descending):
        return []
    separated = -np.diff(descending) > tie * descending[0]
    return np.split(np.arange(len(descending)), np.flatnonzero(separated) + 1)
