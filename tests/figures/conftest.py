"""Every figure's table on quick settings, computed once."""

from __future__ import annotations

import functools

import pytest

from figures.registry import FIGURES

DATA = {name: entry.module.data for name, entry in FIGURES.items()}  # as they are before a test replaces them


@functools.cache
def _quick(name):
    return DATA[name](quick=True)


@pytest.fixture
def quick_table():
    """The quick table of a figure by name."""
    return _quick
