"""Interleaving, with a clock that the contestants themselves move."""

from __future__ import annotations

import numpy as np
import pytest

from numerics.bench.timing import LEAST_TIME, Contestant, interleave


class Clock:
    """Time that passes only when someone works or pauses; remembers who worked."""

    def __init__(self):
        self.now, self.turns = 0.0, []

    def work(self, name, *seconds):
        """A contestant's run that takes these times, one after the other and then the last one for ever."""
        left = list(seconds)

        def run():
            self.turns.append(name)
            self.now += left.pop(0) if len(left) > 1 else left[0]
            return [np.array(len(self.turns))]

        return run

    def pause(self, seconds):
        self.now += seconds


def measure(clock, contestants, **options):
    return interleave(contestants, clock=lambda: clock.now, pause=clock.pause, progress=False, **options)


def test_rounds_are_interleaved_and_begin_with_another_contestant_each():
    clock = Clock()
    contestants = [Contestant(name, clock.work(name, 1.0)) for name in "abc"]
    measure(clock, contestants, rounds=3, budget=np.inf)
    assert "".join(clock.turns) == "abc" + "abc" + "bca" + "cab"


def test_first_run_is_apart_and_pauses_are_not_timed():
    clock = Clock()
    slow, fast = measure(
        clock,
        [
            Contestant("slow", clock.work("slow", 90.0, 5.0, 1.0, 2.0, 3.0, 4.0)),
            Contestant("fast", clock.work("", 1.0)),
        ],
        rounds=5,
        budget=np.inf,
    )
    assert slow.first == pytest.approx(90.0, abs=1e-9)
    np.testing.assert_allclose(slow.seconds, [5.0, 1.0, 2.0, 3.0, 4.0], atol=1e-9)
    np.testing.assert_allclose(slow.quartiles, [2.0, 3.0, 4.0], atol=1e-9)
    np.testing.assert_allclose(fast.seconds, 1.0, atol=1e-9)


def test_idle_time_is_taken_off():
    clock = Clock()
    (timing,) = measure(
        clock, [Contestant("a", clock.work("a", 5.0), idle=clock.work("idle", 2.0))], rounds=2, budget=np.inf
    )
    assert clock.turns == ["a", "a", "idle", "a", "idle"]
    np.testing.assert_allclose(timing.seconds, 3.0, atol=1e-9)


@pytest.mark.parametrize(("budget", "rounds"), [(0.0, 3), (4.0, 5), (100.0, 9)])
def test_budget_ends_it_after_three_rounds_at_least(budget, rounds):
    clock = Clock()
    (timing,) = measure(clock, [Contestant("a", clock.work("a", 0.9))], rounds=9, budget=budget)
    assert len(timing.seconds) == rounds


def test_result_is_read_from_the_first_run():
    clock = Clock()
    (timing,) = measure(
        clock, [Contestant("a", clock.work("a", 1.0), lambda found: [10 * found[0]])], rounds=3, budget=np.inf
    )
    assert timing.result == [10]


def test_short_runs_are_repeated():
    clock = Clock()
    (timing,) = measure(clock, [Contestant("a", clock.work("a", 9.0, 0.001))], rounds=2, budget=np.inf)
    assert timing.first == pytest.approx(9.0, abs=1e-9)
    np.testing.assert_allclose(timing.seconds, 0.001, atol=1e-9)
    repeats = round(LEAST_TIME / 0.001)
    assert len(clock.turns) in (1 + 2 * repeats, 1 + 2 * (repeats + 1))  # by rounding of the clock
