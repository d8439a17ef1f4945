"""Theory against experiment: the verdict of `verify` and of the figures' table, and how far each may be off.

Training and quadrature have a stated tolerance. Monte Carlo has a chance of false alarm for correct values: 1e-4 for
the whole table of `verify`, which its rows share, and 1e-4 for the points of one quantity of a figure, so that more
points may be further off. `standard_errors_allowed` turns a chance into standard errors, with Student's distribution
where a standard error comes from few draws; a known bias is allowed beside them.

The resolution of a comparison is the largest deviation that passes over the size of the value: the smallest relative
error of a closed form that it notices.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri, stdtrit

from numerics.sampling.estimate import Estimate

__all__ = [
    "FALSE_ALARM",
    "MOST_ROWS",
    "Budget",
    "Comparison",
    "Tolerance",
    "compare",
    "compare_arrays",
    "compare_points",
    "largest_of",
    "largest_of_standard_errors",
    "standard_errors_allowed",
]

FALSE_ALARM = 1e-4  # chance that a correct Monte Carlo quantity of a figure, or the whole table of `verify`, fails
MOST_ROWS = 200  # by Monte Carlo in the table of `verify`, which share the chance: 5.03 standard errors for each


@dataclass(frozen=True)
class Budget:
    """How much work a check may do: draws of a Monte Carlo estimate, and whether to leave out the larger cases."""

    samples: int
    quick: bool


@dataclass(frozen=True)
class Tolerance:
    """How far an experiment may be from theory, and why. `relative` compares |experiment / theory - 1|."""

    value: float
    reason: str
    relative: bool = False


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A closed form against an experiment, and whether they agree.

    Attributes
    ----------
    quantity : str
        what is compared.
    source : str
        the kind of experiment: "trained", "monte_carlo", "reference" (another library), or several of them.
    deviation : float
        |closed form - experiment|, in `unit`; the largest, where several points or entries are compared. Of training
        and Monte Carlo the one that takes up more of its tolerance.
    tolerance : float
        the largest deviation that passes.
    resolution : float
        the smallest relative error of the closed form that is noticed: the tolerance over the size of the value, or
        over a stated scale where the value is zero. For many points the smallest factor on all of them, less one, that
        is noticed; NaN where all are zero.
    unit : str
    points : int
        the number of values compared.
    reason : str
        for the tolerance.
    result : str
        the result that is checked.
    closed_form : float
        for an array its Frobenius norm; NaN where the comparison is of many points.
    trained : float or None
        from training by gradients, or another numerical method that does not use the formula: a search, quadrature.
    monte_carlo, standard_error : float or None
    """

    quantity: str
    source: str
    deviation: float
    tolerance: float
    resolution: float = math.nan
    unit: str = "absolute"
    points: int = 1
    reason: str = ""
    result: str = ""
    closed_form: float = math.nan
    trained: float | None = None
    monte_carlo: float | None = None
    standard_error: float | None = None

    @property
    def passed(self) -> bool:
        return self.deviation <= self.tolerance  # false for NaN


def standard_errors_allowed(count: int = 1, draws: float = math.inf, *, false_alarm: float = FALSE_ALARM) -> float:
    """The number of standard errors that the largest of `count` deviations exceeds with a chance of `false_alarm`.

    Normal deviations, or Student's if each standard error itself comes from few draws.
    """
    tail = false_alarm / (2 * count)
    return float(-ndtri(tail) if math.isinf(draws) else -stdtrit(draws - 1, tail))


def compare(
    quantity: str,
    closed_form: float,
    *,
    trained: float | None = None,
    tolerance: float = 0.0,
    monte_carlo: Estimate | None = None,
    bias: float = 0.0,
    scale: float | None = None,
) -> Comparison:
    """Compare a closed form with training (to `tolerance`), Monte Carlo (its standard errors and `bias`), or both.

    Raises
    ------
    ValueError
        for an infinite standard error, which allows any value, and for a closed form of zero without `scale`.
    """
    experiments = []
    if trained is not None:
        experiments.append((_distance(closed_form, trained), tolerance, "trained"))
    if monte_carlo is not None:
        if np.isinf(monte_carlo.standard_error):
            raise ValueError(f"monte_carlo of {quantity!r} has an infinite standard error, which allows any value")
        errors = standard_errors_allowed(draws=monte_carlo.draws, false_alarm=FALSE_ALARM / MOST_ROWS)
        allowed = errors * monte_carlo.standard_error + bias
        experiments.append((_distance(closed_form, monte_carlo.value), allowed, "monte_carlo"))
    deviation, largest, source = max(experiments, key=_share)
    return Comparison(
        quantity=quantity,
        source=source,
        deviation=float(deviation),
        tolerance=float(largest),
        resolution=min(allowed for _, allowed, _ in experiments) / _scale(quantity, closed_form, scale),
        closed_form=float(closed_form),
        trained=None if trained is None else float(trained),
        monte_carlo=None if monte_carlo is None else monte_carlo.value,
        standard_error=None if monte_carlo is None else monte_carlo.standard_error,
    )


def compare_arrays(quantity: str, closed_form, trained, tolerance: float, *, scale: float | None = None) -> Comparison:
    """Compare two arrays of one shape entry by entry; their size is that of the largest entry."""
    closed_form, trained = _same_shape(quantity, closed_form, trained)
    return Comparison(
        quantity=quantity,
        source="trained",
        deviation=float(np.abs(closed_form - trained).max()),
        tolerance=float(tolerance),
        resolution=tolerance / _scale(quantity, float(np.abs(closed_form).max()), scale),
        points=closed_form.size,
        closed_form=float(np.linalg.norm(closed_form)),
        trained=float(np.linalg.norm(trained)),
    )


def compare_points(
    quantity: str,
    source: str,
    closed_form: np.ndarray,
    experiment: np.ndarray,
    allowed: Tolerance | np.ndarray,
    *,
    draws: float = math.inf,
    reason: str = "",
    series: Sequence[str] | None = None,
) -> Comparison:
    """Compare many points: to a tolerance, or, where `allowed` is their standard errors, by Monte Carlo.

    `draws` is how many each standard error comes from. The resolution is that of the `series`, a name for each point,
    that notices least: the smallest factor on all its values, less one, that moves some point too far.
    """
    closed_form, experiment = _same_shape(quantity, closed_form, experiment)
    distance = np.abs(experiment - closed_form)
    if not isinstance(allowed, Tolerance):
        if not np.isfinite(allowed).all():
            raise ValueError(f"{quantity!r} has a standard error that is not finite, which allows any value")
        verdict = largest_of_standard_errors(quantity, distance / allowed, reason, draws=draws, source=source)
        at_most = verdict.tolerance * allowed
    elif allowed.relative:
        at_most = allowed.value * np.abs(closed_form)
        distance = distance / np.abs(closed_form)
        verdict = largest_of(quantity, distance, allowed.value, allowed.reason, unit="relative", source=source)
    else:
        at_most = np.full(closed_form.shape, allowed.value)
        verdict = largest_of(quantity, distance, allowed.value, allowed.reason, unit="absolute", source=source)
    return replace(verdict, resolution=_resolution(at_most, closed_form, series))


def _resolution(allowed: np.ndarray, closed_form: np.ndarray, series: Sequence[str] | None) -> float:
    """The smallest relative error that is noticed in every series that is not zero throughout; NaN if all are zero."""
    names = np.zeros(closed_form.shape) if series is None else np.asarray(series)
    shares = np.divide(allowed, np.abs(closed_form), out=np.full(closed_form.shape, np.inf), where=closed_form != 0)
    smallest = [np.min(shares[names == name]) for name in np.unique(names)]
    return float(max((value for value in smallest if np.isfinite(value)), default=np.nan))


def largest_of(
    quantity: str,
    deviations,
    tolerance: float,
    reason: str,
    *,
    unit: str = "nats",
    source: str = "trained",
    resolution: float = math.nan,
) -> Comparison:
    """The verdict on several deviations from theory: their largest, against a tolerance."""
    deviations = np.abs(np.asarray(deviations, dtype=float))
    return Comparison(
        quantity=quantity,
        source=source,
        deviation=float(deviations.max()),
        tolerance=tolerance,
        unit=unit,
        points=deviations.size,
        reason=reason,
        resolution=resolution,
    )


def largest_of_standard_errors(
    quantity: str, deviations, reason: str = "", *, draws: float = math.inf, source: str = "monte_carlo"
) -> Comparison:
    """The verdict on several deviations in standard errors, of Monte Carlo estimates of `draws` draws each."""
    allowed = standard_errors_allowed(len(deviations), draws)
    reason = reason or f"exceeded by chance in 1 of {1 / FALSE_ALARM:.0f} such comparisons, of this many points"
    return largest_of(quantity, deviations, allowed, reason, unit="standard errors", source=source)


def _scale(quantity: str, value: float, scale: float | None) -> float:
    """The size of a value, by which its tolerance is divided."""
    if scale is None and value == 0:
        raise ValueError(f"scale must be given for {quantity!r}, whose closed form is zero")
    return abs(float(value)) if scale is None else float(scale)


def _same_shape(quantity: str, closed_form, experiment) -> tuple[np.ndarray, np.ndarray]:
    closed_form, experiment = np.asarray(closed_form, dtype=float), np.asarray(experiment, dtype=float)
    if closed_form.shape != experiment.shape or closed_form.size == 0:
        raise ValueError(
            f"closed form and experiment of {quantity!r} must have one shape, and entries; got {closed_form.shape} and "
            f"{experiment.shape}"
        )
    return closed_form, experiment


def _distance(closed_form: float, experiment: float) -> float:
    """The absolute difference; two equal infinities agree."""
    return 0.0 if closed_form == experiment else abs(closed_form - experiment)


def _share(experiment: tuple[float, float, str]) -> float:
    """A deviation as a share of its tolerance."""
    deviation, tolerance, _ = experiment
    if np.isnan(deviation):
        return np.inf
    return deviation / tolerance if tolerance > 0 else (np.inf if deviation > 0 else 0.0)
