"""The figure of measured times, with works whose growth is known."""

from __future__ import annotations

import numpy as np

from figures import growth
from figures.kit.output import draw
from figures.registry import FIGURES, MEASUREMENTS
from numerics.bench.growth import Growth, Work
from tests.figures.caption_faults import faults_of_caption
from tests.figures.picture_faults import faults_of_picture


def made(name, power, expected):
    return Work(name, "n", expected, (10, 100, 1000), (10, 100, 1000), power)


def measured(monkeypatch, powers):
    names = ("optimum", "grouped optimum", "sweep")
    works = [made(name, power, 1.0) for name, power in zip(names, powers, strict=True)]

    def measure(works, quick, progress):
        return [Growth(w, np.array(w.sizes), 1e-4 * np.array(w.sizes, dtype=float) ** w.prepare) for w in works]

    monkeypatch.setattr(growth, "WORKS", works)
    monkeypatch.setattr(growth, "measure", measure)
    return growth.data(quick=True)


def test_it_passes_if_nothing_grows_faster_than_expected(monkeypatch):
    table = measured(monkeypatch, (1.0, 0.5, 1.2))
    assert all(comparison.passed for comparison in table.comparisons)
    figure = draw(growth, table)
    assert [len(axes.lines) for axes in figure.axes] == [1, 1, 1]
    assert faults_of_caption(growth, table) == [] == faults_of_picture(growth, table)


def test_a_quadratic_surprise_fails(monkeypatch):
    table = measured(monkeypatch, (1.0, 2.0, 1.0))
    (comparison,) = table.comparisons
    assert not comparison.passed and comparison.deviation > 0.99


def test_it_is_no_part_of_the_main_job():
    assert MEASUREMENTS.keys() == {"growth"} and not FIGURES.keys() & MEASUREMENTS.keys()
