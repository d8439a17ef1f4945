"""Figure: the best ELBO over the weight, the number of latents and the size of the groups, and where it is flat.

A penalty beta on total correlation between groups; factors correlated in blocks.

**ELBO of the true model,** with the factors' distribution as the prior, after training with the prior N(0, I):

Against beta, true decoder:

a  If groups cut a block, any beta above 1 loses: the best beta is below 1 (diamonds, the best of the range), where it
   rewards dependence that the prior ignores.
b  If no group cuts a block, the gain rises with beta to the limit of independent groups (dotted).

Against group size:

c  For several capacities, that is numbers of factors that have a latent; the noise is learned. Diamonds: the best size
   of each capacity, a multiple of the block.

**Least value of the objective itself,** above that of the plain VAE:

d  Learned decoder and prior N(0, I): flat. Learned decoder and a prior that is correlated in pairs (full posterior):
   one step for each pair that is cut, a W. Fixed decoder: never below one group.

The results are this project's. The abstracts of Chen, Wang, Zou (2022) and of Chen, Xiang, Wang (2025) both report a
"V"-shaped trajectory of the best ELBO, for non-linear VAEs on images.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
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

LAYOUT = {"shape": (2, 2), "size": (drawing.DOUBLE_COLUMN, 5.4)}

CAPTION = r"""
With a weight above 1 between groups the ELBO of the true model is best at group sizes that cut no block of correlated
factors; with a learned decoder and the prior $N(0, I)$ the least objective is the same for every size.

(a), (b) Gain in the true model's ELBO (with the factors' distribution as prior) over no penalty, in nats, against the
weight $\beta$ between groups; true decoder, factors in blocks of 2. (a) Groups that cut a block. (b) Groups that cut
none; dashed: the limit of independent groups. (c) Gain in the true model's ELBO over one group, against the latents in
a group, for several capacities (numbers of latents, a little apart sideways); blocks of 3, noise learned if factors
lack a latent. (d) Least objective above that of the plain VAE, blocks of 2: fixed decoder; learned with correlated
prior and full posterior; learned with $N(0, I)$. (c), (d) $\beta = {beta_of_b_and_c}$.

Asinh scales are linear near zero, then logarithmic. Correlation inside a block {correlation}, noise variance
{noise_variance}. Lines are theory, diamonds its maximum; dots are trained.
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
        weight between groups in (c) and (d).
    capacities : sequence of ints from 2 to 12, each 3 more than the one before it or further, optional
        numbers of latents in (c); 3, 6, 9 and 12 by default, 3 and 6 with `quick`.
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
    if np.diff(capacities).min(initial=sum(TRIPLES)) < 3:
        raise ValueError(
            f"capacities must be 3 apart or further, got {', '.join(map(str, capacities))}; their lines would be one"
        )
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
    """Draw the bound over the weight, for groups that cut blocks and others, over size, and the objective over size."""
    cutting, whole, capacity, value = drawing.panel_axes(axes, 4)
    colours = drawing.ordered_colours([name for name in table.series(WEIGHT) if not name.startswith("limit")])
    limits = {name: f"limit of {name}" for name in colours if f"limit of {name}" in table.series(WEIGHT)}
    _draw_weight(cutting, table, {name: colours[name] for name in colours if name not in limits}, asinh=True)
    drawing.letter(cutting, "a", r"groups that cut a block: a $\beta$ above 1 loses")
    for name, limit in limits.items():
        drawing.draw_series(whole, table, WEIGHT, limit, "theory", colours[name], linestyle="--")
    _draw_weight(whole, table, {name: colours[name] for name in limits})
    drawing.letter(whole, "b", r"groups that cut none: the larger $\beta$, the better")
    _draw_capacity(capacity, table)
    _draw_value(value, table)
    handles = drawing.source_handles(cutting, ["theory", "trained", "minimum"], {"minimum": "maximum (theory)"})
    limit = Line2D([], [], color=drawing.GREY, linestyle="--", label="limit of independent groups")
    drawing.figure_legend(cutting, [*handles, limit])
    return axes


def _draw_weight(ax: Axes, table: Table, colours: dict[str, tuple], asinh: bool = False) -> None:
    drawing.draw_panel(ax, table, WEIGHT, colours)
    drawing.draw_level(ax, 0.0)
    ax.set(xscale="log", xlabel=r"$\beta$", xlim=(BETAS[0] / 1.2, BETAS[1] * 10))  # space for labels
    drawing.plain_ticks(ax.xaxis, [0.3, 1, 3, 10, 30, 100])
    ax.set_ylabel("gain in ELBO (nats)")
    if asinh:
        heights = table.select(WEIGHT, "theory").y
        ax.set(ylabel="gain in ELBO (nats),\nasinh scale", ylim=(1.4 * heights.min(), 3 * heights.max()))
        drawing.asinh_scale(ax, 0.1)
    drawing.label_ends(ax, table, WEIGHT, colours, {name: name for name in colours})


def _draw_capacity(ax: Axes, table: Table) -> None:
    """Lines of the capacities, a little apart sideways, with their names above their ends."""
    shades = drawing.ordered_colours(table.series(CAPACITY))
    shifts = 0.15 * (np.arange(len(shades)) - (len(shades) - 1) / 2)
    for (name, colour), shift in zip(shades.items(), shifts, strict=True):
        for source in ("theory", "trained", "minimum"):
            drawing.draw_series(ax, table, CAPACITY, name, source, colour, shift)
        last = table.select(CAPACITY, "theory", name).x[-1]
        drawing.label_at(ax, name, (last + shift, 0.0), colour, (0, 24), arrowprops=drawing.LEADER | {"color": colour})
    drawing.draw_level(ax, 0.0)
    ax.set(xlabel="latents in a group", ylabel="gain over one group (nats),\nasinh scale")
    largest = int(table.select(CAPACITY, "theory").x.max())
    ax.set(xlim=(0.3, largest + 1.5), ylim=(1.4 * table.select(CAPACITY, "theory").y.min(), 0.6))
    drawing.asinh_scale(ax, 0.1)
    ax.set_xticks(range(TRIPLES[0], largest + 1, TRIPLES[0]))
    drawing.letter(ax, "c", "at any capacity, multiples of the block are best")


def _draw_value(ax: Axes, table: Table) -> None:
    kinds = {FIXED: drawing.GREY, CORRELATED: "C1", LEARNED: "C0"}
    drawing.draw_panel(ax, table, VALUE, kinds)
    ax.set(xlabel="latents in a group", ylabel="objective above\nthe plain VAE (nats)")
    drawing.whole_ticks(ax.xaxis)
    labels = {name: name for name in kinds} | {LEARNED: "learned, prior $N(0, I)$"}
    drawing.series_legend(ax, kinds, labels, loc="upper right")
    drawing.letter(ax, "d", "learned decoder, $N(0, I)$: any size will do")
