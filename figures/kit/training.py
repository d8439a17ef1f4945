"""Training for a figure, the checks that every run ended because its gradient vanished, and that of critical betas."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from numerics import Sweep
from numerics.comparison import Comparison, Tolerance, largest_of
from numerics.experiments.dead_latent import dead_latent_curvature
from numerics.priors.training import PriorRun
from numerics.sweeps.complete import complete_sweep
from numerics.training.stop import Stop

__all__ = ["SEARCHED", "critical_betas_found", "largest_gradient", "train_each", "unfinished", "unfinished_runs"]


CLOSE = 0.02  # relative distance of critical betas that training does not tell apart
SEARCHED = Tolerance(
    1e-4,
    "comparing trained values finds a minimum only to the square root of the 1e-9 that training leaves",
    relative=True,
)
MAX_STEPS = 200_000  # a safety net, an order of magnitude above what the figures need


def train_each(covariance, latent_dim: int, betas, *, seeds=(0,), **options) -> Sweep:
    """Models trained for each beta from each seed until their gradient vanishes, all of them or none."""
    return complete_sweep(covariance, latent_dim, betas=betas, seeds=seeds, **({"max_steps": MAX_STEPS} | options))


def critical_betas_found(covariance, critical: Sequence[np.ndarray], *, seed: np.random.SeedSequence) -> Comparison:
    """The check that a dead latent revives just below each critical beta of a learned noise: no curvature there.

    Close pairs are left out but for their larger one: at the smaller the latent of the other is hardly active, and
    training does not decide it.
    """
    curvatures = []
    for number, beta in enumerate(critical):
        if number == 0 or beta < (1 - CLOSE) * critical[number - 1]:
            rng = np.random.default_rng(seed)
            curvatures.append(
                dead_latent_curvature(covariance, number, float(beta), "learned", rng=rng, max_steps=MAX_STEPS)
            )
    tolerance = 1e-6
    return largest_of(
        "curvature of a dead latent at its critical beta",
        curvatures,
        tolerance,
        "error that a gradient of 1e-8 nats leaves in the latents before it",
        resolution=2 * tolerance,  # the curvature is half the relative distance to the critical beta, or more
    )


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
