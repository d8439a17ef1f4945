from __future__ import annotations

import numpy as np

from figures import convergence


def test_the_order_of_the_methods_on_nearly_tied_eigenvalues(quick_table):
    table, last = quick_table("convergence"), {}
    for method in convergence.METHODS:
        curve = table.select("nearly_tied", "measured", method)
        assert np.all(np.diff(curve.x) > 0)
        last[method] = curve.x[-1], curve.y[-1]
    for method in ("gradient", "adam", "em"):
        assert last[method][0] == table.parameters["max_steps"] and last[method][1] > 1e-6
    reached = {name: table.select("nearly_tied", "trained", name).x.item() for name in convergence.FINISHERS}
    assert reached["accelerated_em"] < reached["rotated_em"] / 4 < table.parameters["max_steps"] / 4
    assert reached["accelerated_em"] < reached["lbfgs"] / 4
