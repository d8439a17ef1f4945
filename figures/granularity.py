"""Figure: how the size of the groups changes the inference, with a penalty on total correlation between them.

Factors with prior N(0, I) in the model but correlated in blocks in truth, random loading, true decoder; errors are in
units of the error without a penalty, which is also that of one group. The results are this project's, in the setting of
Chen, Wang, Zou (2022) and Chen, Xiang, Wang (2025).

a  Along sizes that refine one another the error falls to its least at the true blocks and rises again, as the letter V
   (geometric mean over draws).
b  Along all sizes it has several minima, as a W: sizes that are not a multiple of the block cut some blocks.
c  The share of draws in which the true blocks are better than no penalty: nearly all with strong correlation and little
   noise, hardly any with weak correlation. Groups that cut blocks are worse in all draws (`python -m numerics vertex`
   measures that). Dots and lines are the same 30 draws (8 with `--quick`), so they agree exactly; the bars are the
   95 % intervals of Wilson for the share of all draws.
d  Factors of blocks of 1, 2 and 4 separately: the larger the block, the more groups of one hurt.
"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from threadpoolctl import threadpool_limits

from figures.kit import drawing
from figures.kit.options import Progress, between, checked_options, ignore, start_seeds
from figures.kit.table import Point, Table, points
from figures.kit.training import unfinished_runs
from numerics.comparison import Tolerance
from numerics.data.block_factors import block_truth
from numerics.experiments.best_group_size import SAME, trained_errors, vertex_truths
from numerics.experiments.granularity import granularity_map
from numerics.sampling.estimate import wilson_interval
from theory import GenerativeModel, inference_error, optimal_encoder, validation
from theory.groups import Weights, equal_groups, granularity_errors, grouped_optima

__all__ = ["CAPTION", "LAYOUT", "data", "plot"]

LAYOUT = {"shape": (2, 2), "size": (drawing.DOUBLE_COLUMN, 5.2)}

CAPTION = r"""
A penalty on total correlation between groups of latents hurts inference where groups cut blocks of correlated factors,
and helps at the true blocks if correlation is strong and noise small.

Mean squared error of the inferred factors over the error without penalty, against the number of latents in a group:
(a) {factors} factors in blocks of 2, 3 or 4, along nested sizes; (b) all sizes, for blocks of 3; (d) factors in blocks
of {mixed_blocks}, by size of block. (a), (b), (d) The correlation is {correlation}, the noise variance
{noise_variance}; values are geometric means over {draws} draws.

(c) The share of {draws_of_map} draws helped by the true blocks (of {map[block]}), whose error falls, against the
correlation inside a block, by noise variance $\tau^2$, with the 95 % score interval of Wilson; series a little apart
sideways. Theory and training agree exactly.

Synthetic data; weight between groups {beta}; true decoder, drawn at random; prior $N(0, I)$; diagonal posterior. Lines
join theory; dots are encoders trained for the same draws.
"""

NESTED, ALL, SHARES, COMPLEXITY = "nested_sizes", "all_sizes", "share_helped", "complexity"
FACTORS, DATA_DIM = 12, 16
CHAINS = {2: (1, 2, 4, 12), 3: (1, 3, 6, 12), 4: (1, 2, 4, 12)}  # sizes that refine one another
CUT_BLOCK = 3  # of panel b
MAP = {"block": 2, "count": 3, "data_dim": 8}  # of panel c
NOISES = (0.1, 0.3, 1.0, 3.0)
MIXED, MIXED_SIZES, MIXED_DIM = (4, 2, 1, 1), (1, 2, 4, 8), 10  # of panel d
INTERVAL = {"monte_carlo": "95 % interval (Wilson)"}
ERRORS = Tolerance(1e-6, "first order in the error that a gradient of 1e-8 nats leaves in the encoder")


def data(
    *,
    beta: float = 10.0,
    correlation: float = 0.8,
    noise_variance: float = 0.1,
    draws: int | None = None,
    quick: bool = False,
    seed: int = 0,
    progress: Progress = ignore,
) -> Table:
    """Errors relative to no penalty against group size, and the share of draws in which the true blocks help.

    Parameters
    ----------
    beta : float, from 2 to 50
        weight between groups.
    correlation : float, from .5 to .95
        of the factors inside a block; (c) goes through correlations of its own.
    noise_variance : float, from .02 to .5
        of the data; (c) has noises of its own.
    draws : int, from 1 to 50, optional
        loadings that (a), (b) and (d) are means over; 6 by default, 2 with `quick`.
    quick : bool
        fewer draws, correlations and noises.
    seed : int
        of the loadings.
    progress : callable, optional
        receives a short status message before each part of the work.
    """
    quick, (loading_stream, truth_stream) = checked_options(quick, seed, progress, 2)
    beta = between("beta", beta, 2, 50)
    correlation = between("correlation", correlation, 0.5, 0.95)
    noise_variance = between("noise_variance", noise_variance, 0.02, 0.5)
    default = 2 if quick else 6
    draws = default if draws is None else validation.count("draws", draws, 1, 50)
    setting = {"correlation": correlation, "noise_variance": noise_variance}
    rows, stop_reasons = [], []
    with threadpool_limits(1, user_api="blas"):
        for block, chain in CHAINS.items():
            progress(f"blocks of {block}")
            truths = _truths([block] * (FACTORS // block), DATA_DIM, loading_stream, draws, **setting)
            sizes = list(range(1, FACTORS + 1)) if block == CUT_BLOCK else list(chain)
            ratios = _ratios(truths, sizes, beta, stop_reasons)
            rows += _both(NESTED, f"blocks of {block}", chain, [ratios[sizes.index(size)] for size in chain])
            if block == CUT_BLOCK:
                rows += _both(ALL, f"blocks of {block}", sizes, ratios)
        progress("where the blocks help")
        rows += _shares(beta, quick, truth_stream)
        progress("complex factors")
        rows += _complexity(_truths(MIXED, MIXED_DIM, loading_stream, draws, **setting), beta, stop_reasons)
    return Table(
        points=tuple(rows),
        parameters={
            "beta": beta,
            **setting,
            "factors": FACTORS,
            "data_dim": DATA_DIM,
            "map": MAP | {"beta": beta},
            "mixed_blocks": MIXED,
            "draws": draws,
            "draws_of_map": _map_draws(quick),
            "seed": seed,
        },
        tolerances={(panel, "trained"): ERRORS for panel in (NESTED, ALL, COMPLEXITY)}
        | {(SHARES, "trained"): Tolerance(0.0, "counts of draws in which a difference has one sign")},
        checks=(unfinished_runs(stop_reasons),),
    )


def _truths(
    blocks, data_dim: int, stream: np.random.SeedSequence, draws: int, *, correlation: float, noise_variance: float
) -> list[GenerativeModel]:
    streams = map(np.random.default_rng, stream.spawn(draws))
    return [block_truth(blocks, correlation, noise_variance, data_dim, rng=rng) for rng in streams]


def _ratios(truths, sizes, beta: float, stop_reasons: list[str]) -> np.ndarray:
    """The geometric mean over truths of the error over that of one group, which is the last size, by theory and by
    training, (sizes, 2).
    """
    partitions, trained = [equal_groups(truths[0].latent_dim, size) for size in sizes], []
    exact = [[one.mean_squared_error for one in errors] for errors in granularity_errors(truths, partitions, beta)]
    for truth in truths:
        runs = granularity_map(truth, betas=[beta], sizes=sizes, progress=False)
        trained.append([run.errors.sum() for run in runs])
        stop_reasons += [run.stopped for run in runs]
    return np.transpose([np.exp(np.mean(np.log(_relative(errors)), axis=0)) for errors in (exact, trained)])


def _both(panel: str, series: str, sizes, ratios) -> list[Point]:
    mean, measured = np.transpose(ratios)
    rows = points(panel, series, "theory", list(sizes), mean)
    return rows + points(panel, series, "trained", list(sizes), measured, expected=mean)


def _relative(errors) -> np.ndarray:
    return np.asarray(errors) / np.asarray(errors)[:, -1:]


def _map_draws(quick: bool) -> int:
    return 8 if quick else 30


def _shares(beta: float, quick: bool, stream: np.random.SeedSequence) -> list[Point]:
    """Of the draws, those whose error falls by more than rounding when the true blocks are the groups."""
    correlations = [0.2, 0.5, 0.8] if quick else [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    rows, blocks = [], equal_groups(MAP["block"] * MAP["count"], MAP["block"])
    setting = MAP | {"correlations": correlations, "loadings": ["random"], "draws": _map_draws(quick)}
    noises = NOISES[::2] if quick else NOISES
    for noise, rng in zip(noises, start_seeds(stream, len(noises)), strict=True):
        setting |= {"noise_variances": [noise], "rng": rng}
        truths = [truth for _, cell in vertex_truths(**setting) for truth in cell]
        errors, _ = trained_errors(truths, [blocks, "full"], beta)
        trained = errors[:, 0] < (1 - SAME) * errors[:, 1]
        helps = np.reshape([_helps(truths, blocks, beta), trained], (2, len(correlations), -1))
        shares, found = helps.mean(axis=2)
        series = rf"$\tau^2 = {noise:g}$"
        rows += points(SHARES, series, "theory", correlations, shares)
        rows += points(SHARES, series, "trained", correlations, found, expected=shares)
    return rows


def _helps(truths: list[GenerativeModel], blocks, beta: float) -> np.ndarray:
    """For each truth, whether the error falls by more than rounding when the true blocks are the groups."""
    blocked = np.array([error.mean_squared_error for (error,) in granularity_errors(truths, [blocks], beta)])
    encoders = [optimal_encoder(truth.loading, truth.noise_variance, 1.0) for truth in truths]
    plain = [inference_error(*one).mean_squared_error for one in zip(truths, encoders, strict=True)]
    return blocked < (1 - SAME) * np.array(plain)


def _complexity(truths, beta: float, stop_reasons: list[str]) -> list[Point]:
    """The error of the factors in blocks of each size, in units of that of one group, averaged over truths."""
    parts = {size: np.repeat(MIXED, MIXED) == size for size in sorted(set(MIXED))}
    weights, partitions = [Weights.independence(beta)], [equal_groups(sum(MIXED), size) for size in MIXED_SIZES]
    exact, trained = [], []
    for truth in truths:
        (solved,) = grouped_optima(truth.loading, truth.noise_variance, truth.covariance, weights, partitions)
        runs = granularity_map(truth, betas=[beta], sizes=MIXED_SIZES, progress=False)
        stop_reasons += [run.stopped for run in runs]
        exact.append([_factor_errors(truth, best.vae.encoder) for best in solved])
        trained.append([run.errors for run in runs])
    rows = []
    for size, part in parts.items():
        mean, measured = (
            np.exp(np.mean(np.log(_relative(np.array(errors)[:, :, part].mean(axis=2))), axis=0))
            for errors in (exact, trained)
        )
        series = f"in blocks of {size}"
        rows += points(COMPLEXITY, series, "theory", MIXED_SIZES, mean)
        rows += points(COMPLEXITY, series, "trained", MIXED_SIZES, measured, expected=mean)
    return rows


def _factor_errors(truth: GenerativeModel, encoder: np.ndarray) -> np.ndarray:
    """The expected squared error of each factor, from covariances: C - 2 V Cov(x, s) + V S V^T, its diagonal."""
    cross = encoder @ truth.loading @ truth.factor_covariance
    return np.diagonal(truth.factor_covariance - 2 * cross + encoder @ truth.covariance @ encoder.T)


def _error_ticks(highest: float) -> list[float]:
    """Ticks of an axis of relative errors, three or more, that do not touch."""
    if highest < 1.25:
        return [0.9, 0.95, 1, 1.05, 1.1, 1.15, 1.2]
    if highest < 1.6:
        return [0.8, 0.9, 1, 1.1, 1.2, 1.3, 1.4, 1.5]
    return [1, 1.5, 2, 3, 4, 5] if highest < 6 else [0.2, 0.5, 1, 2, 5, 10, 20, 50, 100]


@drawing.styled()
def plot(table: Table, axes):
    """Draw errors along nested and all sizes, where the blocks help, and factors by complexity on four Axes."""
    nested, every, shares, complexity = drawing.panel_axes(axes, 4)
    colours = drawing.ordered_colours([f"blocks of {block}" for block in CHAINS])
    _draw_errors(nested, table, NESTED, colours, (1, 2, 3, 4, 6, 12))
    drawing.letter(nested, "a", "nested sizes: best at the true block")
    one = f"blocks of {CUT_BLOCK}"
    _draw_errors(every, table, ALL, {one: colours[one]}, range(1, FACTORS + 1))
    drawing.letter(every, "b", "all sizes: good at multiples of the block")
    _draw_shares(shares, table)
    mixed = drawing.ordered_colours(table.series(COMPLEXITY))
    _draw_errors(complexity, table, COMPLEXITY, mixed, MIXED_SIZES)
    drawing.letter(complexity, "d", "groups of one hurt larger blocks more")
    drawing.figure_legend(nested, drawing.source_handles(nested, ["theory", "trained", "monte_carlo"], INTERVAL))
    return axes


def _draw_errors(ax: Axes, table: Table, panel: str, colours: dict[str, tuple], ticks) -> None:
    drawing.draw_panel(ax, table, panel, colours)
    drawing.draw_level(ax, 1.0)
    ax.set(yscale="log", xlabel="latents in a group", ylabel="error / error without penalty")
    if panel == ALL:
        ax.set_xlim(1 - 0.35 * ticks[-1], ticks[-1] + 0.5)  # space for labels to the left of the lines
    else:
        space = 0.48 if panel == NESTED else 0.65  # for labels, on the left
        ax.set(xscale="log", xlim=(ticks[-1] ** -space, 1.1 * ticks[-1]))
    drawing.plain_ticks(ax.xaxis, ticks)
    drawing.plain_ticks(ax.yaxis, _error_ticks(ax.get_ylim()[1]))
    drawing.label_ends(ax, table, panel, colours, {name: name for name in colours}, side="left")


def _draw_shares(ax: Axes, table: Table) -> None:
    """Shares with the intervals of Wilson, a little apart sideways."""
    shades = drawing.ordered_colours(table.series(SHARES))
    shifts = 0.012 * (np.arange(len(shades)) - (len(shades) - 1) / 2)
    for (name, colour), shift in zip(shades.items(), shifts, strict=True):
        for source in ("theory", "trained"):
            drawing.draw_series(ax, table, SHARES, name, source, colour, shift)
        rows = table.select(SHARES, "trained", name)
        low, high = wilson_interval(rows.y, table.parameters["draws_of_map"])
        ax.errorbar(rows.x + shift, rows.y, (rows.y - low, high - rows.y), color=colour, **drawing.MARKS["monte_carlo"])
    ax.set(xlabel="correlation inside a block", ylabel="share of draws helped by true blocks", ylim=(-0.05, 1.05))
    ax.set_xlim(right=1.12)  # space for labels
    drawing.label_ends(ax, table, SHARES, shades, {name: name for name in shades})
    drawing.letter(ax, "c", "true blocks help if correlation is strong")
