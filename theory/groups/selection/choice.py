"""Choosing the groups from data: which factors are correlated, seen through a fixed decoder.

The estimate Gamma^ of the covariance of the K factors from N observations, its error and the tests of the model come
from `theory.groups.selection.factors`.

**Search.** From one group to single factors: one covariance after another is set to zero, each time that of least

    evidence    z^2 = (entry of Gamma^)^2 / (its squared error), both given that the covariances before are zero.

Whenever the graph of the remaining covariances becomes disconnected, its components are the next partition, and z^2 of
the covariance set to zero last is the evidence against this split. The chosen groups are those before the first split
whose evidence exceeds chi-square of one degree of freedom at level alpha over K (K - 1)/2, the number of covariances.

**Level.** For independent factors the probability that some split is refused is at most alpha. With uncorrelated
errors (no noise, or a decoder with orthogonal columns) z^2 of the last covariance is the largest of K (K - 1)/2
independent ones, and the bound is Bonferroni's; for other decoders, nearly dependent columns included, it was simulated
(K = 2 to 8).

**Decided.** The result is called decided only if the tests of the model do not reject it at level alpha, if
individually significant covariances connect each group, if the upper confidence bound of every correlation across
groups is below `resolution`, and if

    X = d^T Omega^-1 d, d all entries of Gamma^ across groups, Omega the covariance of their errors,

is not significant for chi-square: without noise and to leading order X is 2 N times the total correlation between the
groups. Significance and bounds hold for all K (K - 1)/2 pairs at once: with probability at most alpha, decided groups
join independent factors or separate factors of a correlation of `resolution` or more. Otherwise `reason` says why the
groups are undecided.

Asymptotic in N. Observations may have any fourth moments (ratios below those of a Gaussian are raised to them),
`Moments` are taken to be those of Gaussian data. A group size to be tuned is in the setting of Chen, Wang, Zou (2022)
and Chen, Xiang, Wang (2025); this way to find it is this project's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse.csgraph import connected_components
from scipy.special import gammaincc, ndtri

from theory import gaussian, validation
from theory.groups.selection.factors import FactorEstimate, estimate_factors

__all__ = ["GroupSelection", "Level", "choose_groups"]

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
        growth of X from the level before, and how many covariances the split cuts; 0 and 0 for one group.
    evidence : float
        z^2 of the covariance that was the last to connect the level before; 0 for one group.
    p_value : float
        of `evidence`, times the number of all covariances (at most 1).
    threshold : float, alpha
    """

    groups: Groups
    total_correlation: float
    statistic: float
    freedom: int
    evidence: float
    p_value: float
    threshold: float

    @property
    def refused(self) -> bool:
        """Whether the split contradicts the data."""
        return self.p_value < self.threshold


@dataclass(frozen=True, eq=False)
class GroupSelection:
    """The groups that the data show, and whether the data decide them.

    Attributes
    ----------
    groups : tuple of tuples of factors
    decided : bool
    reason : str, one sentence
    correlation_bound : float
        upper confidence bound of the largest absolute correlation between factors of different groups; 0 for one group.
    levels : tuple of Level
        the whole search, from one group to single factors.
    estimate : FactorEstimate

    Examples
    --------
    >>> from theory import Moments
    >>> from theory.groups import choose_groups
    >>> moments = Moments(2000, [0.0, 0.0], [[1.0, 0.0], [0.0, 1.0]])
    >>> selection = choose_groups(moments, [[1.0, 0.0], [0.0, 1.0]], noise_variance=0.0)
    >>> selection.decided, round(selection.correlation_bound, 3)
    (True, 0.074)
    """

    groups: Groups
    decided: bool
    reason: str
    correlation_bound: float
    levels: tuple[Level, ...]
    estimate: FactorEstimate

    @property
    def left_out(self) -> float:
        """The old name of `correlation_bound`."""
        return self.correlation_bound


def choose_groups(
    moments,
    decoder,
    *,
    noise_variance: float | str = "learned",
    alpha: float = 0.001,
    resolution: float = 0.2,
) -> GroupSelection:
    """The groups of correlated factors, by a hierarchical search over partitions, and whether the data decide them.

    Parameters
    ----------
    moments : Moments, or (N, D) array of observations, N >= 2
        with `Moments` Gaussian data are assumed: heavy tails that factors share (elliptical data, a volatility in
        common) then pass for dependence.
    decoder : (D, K) array, of rank K
        fixed; columns stand for factors.
    noise_variance : "learned" or float >= 0
    alpha : float in (0, 1)
        probability of refusing a split between independent groups, over the whole search; of rejecting a true model;
        of calling wrong groups decided.
    resolution : float in (0, 1)
        correlations between groups of this size or more must be excluded, or the groups are undecided.

    Returns
    -------
    GroupSelection

    Raises
    ------
    ValueError
        if an argument is out of its range, or as for `estimate_factors`.

    Notes
    -----
    Asymptotic in N; for N up to 2 D nothing is called decided. With D = K, where the given noise hides directions of
    the factors, more than alpha of the splits are refused while N is small (28 % instead of 5 % for K = 8, N = 17; 8 %
    for N = 50), but none of these groups are called decided. With heavy tails that factors share, a true model is
    rejected too often while N is in the hundreds, as fourth moments are then estimated badly (8 % instead of 5 % for
    multivariate t with 5 degrees of freedom, N = 100, D = 10): too few groups are called decided, never too many.

    Examples
    --------
    >>> from theory import Moments
    >>> from theory.groups import choose_groups
    >>> moments = Moments(2000, [0.0, 0.0, 0.0], [[1.1, 0.6, 0.0], [0.6, 1.1, 0.0], [0.0, 0.0, 0.1]])
    >>> selection = choose_groups(moments, [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    >>> selection.groups, selection.decided
    (((0, 1),), True)
    """
    for name, value in (("alpha", alpha), ("resolution", resolution)):
        if not validation.positive(name, value) < 1:
            raise ValueError(f"{name} must be below 1, got {value!r}; pass a probability or correlation such as 0.05")
    alpha, resolution = float(alpha), float(resolution)
    estimate = estimate_factors(moments, decoder, noise_variance)
    # Tails lighter than a Gaussian's do not shrink the errors: with few observations a ratio below 1 is chance.
    scaled = replace(estimate.standardised(), fourth_moments=np.maximum(estimate.fourth_moments, 1.0))
    levels = _search(scaled, alpha)
    refused = next((position for position, level in enumerate(levels) if level.refused), len(levels))
    groups = levels[refused - 1].groups
    bound = _correlation_bound(scaled, groups, alpha)
    undecided = _reason_undecided(scaled, levels[:refused], bound, alpha, resolution)
    if len(groups) > 1:
        decided = f"every correlation between groups is below {bound:.3g} with confidence {1 - alpha:g}"
    elif len(estimate.covariance) > 1:
        decided = f"individually significant covariances, with confidence {1 - alpha:g}, connect all factors"
    else:
        decided = "there is only one factor"
    if estimate.fit.untested:
        decided += f", if decoder and noise are right, which was not tested ({estimate.fit.untested})"
    return GroupSelection(
        groups=groups,
        decided=not undecided,
        reason=undecided or decided,
        correlation_bound=bound,
        levels=levels,
        estimate=estimate,
    )


def _search(estimate: FactorEstimate, alpha: float) -> tuple[Level, ...]:
    """Partitions from coarse to fine, by setting covariances to zero one after another, the least evident first."""
    size = len(estimate.covariance)
    # Four matrices of a row and a column for each pair of factors.
    pairs = size * (size - 1) // 2
    validation.count("pairs of columns of decoder", pairs, bytes_each=4 * 8 * pairs)
    rows, columns = np.triu_indices(size, 1)
    entries, errors = estimate.covariance[rows, columns], estimate.error_covariance(rows, columns)
    order, evidence = _eliminate(entries, errors)
    # Backwards, the covariance that was set to zero last is the first to join two groups, named by their least member.
    label = np.arange(size)
    partitions, strongest = [_partition(label)], []
    for entry, value in zip(order[::-1], evidence[::-1], strict=True):
        first, second = sorted((label[rows[entry]], label[columns[entry]]))
        if first != second:
            label[label == second] = first
            partitions.append(_partition(label))
            strongest.append(value)
    partitions, strongest = partitions[::-1], [0.0, *strongest[::-1]]
    # Number of the split that cuts each covariance. In this order the evidence adds up to X, split by split.
    cut = sum(_across(groups, rows, columns).astype(int) for groups in partitions)
    cut = len(partitions) - cut
    order = np.argsort(cut, kind="stable")
    _, growth = _eliminate(entries, errors, order)
    growth = np.bincount(cut[order], weights=growth, minlength=len(partitions))
    freedom = np.bincount(cut, minlength=len(partitions))
    return tuple(
        Level(
            groups,
            _total_correlation(estimate, groups),
            float(growth[number]),
            int(freedom[number]),
            float(strongest[number]),
            float(min(1.0, len(rows) * gammaincc(0.5, strongest[number] / 2))) if number else 1.0,
            alpha,
        )
        for number, groups in enumerate(partitions)
    )


def _eliminate(entries: np.ndarray, errors: np.ndarray, order=None) -> tuple[np.ndarray, np.ndarray]:
    """Set one covariance after another to zero: in which order, and the evidence against each given those before.

    Without an order, the one of least evidence comes next. An entry without error (of constant factors) has evidence 0.
    """
    # Pivoted Cholesky factorisation of the errors: each row conditions all other entries on the one set to zero.
    entries, variances, left = entries.copy(), np.diagonal(errors).copy(), np.zeros(len(entries))
    floor = np.finfo(float).eps * len(entries) * variances
    factor, evidence, sequence = np.zeros_like(errors), np.zeros(len(entries)), np.empty(len(entries), dtype=int)
    for step in range(len(entries)):
        varies = variances > floor
        squares = np.where(varies, entries**2 / np.where(varies, variances, 1.0), 0.0) + left
        pivot = sequence[step] = np.argmin(squares) if order is None else order[step]
        evidence[step], left[pivot] = squares[pivot], np.inf
        if varies[pivot]:
            root = np.sqrt(variances[pivot])
            factor[step] = (errors[pivot] - factor[:step, pivot] @ factor[:step]) / root
            entries -= factor[step] * (entries[pivot] / root)
            variances -= factor[step] ** 2
    return sequence, evidence


def _across(groups: Groups, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    number = np.empty(sum(map(len, groups)), dtype=int)
    for position, group in enumerate(groups):
        number[list(group)] = position
    return number[rows] != number[columns]


def _partition(label: np.ndarray) -> Groups:
    return tuple(tuple(np.nonzero(label == name)[0].tolist()) for name in np.unique(label))


def _total_correlation(estimate: FactorEstimate, groups: Groups) -> float:
    return gaussian.total_correlation(estimate.covariance, groups) if _regular(estimate.covariance) else np.inf


def _correlation_bound(estimate: FactorEstimate, groups: Groups, alpha: float) -> float:
    """Upper confidence bound of the largest |correlation| across groups, over all pairs at once."""
    rows, columns = np.triu_indices(len(estimate.covariance), 1)
    across = _across(groups, rows, columns)
    quantile = _quantile(alpha, len(rows))
    rows, columns = rows[across], columns[across]
    variances = np.clip(np.diagonal(estimate.covariance), 0, None)
    scales = np.sqrt(variances[rows] * variances[columns])
    if scales.min(initial=1.0) == 0:
        return np.inf
    errors = np.sqrt(np.diagonal(estimate.error_covariance(rows, columns)))
    return float(((np.abs(estimate.covariance[rows, columns]) + quantile * errors) / scales).max(initial=0.0))


def _reason_undecided(estimate, levels: tuple[Level, ...], bound: float, alpha: float, resolution: float) -> str:
    """Why the data do not decide the groups; empty if they do."""
    fit = estimate.fit
    if not fit.enough:
        return f"too few data to test the model ({fit.untested})"
    if fit.p_value < alpha:
        errors = estimate.noise_deviation
        detail = (
            f" ({errors:+.1f} standard errors from the noise variance {estimate.noise_variance:g})" if errors else ""
        )
        return f"model rejected (p = {fit.p_value:.2g}): {fit.objection}{detail}: the decoder or the noise is wrong"
    if not _regular(estimate.covariance):
        return "the estimated covariance of the factors is not positive definite: the noise hides some of them"
    statistic, freedom = sum(level.statistic for level in levels), sum(level.freedom for level in levels)
    if freedom and gammaincc(freedom / 2, statistic / 2) < alpha:
        return (
            f"the covariance left between groups is significant (chi-square {statistic:.1f}, {freedom} degrees of "
            "freedom), though no single split shows it"
        )
    unconnected = _unconnected_group(estimate, levels[-1].groups, alpha)
    if unconnected:
        return (
            f"group {list(unconnected)} is not connected by individually significant covariances: more data are needed"
        )
    if bound >= resolution:
        return (
            f"correlations up to {bound:.3g} between groups cannot be excluded, resolution asks for {resolution:g}: "
            "more data or less noise is needed"
        )
    return ""


def _unconnected_group(estimate: FactorEstimate, groups: Groups, alpha: float) -> tuple[int, ...]:
    """The first group not connected by significant covariances (Bonferroni over all pairs); empty if there is none."""
    rows, columns = np.triu_indices(len(estimate.covariance), 1)
    errors = np.sqrt(np.diagonal(estimate.error_covariance(rows, columns)))
    quantile = _quantile(alpha, len(rows))
    linked = np.zeros_like(estimate.covariance, dtype=bool)
    linked[rows, columns] = np.abs(estimate.covariance[rows, columns]) > quantile * errors
    components = _partition(connected_components(linked, directed=False)[1])
    return next((group for group in groups if not any(set(group) <= set(other) for other in components)), ())


def _quantile(alpha: float, pairs: int) -> float:
    """The number of standard errors within which all estimated pairs lie with probability 1 - alpha (Bonferroni)."""
    return float(-ndtri(max(alpha / (2 * max(1, pairs)), np.finfo(float).tiny)))


def _regular(covariance: np.ndarray) -> bool:
    return bool(gaussian.unit_spectrum(covariance)[0].all())
