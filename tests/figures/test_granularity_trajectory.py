from __future__ import annotations

import numpy as np
import pytest

from figures import granularity_trajectory
from theory.groups import equal_groups


@pytest.mark.parametrize(("size", "cut"), [(1, 3), (2, 0), (3, 1), (4, 0), (5, 1), (6, 0)])
def test_the_pairs_that_groups_cut(size, cut):
    assert granularity_trajectory._cut_pairs(equal_groups(6, size)) == cut


def test_the_best_beta_is_below_one_only_where_groups_cut_blocks(quick_table):
    table = quick_table("granularity_trajectory")
    panel = granularity_trajectory.WEIGHT
    for size in (1, 3):
        assert table.select(panel, "minimum", f"groups of {size}").x < 1
    for size in (2, 4):
        curve = table.select(panel, "theory", f"groups of {size}").y
        assert (
            np.all(np.diff(curve) > 0) and curve[-1] < table.select(panel, "theory", f"limit of groups of {size}").y[0]
        )
