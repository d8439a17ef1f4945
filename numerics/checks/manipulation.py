"""Checks of the results on hidden factors: the smallest change of a loading, searched for under constraints."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
from scipy.optimize import brentq, minimize

from numerics.comparison import Budget, Comparison, compare, compare_arrays
from theory import axes

__all__ = ["CHECKS"]


def two_factor_manipulation(budget: Budget) -> Iterator[Comparison]:
    """Two factors: the change of a loading, entry by entry, searched for under constraints."""
    loading = np.diag([2.0, 1.2])
    for degrees in (20, 45, 75):
        manipulation = axes.two_factor_manipulation(loading, np.deg2rad(degrees), gap=0.3)
        rotated = axes.plane_rotation(2, np.deg2rad(degrees))
        searched = _searched_change(loading, rotated, [0.3])
        yield from _manipulation_rows(f"2 factors, {degrees} degrees", manipulation, loading, rotated, searched)
    for degrees in (20, 60):  # below and beyond the angle at which the lengths tie
        manipulation = axes.two_factor_manipulation(loading, np.deg2rad(degrees))
        rotated = axes.plane_rotation(2, np.deg2rad(degrees))
        searched = _searched_change(loading, rotated)
        yield from _manipulation_rows(
            f"2 factors without a gap, {degrees} degrees", manipulation, loading, rotated, searched
        )
    loading, rotated = np.diag([1.2, 2.0]), axes.plane_rotation(2, np.deg2rad(20))[:, ::-1]  # the longer column second
    found = axes.two_factor_manipulation(loading, np.deg2rad(20), gap=0.3)
    searched = _searched_change(loading, rotated, [0.3])
    yield compare("longer column second", found.size, trained=float(np.linalg.norm(searched)), tolerance=1e-6)


def smallest_manipulation(budget: Budget) -> Iterator[Comparison]:
    """Three factors, the same."""
    rng = np.random.default_rng(403)
    loading, basis = rng.standard_normal((4, 3)), np.linalg.qr(rng.standard_normal((3, 3)))[0]
    manipulation = axes.smallest_manipulation(loading, basis, [0.4, 0.2])
    yield from _manipulation_rows(
        "3 factors", manipulation, loading, basis, _searched_change(loading, basis, [0.4, 0.2])
    )


def _manipulation_rows(case: str, found, loading, basis, searched: np.ndarray) -> Iterator[Comparison]:
    """Size, change, changed loading, its lengths along the axes and the axes themselves, up to their signs."""
    lengths = np.linalg.norm((loading + searched) @ basis, axis=0)
    yield compare(case, found.size, trained=float(np.linalg.norm(searched)), tolerance=1e-6)
    yield compare_arrays(f"change, {case}", found.change, searched, 1e-5)
    yield compare_arrays(f"loading, {case}", found.loading, loading + searched, 1e-5)
    yield compare_arrays(f"singular values, {case}", found.singular_values, lengths, 1e-5)
    yield compare_arrays(f"axes, {case}", np.abs(found.axes), np.abs(basis), 1e-10)


def largest_angle(budget: Budget) -> Iterator[Comparison]:
    """Two factors: the angle of the leading axis, maximised over what a change of limited size can reach."""
    norms = np.array([2.0, 1.2])
    for gap in (0.1, 0.4):
        exact = axes.two_factor_largest_angle(np.diag(norms), 0.62, gap=gap)
        yield compare(f"gap {gap}", exact, trained=_searched_angle(norms, 0.62, gap), tolerance=1e-6)
    # At (2 - 1.2) / sqrt 2 = 0.5657 the two lengths can be made equal, and with them every angle.
    for size in (0.4, 0.5625, 0.57):
        exact = axes.two_factor_largest_angle(np.diag(norms), size)
        yield compare(f"gap free, budget {size}", exact, trained=_angle_within(norms, size), tolerance=1e-6)
    for lengths, size, gap in (([2.0, 1.2], 0.8, 0.1), ([2.0, 1.2], 5.0, 0.1), ([1.5, 1.5], 0.08, 0.1)):
        exact = axes.two_factor_largest_angle(np.diag(lengths), size, gap=gap)
        quantity = f"every angle, lengths {lengths}, budget {size}, gap {gap}"
        yield compare(quantity, exact, trained=_angle_within(np.array(lengths), size, gap), tolerance=1e-6)
    # Where a gap takes a larger change at every angle: of equal lengths 0.1 / sqrt 2 = 0.0707.
    for lengths, size, gap in (([2.0, 1.2], 0.84, 2.0), ([2.0, 1.2], 0.86, 2.0), ([1.5, 1.5], 0.07, 0.1)):
        none = np.isnan(axes.two_factor_largest_angle(np.diag(lengths), size, gap=gap))
        least = min(_least_size(np.array(lengths), angle, gap) for angle in np.linspace(0, np.pi / 2, 3))
        quantity = f"no angle, lengths {lengths}, budget {size}, gap {gap}"
        yield compare(quantity, float(none), trained=float(least > size), scale=1.0)


def _angle_within(norms: np.ndarray, budget: float, gap: float | None = None) -> float:
    """The angle at which the least change, with any lengths in descending order or a gap, has the size of the budget.

    A right angle if that is within the budget.
    """
    if _least_size(norms, np.pi / 2, gap) <= budget:
        return np.pi / 2
    return brentq(lambda angle: _least_size(norms, angle, gap) - budget, 1e-3, np.pi / 2, xtol=1e-12)


def _least_size(norms: np.ndarray, angle: float, gap: float | None = None) -> float:
    """The least change of diag(norms) to U diag(s) R^T with the rotation R given, and the gap of s if it is.

    The best U is Procrustes'.
    """
    rotation = axes.plane_rotation(2, angle)

    def square(lengths):  # the smaller and how much longer the other is
        s = np.array([lengths.sum(), lengths[0]])
        return norms @ norms + s @ s - 2 * np.linalg.norm((norms[:, np.newaxis] * rotation) * s, "nuc")

    bounds, options = [(0, None), (0, None) if gap is None else (gap, gap)], {"ftol": 1e-15, "gtol": 1e-11}
    return float(np.sqrt(minimize(square, [1.0, 0.5 if gap is None else gap], bounds=bounds, options=options).fun))


def _searched_change(loading: np.ndarray, basis: np.ndarray, gaps: list[float] | None = None) -> np.ndarray:
    """The change of least norm after which the columns in the new basis are orthogonal and differ by the gaps.

    Without gaps their lengths are in descending order.
    """
    pairs = np.triu_indices(len(basis), 1)

    def columns(entries):
        return (loading + entries.reshape(loading.shape)) @ basis

    def falls(entries):
        lengths = np.linalg.norm(columns(entries), axis=0)
        return lengths[:-1] - lengths[1:] - (0.0 if gaps is None else gaps)

    def products(entries):
        return (columns(entries).T @ columns(entries))[pairs]

    kind = "ineq" if gaps is None else "eq"

    def violations(entries):
        return np.concatenate([products(entries), falls(entries) if gaps else np.minimum(falls(entries), 0.0)])

    rng = np.random.default_rng(0)
    runs = [
        minimize(
            lambda entries: entries @ entries,
            rng.standard_normal(loading.size),
            jac=lambda entries: 2 * entries,
            constraints=[{"type": "eq", "fun": products}, {"type": kind, "fun": falls}],
            method="SLSQP",
            options={"ftol": 1e-15, "maxiter": 500},
        )
        for _ in range(6)
    ]
    best = min((run for run in runs if np.abs(violations(run.x)).max() < 1e-8), key=lambda run: run.fun)
    return best.x.reshape(loading.shape)


def _searched_angle(norms: np.ndarray, budget: float, gap: float) -> float:
    """The largest angle over loadings U diag(s) R^T within the budget; U and R rotations, s a gap apart."""

    def slack(parameters):
        outer, angle, smaller = parameters
        changed = axes.plane_rotation(2, outer) * [smaller + gap, smaller] @ axes.plane_rotation(2, angle).T
        return budget**2 - np.sum((changed - np.diag(norms)) ** 2)

    with warnings.catch_warnings():
        # SciPy 1.15 reports it when a step of SLSQP leaves the bounds by rounding, and clips it.
        warnings.filterwarnings("ignore", "Values in x were outside bounds", RuntimeWarning)
        runs = [
            minimize(
                lambda parameters: -parameters[1],
                [0.1, 0.1, smaller],
                bounds=[(-np.pi, np.pi), (0, np.pi / 2), (0, None)],
                constraints={"type": "ineq", "fun": slack},
                method="SLSQP",
                options={"ftol": 1e-14, "maxiter": 500},
            )
            for smaller in (0.5, 1.0, 1.5)
        ]
    return float(max(run.x[1] for run in runs if slack(run.x) > -1e-10))


CHECKS = {
    "two_factor_manipulation": two_factor_manipulation,
    "smallest_manipulation": smallest_manipulation,
    "largest_angle": largest_angle,
}
