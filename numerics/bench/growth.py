"""How cost grows with size: seconds at several sizes, and the exponent between the larger ones beside the expected one.

A cost that follows n^p has a slope p on logarithmic axes. Small sizes show fixed costs, so the exponent is the slope of
a line through the upper half of the sizes. Larger than expected is a defect: work that is done again and again. Smaller
is not, since a library gains speed with size.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from numerics.bench.threads import cores
from numerics.sweeps.complete import complete_sweep
from theory import GenerativeModel, inference_error_curve, optimal_beta, optimum
from theory.groups import Weights, equal_groups, grouped_optimum
from theory.interface.progress import progress_bar

__all__ = ["WORKS", "Growth", "Work", "error_curve_ratio", "measure", "parallel_efficiency"]

REPEATS = 3  # of short runs
SHORT = 2.0  # seconds
DEAREST_CURVE = 1.5  # eigendecompositions that an error curve of 1,000 betas may cost
SURPRISE = 0.4  # by which a fitted exponent may exceed the expected one: the noise of a fit through two or three sizes
DATA_DIM, LATENT_DIM = 784, 64


@dataclass(frozen=True)
class Work:
    """A computation whose cost is measured at several sizes.

    Attributes
    ----------
    name, variable : str
        what is computed, and what its size is.
    expected : float
        the exponent of large sizes.
    sizes, quick_sizes : tuple of int, ascending
    prepare : function
        of a size; returns the function whose time is taken.
    """

    name: str
    variable: str
    expected: float
    sizes: tuple[int, ...]
    quick_sizes: tuple[int, ...]
    prepare: Callable[[int], Callable[[], object]]


@dataclass(frozen=True, eq=False)
class Growth:
    """Seconds of a work at its sizes, and the exponent of a power of the size through the upper half of them."""

    work: Work
    sizes: np.ndarray
    seconds: np.ndarray

    @property
    def exponent(self) -> float:
        upper = slice(len(self.sizes) // 2 - 1, None)
        return float(np.polyfit(np.log(self.sizes[upper]), np.log(self.seconds[upper]), 1)[0])

    @property
    def as_expected(self) -> bool:
        return self.exponent <= self.work.expected + SURPRISE


def measure(works: Sequence[Work], quick: bool, *, progress: bool | None = None) -> Iterator[Growth]:
    """Measure works one after another, and yield each when it is done.

    With one thread of the linear algebra, so that no time depends on how well a library uses several.

    Parameters
    ----------
    works : sequence of Work
    quick : bool
        smaller sizes.
    progress : bool, optional
        a progress bar on stderr; by default only in a terminal, and elsewhere a line every ten seconds.
    """
    with (
        threadpool_limits(1, user_api="blas"),
        progress_bar(works, desc="growth", unit="work", progress=progress, leave=False) as bar,
    ):
        for work in bar:
            bar.set_postfix_str(f"{work.name}, {work.variable}")
            sizes = work.quick_sizes if quick else work.sizes
            yield Growth(work, np.array(sizes), np.array([_least_time(work.prepare(size)) for size in sizes]))


def error_curve_ratio() -> float:
    """The time of an error curve of 1,000 betas over that of one eigendecomposition of the data's covariance."""
    truth, betas = _truth(DATA_DIM, LATENT_DIM), np.geomspace(0.1, 10, 1000)
    with threadpool_limits(1, user_api="blas"):
        curve = _least_time(lambda: inference_error_curve(truth, betas))
        return curve / _least_time(lambda: np.linalg.eigh(truth.covariance))


def parallel_efficiency(runs: int) -> float:
    """The time of a sweep by one thread over the threads' number times that of the sweep by two; one with one core."""
    import numba

    threads, run = min(2, cores()), _sweep(runs)
    before = numba.get_num_threads()
    try:
        seconds = []
        for count in (1, threads):
            numba.set_num_threads(count)
            seconds.append(_least_time(run))
    finally:
        numba.set_num_threads(before)
    return seconds[0] / (threads * seconds[1])


def _least_time(run: Callable[[], object]) -> float:
    """The least of some times of a short run, whose first may load and compile; the only one of a long run."""
    least = np.inf
    for _ in range(1 + REPEATS):
        begin = time.perf_counter()
        run()
        least = min(least, time.perf_counter() - begin)
        if least > SHORT:
            break
    return least


def _covariance(size: int) -> np.ndarray:
    """Of 2 n observations of n variables with variances from 1 down to .01."""
    rows = np.random.default_rng(0).standard_normal((2 * size, size)) * np.geomspace(1, 0.1, size)
    return rows.T @ rows / len(rows)


def _truth(data_dim: int, latent_dim: int) -> GenerativeModel:
    loading = np.random.default_rng(0).standard_normal((data_dim, latent_dim)) / np.sqrt(data_dim)
    return GenerativeModel(loading, 0.5)


def _optimum(data_dim: int, latent_dim: int) -> Callable[[], object]:
    covariance = _covariance(data_dim)
    return lambda: optimum(covariance, latent_dim)


def _curve(count: int) -> Callable[[], object]:
    truth, betas = _truth(200, 50), np.geomspace(0.1, 10, count)
    return lambda: inference_error_curve(truth, betas)


def _best_beta(latent_dim: int) -> Callable[[], object]:
    truth = _truth(2 * latent_dim, latent_dim)
    return lambda: optimal_beta(truth)


def _grouped(latent_dim: int, size: int) -> Callable[[], object]:
    """With factors that are correlated, so that the groups matter."""
    loading = np.random.default_rng(0).standard_normal((latent_dim + 2, latent_dim))
    truth = GenerativeModel(loading, 0.1, 0.5 + 0.5 * np.eye(latent_dim))
    groups, weights = equal_groups(latent_dim, size), Weights.independence(4.0)
    return lambda: grouped_optimum(truth.loading, truth.noise_variance, truth.covariance, weights, groups)


def _sweep(runs: int) -> Callable[[], object]:
    covariance, betas = np.diag(np.geomspace(1, 0.01, 64)), np.geomspace(0.5, 2, 8)
    options = {"betas": betas, "seeds": runs // len(betas), "method": "adam", "max_steps": 200}
    return lambda: complete_sweep(covariance, 16, **options)


def _verify(count: int) -> Callable[[], object]:
    """Of checks evenly from the list, so that each number of them has long and short ones."""
    from numerics.checks.verify import CHECKS, verify

    names = list(CHECKS)
    chosen = [names[at] for at in np.linspace(0, len(names) - 1, count).round().astype(int)]
    return lambda: verify(quick=True, only=chosen, progress=False)


def _derive(count: int) -> Callable[[], object]:
    from theory.derivations.checking import check_pages
    from theory.derivations.registry import derivations

    pages = sorted(derivations(), key=lambda page: len(page.steps))
    chosen = [pages[at] for at in np.linspace(0, len(pages) - 1, count).round().astype(int)]
    return lambda: check_pages(chosen, processes=1)


WORKS = (
    Work("optimum", "D", 3, (200, 400, 800, 1600), (100, 200, 400), lambda n: _optimum(n, 16)),
    Work("optimum", "K", 1, (8, 32, 128, 512), (8, 32, 128), lambda n: _optimum(800, n)),
    Work("error curve", "betas", 1, (100, 1000, 10_000, 100_000), (100, 1000, 10_000), _curve),
    Work("optimal beta", "K", 3, (16, 32, 64, 128, 256), (16, 32, 64), _best_beta),
    # Newton's method: K^2 unknowns, whose Hessian is factored in (K^2)^3 operations.
    Work("grouped optimum", "K", 6, (4, 6, 8, 10), (4, 6, 8), lambda n: _grouped(n, 2)),
    Work("grouped optimum", "groups", 1, (2, 4, 8), (2, 4, 8), lambda n: _grouped(8, 8 // n)),
    Work("sweep", "runs", 1, (64, 128, 256, 512), (64, 128, 256), _sweep),
    Work("verify", "checks", 1, (12, 25, 51), (4, 8, 16), _verify),
    Work("derive --check", "pages", 1, (8, 16, 35), (2, 4, 8), _derive),
)
