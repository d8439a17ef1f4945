from __future__ import annotations

import numpy as np
import pytest

from numerics.sampling.estimate import Estimate, wilson_interval


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


@pytest.mark.parametrize("draws", [1, 8, 30, 1000])
def test_wilson_interval_is_that_of_scipy(draws):
    from scipy.stats import binomtest

    counts = np.unique([0, 1, draws // 3, draws - 1, draws])
    low, high = wilson_interval(counts / draws, draws)
    for count, one, other in zip(counts, low, high, strict=True):
        expected = binomtest(int(count), draws).proportion_ci(0.95, method="wilson")
        assert (one, other) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilson_interval_holds_the_probabilities_that_do_not_reject_the_share():
    low, high = wilson_interval(0.3, 50)
    for end in (low, high):
        assert abs(0.3 - end) == pytest.approx(1.959963984540054 * np.sqrt(end * (1 - end) / 50), rel=1e-12)
