"""The tables of the benchmark: the problems, and the columns for each contestant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType

import numpy as np

from numerics.bench import ours
from numerics.bench import spectra as kinds
from numerics.bench.mapped_file import mapped_file, peak_memory
from numerics.bench.problem import ClosedForm, DataMoments, Descent, MinibatchDescent, Parameters, eigenvalues
from numerics.bench.roofline import products_of_a_step, products_of_moments
from numerics.bench.timing import Contestant, interleave

__all__ = ["COLUMNS", "compare", "descent", "minibatch_descent", "spiked_data"]

AGREEMENT = 1e-8  # in every parameter
BETA, BATCH_SIZE, ROWS = 1.0, 128, 10_000
CLOSED_FORM_LATENTS = 16

# D, K and how many steps: enough to outweigh the work before the first, and so few that rounding errors, which
# training amplifies, stay small.
FULL_BATCH = [(8, 4, 500), (20, 5, 500), (64, 16, 200), (256, 32, 200), (784, 64, 100)]
SWEEP = [(20, 5, 300), (64, 16, 200)]
SWEPT = tuple(np.geomspace(0.5, 2.0, 16)), tuple(range(16))  # betas and seeds: 256 runs
MINIBATCH = [(20, 5, 4000), (64, 16, 1000), (784, 64, 100)]
CLOSED_FORM = [784, 2000]
SPECTRA = [(200, 16, 20), (784, 16, 1), (784, 64, 1), (2000, 16, 1)]  # D, K and how often it is solved in a run
MOMENTS, QUICK_MOMENTS = (100_000, 784), (10_000, 784)  # N, D
LARGE = 500  # a quick benchmark leaves out larger data dimensions

COLUMNS = (
    "D", "K", "runs", "steps", "contestant",
    "lower_ms", "median_ms", "upper_ms", "ratio", "of_product", "first_s", "difference", "status",
)  # fmt: skip

Row = dict[str, object]


def full_batch(peers: Mapping[str, ModuleType | None], quick: bool, **options) -> list[Row]:
    """One run of Adam on the covariance."""
    rows = []
    for data_dim, latent_dim, steps in _sizes(FULL_BATCH, quick):
        task = descent(data_dim, latent_dim, steps)
        rows += _rows(peers, "descent", task, (data_dim, latent_dim, 1, steps), **options)
    return rows


def many_runs(peers: Mapping[str, ModuleType | None], quick: bool, **options) -> list[Row]:
    """256 runs of Adam at once."""
    rows = []
    for data_dim, latent_dim, steps in _sizes(SWEEP, quick):
        task = descent(data_dim, latent_dim, steps, *SWEPT)
        rows += _rows(peers, "descent", task, (data_dim, latent_dim, task.weights.size, steps), **options)
    return rows


def minibatch(peers: Mapping[str, ModuleType | None], quick: bool, **options) -> list[Row]:
    """One run of Adam on minibatches."""
    rows = []
    for data_dim, latent_dim, steps in _sizes(MINIBATCH, quick):
        task = minibatch_descent(data_dim, latent_dim, steps)
        rows += _rows(peers, "minibatch", task, (data_dim, latent_dim, 1, steps), **options)
    return rows


def closed_form(peers: Mapping[str, ModuleType | None], quick: bool, **options) -> list[Row]:
    """The optimum from data: moments and eigenvectors."""
    rows = []
    for (data_dim,) in _sizes([(size,) for size in CLOSED_FORM], quick):
        task = ClosedForm(spiked_data(data_dim, CLOSED_FORM_LATENTS), CLOSED_FORM_LATENTS)
        rows += _rows(peers, "closed_form", task, (data_dim, CLOSED_FORM_LATENTS, 1, 1), **options)
    return rows


def spectra(peers: Mapping[str, ModuleType | None], quick: bool, **options) -> list[Row]:
    """The optimum from a covariance against all eigenvectors, for many spectra; the columns name them after a comma."""
    rows = []
    with kinds.processes() as pools:
        for data_dim, latent_dim, times in _sizes(SPECTRA, quick):
            for spectrum in kinds.SPECTRA:
                contestants = kinds.contestants(pools, spectrum, data_dim, latent_dim, times)
                size = dict(zip(COLUMNS, (data_dim, latent_dim, 1, times), strict=False))
                for row in compare(contestants, times, **options):
                    name = f"{row['contestant']}, {spectrum}"
                    rows.append({**dict.fromkeys(COLUMNS), **size, **row, "contestant": name})
    return rows


def moments(peers: Mapping[str, ModuleType | None], quick: bool, **options) -> list[Row]:
    """The covariance of data, ours also from a mapped file, with its memory; two columns more than in other tables."""
    count, data_dim = QUICK_MOMENTS if quick else MOMENTS
    with mapped_file(spiked_data(data_dim, CLOSED_FORM_LATENTS, count)) as path:
        mapped = np.load(path, mmap_mode="r")
        task = DataMoments(mapped, np.array(mapped, dtype=float))
        rows = _rows(peers, "moments", task, (data_dim, None, 1, 1), **options)
        peak = peak_memory(path)
    return [{**row, "rows": count, "peak_mib": peak if row["contestant"] == ours.NAME else None} for row in rows]


def descent(data_dim: int, latent_dim: int, steps: int, betas=(BETA,), seeds=(0,)) -> Descent:
    """Full-batch training of one run, or of every beta from every seed."""
    spectrum = eigenvalues(data_dim)
    starts = [ours.start(spectrum, latent_dim, seed) for seed in seeds] * len(betas)
    start = starts[0] if len(starts) == 1 else Parameters(*map(np.stack, zip(*starts, strict=True)))
    return Descent(spectrum, latent_dim, tuple(betas), tuple(seeds), start, steps)


def minibatch_descent(data_dim: int, latent_dim: int, steps: int) -> MinibatchDescent:
    """Training on minibatches of Gaussian data in their principal axes."""
    spectrum = eigenvalues(data_dim)
    rows = np.random.default_rng(0).standard_normal((ROWS, data_dim)) * np.sqrt(spectrum)
    return MinibatchDescent(rows, BETA, ours.start(spectrum, latent_dim, 0), steps, BATCH_SIZE)


def spiked_data(data_dim: int, latent_dim: int, count: int = ROWS) -> np.ndarray:
    """Gaussian data with as many distinct large variances as there are latents, in random axes, shape (N, D)."""
    rng = np.random.default_rng(0)
    axes = np.linalg.qr(rng.standard_normal((data_dim, latent_dim)))[0]
    factors = rng.standard_normal((count, latent_dim)) * np.linspace(10.0, 4.0, latent_dim)
    return factors @ axes.T + rng.standard_normal((count, data_dim))


def _sizes(sizes: Sequence[tuple], quick: bool) -> list[tuple]:
    return [size for size in sizes if size[0] <= LARGE or not quick]


def _rows(
    peers: Mapping[str, ModuleType | None], kind: str, task, size: tuple[int, int | None, int, int], **options
) -> list[Row]:
    """A row for every contestant of a problem, and for every peer that is not installed.

    `size` holds the first columns, the steps last; `options` are those of `interleave`.
    """
    contestants = list(getattr(ours, kind)(task))
    absent = []
    for name, peer in peers.items():
        if peer is None:
            absent.append((name, "not installed"))
        elif hasattr(peer, kind):
            contestants += getattr(peer, kind)(task)
    measured = compare(contestants, size[-1], _products(task), **options)
    heads = dict(zip(COLUMNS, size, strict=False))
    blanks = dict.fromkeys(COLUMNS)
    return [
        *({**blanks, **heads, **row} for row in measured),
        *({**blanks, **heads, "contestant": name, "status": status} for name, status in absent),
    ]


def _products(task) -> list[Contestant]:
    """The matrix products of a step, in every way that may be the fastest."""
    if isinstance(task, ClosedForm):
        return []
    ways = products_of_moments(task) if isinstance(task, DataMoments) else [products_of_a_step(task)]
    return [Contestant("products", multiply) for multiply in ways]


def compare(contestants: Sequence[Contestant], steps: int, products: Sequence[Contestant] = (), **options) -> list[Row]:
    """Time contestants against each other, and compare their results with those of the first.

    Times are milliseconds a step, of all runs together; the ratio is that of the median to the median of `ours`.
    Each of `products` does the matrix products of one step in NumPy or SciPy (`numerics.bench.roofline`), timed in the
    same rounds on the same threads, and `of_product` is the median time of the fastest over that of a step: 1 for a
    step that is nothing but products at the library's speed. In small problems calls take longer than what they
    multiply.
    """
    timings = interleave([*contestants, *products], **options)
    roof = min((timing.quartiles[1] for timing in timings[len(contestants) :]), default=None)
    timings = timings[: len(contestants)]
    medians = {contestant.name: timing.quartiles[1] for contestant, timing in zip(contestants, timings, strict=True)}
    rows = []
    for contestant, timing in zip(contestants, timings, strict=True):
        difference = _difference(timing.result, timings[0].result)
        lower, median, upper = timing.quartiles / steps * 1e3
        status = "agrees" if difference <= AGREEMENT else "differs" if contestant.exact else "approximate"
        rows.append(
            {
                "contestant": contestant.name,
                "lower_ms": lower,
                "median_ms": median,
                "upper_ms": upper,
                "ratio": medians[contestant.name] / medians[ours.NAME] if ours.NAME in medians else None,
                "of_product": roof / timing.quartiles[1] * steps if roof else None,
                "first_s": timing.first,
                "difference": difference,
                "status": status,
            }
        )
    return rows


def _difference(result: Sequence[np.ndarray], reference: Sequence[np.ndarray]) -> float:
    """The largest absolute difference of any entry; NaN, which agrees with nothing, stays NaN."""
    return float(np.max([np.abs(a - b).max(initial=0.0) for a, b in zip(result, reference, strict=True)]))
