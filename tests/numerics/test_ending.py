"""One check says why a run ended: what the kernel said, unless its numbers mean nothing."""

from __future__ import annotations

import numpy as np
import pytest

from numerics import kernels_training as kernels
from numerics.ending import OVERFLOWED, ending

LATENT_DIM, DATA_DIM = 2, 3
SIZE = 2 * LATENT_DIM * DATA_DIM + LATENT_DIM**2 + 1
EXPONENTS = (12, 15, 16)  # the log diagonal of the factor and the log noise


def end_with(end=kernels.GRADIENT, loss=1.0, norm=0.0, mask=1.0, **changed):
    theta = np.zeros(SIZE)
    for place, value in changed.items():
        theta[int(place[1:])] = value
    return ending(end, loss, norm, theta, mask * np.ones(SIZE), LATENT_DIM)


@pytest.mark.parametrize("word", ["not run", "gradient", "max_steps", "stalled", "diverged", "overflowed"])
def test_the_kernels_are_believed_where_all_is_finite(word):
    assert end_with(getattr(kernels, word.upper().replace(" ", "_"))) == word


@pytest.mark.parametrize("end", [kernels.GRADIENT, kernels.MAX_STEPS, kernels.STALLED, kernels.DIVERGED])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none_overflowed_whatever_the_kernel_said(end, bad):
    assert end_with(end, loss=bad) == OVERFLOWED
    assert end_with(end, norm=bad) == OVERFLOWED
    for place in range(SIZE):
        assert end_with(end, **{f"p{place}": bad}) == OVERFLOWED


@pytest.mark.parametrize("place", range(SIZE))
def test_only_learned_exponents_are_bounded(place):
    """exp(2 x 400) is no double; a weight of 400 is one, and a noise that is fixed was checked at the door."""
    for value in (400.0, -400.0):
        assert (end_with(**{f"p{place}": value}) == OVERFLOWED) == (place in EXPONENTS)
        assert end_with(mask=0.0, **{f"p{place}": value}) == "gradient"
