"""The data of a figure, and how many models and betas its budget can train."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from figures.kit.options import several_counts
from numerics.data.observations import digits
from theory import Moments, validation

__all__ = ["Observations", "away_from", "betas_to_train", "real_data"]


SMALLEST_NOISE = 1e-5  # of the largest eigenvalue
BUDGET = 320_000  # what a figure may spend on training, in the unit of `Observations.work`: ten or twenty seconds
FEWEST_BETAS = 8  # below which a figure has fewer latents instead
SEPARABLE = 0.01  # training separates the latents of eigenvalues that differ by this or more, relatively
CLOSE, SLOWEST = 0.02, 20.0  # eigenvalues closer than this slow training down, by this factor at most
TIE = 1e-12  # relative distance of eigenvalues up to which they are equal but for rounding


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
        """Whether this many latents leave a noise that double precision can learn: 1e-5 of the largest eigenvalue."""
        rest = self.eigenvalues[latent_dim:]
        return rest.size > 0 and bool(rest.mean() > SMALLEST_NOISE * self.eigenvalues[0])

    def latent_dims(self, wanted: Iterable[int]) -> list[int]:
        """The wanted numbers of latents that leave a noise to learn, or 1 if none does."""
        return [latent_dim for latent_dim in wanted if self.leaves_noise(latent_dim)] or [1]

    def checked_latent_dims(self, name: str, latent_dims: Iterable[int]) -> list[int]:
        """The numbers of latents that a reader asks for, none of which may leave the data no noise to learn.

        Raises
        ------
        ValueError
            that names the argument and the largest number.
        """
        largest = max(k for k in range(1, self.eigenvalues.size) if self.leaves_noise(k))
        return list(several_counts(name, latent_dims, 1, largest))

    @property
    def gaps(self) -> np.ndarray:
        """By how much each eigenvalue but the last exceeds the next, in units of that; zero where the two tie."""
        with np.errstate(divide="ignore", invalid="ignore"):
            gaps = np.diff(self.eigenvalues[::-1])[::-1] / self.eigenvalues[1:]
        return np.where(gaps > TIE, gaps, 0.0)

    def work(self, latent_dims: Iterable[int]) -> float:
        """The cost of training a model of each size: D K (K + 2) for a step, more where eigenvalues are close."""
        total = 0.0
        for latent_dim in latent_dims:
            gaps = self.gaps[:latent_dim]
            slowness = min(CLOSE / gaps[gaps > 0].min(initial=CLOSE), SLOWEST)
            total += self.eigenvalues.size * latent_dim * (latent_dim + 2) * slowness
        return total

    def affordable_betas(self, latent_dims: Iterable[int], wanted: int) -> int:
        """The number of betas, of those wanted, for which the budget trains a model of each size; at least two."""
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
        """What the json file of a figure states about the data."""
        count, data_dim = self.data.shape
        return {"data": self.name, "observations": count, "data_dim": data_dim, "rank": self.rank}


def real_data(observations=None, name: str = "data") -> Observations:
    """The data of a figure: the user's (N, D) array, or by default scikit-learn's digits.

    Raises
    ------
    ValueError
        if not even one latent leaves a noise to learn: then a VAE of these data has no optimum to draw.
    """
    if observations is None:
        observations, name = digits(), "digits"
    name = validation.instance("name", name, str, "pass the name of the data")
    observations = validation.observations("observations", observations)
    moments = Moments.of(observations)
    eigenvalues = validation.non_negative_spectrum("covariance", np.linalg.eigvalsh(moments.covariance))
    source = Observations(name, observations, moments, eigenvalues)
    if not source.leaves_noise(1):
        raise ValueError(
            f"{name}: must vary in at least two directions of comparable scale, its largest eigenvalues are "
            f"{', '.join(f'{value:.3g}' for value in eigenvalues[:3])}; pass other data, or scale the columns"
        )
    return source


def betas_to_train(critical: np.ndarray, low: float, high: float, count: int) -> np.ndarray:
    """So many betas from low to high, without those near a critical one.

    Raises
    ------
    ValueError
        if none is left.
    """
    betas = away_from(critical, np.geomspace(low, high, count))
    if not betas.size:
        raise ValueError(
            f"beta_range must hold betas that are not within 2 % of a collapse, got {low:g} to {high:g}, of which "
            f"{count} are tried; pass a wider range"
        )
    return betas


def away_from(critical: np.ndarray, betas: np.ndarray) -> np.ndarray:
    """The betas that are not within 2 % of a critical one, where the loss is quartic and its gradient tiny."""
    distance = np.abs(np.log(betas[:, np.newaxis] / critical[critical > 0]))
    return betas[distance.min(axis=1) > 0.02]
