"""The arguments that every figure takes: quick, seed and progress."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from theory import validation

__all__ = ["Say", "checked_options", "silent", "start_seeds"]


Say = Callable[[str], object]  # takes a few words on what is being done


def silent(_: str) -> None:
    """Say nothing."""


def checked_options(quick: bool, seed: int, say: Say, streams: int) -> tuple[bool, list[np.random.SeedSequence]]:
    """Check the arguments that every figure takes, and give each of its uses of random numbers a stream of its own.

    Streams of one seed, and of neighbouring seeds, share no numbers (`numpy.random.SeedSequence.spawn`).
    """
    validation.instance("say", say, Callable, "pass a function of a text, such as print")
    root = np.random.SeedSequence(validation.seed("seed", seed))
    return validation.flag("quick", quick), root.spawn(streams)


def start_seeds(stream: np.random.SeedSequence, count: int = 1) -> list[int]:
    """Seeds for random starts that take a whole number, from a stream that gives others the next time."""
    return [int(child.generate_state(1)[0]) for child in stream.spawn(count)]
