"""Many training runs at once: every beta from every seed, independent runs in parallel.

Each run is the one that `train` makes with `rng=numpy.random.default_rng(seed)`, step for step: runs share nothing but
the data. They go to the compiled kernel in small batches, the smaller the more a step of training costs, so that a bar
can show progress, and an interrupt (Ctrl-C) is noticed soon and loses nothing that was finished.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
from numba import get_num_threads, parallel_chunksize
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from numerics import kernels_training as kernels
from numerics.training import ENDS, Problem, as_weights, descent_settings, pose
from theory import validation
from theory.groups import Weights
from theory.model import LinearVAE
from theory.partition import Posterior

__all__ = ["Sweep", "sweep"]

RUNS_PER_THREAD = 8  # in a batch, at most: enough to even out runs of different length
BATCH_WORK = 2**14  # D K^2 of the runs of a thread in a batch: about a second, at some 10,000 steps of training


@dataclass(frozen=True, eq=False)
class Sweep:
    """What the runs of a sweep reached; rows are betas, columns are seeds.

    Attributes
    ----------
    betas, seeds : (B,) and (R,) arrays
        betas are numbers, or `Weights` if such were given.
    losses, gradient_norms : (B, R) arrays
        as in `TrainingRun`; NaN where a run did not finish.
    steps : (B, R) array of int
    stopped : (B, R) array of str
        as in `TrainingRun`, or "not run".
    interrupted : bool
        whether a keyboard interrupt ended the sweep early.
    parameters : (B, R, n) array
        in the training coordinates of `problem`.
    problem : Problem
    """

    betas: np.ndarray
    seeds: np.ndarray
    losses: np.ndarray
    gradient_norms: np.ndarray
    steps: np.ndarray
    stopped: np.ndarray
    interrupted: bool
    parameters: np.ndarray
    problem: Problem

    def vae(self, beta_index: int, seed_index: int) -> LinearVAE:
        """The trained model of one run.

        Raises
        ------
        ValueError
            if that run did not finish because the sweep was interrupted.
        """
        if self.stopped[beta_index, seed_index] == ENDS[kernels.NOT_RUN]:
            raise ValueError(
                f"the run of beta {self.betas[beta_index]} and seed {self.seeds[seed_index]} did not finish"
            )
        return self.problem.vae(self.parameters[beta_index, seed_index])

    def best(self, beta_index: int) -> LinearVAE:
        """The trained model of lowest loss among the seeds of one beta."""
        losses = self.losses[beta_index]
        return self.vae(beta_index, 0 if np.isnan(losses).all() else int(np.nanargmin(losses)))


def sweep(
    covariance,
    latent_dim: int,
    *,
    betas,
    seeds=1,
    groups: Posterior = "diagonal",
    prior: np.ndarray | None = None,
    noise_variance: float | str = "learned",
    decoder: np.ndarray | None = None,
    posterior: Posterior = "diagonal",
    method: str = "accelerated",
    learning_rate: float = 0.01,
    gradient_tolerance: float = 1e-8,
    max_steps: int = 20_000,
    progress: bool | None = None,
) -> Sweep:
    """Train for every beta from every seed; the runs are exactly those of `train`.

    Parameters
    ----------
    covariance, latent_dim, groups, prior, noise_variance, decoder, posterior
        as in `train`, the same for all runs.
    betas : sequence of floats > 0, or of `theory.groups.Weights`
    seeds : int, or sequence of ints
        of the random starts, one run per beta and seed; a number n stands for 0 .. n - 1.
    method, learning_rate, gradient_tolerance, max_steps
        as in `train`.
    progress : bool, optional
        a progress bar on stderr; by default only where stderr is a terminal.

    Returns
    -------
    Sweep
        after a keyboard interrupt the runs that finished, with `interrupted` set.

    Raises
    ------
    ValueError
        for arguments that do not fit, see the message.
    """
    problem = pose(covariance, latent_dim, noise_variance, decoder, posterior, groups, prior)
    settings = descent_settings(method, learning_rate, gradient_tolerance, max_steps)
    if isinstance(betas, Sequence) and any(isinstance(beta, Weights) for beta in betas):
        betas = np.array(betas, dtype=object)
    else:
        betas = validation.positive_array("betas", validation.vector("betas", betas))
    weights = [as_weights("betas", beta) for beta in betas]
    seeds = range(validation.latent_count("seeds", seeds)) if np.ndim(seeds) == 0 else seeds
    seeds = [validation.latent_count("seeds", seed) for seed in seeds]
    starts = [problem.start(np.random.default_rng(seed)) for seed in seeds]

    runs = len(betas) * len(seeds)
    parameters = np.tile(np.reshape(starts, (len(seeds), len(problem.mask))), (len(betas), 1))
    rows = np.repeat([astuple(weight) for weight in weights], len(seeds), axis=0).reshape(runs, 4)
    _, labels, precision = problem.objective(Weights())
    steps, ends = np.zeros(runs, dtype=np.int64), np.full(runs, kernels.NOT_RUN)
    losses, norms = np.full(runs, np.nan), np.full(runs, np.nan)
    batch = _runs_per_thread(len(problem.roots), problem.latent_dim) * get_num_threads()
    interrupted = False
    bar = tqdm(total=runs, unit="run", desc="training", disable=None if progress is None else not progress)
    try:
        with bar, parallel_chunksize(1), threadpool_limits(1, user_api="blas"):  # the runs are what is parallel
            for first in range(0, runs, batch):
                part = slice(first, first + batch)
                kernels.descend_all(
                    parameters[part], problem.roots, problem.latent_dim, rows[part], labels, precision,
                    problem.mask, problem.kick, *settings,
                    steps[part], losses[part], norms[part], ends[part],
                )  # fmt: skip
                bar.update(len(rows[part]))
    except KeyboardInterrupt:
        interrupted = True

    shape = (len(betas), len(seeds))
    return Sweep(
        betas=betas,
        seeds=np.array(seeds, dtype=np.int64),
        losses=losses.reshape(shape) + np.reshape([problem.loss_offset(weight) for weight in weights], (-1, 1)),
        gradient_norms=norms.reshape(shape),
        steps=steps.reshape(shape),
        stopped=np.array([ENDS[end] for end in ends], dtype=object).reshape(shape),
        interrupted=interrupted,
        parameters=parameters.reshape(*shape, len(problem.mask)),
        problem=problem,
    )


def _runs_per_thread(data_dim: int, latent_dim: int) -> int:
    """How many runs of a batch a thread gets; one at least, since no run is stopped half-way."""
    return int(np.clip(BATCH_WORK // max(data_dim * latent_dim**2, 1), 1, RUNS_PER_THREAD))
