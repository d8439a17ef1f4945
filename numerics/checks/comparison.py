"""One row of the table of verification: a closed form, what an experiment found, and whether they agree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from numerics.monte_carlo import Estimate

__all__ = ["Effort", "Row", "compare", "compare_arrays"]

STANDARD_ERRORS = 5.0  # a correct estimate is further off once in two million


@dataclass(frozen=True)
class Effort:
    """How much work a check may do: draws of a Monte Carlo estimate, and whether to leave out the larger cases."""

    samples: int
    quick: bool


@dataclass(frozen=True)
class Row:
    """A closed form against experiment.

    Attributes
    ----------
    result, quantity : str
        the result that is checked, and what is compared.
    closed_form : float
        for an array its Frobenius norm.
    trained : float or None
        from training by gradients, or another numerical search that does not use the formula.
    monte_carlo, standard_error : float or None
    deviation : float
        |closed form - experiment|, for an array the largest over its entries. Of training and Monte Carlo the one that
        takes up more of its tolerance.
    tolerance : float
        what it may be: five standard errors for Monte Carlo.
    passed : bool
    """

    result: str
    quantity: str
    closed_form: float
    trained: float | None
    monte_carlo: float | None
    standard_error: float | None
    deviation: float
    tolerance: float
    passed: bool


def compare(
    quantity: str,
    closed_form: float,
    *,
    trained: float | None = None,
    tolerance: float = 0.0,
    monte_carlo: Estimate | None = None,
    bias: float = 0.0,
) -> Row:
    """Compare a closed form with training (to `tolerance`), Monte Carlo (five standard errors and `bias`), or both."""
    found = []
    if trained is not None:
        found.append((_distance(closed_form, trained), tolerance))
    if monte_carlo is not None:
        allowed = STANDARD_ERRORS * monte_carlo.standard_error + bias
        found.append((_distance(closed_form, monte_carlo.value), allowed))
    return _row(quantity, closed_form, trained, monte_carlo, found)


def compare_arrays(quantity: str, closed_form, trained, tolerance: float) -> Row:
    """Compare two arrays entry by entry."""
    closed_form, trained = np.asarray(closed_form, dtype=float), np.asarray(trained, dtype=float)
    deviation = float(np.abs(closed_form - trained).max(initial=0.0))
    norms = float(np.linalg.norm(closed_form)), float(np.linalg.norm(trained))
    return _row(quantity, *norms, None, [(deviation, tolerance)])


def _row(quantity, closed_form, trained, monte_carlo: Estimate | None, found: list[tuple[float, float]]) -> Row:
    deviation, tolerance = max(found, key=_share)
    return Row(
        result="",
        quantity=quantity,
        closed_form=float(closed_form),
        trained=None if trained is None else float(trained),
        monte_carlo=None if monte_carlo is None else monte_carlo.value,
        standard_error=None if monte_carlo is None else monte_carlo.standard_error,
        deviation=float(deviation),
        tolerance=float(tolerance),
        passed=bool(all(deviation <= tolerance for deviation, tolerance in found)),
    )


def _distance(closed_form: float, found: float) -> float:
    """The absolute difference; two equal infinities agree."""
    return 0.0 if closed_form == found else abs(closed_form - found)


def _share(pair: tuple[float, float]) -> float:
    deviation, tolerance = pair
    if np.isnan(deviation):
        return np.inf
    return deviation / tolerance if tolerance > 0 else (np.inf if deviation > 0 else 0.0)
