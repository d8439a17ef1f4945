"""The options that `data` of every figure takes, and the checks of the parameters that are a figure's own.

quick       fewer points, smaller models, shorter samples
seed        of all random numbers: starts, draws, loadings
progress    a callable that receives a short status message before each part of the work

A parameter is refused where its figure could not be drawn, or would show another claim: the bounds are the figure's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from theory import validation

__all__ = [
    "OPTIONS",
    "Progress",
    "between",
    "checked_options",
    "ignore",
    "interval",
    "several_counts",
    "several_numbers",
    "start_seeds",
]

OPTIONS = ("quick", "seed", "progress")
MOST_SERIES = 8  # lines of a panel whose colours a reader tells apart
NARROWEST = 1.5  # ratio of the ends of an interval: collapses and 2 % around them leave points to train

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


def between(name: str, value: float, low: float, high: float) -> float:
    """Return `value` as a float if it is a number from low to high."""
    number = validation.number(name, value)
    if not low <= number <= high:
        raise ValueError(f"{name} must be from {low:g} to {high:g}, got {number:g}; pass a number in between")
    return number


def interval(name: str, value: Sequence[float]) -> tuple[float, float]:
    """Return `value` as (low, high), two positive numbers of which the second is at least 1.5 times the first."""
    low, high = map(float, validation.scales(name, validation.vector(name, value, 2)))
    if high < NARROWEST * low:
        raise ValueError(
            f"{name} must be two numbers, low and high, with high at least {NARROWEST:g} times low, got "
            f"{low:g} and {high:g}; pass a wider range"
        )
    return low, high


def several_numbers(
    name: str, values: Sequence[float], low: float, high: float, *, least: int = 1, rising: bool = False
) -> tuple[float, ...]:
    """Return `values`, from `least` to 8, as a tuple of floats if each is from low to high and no two look the same."""
    items = validation.sequence(name, values, least)
    return _distinct(name, tuple(between(name, value, low, high) for value in items), rising)


def several_counts(
    name: str, values: Sequence[int], low: int, high: int, *, least: int = 1, rising: bool = False
) -> tuple[int, ...]:
    """The same for whole numbers."""
    items = validation.sequence(name, values, least)
    return _distinct(name, tuple(validation.count(name, value, low, high) for value in items), rising)


def _distinct(name: str, values: tuple, rising: bool) -> tuple:
    if len(values) > MOST_SERIES:
        raise ValueError(f"{name} must hold at most {MOST_SERIES} numbers, it holds {len(values)}; draw two figures")
    if len({f"{value:g}" for value in values}) < len(values):
        raise ValueError(f"{name} must differ in their first six digits, got {', '.join(f'{v:g}' for v in values)}")
    if rising and list(values) != sorted(values):
        raise ValueError(f"{name} must rise, got {', '.join(f'{v:g}' for v in values)}; sort them")
    return values
