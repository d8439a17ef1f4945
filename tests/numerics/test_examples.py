"""The examples in the docstrings of numerics run, and print what they state."""

from __future__ import annotations

import doctest
import importlib

import pytest

MODULES = (
    "numerics.checks.verify",
    "numerics.sweeps.sweep",
    "numerics.training.stop",
    "numerics.training.train",
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_docstrings(name):
    results = doctest.testmod(importlib.import_module(name))
    assert results.attempted >= 2 and results.failed == 0
