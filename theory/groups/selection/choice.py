"""Choosing the groups from data: which factors are correlated, seen through a known decoder.

The covariance Gamma^ of the factors, its error and the tests of the model come from `theory.groups.selection.factors`.
The search goes from one group to single factors. It sets one covariance after another to zero, each time that of least

    evidence    z^2 = (entry of Gamma^)^2 / (its squared error), both given that the covariances before are zero.

Whenever the graph of the covariances that remain falls apart, that is the next partition, and z^2 of the covariance
that held it together last is the evidence against this split. The groups are those before the first split whose
evidence is beyond chi-square of one degree of freedom at level alpha over K (K - 1)/2, the number of covariances.

Level: for independent factors the chance that some split is refused is at most alpha. With errors that are
uncorrelated (no noise, or a decoder of orthogonal columns) z^2 of the last covariance is the largest of K (K - 1)/2
independent ones, and the bound is Bonferroni's; for other decoders it was simulated (K = 2 to 8), nearly dependent
columns included.

The groups are *known* only if the tests of the model do not reject it at level alpha, if covariances that are certain
by themselves hold each group together, if every correlation across groups, with its error, is below `resolution`, and
if

    X = d^T Omega^-1 d, d all entries of Gamma^ across groups, Omega the covariance of their errors,

is no surprise for chi-square: without noise and to leading order X is 2 N times the total correlation between the
groups. Covariances that are certain and bounds of correlations hold for all K (K - 1)/2 pairs at once: with a chance
of at most alpha, groups that are called known join independent factors or separate a correlation of `resolution` or
more. Else the result says why they are not known.

Asymptotic in N. Observations may have any fourth moments (ratios below those of a Gaussian count as these), `Moments`
are taken to be those of Gaussian data. A group size to be tuned is in the setting of Chen, Wang, Zou (2022) and Chen,
Xiang, Wang (2025); this way to find it is this project's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse.csgraph import connected_components
from scipy.special import gammaincc, ndtri

from theory import gaussian, validation
from theory.groups.selection.factors import FactorEstimate, estimate_factors

__all__ = ["Granularity", "Level", "choose_groups"]

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
        z^2 of the covariance that held the level before together last; 0 for one group.
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
class Granularity:
    """The groups that the data show, and whether they are known.

    Attributes
    ----------
    groups : tuple of tuples of factors
    decided : bool
    reason : str, one sentence
    left_out : float
        upper confidence bound of the largest absolute correlation between factors of different groups; 0 for one group.
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
    moments,
    decoder,
    *,
    noise_variance: float | str = "learned",
    alpha: float = 0.001,
    resolution: float = 0.2,
) -> Granularity:
    """The groups of correlated factors, by a hierarchical search over partitions, and whether the data can tell.

    Parameters
    ----------
    moments : Moments, or (N, D) array of observations, N >= 2
        with `Moments` Gaussian data are assumed: heavy tails that factors share (elliptical data, a volatility in
        common) then pass for dependence.
    decoder : (D, K) array, of rank K
        known; columns stand for factors.
    noise_variance : "learned" or float >= 0
    alpha : float in (0, 1)
        chance of refusing a split between independent groups, over the whole search; of rejecting a model that is
        true; of calling wrong groups known.
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
    Asymptotic in N; for N up to 2 D nothing is called known. With D = K, where the given noise hides directions of the
    factors, more than alpha of the splits are refused while N is small (28 % instead of 5 % for K = 8, N = 17; 8 % for
    N = 50), but none of these groups are called known. With heavy tails that factors share a true model is
    rejected too often while N is in the hundreds, as fourth moments are then badly known (8 % instead of 5 % for
    multivariate t with 5 degrees of freedom, N = 100, D = 10): which groups are called known errs on the safe side.
    """
    for name, value in (("alpha", alpha), ("resolution", resolution)):
        if not validation.positive(name, value) < 1:
            raise ValueError(f"{name} must be below 1, got {value!r}")
    alpha, resolution = float(alpha), float(resolution)
    estimate = estimate_factors(moments, decoder, noise_variance)
    # Lighter tails than those of a Gaussian sharpen nothing: a ratio below 1 is chance where observations are few.
    scaled = replace(estimate.standardised(), fourth_moments=np.maximum(estimate.fourth_moments, 1.0))
    levels = _search(scaled, alpha)
    refused = next((position for position, level in enumerate(levels) if level.refused), len(levels))
    groups = levels[refused - 1].groups
    left_out = _largest_correlation(scaled, groups, alpha)
    doubt = _doubt(scaled, levels[:refused], left_out, alpha, resolution)
    if len(groups) > 1:
        known = f"every correlation between groups is below {left_out:.3g} with confidence {1 - alpha:g}"
    elif len(estimate.covariance) > 1:
        known = f"covariances that are certain by themselves, with confidence {1 - alpha:g}, hold all factors together"
    else:
        known = "there is only one factor"
    if estimate.fit.untested:
        known += f", if decoder and noise are right, which was not tested ({estimate.fit.untested})"
    return Granularity(
        groups=groups,
        decided=not doubt,
        reason=doubt or known,
        left_out=left_out,
        levels=levels,
        estimate=estimate,
    )


def _search(estimate: FactorEstimate, alpha: float) -> tuple[Level, ...]:
    """Partitions from coarse to fine, by setting covariances to zero one after another, the least certain first."""
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

    Without an order the one of least evidence is the next. An entry without error (of factors that never move) says
    nothing.
    """
    # Cholesky's factorisation of the errors, pivoted: row by row what the covariances set to zero say of all others.
    entries, variances, left = entries.copy(), np.diagonal(errors).copy(), np.zeros(len(entries))
    floor = np.finfo(float).eps * len(entries) * variances
    factor, evidence, found = np.zeros_like(errors), np.zeros(len(entries)), np.empty(len(entries), dtype=int)
    for step in range(len(entries)):
        known = variances > floor
        squares = np.where(known, entries**2 / np.where(known, variances, 1.0), 0.0) + left
        pivot = found[step] = np.argmin(squares) if order is None else order[step]
        evidence[step], left[pivot] = squares[pivot], np.inf
        if known[pivot]:
            root = np.sqrt(variances[pivot])
            factor[step] = (errors[pivot] - factor[:step, pivot] @ factor[:step]) / root
            entries -= factor[step] * (entries[pivot] / root)
            variances -= factor[step] ** 2
    return found, evidence


def _across(groups: Groups, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    number = np.empty(sum(map(len, groups)), dtype=int)
    for position, group in enumerate(groups):
        number[list(group)] = position
    return number[rows] != number[columns]


def _partition(label: np.ndarray) -> Groups:
    return tuple(tuple(np.nonzero(label == name)[0].tolist()) for name in np.unique(label))


def _total_correlation(estimate: FactorEstimate, groups: Groups) -> float:
    return gaussian.total_correlation(estimate.covariance, groups) if _regular(estimate.covariance) else np.inf


def _largest_correlation(estimate: FactorEstimate, groups: Groups, alpha: float) -> float:
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


def _doubt(estimate, levels: tuple[Level, ...], left_out: float, alpha: float, resolution: float) -> str:
    """Why the groups cannot be known; empty if they can."""
    fit = estimate.fit
    if not fit.enough:
        return f"too few data to test the model ({fit.untested})"
    if fit.p_value < alpha:
        off = estimate.noise_deviation
        told = f" ({off:+.1f} standard errors from the noise variance {estimate.noise_variance:g})" if off else ""
        return f"model rejected (p = {fit.p_value:.2g}): {fit.objection}{told}: the decoder or the noise is wrong"
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
    quantile = _quantile(alpha, len(rows))
    linked = np.zeros_like(estimate.covariance, dtype=bool)
    linked[rows, columns] = np.abs(estimate.covariance[rows, columns]) > quantile * errors
    bound = _partition(connected_components(linked, directed=False)[1])
    return next((group for group in groups if not any(set(group) <= set(other) for other in bound)), ())


def _quantile(alpha: float, pairs: int) -> float:
    """Standard errors that all estimates of so many covariances keep within, with probability 1 - alpha."""
    return float(-ndtri(max(alpha / (2 * max(1, pairs)), np.finfo(float).tiny)))


def _regular(covariance: np.ndarray) -> bool:
    return bool(gaussian.unit_spectrum(covariance)[0].all())
