from __future__ import annotations

import numpy as np

from figures import degenerate_spectrum


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
