"""Timing contestants against each other: interleaved, so that what disturbs the machine disturbs them all."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from theory.interface.progress import progress_bar

__all__ = ["Contestant", "Timing", "interleave"]

LEAST_ROUNDS = 3  # whatever the budget
LEAST_TIME = 0.1  # seconds for which short runs are repeated: a processor takes time to reach its speed
PAUSE = 0.05  # seconds; lets the threads of the last contestant, which wait for more work, go to sleep


@dataclass(frozen=True)
class Contestant:
    """One way to solve a problem.

    Attributes
    ----------
    name : str
    run : function
        does all of the work and returns what `read` takes.
    read : function
        converts that to a sequence of arrays, to be compared; not timed.
    idle : function, optional
        does the preparations of `run` and none of its steps; its time is subtracted, so `run` should outweigh it.
    exact : bool
        whether the result should agree with the others to rounding.
    """

    name: str
    run: Callable[[], object]
    read: Callable[[object], Sequence[np.ndarray]] = lambda result: result
    idle: Callable[[], object] | None = None
    exact: bool = True


@dataclass(frozen=True, eq=False)
class Timing:
    """How long a contestant took.

    Attributes
    ----------
    first : float
        seconds of the first run, compilation included; not among `seconds`.
    seconds : (rounds,) array
        of a run thereafter, on average where short runs are repeated.
    result : sequence of arrays
        of the first run.
    """

    first: float
    seconds: np.ndarray
    result: Sequence[np.ndarray]

    @property
    def quartiles(self) -> np.ndarray:
        """Lower quartile, median and upper quartile of the seconds, shape (3,)."""
        return np.quantile(self.seconds, [0.25, 0.5, 0.75])


def interleave(
    contestants: Sequence[Contestant],
    *,
    rounds: int,
    budget: float,
    clock: Callable[[], float] = time.perf_counter,
    pause: Callable[[float], object] = time.sleep,
    progress: bool | None = None,
) -> list[Timing]:
    """Time contestants in turn, round after round; each round begins with another contestant.

    Parameters
    ----------
    contestants : sequence of Contestant
    rounds : int
    budget : float
        seconds after which no further round begins, once there are three.
    clock, pause : functions
        that return the time and wait, in seconds.
    progress : bool, optional
        a progress bar on stderr; by default only in a terminal, and elsewhere a line every ten seconds.

    Returns
    -------
    list of Timing
        one for each contestant.
    """

    def timed(function, least_time=LEAST_TIME):
        pause(PAUSE)
        begin, count = clock(), 0
        while True:
            returned, count = function(), count + 1
            if (taken := clock() - begin) >= least_time:
                return taken / count, returned

    names, seconds = [contestant.name for contestant in contestants], [[] for _ in contestants]
    with progress_bar(total=rounds, desc="timing", unit="round", progress=progress, leave=False) as bar:
        firsts = []
        for name, contestant in zip(names, contestants, strict=True):
            bar.set_postfix_str(f"{name}, first run")
            taken, returned = timed(contestant.run, least_time=0.0)
            firsts.append((taken, contestant.read(returned)))
        begin = clock()
        for round_number in range(rounds):
            if round_number >= LEAST_ROUNDS and clock() - begin > budget:
                break
            for place in range(len(contestants)):
                at = (round_number + place) % len(contestants)
                bar.set_postfix_str(names[at])
                taken = timed(contestants[at].run)[0]
                if contestants[at].idle is not None:
                    taken -= timed(contestants[at].idle)[0]
                seconds[at].append(taken)
            bar.update()
    return [Timing(first, np.array(taken), result) for (first, result), taken in zip(firsts, seconds, strict=True)]
