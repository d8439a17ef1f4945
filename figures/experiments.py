"""What several figures share on the side of experiment: the real data, and trained models over many betas."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from figures.table import Deviation
from numerics import Sweep, sweep
from numerics.data import digits
from theory import Moments, validation

__all__ = ["Observations", "Say", "away_from", "real_data", "silent", "train_each", "unfinished"]

MAX_STEPS = 200_000  # a safety net, an order of magnitude above what the figures need
SMALLEST_NOISE = 1e-5  # of the largest eigenvalue

Say = Callable[[str], object]  # takes a few words on what is being done


def silent(_: str) -> None:
    """Say nothing."""


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
    observations = validation.matrix("observations", observations)
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
    stopped = np.concatenate([done.stopped.ravel() for done in sweeps])
    return Deviation(
        quantity="runs not stopped by gradient",
        source="trained",
        largest=float(np.count_nonzero(stopped != "gradient")),
        tolerance=0.0,
        unit="runs",
        points=stopped.size,
        reason="a run that ends otherwise is not at a minimum",
    )
