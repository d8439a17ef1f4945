"""Experiments that confirm the closed forms of `theory`: training by gradients, sweeps, sampling and checks."""

from __future__ import annotations

from numerics.sweep import Sweep, sweep
from numerics.training import TrainingRun, train

__all__ = ["Sweep", "TrainingRun", "sweep", "train"]
