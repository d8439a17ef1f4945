from __future__ import annotations

import numpy as np
import pytest

from numerics.sampling.estimate import Estimate


def test_mean_and_standard_error():
    estimate = Estimate.of([1.0, 2.0, 6.0])
    assert estimate.value == 3.0
    assert estimate.standard_error == pytest.approx(np.sqrt(7 / 3), rel=1e-15)  # variance 7, three draws


def test_equal_draws_have_no_error():
    assert Estimate.of(np.full(5, 2)) == Estimate(2.0, 0.0, 5)


def test_along_an_axis_each_is_that_of_its_draws():
    draws = np.random.default_rng(0).standard_normal((2, 5, 3))
    estimate = Estimate.of(draws, axis=1)
    assert estimate.value.shape == estimate.standard_error.shape == (2, 3)
    one = Estimate.of(draws[1, :, 2])
    assert estimate.value[1, 2] == pytest.approx(one.value, rel=1e-14)
    assert estimate.standard_error[1, 2] == pytest.approx(one.standard_error, rel=1e-14)
