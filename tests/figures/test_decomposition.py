from __future__ import annotations

import numpy as np

from figures import decomposition


def test_alpha_moves_the_alignment(quick_table):
    table = quick_table("decomposition")
    for panel in (decomposition.SHARPER, decomposition.CLUSTERED):
        for series in table.series(panel):
            rows = table.select(panel, "measured", series)
            assert np.all(np.diff(rows.y) < 0) and np.all(np.diff(rows.x) > 0)
