"""The peers by name; importing shows whether one is installed."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from types import ModuleType

__all__ = ["LIBRARIES", "load"]

LIBRARIES = {"numpy": "numpy", "torch": "torch", "jax": "jax", "sklearn": "scikit-learn"}  # as they are distributed


def load(names: Sequence[str]) -> dict[str, ModuleType | None]:
    """The module of each peer, None if its library is not installed."""
    return {name: _module(name) for name in names}


def _module(name: str) -> ModuleType | None:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return None
    return importlib.import_module(f"numerics.bench.{name}_peer")
