"""Every figure's table on quick settings, computed once."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import io
import pickle

import numpy as np
import pytest

from figures.registry import FIGURES

DATA = {name: entry.module.data for name, entry in FIGURES.items()}  # as they are before a test replaces them
RESULTS: dict[bytes, bytes] = {}  # of functions of theory and numerics, by the function and its arguments


@functools.cache
def _quick(name):
    with pytest.MonkeyPatch.context() as patch:
        _remember_calls(patch, FIGURES[name].module)
        return DATA[name](quick=True)


@pytest.fixture
def quick_table():
    """The quick table of a figure by name."""
    return _quick


@pytest.fixture
def remember_calls(monkeypatch):
    """Lets a figure's module make each call of theory and numerics once in all tests together."""
    return functools.partial(_remember_calls, monkeypatch)


def _remember_calls(patch, module):
    for name, function in inspect.getmembers(module, inspect.isfunction):
        if function.__module__.startswith(("theory", "numerics")) or name == "train_each":
            patch.setattr(module, name, _remembered(function))


def _remembered(function):
    @functools.wraps(function)
    def recall(*arguments, **options):
        draws = [value for value in (*arguments, *options.values()) if isinstance(value, np.random.Generator)]
        call = io.BytesIO()
        try:
            Call(call).dump((function, arguments, options))
        except (pickle.PicklingError, AttributeError):  # an argument is a function inside another
            return function(*arguments, **options)
        if call.getvalue() not in RESULTS:
            result = function(*arguments, **options)
            RESULTS[call.getvalue()] = pickle.dumps((result, [rng.bit_generator.state for rng in draws]))
        result, states = pickle.loads(RESULTS[call.getvalue()])
        for rng, state in zip(draws, states, strict=True):
            rng.bit_generator.state = state
        return result

    return recall


class Call(pickle.Pickler):
    """Writes a call down; of a dataclass its fields only, and not what it remembers besides."""

    def reducer_override(self, value):
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return type(value), tuple(getattr(value, field.name) for field in dataclasses.fields(value))
        return NotImplemented
