"""The runs of a sweep in batches, on threads or on the workers of an executor: a generator of finished batches.

The more a step of training costs, the smaller the batches, so that a bar can show progress, and an interrupt or a
worker that dies is noticed soon.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor

import numpy as np
from numba import get_num_threads

from numerics.kernels import descent
from numerics.kernels.descent import Limits
from numerics.kernels.digest import kernel_digest
from numerics.sweeps.pending import Pending
from numerics.sweeps.workers import collect, descend_batch
from theory.groups import Weights

__all__ = ["finished_batches"]

RUNS_PER_THREAD = 8  # in a batch, at most: enough to even out runs of different length
BATCH_WORK = 2**16  # D K^2 of the runs of a thread in a batch: few enough to finish soon, after thousands of steps


def finished_batches(todo: Pending, code: int, limits: Limits, executor: Executor | None = None) -> Iterator[slice]:
    """Make all runs, and yield each batch (a slice of them) as soon as it has finished.

    Parameters
    ----------
    todo : Pending
        receives the results of the runs.
    code, limits
        the descent, as the kernels take them.
    executor : concurrent.futures.Executor, optional
        by default the threads of this process.
    """
    problem = todo.problem
    shared = problem.objective(Weights()), problem.perturbation, code, limits
    size = _runs_per_thread(len(problem.standard_deviations), problem.latent_dim)
    if executor is None:
        threads = get_num_threads()
        for part in _parts(len(todo.keys), size * threads):
            descent.descend_all(todo.thetas[part], todo.weights[part], *shared, threads, todo.outcomes.part(part))
            yield part
        return

    batches = (
        (part, (kernel_digest(), todo.thetas[part], todo.weights[part], *shared))
        for part in _parts(len(todo.keys), size)
    )
    yield from collect(executor, descend_batch, batches, lambda part, result: todo.take(part, *result))


def _parts(count: int, size: int) -> Iterator[slice]:
    return (slice(first, first + size) for first in range(0, count, size))


def _runs_per_thread(data_dim: int, latent_dim: int) -> int:
    """The number of runs of a batch for each thread; at least one, since no run is split."""
    return int(np.clip(BATCH_WORK // max(data_dim * latent_dim**2, 1), 1, RUNS_PER_THREAD))
