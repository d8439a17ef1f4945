"""Compiling once, before many processes start that would each compile the same."""

from __future__ import annotations

from numerics.kernels.cache import nothing_compiled
from numerics.sweeps.complete import complete_sweep
from numerics.training.train import train

__all__ = ["compile_once"]


def compile_once() -> None:
    """Compile the kernels that most runs need and keep them, if this version has none kept and a place for them."""
    if nothing_compiled():
        train([[1.0]], 1, beta=1.0, max_steps=1)
        complete_sweep([[1.0]], 1, betas=[1.0], max_steps=1)
