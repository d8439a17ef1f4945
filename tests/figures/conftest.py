"""Every figure's table on quick settings, computed once."""

from __future__ import annotations

import functools

import pytest

from figures.registry import FIGURES


@functools.cache
def _quick(name):
    return FIGURES[name].module.data(quick=True)


@pytest.fixture
def quick_table():
    """The quick table of a figure by name."""
    return _quick
