"""Training for a figure, and the checks that every run ended because its gradient vanished."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from numerics import Sweep
from numerics.comparison import Comparison, largest_of
from numerics.priors.training import PriorRun
from numerics.sweeps.complete import complete_sweep
from numerics.training.stop import Stop

__all__ = ["largest_gradient", "train_each", "unfinished", "unfinished_runs"]


MAX_STEPS = 200_000  # a safety net, an order of magnitude above what the figures need


def train_each(covariance, latent_dim: int, betas, *, seeds=(0,), **options) -> Sweep:
    """Models trained for each beta from each seed until their gradient vanishes, all of them or none."""
    return complete_sweep(covariance, latent_dim, betas=betas, seeds=seeds, **({"max_steps": MAX_STEPS} | options))


def unfinished(sweeps: Iterable[Sweep]) -> Comparison:
    """The check that every training ended because its gradient vanished, not because steps or digits ran out."""
    return unfinished_runs(np.concatenate([done.stopped.ravel() for done in sweeps]))


def unfinished_runs(stopped: Sequence[str]) -> Comparison:
    """The same check, of the stop reasons of single runs."""
    return Comparison(
        quantity="runs not stopped by gradient",
        source="trained",
        deviation=float(sum(reason != Stop.GRADIENT for reason in stopped)),
        tolerance=0.0,
        unit="runs",
        points=len(stopped),
        reason="a run that ends otherwise is not at a minimum",
    )


def largest_gradient(runs: Iterable[PriorRun], tolerance: float, reason: str) -> Comparison:
    """The check that training with a prior ended at a small gradient."""
    norms = [run.gradient_norm for run in runs]
    return largest_of("largest gradient where training ends", norms, tolerance, reason)
