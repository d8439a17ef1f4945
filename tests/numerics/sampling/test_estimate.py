from __future__ import annotations

import numpy as np
import pytest

from numerics.sampling.estimate import Estimate


def test_mean_and_standard_error():
    estimate = Estimate.of([1.0, 2.0, 6.0])
    assert estimate.value == 3.0
    assert estimate.standard_error == pytest.approx(np.sqrt(7 / 3), rel=1e-15)  # variance 7, three draws


def test_equal_draws_have_no_error():
    assert Estimate.of(np.full(5, 2)) == Estimate(2.0, 0.0)
