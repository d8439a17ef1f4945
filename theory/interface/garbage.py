"""How often Python looks for circular garbage."""

from __future__ import annotations

import gc

__all__ = ["collect_rarely"]


def collect_rarely() -> None:
    """Look for circular garbage less often, and not among what is alive now; for a process that only computes.

    A tenth of its time would go into looking through what sympy, matplotlib and numba keep.
    """
    gc.freeze()
    gc.set_threshold(1_000_000, 50, 100)
