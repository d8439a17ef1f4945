from __future__ import annotations

import inspect

import pytest

from numerics import granularity_map, sweep, vertex_map
from numerics.bench.timing import interleave
from numerics.sweeps import progress


def test_what_is_asked_for_is_the_opposite_of_what_tqdm_disables():
    assert [progress.hidden(asked) for asked in (None, True, False)] == [None, False, True]


@pytest.mark.parametrize("function", [sweep, granularity_map, vertex_map, interleave])
def test_every_experiment_with_a_bar_asks_here(function):
    assert "hidden(progress)" in inspect.getsource(inspect.unwrap(function))


def test_a_number_is_no_flag():
    with pytest.raises(ValueError, match="progress must be"):
        progress.hidden(1)
