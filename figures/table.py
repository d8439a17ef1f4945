"""What a figure shows, as a table: every point of every curve, and how far experiment is from theory.

Each row says where it comes from:

    theory       a closed form; drawn as a line
    minimum      the place of a minimum by a closed form; drawn as a diamond
    critical     a beta at which a latent collapses, by a closed form; drawn as a thin vertical line, without y
    trained      a model trained by gradients; drawn as a dot
    monte_carlo  an average over random draws with its standard error; drawn as an error bar
    reference    the same quantity from another library; drawn as a ring
    measured     an experiment for which there is no closed form; drawn as small joined dots
    published    a number from a paper; drawn as a cross

An experimental row of the three kinds in `EXPERIMENTS` carries beside its value the one that theory expects there. The
two come from different code, so their largest difference, quantity by quantity, is the verdict of the figure.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.special import ndtri, stdtrit

__all__ = ["Columns", "Deviation", "Point", "Table", "Tolerance", "points", "standard_errors_allowed"]

SOURCES = ("theory", "minimum", "critical", "trained", "monte_carlo", "reference", "measured", "published")
EXPERIMENTS = ("trained", "monte_carlo", "reference")
FALSE_ALARM = 1e-4  # chance that a Monte Carlo quantity of a correct theory is called a failure


@dataclass(frozen=True)
class Point:
    """One row: a point of a series in a panel. `standard_error` and `expected` are NaN where they do not apply."""

    panel: str
    series: str
    source: str
    x: float
    y: float
    standard_error: float = math.nan
    expected: float = math.nan


@dataclass(frozen=True)
class Tolerance:
    """How far an experiment may be from theory, and why. `relative` compares |y / expected - 1|."""

    value: float
    reason: str
    relative: bool = False


@dataclass(frozen=True)
class Deviation:
    """The verdict on one quantity: the largest distance of experiment from theory, in `unit`, over `points`."""

    quantity: str
    source: str
    largest: float
    tolerance: float
    unit: str
    points: int
    reason: str

    @property
    def passed(self) -> bool:
        return self.largest <= self.tolerance  # false for NaN


@dataclass(frozen=True, eq=False)
class Columns:
    """Some rows of a table, column by column."""

    x: np.ndarray
    y: np.ndarray
    standard_error: np.ndarray
    expected: np.ndarray


@dataclass(frozen=True, eq=False)
class Table:
    """What a figure shows.

    Attributes
    ----------
    points : tuple of Point
    parameters : mapping
        what the table was computed from, for the file beside the figure.
    tolerances : mapping from (panel, source) to Tolerance
        for every quantity that is compared; Monte Carlo is always compared in standard errors and needs none.
    checks : tuple of Deviation
        verdicts that are not a comparison of points.
    """

    points: tuple[Point, ...]
    parameters: Mapping[str, object]
    tolerances: Mapping[tuple[str, str], Tolerance] = field(default_factory=dict)
    checks: tuple[Deviation, ...] = ()

    def select(self, panel: str, source: str, series: str | None = None) -> Columns:
        """The rows of one panel and source, and of one series unless it is `None`, in their order."""
        rows = [row for row in self.points if row.panel == panel and row.source == source]
        rows = [row for row in rows if series is None or row.series == series]
        return Columns(*(np.array([getattr(row, name) for row in rows]) for name in Columns.__dataclass_fields__))

    def series(self, panel: str, source: str | None = None) -> list[str]:
        """The series of a panel, in the order in which they first come."""
        return list(
            dict.fromkeys(row.series for row in self.points if row.panel == panel and source in (None, row.source))
        )

    @property
    def deviations(self) -> tuple[Deviation, ...]:
        """One verdict per panel and kind of experiment, then the other checks."""
        compared = dict.fromkeys((row.panel, row.source) for row in self.points if row.source in EXPERIMENTS)
        return (*(self._deviation(panel, source) for panel, source in compared), *self.checks)

    def _deviation(self, panel: str, source: str) -> Deviation:
        rows = self.select(panel, source)
        distance = np.abs(rows.y - rows.expected)
        if source == "monte_carlo":
            allowed = standard_errors_allowed(len(rows.x))
            largest = np.max(distance / rows.standard_error)
            reason = f"exceeded by chance in 1 of {1 / FALSE_ALARM:.0f} figures, for this many points"
            return Deviation(panel, source, float(largest), allowed, "standard errors", len(rows.x), reason)
        tolerance = self.tolerances[panel, source]
        if tolerance.relative:
            distance = distance / np.abs(rows.expected)
        unit = "relative" if tolerance.relative else "absolute"
        return Deviation(panel, source, float(np.max(distance)), tolerance.value, unit, len(rows.x), tolerance.reason)


def points(panel: str, series: str, source: str, x, y, *, standard_error=math.nan, expected=math.nan) -> list[Point]:
    """Rows from columns; `standard_error` and `expected` may be one number for all."""
    if source not in SOURCES:
        raise ValueError(f"source must be one of {', '.join(SOURCES)}, got {source!r}")
    columns = np.broadcast_arrays(
        *(np.atleast_1d(np.asarray(c, dtype=float)) for c in (x, y, standard_error, expected))
    )
    return [Point(panel, series, source, *map(float, row)) for row in zip(*columns, strict=True)]


def standard_errors_allowed(count: int, draws: float = math.inf) -> float:
    """The number of standard errors that the largest of `count` deviations exceeds with a chance of FALSE_ALARM.

    Normal deviations, or Student's if each standard error itself comes from few draws.
    """
    tail = FALSE_ALARM / (2 * count)
    return float(-ndtri(tail) if math.isinf(draws) else -stdtrit(draws - 1, tail))


def csv_text(rows: Iterable[Point]) -> str:
    """The table as comma-separated text with ten significant digits, empty where a number does not apply."""
    names = list(Point.__dataclass_fields__)
    lines = [",".join(names)]
    for row in rows:
        values = [getattr(row, name) for name in names]
        lines.append(",".join(value if isinstance(value, str) else _number(value) for value in values))
    return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value + 0.0:.10g}"
