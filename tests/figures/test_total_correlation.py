from __future__ import annotations

import numpy as np
import pytest

from figures import total_correlation


def test_minibatches_see_total_correlation_where_it_is_not(quick_table):
    table = quick_table("total_correlation")
    exact = table.select(total_correlation.INFORMATION, "theory", total_correlation.EXACT).y
    assert exact.max() < 0.3
    for name, bound in (("weighted", np.log(64)), ("stratified", np.log(10_000))):
        rows = table.select(total_correlation.INFORMATION, "measured", name)
        assert rows.y[-1] == pytest.approx(bound, rel=1e-3)
    between = table.select(total_correlation.RATE, "theory", "between").y
    assert between[0] > 0.1 and between[-1] < 0.002
    assert table.select(total_correlation.RATE, "theory", "within").y.min() > 0.07
