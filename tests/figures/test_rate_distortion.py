from __future__ import annotations

from figures import rate_distortion
from tests.figures.helpers import tied_data


def test_few_dimensions_show_a_price_of_too_few_latents():
    table = rate_distortion.data(observations=tied_data(4, 1, 0.5, 0.3), quick=True)
    assert table.parameters["latent_dims"] == [1, 2]
    assert table.select(rate_distortion.PENALTY, "theory", "1").y.max() > 0.01
    assert all(d.passed for d in table.comparisons)
