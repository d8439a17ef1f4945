from __future__ import annotations

import numpy as np
import pytest

from figures.kit import options


def test_streams_share_nothing_between_uses_or_seeds():
    """Neighbouring seeds used to share all starts but one."""
    seeds = []
    for seed in range(4):
        quick, streams = options.checked_options(np.True_, seed, print, 3)
        assert quick is True
        for stream in streams:
            seeds += options.start_seeds(stream, 50) + options.start_seeds(stream, 50)
    assert len(set(seeds)) == len(seeds) == 4 * 3 * 100
    again = options.checked_options(False, 3, print, 3)[1][2]
    assert options.start_seeds(again, 50) == seeds[-100:-50]


def test_parameters_are_returned_as_numbers_in_their_order():
    assert options.between("x", 1, 0, 2) == 1.0 and options.interval("x", [1, 1.5]) == (1.0, 1.5)
    assert options.several_numbers("x", np.array([2, 1]), 0, 2) == (2.0, 1.0)
    assert options.several_counts("x", (np.int64(3), 1), 1, 3) == (3, 1)


@pytest.mark.parametrize(
    ("check", "message"),
    [
        (lambda: options.between("x", 2.1, 0, 2), "x must be from 0 to 2, got 2.1; pass a number in between"),
        (lambda: options.interval("x", (1, 1.4)), "x must be two numbers, low and high, with high at least 1.5 times"),
        (lambda: options.interval("x", (0, 1)), "x must be > 0"),
        (lambda: options.interval("x", (1, 2, 3)), "x must have length 2, got 3"),
        (
            lambda: options.several_numbers("x", [1, 1 + 1e-9], 0, 2),
            "x must differ in their first six digits, got 1, 1",
        ),
        (lambda: options.several_numbers("x", [2, 1], 0, 2, rising=True), "x must rise, got 2, 1; sort them"),
        (lambda: options.several_numbers("x", [1], 0, 2, least=2), "x must hold at least 2, it holds 1"),
        (lambda: options.several_counts("x", range(1, 10), 1, 9), "x must hold at most 8 numbers, it holds 9"),
        (lambda: options.several_counts("x", [1.0], 1, 9), "x must be a whole number, got 1.0"),
    ],
)
def test_a_parameter_out_of_bounds_is_named(check, message):
    with pytest.raises(ValueError) as error:
        check()
    assert str(error.value).startswith(message)
