"""For which truths the inference error is least at groups that are the true blocks: `python -m numerics vertex`.

Without a penalty all groupings are the same, so along the group sizes 1, block, all, the error is a V with its vertex
at the blocks if these help and smaller groups hurt. Over many random truths it is a V for nearly all with strong
correlation and little noise, for hardly any with weak correlation, and orthogonal columns make the blocks neither help
nor hurt. All errors are those of encoders trained by gradients. These results are this project's.

A share of a few draws is uncertain: `VertexCell.interval` gives its interval by Clopper and Pearson (1934), which holds
for any number of independent draws. Every cell has its own stream of random numbers, so cells are independent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from numerics.data.block_factors import LOADINGS, block_truth, correlation_within
from numerics.experiments.granularity import factor_errors
from numerics.training.problem import training_problem
from numerics.training.stop import Stop
from numerics.training.train import train_problem
from theory import validation
from theory.groups import Weights, equal_groups, granularity_slope
from theory.interface.progress import asked, progress_bar
from theory.model import GenerativeModel
from theory.partition import Posterior

__all__ = ["SAME", "SHARES", "VertexCell", "trained_errors", "vertex_map", "vertex_truths"]

MOST_DRAWS = 1_000_000  # draws; more would take too long to train
SHARES = ("blocks_help", "blocks_hurt", "cuts_hurt", "slope_helps")
SAME = 1e-6  # relative change of the error up to which a grouping makes no difference
# Descent of all parameters, which takes no learning rate; the steps are a safety net.
HOW = {"method": "accelerated", "learning_rate": 1.0, "gradient_tolerance": 1e-8, "max_steps": 20_000}


@dataclass(frozen=True)
class VertexCell:
    """Shares of draws of one kind of truth in which groups that are its blocks, or groups that cut them, help or hurt.

    A share p of n draws has a standard error of sqrt(p (1 - p) / n): .09 at one half of 30 draws.

    Attributes
    ----------
    loading : str
    correlation, noise_variance : float
    draws : int
    blocks_help, blocks_hurt : float
        share of the draws in which the error at the true blocks is below, or above, that without a penalty; in the
        rest it is the same.
    cuts_hurt : float
        share in which single latents as groups have a larger error than no penalty.
    slope_helps : float
        share in which the closed-form slope of the error at beta = 1 predicts that the true blocks help.
    ratio : float
        median over draws of the error at the true blocks over that without a penalty.
    unfinished : int
        draws with a training that did not stop by its gradient: their errors are not those of a minimum.
    """

    loading: str
    correlation: float
    noise_variance: float
    draws: int
    blocks_help: float
    blocks_hurt: float
    cuts_hurt: float
    slope_helps: float
    ratio: float
    unfinished: int

    def interval(self, share: str, level: float = 0.95) -> tuple[float, float]:
        """The confidence interval of the probability behind a share, by quantiles of the beta distribution (Clopper and
        Pearson).

        Parameters
        ----------
        share : "blocks_help", "blocks_hurt", "cuts_hurt" or "slope_helps"
        level : float between 0 and 1

        Returns
        -------
        low, high : float

        Raises
        ------
        ValueError
            for another share, or a level that is not between 0 and 1.
        """
        from scipy.stats import beta

        level = validation.number("level", level)
        if not 0 < level < 1:
            raise ValueError(f"level must lie between 0 and 1, got {level!r}; pass for example 0.95")
        hits = round(getattr(self, validation.choice("share", share, SHARES)) * self.draws)
        tail = (1 - level) / 2
        low = beta.ppf(tail, hits, self.draws - hits + 1) if hits else 0.0
        high = beta.ppf(1 - tail, hits + 1, self.draws - hits) if hits < self.draws else 1.0
        return float(low), float(high)


def vertex_map(
    *,
    block: int = 2,
    count: int = 3,
    data_dim: int = 8,
    beta: float = 10.0,
    correlations: Sequence[float] = (0.2, 0.4, 0.6, 0.8),
    noise_variances: Sequence[float] = (0.1, 0.3, 1.0, 3.0),
    loadings: Sequence[str] = ("random", "local", "orthogonal"),
    draws: int = 30,
    rng: np.random.Generator | int = 0,
    progress: bool | None = None,
) -> list[VertexCell]:
    """Over correlation, noise and loading, the share of random truths that each grouping helps or hurts.

    Parameters
    ----------
    block, count : int
        size and number of the blocks.
    data_dim : int, D
    beta : float > 0, weight of total correlation between groups
    correlations, noise_variances, loadings
        as for `block_truth`; one cell for each combination.
    draws : int
        truths for each cell, from its own stream: cells are independent.
    rng : numpy.random.Generator, or a seed
        of the truths.
    progress : bool, optional
        a bar on stderr; by default only where stderr is a terminal.

    Returns
    -------
    list of VertexCell
        from one training for each truth and grouping. With fewer data dimensions than factors, or nearly dependent
        columns, that may end in a local minimum.

    Raises
    ------
    ValueError
        for arguments that do not fit.
    """
    beta = validation.positive("beta", beta)
    progress = asked(progress)
    block, count, draws = _sizes(block, count, draws)
    cells = vertex_truths(
        block=block, count=count, data_dim=data_dim, correlations=correlations, noise_variances=noise_variances,
        loadings=loadings, draws=draws, rng=rng,
    )  # fmt: skip
    latent_dim, vertex_cells = block * count, []
    groupings = [equal_groups(latent_dim, size) for size in (1, block, latent_dim)]
    for (kind, rho, noise), truths in progress_bar(cells, desc="map", unit="cell", progress=progress):
        errors, finished = trained_errors(truths, groupings, beta)
        slopes = np.array([granularity_slope(truth, groupings[1]) for truth in truths])
        cut, blocked = (errors[:, :2] / errors[:, 2:]).T
        vertex_cells.append(
            VertexCell(
                loading=kind,
                correlation=rho,
                noise_variance=noise,
                draws=draws,
                blocks_help=float(np.mean(blocked < 1 - SAME)),
                blocks_hurt=float(np.mean(blocked > 1 + SAME)),
                cuts_hurt=float(np.mean(cut > 1 + SAME)),
                # Of order one where it is not rounding.
                slope_helps=float(np.mean(slopes < -SAME)),
                ratio=float(np.median(blocked)),
                unfinished=int(np.sum(~finished.all(axis=1))),
            )
        )
    return vertex_cells


def vertex_truths(
    *, block: int, count: int, data_dim: int, correlations, noise_variances, loadings, draws: int, rng
) -> list[tuple[tuple[str, float, float], list[GenerativeModel]]]:
    """The truths that `vertex_map` measures, with loading, correlation and noise; arguments as there."""
    block, count, draws = _sizes(block, count, draws)
    keys = [
        (
            validation.choice("loadings", kind, LOADINGS),
            correlation_within("correlations", rho, block),
            validation.scale("noise_variances", noise),
        )
        for kind in validation.sequence("loadings", loadings)
        for rho in validation.sequence("correlations", correlations)
        for noise in validation.sequence("noise_variances", noise_variances)
    ]
    streams = validation.random_generator("rng", rng).spawn(len(keys))
    return [
        (
            (kind, rho, noise),
            [block_truth([block] * count, rho, noise, data_dim, loading=kind, rng=stream) for _ in range(draws)],
        )
        for (kind, rho, noise), stream in zip(keys, streams, strict=True)
    ]


def trained_errors(
    truths: Sequence[GenerativeModel], groupings: Sequence[Posterior], beta: float
) -> tuple[np.ndarray, np.ndarray]:
    """Mean squared errors, summed over factors, of encoders trained for true decoders, (truths, groupings).

    With a weight beta on total correlation between groups. Also whether each training stopped by its gradient.
    """
    shape, weights = (len(truths), len(groupings)), Weights.independence(beta)
    errors, finished = np.empty(shape), np.empty(shape, dtype=bool)
    for row, truth in enumerate(truths):
        problem = training_problem(
            truth.covariance, truth.latent_dim, truth.noise_variance, truth.loading, "diagonal", groupings[0]
        )
        for column, groups in enumerate(groupings):
            run = train_problem(problem.grouped(groups), weights, **HOW, rng=0)
            errors[row, column] = factor_errors(truth, run.vae).sum()
            finished[row, column] = run.stopped == Stop.GRADIENT
    return errors, finished


def _sizes(block: int, count: int, draws: int) -> tuple[int, int, int]:
    block = validation.count("block", block, minimum=1)
    validation.count("block", block, bytes_each=8 * block)
    count = validation.count("count", count, minimum=1, bytes_each=8 * block)
    validation.count("count", count, bytes_each=8 * block**2 * count)
    return block, count, validation.count("draws", draws, minimum=1, maximum=MOST_DRAWS)
