"""The closed form against `numpy.linalg.eigh` on covariances of many spectra, each contestant in a process of its own.

NumPy and SciPy have linear algebra libraries of their own, whose threads compete for the same cores: in one process the
time of a contestant depends on who ran before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial

import numpy as np
from scipy.linalg import block_diag
from threadpoolctl import threadpool_info, threadpool_limits

from numerics.bench.timing import Contestant
from numerics.sweeps.workers import WORKERS, follow_parent
from theory import optimum

__all__ = ["SOLVERS", "SPECTRA", "contestants", "covariance", "processes"]

GAP, NOISE = 16.0, 1e-12

# From D and K: eigenvalues, descending, in random axes.
EIGENVALUES = {
    "power law": lambda data_dim, latent_dim: 1 / np.arange(1, data_dim + 1),
    "graded": lambda data_dim, latent_dim: np.geomspace(1, 1e-12, data_dim),
    "spiked": lambda data_dim, latent_dim: np.where(
        np.arange(data_dim) < latent_dim, np.linspace(8, 1, data_dim) * GAP, np.linspace(1.2, 0.8, data_dim)
    ),
    "three values": lambda data_dim, latent_dim: np.sort(np.arange(data_dim) % 3 + 1.0)[::-1],
    "rank K/2": lambda data_dim, latent_dim: np.where(
        np.arange(data_dim) < latent_dim // 2, np.linspace(5, 1, data_dim), 0.0
    ),
    "rank K + 20": lambda data_dim, latent_dim: np.where(
        np.arange(data_dim) < latent_dim + 20, np.linspace(5, 1, data_dim), 0.0
    ),
}

# From the random generator and D: covariances.
COVARIANCES = {
    "white noise": lambda rng, data_dim: _of_rows(rng, 2 * data_dim, data_dim),
    "identity": lambda rng, data_dim: np.eye(data_dim) + NOISE * _of_rows(rng, data_dim, data_dim),
    "diagonal": lambda rng, data_dim: np.diag(rng.permutation(np.linspace(2, 1, data_dim))),
    "blocks": lambda rng, data_dim: block_diag(*(_of_rows(rng, data_dim, len(part)) for part in _parts(data_dim))),
}
SPECTRA = (*COVARIANCES, *EIGENVALUES)

# From a covariance and K: the K largest eigenvalues, descending.
SOLVERS = {
    "ours": lambda covariance, latent_dim: optimum(covariance, latent_dim).eigenvalues[:latent_dim],
    "ours leading_only": lambda covariance, latent_dim: optimum(covariance, latent_dim, leading_only=True).eigenvalues,
    "numpy eigh": lambda covariance, latent_dim: np.linalg.eigh(covariance)[0][: -latent_dim - 1 : -1],
}


def covariance(spectrum: str, data_dim: int, latent_dim: int) -> np.ndarray:
    """A covariance of one of the kinds in `SPECTRA`, always the same, shape (D, D)."""
    rng = np.random.default_rng(0)
    if spectrum in COVARIANCES:
        return COVARIANCES[spectrum](rng, data_dim)
    axes = np.linalg.qr(rng.standard_normal((data_dim, data_dim)))[0]
    product = (axes * EIGENVALUES[spectrum](data_dim, latent_dim)) @ axes.T
    return (product + product.T) / 2


def _of_rows(rng: np.random.Generator, count: int, data_dim: int) -> np.ndarray:
    rows = rng.standard_normal((count, data_dim))
    return rows.T @ rows / count


def _parts(data_dim: int) -> list[np.ndarray]:
    return np.array_split(np.arange(data_dim), 8)


@contextmanager
def processes() -> Iterator[dict[str, Executor]]:
    """A process for each of `SOLVERS`, with as many threads for linear algebra as this one has; ended at the end."""
    threads = max((pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"), default=1)
    with ExitStack() as stack:
        pools = {}
        for name in SOLVERS:
            theirs, ours = WORKERS.Pipe(duplex=False)
            stack.enter_context(ours)
            pools[name] = stack.enter_context(
                ProcessPoolExecutor(1, WORKERS, initializer=_begin, initargs=(theirs, threads))
            )
            stack.enter_context(theirs)
        yield pools


def _begin(pipe, threads: int) -> None:
    """What a new process does first."""
    follow_parent(pipe)
    threadpool_limits(threads)


_problem: list = []  # in a process: the covariance and K


def _prepare(spectrum: str, data_dim: int, latent_dim: int) -> None:
    _problem[:] = covariance(spectrum, data_dim, latent_dim), latent_dim


def _solve(name: str, times: int) -> np.ndarray:
    for _ in range(times):
        found = SOLVERS[name](*_problem)
    return found


def contestants(
    pools: dict[str, Executor], spectrum: str, data_dim: int, latent_dim: int, times: int
) -> list[Contestant]:
    """All of `SOLVERS`, each in its process, where a run solves the problem several times."""
    for waiting in [pool.submit(_prepare, spectrum, data_dim, latent_dim) for pool in pools.values()]:
        waiting.result()

    def run(name):
        return pools[name].submit(_solve, name, times).result()

    return [Contestant(name, partial(run, name), lambda found: [found]) for name in pools]
