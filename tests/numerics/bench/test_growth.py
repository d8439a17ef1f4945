"""How cost grows: exponents of costs that are known, and that each work runs."""

from __future__ import annotations

import numpy as np
import pytest

from numerics.bench import growth
from numerics.bench.growth import WORKS, Growth, Work, measure


def grown(power, sizes=(10, 20, 40, 80), overhead=0.0, expected=2.0):
    sizes = np.array(sizes)
    work = Work("made up", "n", expected, tuple(sizes), tuple(sizes), lambda n: lambda: None)
    return Growth(work, sizes, overhead + 1e-3 * sizes.astype(float) ** power)


@pytest.mark.parametrize("power", [0.0, 1.0, 2.0, 3.0])
def test_the_exponent_of_a_power(power):
    assert grown(power).exponent == pytest.approx(power, abs=1e-9)


def test_a_power_more_than_expected_is_a_surprise_and_less_is_none():
    assert grown(2.0).as_expected and grown(1.0).as_expected
    assert not grown(3.0).as_expected
    # Fixed costs of small sizes hide no power of the larger ones: these are what is fitted.
    assert not grown(3.0, overhead=1.0).as_expected


def test_work_that_is_done_again_for_each_item_is_noticed():
    def prepare(size):
        rows = np.ones((size, 2000))
        return lambda: [rows[:count].sum() for count in range(1, size + 1)]  # a sum over all before, again and again

    work = Work("sums", "rows", 1.0, (200, 400, 800), (200, 400, 800), prepare)
    (found,) = measure([work], quick=True, progress=False)
    assert found.exponent > 1.5 and not found.as_expected


@pytest.mark.parametrize("work", WORKS, ids=lambda work: f"{work.name}, {work.variable}")
def test_every_work_runs_at_its_smallest_size(work):
    assert list(work.sizes) == sorted(work.sizes) and list(work.quick_sizes) == sorted(work.quick_sizes)
    assert len(work.quick_sizes) >= 3
    if work.name not in ("verify", "derive --check"):  # which take seconds, and have tests of their own
        work.prepare(work.quick_sizes[0])()


def test_a_long_run_is_timed_once(monkeypatch):
    monkeypatch.setattr(growth, "SHORT", -1.0)
    calls = []
    growth._least_time(lambda: calls.append(1))
    assert len(calls) == 1


def test_a_thousand_betas_take_no_longer_than_one_decomposition_and_a_half():
    assert growth.error_curve_ratio() < 1.5
