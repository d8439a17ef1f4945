"""Theory against experiment: the verdict of `verify` and of the figures' table, and how far each may be off.

Training has a stated tolerance. Monte Carlo has a chance of false alarm for a correct value: a row of `verify` fails
beyond five standard errors (and a stated bias); the points of one quantity of a figure share a chance of 1e-4, so that
more points may be further off. `standard_errors_allowed` turns a chance into standard errors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri, stdtrit

from numerics.sampling.estimate import Estimate

__all__ = [
    "FALSE_ALARM",
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

FALSE_ALARM = 1e-4  # chance that a correct Monte Carlo quantity of a figure fails
# The same for a row of `verify`: once in two million, if its standard error comes from many values.
ROW_FALSE_ALARM = float(2 * ndtr(-5.0))


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
        from training by gradients, or another numerical search that does not use the formula.
    monte_carlo, standard_error : float or None
    """

    quantity: str
    source: str
    deviation: float
    tolerance: float
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
) -> Comparison:
    """Compare a closed form with training (to `tolerance`), Monte Carlo (its standard errors and `bias`), or both."""
    experiments = []
    if trained is not None:
        experiments.append((_distance(closed_form, trained), tolerance, "trained"))
    if monte_carlo is not None:
        allowed = standard_errors_allowed(false_alarm=ROW_FALSE_ALARM) * monte_carlo.standard_error + bias
        experiments.append((_distance(closed_form, monte_carlo.value), allowed, "monte_carlo"))
    deviation, tolerance, source = max(experiments, key=_share)
    return Comparison(
        quantity=quantity,
        source=source,
        deviation=float(deviation),
        tolerance=float(tolerance),
        closed_form=float(closed_form),
        trained=None if trained is None else float(trained),
        monte_carlo=None if monte_carlo is None else monte_carlo.value,
        standard_error=None if monte_carlo is None else monte_carlo.standard_error,
    )


def compare_arrays(quantity: str, closed_form, trained, tolerance: float) -> Comparison:
    """Compare two arrays entry by entry."""
    closed_form, trained = np.asarray(closed_form, dtype=float), np.asarray(trained, dtype=float)
    return Comparison(
        quantity=quantity,
        source="trained",
        deviation=float(np.abs(closed_form - trained).max(initial=0.0)),
        tolerance=float(tolerance),
        points=closed_form.size,
        closed_form=float(np.linalg.norm(closed_form)),
        trained=float(np.linalg.norm(trained)),
    )


def compare_points(
    quantity: str, source: str, closed_form: np.ndarray, experiment: np.ndarray, allowed: Tolerance | np.ndarray
) -> Comparison:
    """Compare many points: to a tolerance, or, where `allowed` is their standard errors, by Monte Carlo."""
    distance = np.abs(experiment - closed_form)
    if not isinstance(allowed, Tolerance):
        return largest_of_standard_errors(quantity, distance / allowed)
    if allowed.relative:
        distance, unit = distance / np.abs(closed_form), "relative"
    else:
        unit = "absolute"
    return largest_of(quantity, distance, allowed.value, allowed.reason, unit=unit, source=source)


def largest_of(
    quantity: str, deviations, tolerance: float, reason: str, *, unit: str = "nats", source: str = "trained"
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
    )


def largest_of_standard_errors(
    quantity: str, deviations, reason: str = "", *, draws: float = math.inf, source: str = "monte_carlo"
) -> Comparison:
    """The verdict on several deviations in standard errors, of Monte Carlo estimates of `draws` draws each."""
    allowed = standard_errors_allowed(len(deviations), draws)
    reason = reason or f"exceeded by chance in 1 of {1 / FALSE_ALARM:.0f} such comparisons, of this many points"
    return largest_of(quantity, deviations, allowed, reason, unit="standard errors", source=source)


def _distance(closed_form: float, experiment: float) -> float:
    """The absolute difference; two equal infinities agree."""
    return 0.0 if closed_form == experiment else abs(closed_form - experiment)


def _share(experiment: tuple[float, float, str]) -> float:
    """A deviation as a share of its tolerance."""
    deviation, tolerance, _ = experiment
    if np.isnan(deviation):
        return np.inf
    return deviation / tolerance if tolerance > 0 else (np.inf if deviation > 0 else 0.0)
