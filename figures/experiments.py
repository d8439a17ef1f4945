"""What several figures share on the side of experiment: the real data, and trained models over many betas."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from figures.table import Deviation
from numerics import Sweep, sweep
from numerics.data import digits
from theory import Moments, validation

__all__ = [
    "Observations",
    "Say",
    "away_from",
    "checked_options",
    "real_data",
    "silent",
    "start_seeds",
    "train_each",
    "unfinished",
    "unfinished_runs",
]

MAX_STEPS = 200_000  # a safety net, an order of magnitude above what the figures need
SMALLEST_NOISE = 1e-5  # of the largest eigenvalue
BUDGET = 320_000  # what a figure may spend on training, in the unit of `Observations.work`: ten or twenty seconds
FEWEST_BETAS = 8  # below which a figure has fewer latents instead
APART = 0.01  # relative distance of eigenvalues from which on training tells their latents apart
CLOSE, SLOWEST = 0.02, 20.0  # eigenvalues closer than this slow training down, by this factor at most
TIE = 1e-12  # relative distance of eigenvalues up to which they are equal but for rounding

Say = Callable[[str], object]  # takes a few words on what is being done


def silent(_: str) -> None:
    """Say nothing."""


def checked_options(quick: bool, seed: int, say: Say, streams: int) -> tuple[bool, list[np.random.SeedSequence]]:
    """Check the arguments that every figure takes, and give each of its uses of random numbers a stream of its own.

    Streams of one seed, and of neighbouring seeds, share no numbers (`numpy.random.SeedSequence.spawn`).
    """
    validation.instance("say", say, Callable, "pass a function of a text, such as print")
    root = np.random.SeedSequence(validation.seed("seed", seed))
    return validation.flag("quick", quick), root.spawn(streams)


def start_seeds(stream: np.random.SeedSequence, count: int = 1) -> list[int]:
    """Seeds for random starts that take a whole number, from a stream that gives others the next time."""
    return [int(child.generate_state(1)[0]) for child in stream.spawn(count)]


@dataclass(frozen=True, eq=False)
class Observations:
    """A data set with a name, its moments, and the eigenvalues (descending) of its covariance."""

    name: str
    data: np.ndarray
    moments: Moments
    eigenvalues: np.ndarray

    @property
    def rank(self) -> int:
        return int(np.count_nonzero(self.eigenvalues))

    def leaves_noise(self, latent_dim: int) -> bool:
        """Whether so many latents leave a noise that double precision can learn: 1e-5 of the largest eigenvalue."""
        rest = self.eigenvalues[latent_dim:]
        return rest.size > 0 and bool(rest.mean() > SMALLEST_NOISE * self.eigenvalues[0])

    def latent_dims(self, wanted: Iterable[int]) -> list[int]:
        """The wanted numbers of latents that leave a noise to learn, or 1 if none does."""
        return [latent_dim for latent_dim in wanted if self.leaves_noise(latent_dim)] or [1]

    @property
    def gaps(self) -> np.ndarray:
        """By how much each eigenvalue but the last exceeds the next, in units of that; zero where the two tie."""
        with np.errstate(divide="ignore", invalid="ignore"):
            gaps = np.diff(self.eigenvalues[::-1])[::-1] / self.eigenvalues[1:]
        return np.where(gaps > TIE, gaps, 0.0)

    def work(self, latent_dims: Iterable[int]) -> float:
        """What training a model of each size costs: D K (K + 2) as a step, or more where eigenvalues are close."""
        total = 0.0
        for latent_dim in latent_dims:
            gaps = self.gaps[:latent_dim]
            slowness = min(CLOSE / gaps[gaps > 0].min(initial=CLOSE), SLOWEST)
            total += self.eigenvalues.size * latent_dim * (latent_dim + 2) * slowness
        return total

    def affordable_betas(self, latent_dims: Iterable[int], wanted: int) -> int:
        """For how many betas, of those wanted, the budget trains a model of each size; two at least."""
        return max(min(wanted, int(BUDGET // self.work(latent_dims))), 2)

    def affordable(self, latent_dims: Iterable[int], wanted: int) -> list[int]:
        """The sizes without the largest, until the budget trains each for the betas wanted, or enough for a curve."""
        kept = list(latent_dims)
        while len(kept) > 1 and not self._enough(kept, wanted):
            kept.remove(max(kept))
        return kept

    def largest_affordable(self, latent_dims: Iterable[int], wanted: int) -> int:
        """The largest of the sizes for which alone the budget is enough, or else the smallest."""
        return max(size for size in latent_dims if size == min(latent_dims) or self._enough([size], wanted))

    def _enough(self, latent_dims: Iterable[int], wanted: int) -> bool:
        return self.affordable_betas(latent_dims, wanted) >= min(wanted, FEWEST_BETAS)

    @property
    def parameters(self) -> dict[str, object]:
        """What the file beside a figure tells of the data."""
        count, data_dim = self.data.shape
        return {"data": self.name, "observations": count, "data_dim": data_dim, "rank": self.rank}


def real_data(observations=None, name: str = "data") -> Observations:
    """The data of a figure: an (N, D) array of one's own, or by default scikit-learn's digits.

    Raises
    ------
    ValueError
        if not even one latent leaves a noise to learn: then a VAE of these data has no optimum to draw.
    """
    if observations is None:
        observations, name = digits(), "digits"
    name = validation.instance("name", name, str, "pass what the figure is to call the data")
    observations = validation.observations("observations", observations)
    moments = Moments.of(observations)
    eigenvalues = validation.non_negative_spectrum("covariance", np.linalg.eigvalsh(moments.covariance))
    found = Observations(name, observations, moments, eigenvalues)
    if not found.leaves_noise(1):
        raise ValueError(
            f"{name}: must vary in at least two directions of comparable scale, its largest eigenvalues are "
            f"{', '.join(f'{value:.3g}' for value in eigenvalues[:3])}; pass other data, or scale the columns"
        )
    return found


def away_from(critical: np.ndarray, betas: np.ndarray) -> np.ndarray:
    """The betas that are not within 2 % of a critical one, where the loss is quartic and no gradient settles it."""
    distance = np.abs(np.log(betas[:, np.newaxis] / critical[critical > 0]))
    return betas[distance.min(axis=1) > 0.02]


def train_each(covariance, latent_dim: int, betas, *, seeds=(0,), **options) -> Sweep:
    """Models trained for each beta from each seed until their gradient vanishes; an interrupt is passed on."""
    done = sweep(
        covariance, latent_dim, betas=betas, seeds=seeds, progress=False, **({"max_steps": MAX_STEPS} | options)
    )
    if done.interrupted:
        raise KeyboardInterrupt
    return done


def unfinished(sweeps: Iterable[Sweep]) -> Deviation:
    """The check that every training ended because its gradient vanished, not because steps or digits ran out."""
    return unfinished_runs(np.concatenate([done.stopped.ravel() for done in sweeps]))


def unfinished_runs(stopped: Sequence[str]) -> Deviation:
    """The same check of why single runs ended."""
    return Deviation(
        quantity="runs not stopped by gradient",
        source="trained",
        largest=float(sum(end != "gradient" for end in stopped)),
        tolerance=0.0,
        unit="runs",
        points=len(stopped),
        reason="a run that ends otherwise is not at a minimum",
    )
