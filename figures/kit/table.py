"""What a figure shows, as a table: every point of every curve, and how far experiment is from theory.

Each row names its source:

    theory       a closed form; drawn as a line
    minimum      the place of a minimum by a closed form; drawn as a diamond
    critical     a beta at which a latent collapses, by a closed form; drawn as a thin vertical line, without y
    trained      a model trained by gradients; drawn as a dot
    monte_carlo  an average over random draws with its standard error; drawn as an error bar
    reference    the same quantity from another library, or by quadrature; drawn as a ring
    measured     an experiment for which there is no closed form; drawn as small joined dots
    published    a number from a paper; drawn as a cross

A row of the three kinds in `EXPERIMENTS` also carries the value that theory expects. The two values come from different
code, and their largest difference, quantity by quantity, decides whether the figure passes.

A line of theory without such rows in its series is compared by a check that the table names, or is listed as not
compared, with the reason, and drawn differently.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from numerics.comparison import Comparison, Tolerance, compare_points
from theory.interface import report

__all__ = ["Columns", "NotCompared", "Point", "Table", "csv_text", "points", "verdict"]

SOURCES = ("theory", "minimum", "critical", "trained", "monte_carlo", "reference", "measured", "published")
EXPERIMENTS = ("trained", "monte_carlo", "reference")
OF_THEORY = ("theory", "minimum", "critical")


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


@dataclass(frozen=True, eq=False)
class Columns:
    """Some rows of a table, column by column."""

    x: np.ndarray
    y: np.ndarray
    standard_error: np.ndarray
    expected: np.ndarray


@dataclass(frozen=True)
class NotCompared:
    """A series, or a whole panel, of which theory and experiment are not compared, and why."""

    panel: str
    series: str
    reason: str


@dataclass(frozen=True, eq=False)
class Table:
    """What a figure shows.

    Attributes
    ----------
    points : tuple of Point
    parameters : mapping
        what the table was computed from, for the json file.
    tolerances : mapping from (panel, source) to Tolerance
        for every quantity that is compared; Monte Carlo is always compared in standard errors and needs none.
    draws : mapping from panels to ints
        how many draws each standard error of a panel comes from, where they are few.
    checks : tuple of Comparison
        verdicts that are not a comparison of points.
    checked : mapping from (panel, series) to a quantity
        for every series of theory without points of an experiment: the check, or the panel, that compares it.
    not_compared : mapping from (panel, series) to a reason
        for every series of theory that nothing is compared with.

    Raises
    ------
    ValueError
        for a series of theory that is neither compared nor named in one of the two.
    """

    points: tuple[Point, ...]
    parameters: Mapping[str, object]
    tolerances: Mapping[tuple[str, str], Tolerance] = field(default_factory=dict)
    draws: Mapping[str, int] = field(default_factory=dict)
    checks: tuple[Comparison, ...] = ()
    checked: Mapping[tuple[str, str], str] = field(default_factory=dict)
    not_compared: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def __post_init__(self):
        compared, stated = self._series_of(EXPERIMENTS), self._series_of(OF_THEORY)
        for panel, series in stated - compared - self.checked.keys() - self.not_compared.keys():
            raise ValueError(
                f"checked or not_compared must name the line {series!r} of {panel!r}, which has no experiment; say "
                "which check compares it, or why none does"
            )
        unknown = {*self.checked, *self.not_compared} - stated
        unknown |= set(self.checked.values()) - {check.quantity for check in self.checks} - {p for p, _ in compared}
        if unknown:
            raise ValueError(f"checked and not_compared must name lines and checks of the table, got {unknown}")

    def _series_of(self, sources: tuple[str, ...]) -> set[tuple[str, str]]:
        return {(row.panel, row.series) for row in self.points if row.source in sources}

    def select(self, panel: str, source: str, series: str | None = None) -> Columns:
        """The rows of one panel and source, and of one series unless it is `None`, in their order."""
        rows = [row for row in self.points if row.panel == panel and row.source == source]
        rows = [row for row in rows if series is None or row.series == series]
        return Columns(*(np.array([getattr(row, name) for row in rows]) for name in Columns.__dataclass_fields__))

    def series(self, panel: str, source: str | None = None) -> list[str]:
        """The series of a panel, in the order of their first rows."""
        return list(
            dict.fromkeys(row.series for row in self.points if row.panel == panel and source in (None, row.source))
        )

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        """One verdict per panel and kind of experiment, then the other checks."""
        compared = dict.fromkeys((row.panel, row.source) for row in self.points if row.source in EXPERIMENTS)
        return (*(self._compared(panel, source) for panel, source in compared), *self.checks)

    @property
    def without_comparison(self) -> tuple[NotCompared, ...]:
        """The lines that nothing is compared with, and the panels that show no closed form."""
        lines = [NotCompared(panel, series, reason) for (panel, series), reason in self.not_compared.items()]
        of_theory = {panel for panel, _ in self._series_of((*EXPERIMENTS, *OF_THEORY))}
        panels = dict.fromkeys(row.panel for row in self.points if row.panel not in of_theory)
        return (*lines, *(NotCompared(panel, "all", "measured; it has no closed form") for panel in panels))

    def _compared(self, panel: str, source: str) -> Comparison:
        rows = self.select(panel, source)
        if source == "monte_carlo":
            allowed = rows.standard_error
        elif (panel, source) in self.tolerances:
            allowed = self.tolerances[panel, source]
        else:
            raise ValueError(f"tolerances must have an entry for {(panel, source)}; say how far its points may be off")
        series = [row.series for row in self.points if row.panel == panel and row.source == source]
        draws = self.draws.get(panel, math.inf)
        return compare_points(panel, source, rows.expected, rows.y, allowed, draws=draws, series=series)


def points(panel: str, series: str, source: str, x, y, *, standard_error=math.nan, expected=math.nan) -> list[Point]:
    """Rows from columns; `standard_error` and `expected` may be one number for all."""
    if source not in SOURCES:
        raise ValueError(f"source must be one of {', '.join(SOURCES)}, got {source!r}")
    columns = np.broadcast_arrays(
        *(np.atleast_1d(np.asarray(c, dtype=float)) for c in (x, y, standard_error, expected))
    )
    return [Point(panel, series, source, *map(float, row)) for row in zip(*columns, strict=True)]


def csv_text(rows: Iterable[Point]) -> str:
    """The table as comma-separated text with ten significant digits, empty where a number does not apply."""
    rows = list(rows)
    return report.csv_text({name: [_cell(getattr(row, name)) for row in rows] for name in Point.__dataclass_fields__})


def _cell(value: str | float) -> str:
    if isinstance(value, str):
        return value
    return "" if math.isnan(value) else f"{value + 0.0:.10g}"


def verdict(comparison: Comparison) -> dict[str, object]:
    """A comparison as the command and the json file of a figure print it."""
    return {
        "quantity": comparison.quantity,
        "source": comparison.source,
        "largest": comparison.deviation,
        "tolerance": comparison.tolerance,
        "resolution": comparison.resolution,
        "unit": comparison.unit,
        "points": comparison.points,
        "reason": comparison.reason,
        "passed": comparison.passed,
    }
