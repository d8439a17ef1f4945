from __future__ import annotations

import numpy as np
import pytest

from figures import degenerate_spectrum
from tests.figures.helpers import axes_of


def test_degenerate_spectrum_shows_what_was_published(quick_table):
    table = quick_table("degenerate_spectrum")
    published = {row.series: row.y for row in table.points if row.source == "published"}
    assert published == {"diagonal": 0.0, "full": 0.34, "autoencoder": 0.33, "1": 0.49, "1.2": 0.2, "1.5": 0.01}


def test_what_comes_out_of_the_published_distances(quick_table):
    found = quick_table("degenerate_spectrum").parameters["published"]
    numbers = {(row["model"], row["axis_ratio"]): row for row in found}
    assert len(numbers) == 6
    for key in (("diagonal", 1.5), ("diagonal", 2.0)):
        assert numbers[key]["comes_out"]
    near = numbers["diagonal", 1.2]["found"]  # .165 over many starts, of standard deviation .19
    assert abs(near - 0.165) < 4 * 0.19 / np.sqrt(20)
    for model in ("full", "autoencoder"):  # at chance, with the error of 50 starts of standard deviation .313
        assert abs(numbers[model, 2.0]["found"] - 0.548) < 4 * 0.313 / np.sqrt(50)
    table = quick_table("degenerate_spectrum")
    for model in ("full", "autoencoder"):  # also on the way
        way = table.select(degenerate_spectrum.TRAINING, "measured", model).y
        assert np.abs(way - 0.548).max() < 4 * 0.313 / np.sqrt(20)


def test_most_samples_lie_inside_the_band_of_their_size():
    """Of 2000 even samples, as 5 % may lie outside; Massart's bound is sharp to a percent for many draws."""
    rng, draws = np.random.default_rng(0), 200
    samples = np.sort(rng.random((2000, draws)), axis=1)
    steps = np.arange(draws + 1) / draws
    distance = np.maximum(steps[1:] - samples, samples - steps[:-1]).max(axis=1)
    outside = np.mean(distance > degenerate_spectrum._massart_bound(draws, 0.05))
    assert 0.03 < outside < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 2000)


def test_each_published_mean_has_a_row_with_the_mean_measured_here(quick_table):
    table = quick_table("degenerate_spectrum")
    axes = axes_of(degenerate_spectrum)
    degenerate_spectrum.plot(table, axes)
    published = axes.ravel()[3]
    crosses = [line for line in published.lines if line.get_marker() == "x"]
    squares = [line for line in published.lines if line.get_marker() == "s"]
    found = [row["published"] for row in table.parameters["published"]]
    assert sorted(line.get_xdata()[0] for line in crosses) == sorted(found)
    assert sorted(line.get_xdata()[0] for line in squares) == pytest.approx(
        sorted(row["found"] for row in table.parameters["published"]), abs=1e-12
    )
