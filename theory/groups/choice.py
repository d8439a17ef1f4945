"""Choosing the groups from data: which factors are correlated, seen through a known decoder.

The covariance Gamma^ of the factors and its error come from `theory.groups.factors`. Of a partition of the factors the
search uses

    statistic   X = d^T Omega^-1 d, d all entries of Gamma^ across groups, Omega their covariance: without noise and to
                leading order 2 N times the total correlation between the groups.

The search goes from one group to single factors: it sets one covariance after another to zero, that of least evidence
given the zeros before it; whenever the graph of the others falls apart, that is the next partition. A split takes the
entries that it cuts into d, and X grows by what they say: the chain rule of total correlation, with a statistic. The
groups are those before the first split whose growth is beyond chi-square of as many degrees of freedom, at level alpha
over the number of splits. They are *known* only if what they leave apart is small (every correlation across groups,
with its error, is below `resolution`), if covariances that are certain by themselves hold each group together, and if X
is no surprise. Else the result says so.

Asymptotic in N; Gaussian data. A group size to be tuned is in the setting of Chen, Wang, Zou (2022) and Chen, Xiang,
Wang (2025); this way to find it is this project's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse.csgraph import connected_components
from scipy.special import gammaincc, ndtri

from theory import gaussian, validation
from theory.groups.factors import FactorEstimate, estimate_factors
from theory.model import Moments

__all__ = ["Granularity", "Level", "choose_groups"]

WRONG_NOISE = 5.0  # standard errors between the given noise and the variance outside the decoder's range

Groups = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Level:
    """One partition of the search, and the evidence against the split that led to it.

    Attributes
    ----------
    groups : tuple of tuples of factors
    total_correlation : float
        between the groups, of the estimated factors, nats; infinite where their covariance is singular.
    statistic, freedom : float, int
        growth of X from the level before, and its degrees of freedom; 0 and 0 for one group.
    p_value, threshold : float
    """

    groups: Groups
    total_correlation: float
    statistic: float
    freedom: int
    p_value: float
    threshold: float

    @property
    def refused(self) -> bool:
        return self.p_value < self.threshold


@dataclass(frozen=True, eq=False)
class Granularity:
    """The groups that the data show, and whether they are known.

    Attributes
    ----------
    groups : tuple of tuples of factors
    decided : bool
    reason : str, one sentence
    left_out : float
        upper confidence bound of the largest absolute correlation between factors of different groups.
    levels : tuple of Level
        the whole search, from one group to single factors.
    estimate : FactorEstimate
    """

    groups: Groups
    decided: bool
    reason: str
    left_out: float
    levels: tuple[Level, ...]
    estimate: FactorEstimate


def choose_groups(
    moments: Moments,
    decoder,
    *,
    noise_variance: float | str = "learned",
    alpha: float = 0.001,
    resolution: float = 0.2,
) -> Granularity:
    """The groups of correlated factors, by a hierarchical search over partitions, and whether the data can tell.

    Parameters
    ----------
    moments : Moments, of N >= 2 observations
    decoder : (D, K) array, of rank K
        known; columns stand for factors.
    noise_variance : "learned" or float >= 0
    alpha : float in (0, 1)
        chance of refusing a split between independent groups, over the whole search.
    resolution : float in (0, 1)
        correlations between groups from this size on must be excluded, or the groups are not known.

    Returns
    -------
    Granularity

    Raises
    ------
    ValueError
        if an argument is out of its range, or as for `estimate_factors`.

    Notes
    -----
    Asymptotic in N, for Gaussian data.
    """
    for name, value in (("alpha", alpha), ("resolution", resolution)):
        if not 0 < validation.positive(name, value) < 1:
            raise ValueError(f"{name} must be below 1, got {value!r}")
    estimate = estimate_factors(moments, decoder, noise_variance)
    levels = _search(estimate, alpha)
    refused = next((position for position, level in enumerate(levels) if level.refused), len(levels))
    groups = levels[refused - 1].groups
    left_out = _largest_correlation(estimate, groups, alpha)
    reason = _doubt(estimate, levels[:refused], left_out, alpha, resolution)
    return Granularity(
        groups=groups,
        decided=not reason,
        reason=reason or f"every correlation between groups is below {left_out:.3g} with confidence {1 - alpha:g}",
        left_out=left_out,
        levels=levels,
        estimate=estimate,
    )


def _search(estimate: FactorEstimate, alpha: float) -> tuple[Level, ...]:
    """Partitions from coarse to fine, by setting covariances to zero one after another, the least certain first."""
    size = len(estimate.covariance)
    rows, columns = np.triu_indices(size, 1)
    errors = estimate.error_covariance(rows, columns)
    linked = np.ones((size, size), dtype=bool)
    levels = [Level(_components(linked), 0.0, 0.0, 0, 1.0, alpha / max(1, size - 1))]
    for entry in _elimination_order(estimate.covariance[rows, columns], errors):
        linked[rows[entry], columns[entry]] = linked[columns[entry], rows[entry]] = False
        groups = _components(linked)
        if len(groups) > len(levels[-1].groups):
            levels.append(_split(estimate, rows, columns, errors, levels[-1], groups))
    return tuple(levels)


def _elimination_order(entries: np.ndarray, errors: np.ndarray) -> list[int]:
    """Which covariance to set to zero next: the one of least evidence given that those before are zero."""
    entries, errors = entries.copy(), errors.copy()
    left, order = list(range(len(entries))), []
    floor = np.finfo(float).eps * len(entries) * np.diagonal(errors).copy()
    while left:
        variances = np.diagonal(errors)[left]
        known = variances > floor[left]
        evidence = np.where(known, entries[left] ** 2 / np.where(known, variances, 1.0), 0.0)
        entry = left.pop(int(np.argmin(evidence)))
        order.append(entry)
        if errors[entry, entry] > floor[entry]:
            gain = errors[:, entry] / errors[entry, entry]
            entries -= gain * entries[entry]
            errors -= np.outer(gain, errors[entry])
    return order


def _split(estimate, rows, columns, errors, coarse: Level, groups: Groups) -> Level:
    """The next finer level, with what it adds to the statistic."""
    added, across = _across(coarse.groups, rows, columns), _across(groups, rows, columns)
    freedom = int(np.count_nonzero(across) - np.count_nonzero(added))
    entries = estimate.covariance[rows, columns]
    increase = _evidence(entries[across], errors[np.ix_(across, across)]) - _evidence(
        entries[added], errors[np.ix_(added, added)]
    )
    statistic = max(0.0, increase)
    return Level(
        groups,
        _total_correlation(estimate, groups),
        statistic,
        freedom,
        float(gammaincc(freedom / 2, statistic / 2)),
        coarse.threshold,
    )


def _evidence(entries: np.ndarray, errors: np.ndarray) -> float:
    """d^T Omega^-1 d; directions without error and without entries (factors that never move) say nothing."""
    return float(entries @ np.linalg.pinv(errors, hermitian=True) @ entries)


def _across(groups: Groups, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    number = np.empty(sum(map(len, groups)), dtype=int)
    for position, group in enumerate(groups):
        number[list(group)] = position
    return number[rows] != number[columns]


def _components(linked: np.ndarray) -> Groups:
    count, labels = connected_components(linked, directed=False)
    return tuple(tuple(np.nonzero(labels == label)[0].tolist()) for label in range(count))


def _total_correlation(estimate: FactorEstimate, groups: Groups) -> float:
    if not _regular(estimate.covariance):
        return np.inf
    return gaussian.total_correlation(estimate.covariance, groups)


def _largest_correlation(estimate: FactorEstimate, groups: Groups, alpha: float) -> float:
    """Upper confidence bound of the largest |correlation| across groups, over all pairs at once."""
    rows, columns = np.triu_indices(len(estimate.covariance), 1)
    across = _across(groups, rows, columns)
    rows, columns = rows[across], columns[across]
    variances = np.clip(np.diagonal(estimate.covariance), 0, None)
    scales = np.sqrt(variances[rows] * variances[columns])
    if scales.min(initial=1.0) == 0:
        return np.inf
    errors = np.sqrt(np.diagonal(estimate.error_covariance(rows, columns)))
    quantile = -ndtri(alpha / (2 * max(1, len(rows))))
    return float(((np.abs(estimate.covariance[rows, columns]) + quantile * errors) / scales).max(initial=0.0))


def _doubt(estimate, levels: tuple[Level, ...], left_out: float, alpha: float, resolution: float) -> str:
    """Why the groups cannot be known; empty if they can."""
    if abs(estimate.noise_deviation) > WRONG_NOISE:
        return (
            f"the data outside the decoder's range are {estimate.noise_deviation:+.1f} standard errors from the noise "
            f"variance {estimate.noise_variance:g}: the decoder or the noise is wrong"
        )
    if not _regular(estimate.covariance):
        return "the estimated covariance of the factors is not positive definite: the noise hides some of them"
    statistic, freedom = sum(level.statistic for level in levels), sum(level.freedom for level in levels)
    if freedom and gammaincc(freedom / 2, statistic / 2) < alpha:
        return (
            f"what is left between the groups is too much for chance ({statistic:.1f} at {freedom} degrees of "
            "freedom), though no single split shows it"
        )
    loose = _loose(estimate, levels[-1].groups, alpha)
    if loose:
        return f"no covariance that is certain by itself holds the group {list(loose)} together: more data are needed"
    if left_out >= resolution:
        return (
            f"correlations up to {left_out:.3g} between groups cannot be excluded, wanted is {resolution:g}: "
            "more data or less noise is needed"
        )
    return ""


def _loose(estimate: FactorEstimate, groups: Groups, alpha: float) -> tuple[int, ...]:
    """A group that covariances significant by themselves, among all, do not hold together; empty if there is none."""
    rows, columns = np.triu_indices(len(estimate.covariance), 1)
    errors = np.sqrt(np.diagonal(estimate.error_covariance(rows, columns)))
    quantile = -ndtri(alpha / (2 * max(1, len(rows))))
    linked = np.zeros_like(estimate.covariance, dtype=bool)
    linked[rows, columns] = np.abs(estimate.covariance[rows, columns]) > quantile * errors
    bound = _components(linked)
    return next((group for group in groups if not any(set(group) <= set(other) for other in bound)), ())


def _regular(covariance: np.ndarray) -> bool:
    eigenvalues = np.linalg.eigvalsh(covariance)
    return bool(np.all(eigenvalues > validation.rank_tolerance(eigenvalues)))
