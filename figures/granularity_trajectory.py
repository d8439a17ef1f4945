"""Figure: the best ELBO over the weight, the number of latents and the size of the groups, and where it is flat.

A penalty beta on total correlation between groups; factors correlated in blocks.

**ELBO of the true model,** with the factors' distribution as the prior, after training with the prior N(0, I):

a  Against beta, true decoder. It rises beyond beta = 1 only if no group cuts a block, and ends at the limit of
   independent groups (dotted). With groups that cut, the best beta is below 1 (diamonds, the best of the range): it
   rewards dependence that the prior ignores.
b  Against group size for several capacities, that is numbers of factors that have a latent; the noise is learned.
   Diamonds: the best size of each capacity.

**Least value of the objective itself,** above that of the plain VAE:

c  Learned decoder and prior N(0, I): flat. Learned decoder and a prior that is correlated in pairs (full posterior):
   one step for each pair that is cut, a W. Fixed decoder: never below one group.

The results are this project's: Chen, Wang, Zou (2022) and Chen, Xiang, Wang (2025) report a "V"-shaped trajectory of
the best ELBO for non-linear VAEs on images.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from threadpoolctl import threadpool_limits

from figures.kit import drawing
from figures.kit.options import Progress, between, checked_options, ignore, several_counts
from figures.kit.table import Point, Table, points
from figures.kit.training import unfinished_runs
from numerics.comparison import Tolerance, compare_points
from numerics.data.block_factors import block_truth
from numerics.experiments.granularity import GranularityRun, granularity_map
from theory import GenerativeModel, elbo_terms, optimal_encoder
from theory.groups import (
    GroupedOptimum,
    Weights,
    correlated_prior_shift,
    equal_groups,
    grouped_optima,
    independent_groups,
)

__all__ = ["CAPTION", "LAYOUT", "data", "plot"]

LAYOUT = {"shape": (1, 3), "size": (drawing.DOUBLE_COLUMN, 3.3)}

CAPTION = r"""
With a weight above 1 between groups the ELBO of the true model is best at group sizes that cut no block of correlated
factors; with a learned decoder and the prior $N(0, I)$ the least objective is the same for every size.

(a) Gain of the true model's ELBO (with the factors' distribution as prior) over no penalty, in nats, against the
weight $\beta$ between groups, with the true decoder, for groups of 1 to 4; blocks of 2. Dotted: the limit of
independent groups. (b) Gain of the true model's ELBO over one group against the latents in a group, for several
capacities (numbers of latents); blocks of 3, noise learned if factors lack one. (a), (b) The axis is linear within .1
of zero, then logarithmic. (c) Least objective above that of the plain VAE: for a fixed decoder, a learned one with a
correlated prior and a full posterior, and a learned decoder. (b), (c) The weight is $\beta = {beta_of_b_and_c}$.

Correlation inside a block {correlation}, noise variance {noise_variance}. Lines are theory, diamonds its best values;
dots are trained.
"""

WEIGHT, CAPACITY, VALUE = "matched_elbo_by_beta", "matched_elbo_by_size", "objective_by_size"
PAIRS, DATA_DIM = (2, 2, 2), 8  # of panels a and c
TRIPLES, WIDE_DIM, CAPACITIES = (3, 3, 3, 3), 16, (3, 6, 9, 12)  # of panel b
BETAS = (0.3, 100.0)
BOUND = Tolerance(
    1e-6, "first order in the error that a gradient of 1e-9 nats leaves, times the slope of a steep bound"
)
STARTS = 24  # where there are local minima
LARGE = (2000.0, 4000.0)  # betas from which the limit of independent groups is extrapolated
LIMIT = Tolerance(1e-4, "the next order, up to about 100 / beta^2, and what training leaves")
LOSS = Tolerance(1e-9, "second order in the error that a gradient of 1e-9 nats leaves")
LEARNED, CORRELATED, FIXED = "learned decoder", "learned, correlated prior", "fixed decoder"


def data(
    *,
    correlation: float = 0.8,
    noise_variance: float = 0.1,
    beta: float = 10.0,
    capacities: Sequence[int] | None = None,
    quick: bool = False,
    seed: int = 0,
    progress: Progress = ignore,
) -> Table:
    """The ELBO of the true model over beta, capacity and group size, and the least value of the objective, in nats.

    Parameters
    ----------
    correlation : float, from .3 to .85
        of the factors inside a block.
    noise_variance : float, from .02 to .15
        of the data.
    beta : float, from 2 to 50
        weight between groups in (b) and (c).
    capacities : sequence of rising ints, each from 2 to 12, optional
        numbers of latents in (b); 3, 6, 9 and 12 by default, 3 and 6 with `quick`.
    quick : bool
        fewer betas and capacities.
    seed : int
        of the loadings.
    progress : callable, optional
        receives a short status message before each part of the work.
    """
    quick, (first, second) = checked_options(quick, seed, progress, 2)
    correlation = between("correlation", correlation, 0.3, 0.85)
    noise_variance = between("noise_variance", noise_variance, 0.02, 0.15)
    beta = between("beta", beta, 2, 50)
    if capacities is None:
        capacities = CAPACITIES[:2] if quick else CAPACITIES
    capacities = several_counts("capacities", capacities, 2, sum(TRIPLES), rising=True)
    pairs = block_truth(PAIRS, correlation, noise_variance, DATA_DIM, rng=np.random.default_rng(first))
    triples = block_truth(TRIPLES, correlation, noise_variance, WIDE_DIM, rng=np.random.default_rng(second))
    rows, runs, limits = [], [], []
    with threadpool_limits(1, user_api="blas"):
        progress("over the weight")
        rows += _by_weight(pairs, runs, limits, quick)
        progress("over the capacity")
        rows += _by_capacity(triples, runs, capacities, beta)
        progress("the objective")
        rows += _objective(pairs, runs, correlation, beta)
    limit = compare_points(
        "limit of independent groups", "trained", *np.transpose([ends[1:] for ends in limits]), LIMIT
    )
    return Table(
        points=tuple(rows),
        parameters={
            "correlation": correlation,
            "noise_variance": noise_variance,
            "beta_of_b_and_c": beta,
            "capacities": capacities,
            "blocks_of_a_and_c": PAIRS,
            "blocks_of_b": TRIPLES,
            "seed": seed,
        },
        tolerances={(WEIGHT, "trained"): BOUND, (CAPACITY, "trained"): BOUND, (VALUE, "trained"): LOSS},
        checks=(limit, unfinished_runs([run.stopped for run in runs])),
        checked={(WEIGHT, series): limit.quantity for series, _, _ in limits},
    )


def _train(truth: GenerativeModel, **options) -> list[GranularityRun]:
    return granularity_map(truth, gradient_tolerance=1e-9, progress=False, **options)


def _best_of_starts(truth: GenerativeModel, betas: np.ndarray, size: int) -> list[GranularityRun]:
    """The run of the least loss for each beta; below one, which rewards dependence, there are local minima."""
    runs = []
    for beta in betas:
        starts = _train(truth, betas=[beta], sizes=[size], seeds=STARTS if beta < 1 else 1)
        runs.append(min(starts, key=lambda run: run.loss))
    return runs


def _optima(truth: GenerativeModel, capacity: int, noise: float | str, betas, sizes) -> list[list[GroupedOptimum]]:
    """The optima of the first columns of the loading, for each beta one for each size of the groups."""
    weights = [Weights.independence(beta) for beta in betas]
    partitions = [equal_groups(capacity, size) for size in sizes]
    return grouped_optima(truth.loading[:, :capacity], noise, truth.covariance, weights, partitions)


def _bound(truth: GenerativeModel, vae) -> float:
    """The ELBO of a VAE whose prior is the true distribution of the factors that have a latent."""
    prior = truth.factor_covariance[: vae.latent_dim, : vae.latent_dim]
    return -elbo_terms(vae, truth.covariance, prior=prior).loss(1.0)


def _by_weight(
    truth: GenerativeModel, runs: list[GranularityRun], limits: list[tuple[str, float, float]], quick: bool
) -> list[Point]:
    line, step = (np.geomspace(*BETAS, 13), 3) if quick else (np.geomspace(*BETAS, 49), 4)
    tried = line[::step]
    plain = _bound(truth, optimal_encoder(truth.loading, truth.noise_variance, 1.0))
    runs += (trained_plain := _train(truth, betas=[1.0], sizes=[truth.latent_dim]))

    sizes, rows = (1, 2, 3, 4), []
    optima = _optima(truth, truth.latent_dim, truth.noise_variance, line, sizes)
    curves = np.array([[_bound(truth, best.vae) - plain for best in row] for row in optima]).T
    for size, curve in zip(sizes, curves, strict=True):
        series = f"groups of {size}"
        trained = _best_of_starts(truth, tried, size)
        runs += trained
        rows += points(WEIGHT, series, "theory", line, curve)
        found = [run.matched_elbo - trained_plain[0].matched_elbo for run in trained]
        rows += points(WEIGHT, series, "trained", tried, found, expected=curve[::step])
        if size % PAIRS[0] == 0:
            groups = equal_groups(truth.latent_dim, size)
            limit = independent_groups(truth.loading, truth.noise_variance, truth.covariance, groups)
            stated = _bound(truth, limit.vae) - plain
            rows += points(WEIGHT, f"limit of {series}", "theory", BETAS, np.full(2, stated))
            runs += (ends := _train(truth, betas=LARGE, sizes=[size]))
            near, far = (run.matched_elbo - trained_plain[0].matched_elbo for run in ends)
            limits.append((f"limit of {series}", stated, 2 * far - near))  # what is of order 1 / beta cancels
        else:
            rows += points(WEIGHT, series, "minimum", line[np.argmax(curve)], curve.max())
    return rows


def _by_capacity(truth: GenerativeModel, runs: list[GranularityRun], capacities, beta: float) -> list[Point]:
    rows = []
    for capacity in capacities:
        noise = truth.noise_variance if capacity == truth.latent_dim else "learned"
        sizes = range(1, capacity + 1)
        (optima,) = _optima(truth, capacity, noise, [beta], sizes)
        bounds = [_bound(truth, best.vae) for best in optima]
        trained = _train(truth, betas=[beta], sizes=sizes, capacities=[capacity])
        runs += trained
        series, gains = f"{capacity} latents", np.array(bounds) - bounds[-1]
        rows += points(CAPACITY, series, "theory", list(sizes), gains)
        found = [run.matched_elbo - trained[-1].matched_elbo for run in trained]
        rows += points(CAPACITY, series, "trained", list(sizes), found, expected=gains)
        rows += points(CAPACITY, series, "minimum", 1 + np.argmax(gains), gains.max())
    return rows


def _objective(truth: GenerativeModel, runs: list[GranularityRun], correlation: float, beta: float) -> list[Point]:
    sizes, rows = range(1, truth.latent_dim + 1), []
    cut = [_cut_pairs(equal_groups(truth.latent_dim, size)) for size in sizes]
    (optima,) = _optima(truth, truth.latent_dim, truth.noise_variance, [beta], sizes)
    fixed = [best.loss for best in optima]
    exact = {
        FIXED: np.array(fixed) - fixed[-1],
        CORRELATED: np.array(cut) * correlated_prior_shift(correlation, beta),
        LEARNED: np.zeros(len(sizes)),
    }
    options = {
        FIXED: {},
        CORRELATED: {"decoder": "learned", "prior": "matched", "posterior": "full"},
        LEARNED: {"decoder": "learned"},
    }
    for series, expected in exact.items():
        trained = _train(truth, betas=[beta], sizes=sizes, **options[series])
        runs += trained
        found = [run.loss - trained[-1].loss for run in trained]
        rows += points(VALUE, series, "theory", list(sizes), expected)
        rows += points(VALUE, series, "trained", list(sizes), found, expected=expected)
    return rows


def _cut_pairs(groups: list[list[int]]) -> int:
    """How many of the pairs of neighbours that are correlated lie in two groups."""
    firsts = range(0, sum(map(len, groups)), 2)
    return sum(not any({first, first + 1} <= set(group) for group in groups) for first in firsts)


@drawing.styled()
def plot(table: Table, axes):
    """Draw the bound over the weight and over capacity and size, and the objective over size, on three Axes."""
    weight, capacity, value = drawing.panel_axes(axes, 3)
    colours = drawing.ordered_colours([f"groups of {size}" for size in (1, 2, 3, 4)])
    drawing.draw_panel(weight, table, WEIGHT, colours)
    for series in table.series(WEIGHT):
        if series.startswith("limit"):
            drawing.draw_panel(
                weight, table, WEIGHT, {series: colours[series.removeprefix("limit of ")]}, linestyle=":"
            )
    weight.set(xscale="log", xlabel=r"$\beta$", ylabel="gain of the true model's ELBO (nats)")
    drawing.plain_ticks(weight.xaxis, [0.3, 1, 3, 10, 30, 100])
    weight.set_yscale("symlog", linthresh=0.1)
    drawing.series_legend(weight, colours, **drawing.ABOVE, ncols=2)
    drawing.letter(weight, "a", f"true decoder, blocks of {PAIRS[0]}")

    shades = drawing.ordered_colours(table.series(CAPACITY))
    drawing.draw_panel(capacity, table, CAPACITY, shades)
    capacity.set(xlabel="latents in a group", ylabel="gain over one group (nats)")
    capacity.set_yscale("symlog", linthresh=0.1)
    drawing.series_legend(capacity, shades, **drawing.ABOVE, ncols=2)
    drawing.letter(capacity, "b", f"capacity, blocks of {TRIPLES[0]}")

    kinds = {FIXED: drawing.GREY, CORRELATED: "#D55E00", LEARNED: "#0072B2"}
    drawing.draw_panel(value, table, VALUE, kinds)
    value.set(xlabel="latents in a group", ylabel="objective above the plain VAE (nats)")
    drawing.series_legend(value, kinds, **drawing.ABOVE)
    drawing.letter(value, "c", f"least objective, blocks of {PAIRS[0]}")
    for ax in (capacity, value):
        drawing.whole_ticks(ax.xaxis)
    drawing.source_legend(value, ["theory", "trained"], loc="upper right")
    return axes
