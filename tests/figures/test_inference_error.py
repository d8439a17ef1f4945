from __future__ import annotations

import numpy as np
import pytest

from figures import inference_error


def test_inference_error_minima(quick_table):
    table = quick_table("inference_error")
    for panel in inference_error.PANELS:
        assert table.select(panel, "minimum", "0").x == pytest.approx(1.0, abs=1e-10)
    assert np.all(np.diff(table.select("forward_kl", "minimum").x) > 0)
    np.testing.assert_allclose(table.select("mean_squared_error", "minimum").x, 1.0, atol=1e-10)
