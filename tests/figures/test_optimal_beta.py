from __future__ import annotations

import numpy as np
import pytest

from figures import optimal_beta


def test_every_optimum_is_above_one_and_rises_with_the_coherence(quick_table):
    table = quick_table("optimal_beta")
    for signal in table.parameters["signal_to_noise"]:
        curve = table.select("coherence", "theory", f"{signal:g}").y
        assert curve[0] == pytest.approx(1.0, abs=1e-15) and np.all(np.diff(curve) > 0)


def test_every_optimum_scales_as_one_over_the_decoder_noise(quick_table):
    table = quick_table("optimal_beta")
    for criterion in optimal_beta.CRITERIA:
        curve = table.select("noise_mismatch", "theory", criterion)
        np.testing.assert_allclose(curve.x * curve.y, curve.x[0] * curve.y[0], rtol=1e-12)
