"""The options that `data` of every figure takes.

quick       fewer points, smaller models, shorter samples
seed        of all random numbers: starts, draws, loadings
progress    a callable that receives a short status message before each part of the work
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from theory import validation

__all__ = ["Progress", "checked_options", "ignore", "start_seeds"]


Progress = Callable[[str], object]


def ignore(_: str) -> None:
    """Drop the status message."""


def checked_options(
    quick: bool, seed: int, progress: Progress, streams: int
) -> tuple[bool, list[np.random.SeedSequence]]:
    """Check the options, and give each of a figure's uses of random numbers a stream of its own.

    Streams of one seed, and of neighbouring seeds, share no numbers (`numpy.random.SeedSequence.spawn`).
    """
    validation.instance("progress", progress, Callable, "pass a function of a text, such as print")
    root = np.random.SeedSequence(validation.seed("seed", seed))
    return validation.flag("quick", quick), root.spawn(streams)


def start_seeds(stream: np.random.SeedSequence, count: int = 1) -> list[int]:
    """Whole numbers as seeds of random starts; every call takes new ones from the stream."""
    return [int(child.generate_state(1)[0]) for child in stream.spawn(count)]
