"""Figure: the parts of the rate under a penalty on total correlation between groups, and minibatch estimates of them.

Decoder and noise are the true ones, the factors are correlated in pairs and, less, across; the prior is N(0, I). The
groups are the pairs. V is the encoder, Q the posterior covariance, S the covariance of the data; N points are in the
data, M in a minibatch.

a  The parts at the optimum against the weight on the total correlation between groups: it falls to zero, that within
   groups by a third, the others hardly at all. Exact, trained, and estimated from minibatches.
b  Estimates between groups against the size of the minibatch, at weight 1. The bias falls as 1/M, but only beyond
   exp(tr Q^-1 V S V^T + I), the "scale"; at smaller sizes the formula is far too large.
c  The posterior covariance scaled down: the exact value between groups stays near .2 nats, the estimates rise to
   their bounds, where no two points of a minibatch overlap.

The offset of the weighted estimates, a multiple of log N, is subtracted. Panel a draws I(x; z) ten times smaller, to
share an axis; "single" is the dimension-wise KL.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from matplotlib.lines import Line2D

from figures.kit import drawing
from figures.kit.options import Progress, between, checked_options, ignore
from figures.kit.table import Point, Table, points
from figures.kit.training import unfinished_runs
from numerics.comparison import Comparison, Tolerance, compare_points, largest_of
from numerics.sampling.cubature import grouped_parts_by_cubature
from numerics.sampling.minibatch_total_correlation import (
    MinibatchEstimates,
    sample_minibatch_bias,
    sample_minibatch_terms,
)
from numerics.training.train import train
from theory import GenerativeModel, LinearVAE
from theory.groups import (
    GroupedOptimum,
    GroupedTerms,
    Weights,
    grouped_optimum,
    grouped_terms,
    minibatch_bias,
    minibatch_bounds,
    minibatch_offset,
    minibatch_scale,
)

__all__ = ["CAPTION", "LAYOUT", "data", "plot"]

LAYOUT = {"shape": (1, 3), "size": (drawing.DOUBLE_COLUMN, 3.1)}

CAPTION = r"""
A penalty on the total correlation between groups of latents removes it; minibatch estimates of it are biased, most of
all for precise codes.

(a) Parts of the rate (nats) against the weight $\beta$ between groups: mutual information $I(x; z)$ (drawn ten times
smaller), total correlation between and within groups, and single, the KL of single latents from the prior; along the
axis that within groups changes by {change_within:+.0%}. (b) Total correlation between groups at $\beta = 1$ against
the minibatch size $M$, exact and estimated; the thin vertical line is the scale beyond which the leading order of the
bias (dashed) holds. (c) Total correlation between groups, exact and estimated, against $I(x; z)$ as the posterior
covariance shrinks; dashed, the bound of each estimate, with $N = {dataset_size}$ data points.

Four factors, correlated in two pairs, which are the groups; noise variance {data_noise}; the true decoder is fixed.
Lines are theory; dots are trained; rings are averaged log densities. Squares and triangles are weighted and stratified
estimates from drawn minibatches (about {codes:,} codes or half as many), less their constant offset.
"""

RATE, SIZE, INFORMATION = "parts of the rate", "minibatch size", "information"
GROUPS = [[0, 1], [2, 3]]
PARTS = {
    "mutual_information": "$I(x; z)$",
    "between": "between",
    "within": "within",
    "dimension_wise_kl": "single",
}
COLOURS = {"mutual_information": "C0", "between": "C1", "within": "C2", "dimension_wise_kl": "C3"}
REDUCED, REDUCTION = "mutual_information", 10.0  # the part drawn smaller, and how many times
BOUNDS = {
    "weighted": "$\\log M$",
    "stratified": "$\\log N$",
}  # for two groups; of "weighted" after its offset is subtracted
ESTIMATORS = {"weighted": "C4", "stratified": "C5"}
MARKS = {
    "weighted": {"marker": "s", "markersize": 4.5, "fillstyle": "none"},
    "stratified": {"marker": "^", "markersize": 4.5, "fillstyle": "none"},
}
EXACT = "exact"
DATASET = 10_000
LOADING = np.array(
    [
        [0.9, 0.2, -0.1, 0.1],
        [0.1, 0.9, 0.2, -0.2],
        [-0.2, 0.1, 0.9, 0.2],
        [0.2, -0.1, 0.1, 0.9],
        [0.4, 0.3, -0.2, 0.3],
        [-0.1, 0.3, 0.4, -0.2],
    ]
)
WEIGHTS = (0.3, 30.0)
SHRINKS = (1e-8, 4.0)  # factors of the posterior covariance
RATE_SIZE, SHRINKING_SIZE = 256, 64  # of the minibatches of the first and the last panel
ROUNDED = Tolerance(1e-8, "nothing but rounding, of the smallest posterior too", relative=True)
TRAINED = Tolerance(1e-6, "first order in the error that a gradient of 1e-8 nats leaves")


def data(
    *,
    correlation_within: float = 0.8,
    correlation_between: float = 0.8,
    noise_variance: float = 1.0,
    quick: bool = False,
    seed: int = 0,
    progress: Progress = ignore,
) -> Table:
    """Parts of the rate (nats) against the weight, and estimates between groups against minibatch size and I(x; z).

    Parameters
    ----------
    correlation_within, correlation_between : floats, from .2 to .95
        of the two factors of a pair, and of the first factors, and the second factors, of the two pairs; a first and a
        second factor of different pairs are correlated by the product.
    noise_variance : float, from .5 to 3
        of the data and of the decoder.
    quick : bool
        fewer weights, minibatches and sizes.
    seed : int
        of the draws and random starts.
    progress : callable, optional
        receives a short status message before each part of the work.
    """
    quick, (drawn, start) = checked_options(quick, seed, progress, 2)
    pair, pairs = (
        np.array([[1.0, value], [value, 1.0]])
        for value in (
            between("correlation_within", correlation_within, 0.2, 0.95),
            between("correlation_between", correlation_between, 0.2, 0.95),
        )
    )
    noise = between("noise_variance", noise_variance, 0.5, 3)
    truth, rng = GenerativeModel(LOADING, noise, np.kron(pairs, pair)), np.random.default_rng(drawn)
    code_count = 4_000 if quick else 16_000
    vae = _optimum(truth, Weights()).vae
    progress("the parts of the rate")
    stop_reasons = []
    rows = _parts_of_the_rate(truth, code_count // 2, quick, rng, start, stop_reasons)
    progress("minibatches of many sizes")
    rows += _sizes(truth, vae, [8, 32, 128, 512] if quick else [4, 8, 16, 32, 64, 128, 256, 512, 1024], code_count, rng)
    progress("posteriors that shrink")
    rows += _shrinking(truth, vae, 9 if quick else 15, code_count // 2, rng)
    bias, scale = _wide_posterior(truth, vae, rng), _scale(truth, vae)
    reached, never_above = _against_the_bounds(rows)
    return Table(
        points=tuple(rows),
        parameters={
            "loading": LOADING,
            "data_noise": noise,
            "factor_covariance": truth.factor_covariance,
            "groups": GROUPS,
            "change_within": _change_within(rows),
            "dataset_size": DATASET,
            "codes": code_count,
            "seed": seed,
        },
        tolerances={(RATE, "trained"): TRAINED} | {(panel, "reference"): ROUNDED for panel in (SIZE, INFORMATION)},
        checks=(bias, scale, reached, never_above, unfinished_runs(stop_reasons)),
        checked={(SIZE, "scale"): scale.quantity}
        | {(SIZE, name): bias.quantity for name in ESTIMATORS}
        | {(INFORMATION, name): reached.quantity for name in ESTIMATORS},
    )


def _optimum(truth: GenerativeModel, weights: Weights) -> GroupedOptimum:
    """The best encoder of the true decoder."""
    return grouped_optimum(truth.loading, truth.noise_variance, truth.covariance, weights, GROUPS)


def _parts_of_the_rate(
    truth: GenerativeModel, codes: int, quick: bool, rng, start, stop_reasons: list[str]
) -> list[Point]:
    """Exact parts along the weights, those of trained models, and estimates from minibatches for these."""
    rows = []
    for weight in np.geomspace(*WEIGHTS, 15 if quick else 40):
        best = _optimum(truth, Weights.independence(weight))
        for part, value in _exact_parts(best.terms).items():
            rows += points(RATE, part, "theory", weight, value)
    for weight in np.geomspace(*WEIGHTS, 4 if quick else 7):
        weights = Weights.independence(weight)
        run = train(
            truth.covariance,
            4,
            beta=weights,
            groups=GROUPS,
            noise_variance=truth.noise_variance,
            decoder=truth.loading,
            rng=np.random.default_rng(start),
        )
        stop_reasons.append(run.stopped)
        trained = run.vae
        expected = _exact_parts(_optimum(truth, weights).terms)
        measured = _averaged(trained, truth)
        for part, value in expected.items():
            rows += points(RATE, part, "trained", weight, np.sum(measured[part]), expected=value)
        estimates = _estimates(trained, truth, RATE_SIZE, codes, rng)
        for name, estimate in estimates.items():
            for part, value in _estimated_parts(estimate, name).items():
                rows += points(RATE, f"{part} {name}", "measured", weight, value)
    return rows


def _change_within(rows: list[Point]) -> float:
    """By how much the total correlation within groups changes from the smallest weight to the largest, relatively."""
    within = [row.y for row in rows if (row.panel, row.series, row.source) == (RATE, "within", "theory")]
    return within[-1] / within[0] - 1


def _sizes(truth: GenerativeModel, vae: LinearVAE, sizes: list[int], codes: int, rng) -> list[Point]:
    """Estimates between groups, and the exact value with and without the bias, against the size of the minibatch."""
    exact = grouped_terms(vae, truth.covariance, GROUPS).between
    rows = points(SIZE, EXACT, "theory", [sizes[0], sizes[-1]], exact)
    rows += points(SIZE, EXACT, "reference", sizes[-1], _averaged(vae, truth)["between"], expected=exact)
    rows += points(SIZE, "scale", "critical", minibatch_scale(vae, truth.covariance), np.nan)
    line = np.unique(np.geomspace(sizes[0], sizes[-1], 60).round().astype(int))
    for name in ESTIMATORS:
        predicted = np.array([_bias_between(truth, vae, int(size), name) for size in line])
        rows += points(SIZE, name, "theory", line, exact + predicted)
    for size in sizes:
        estimates = sample_minibatch_bias(
            vae, truth.covariance, GROUPS, dataset_size=DATASET, batch_size=size, batches=max(8, codes // size), rng=rng
        )
        for name, estimate in estimates.items():
            rows += points(SIZE, name, "measured", size, exact + estimate.between.value - _offset(name).between)
    return rows


def _shrinking(truth: GenerativeModel, vae: LinearVAE, count: int, codes: int, rng) -> list[Point]:
    """Estimates between groups, exact values and bounds against the information of the code."""
    rows, information = [], []
    for factor in np.geomspace(*SHRINKS, count)[::-1]:
        scaled = dataclasses.replace(vae, posterior_covariance=factor * vae.posterior_covariance)
        exact = grouped_terms(scaled, truth.covariance, GROUPS)
        information.append(exact.mutual_information)
        rows += points(INFORMATION, EXACT, "theory", information[-1], exact.between)
        averaged = _averaged(scaled, truth)["between"]
        rows += points(INFORMATION, EXACT, "reference", information[-1], averaged, expected=exact.between)
        estimates = _estimates(scaled, truth, SHRINKING_SIZE, codes, rng)
        for name, estimate in estimates.items():
            rows += points(
                INFORMATION, name, "measured", information[-1], estimate.between.value - _offset(name).between
            )
    for name in ESTIMATORS:
        bound = minibatch_bounds(vae, GROUPS, dataset_size=DATASET, batch_size=SHRINKING_SIZE, estimator=name).between
        information_range = [information[0], information[-1]]
        rows += points(INFORMATION, name, "theory", information_range, bound - _offset(name).between)
    return rows


def _averaged(vae: LinearVAE, truth: GenerativeModel) -> dict:
    """The parts as averages of log densities, without their closed form."""
    return grouped_parts_by_cubature(vae, truth.covariance, GROUPS)


def _estimates(vae: LinearVAE, truth: GenerativeModel, size: int, codes: int, rng) -> dict[str, MinibatchEstimates]:
    """Estimates of the parts of the rate from minibatches of a size, `codes` codes in total."""
    sizes = {"dataset_size": DATASET, "batch_size": size, "batches": codes // size}
    return sample_minibatch_terms(vae, truth.covariance, GROUPS, **sizes, rng=rng)


def _bias_between(truth: GenerativeModel, vae: LinearVAE, size: int, name: str) -> float:
    """The bias between groups without the offset."""
    bias = minibatch_bias(vae, truth.covariance, GROUPS, dataset_size=DATASET, batch_size=size, estimator=name)
    return bias.between - _offset(name).between


def _offset(name: str):
    return minibatch_offset(GROUPS, 4, DATASET if name == "weighted" else 1)


def _exact_parts(terms: GroupedTerms) -> dict[str, float]:
    return {part: float(np.sum(getattr(terms, part))) for part in PARTS}


def _estimated_parts(estimates: MinibatchEstimates, name: str) -> dict[str, float]:
    """The estimates less their offset, those within groups summed."""
    offset = _offset(name)
    values = {part: getattr(estimates, part).value for part in PARTS if part != "within"}
    values["within"] = sum(estimate.value for estimate in estimates.within)
    return {part: values[part] - float(np.sum(getattr(offset, part))) for part in PARTS}


def _wide_posterior(truth: GenerativeModel, vae: LinearVAE, rng) -> Comparison:
    """The bias of all estimates between groups and of I(x; z), for a posterior so wide that the formula holds."""
    wide = dataclasses.replace(vae, posterior_covariance=16 * vae.posterior_covariance)
    sizes = {"dataset_size": DATASET, "batch_size": 20}
    estimates = sample_minibatch_bias(wide, truth.covariance, GROUPS, batches=2000, rng=rng, **sizes)
    stated, found, errors = [], [], []
    for name, estimate in estimates.items():
        predicted, offset = minibatch_bias(wide, truth.covariance, GROUPS, estimator=name, **sizes), _offset(name)
        for part in ("mutual_information", "between", "dimension_wise_kl"):
            value = getattr(estimate, part)
            stated.append(getattr(predicted, part) - getattr(offset, part))
            found.append(value.value - getattr(offset, part))
            errors.append(value.standard_error)
    return compare_points(
        "bias of a code of little information",
        "monte_carlo",
        stated,
        found,
        np.array(errors),
        reason="leading order in 1/M, without the offset; the next order is below one standard error of these draws",
    )


def _scale(truth: GenerativeModel, vae: LinearVAE) -> Comparison:
    """exp(tr Q^-1 V S V^T + I), I by averages."""
    signal = vae.encoder @ truth.covariance @ vae.encoder.T
    exponent = np.linalg.solve(vae.posterior_covariance, signal).trace() + _averaged(vae, truth)["mutual_information"]
    stated = [minibatch_scale(vae, truth.covariance)]
    return compare_points("scale", "reference", stated, [np.exp(exponent)], ROUNDED)


def _against_the_bounds(rows: list[Point]) -> list[Comparison]:
    """Estimates are never above their bounds, and reach them where the posterior is smallest."""
    bounds = {row.series: row.y for row in rows if row.panel == INFORMATION and row.source == "theory"}
    estimates = [row for row in rows if row.panel == INFORMATION and row.source == "measured"]
    above = [row.y - bounds[row.series] for row in estimates]
    most = max(row.x for row in estimates)
    ends = [row for row in estimates if row.x == most]
    reached = compare_points(
        "bounds of a precise code",
        "monte_carlo",
        [bounds[row.series] for row in ends],
        [row.y for row in ends],
        ROUNDED,
    )
    never = largest_of(
        "estimates between groups above their bound",
        np.maximum(0.0, above),
        1e-9,
        "exact for every minibatch, but for rounding",
        source="monte_carlo",
    )
    return [reached, never]


@drawing.styled()
def plot(table: Table, axes):
    """Draw the parts of the rate, estimates against minibatch size and against information, on three Axes."""
    rate, size, information = drawing.panel_axes(axes, 3)
    for part, colour in COLOURS.items():
        shown = (
            dataclasses.replace(table, points=tuple(_scaled(row) for row in table.points)) if part == REDUCED else table
        )
        drawing.draw_panel(rate, shown, RATE, {part: colour})
        for name, mark in MARKS.items():
            rows = shown.select(RATE, "measured", f"{part} {name}")
            rate.plot(rows.x, rows.y, color=colour, linestyle="", **mark)
    drawing.letter(rate, "a", f"parts of the rate, $M = {RATE_SIZE}$")
    rate.set(xlabel=r"$\beta$, weight between groups", ylabel="nats", xscale="log")
    drawing.plain_ticks(rate.xaxis, [0.3, 1, 3, 10, 30])
    drawing.series_legend(
        rate, COLOURS, PARTS | {REDUCED: f"{PARTS[REDUCED]} / {REDUCTION:g}"}, ncols=2, **drawing.ABOVE
    )

    for ax, panel in ((size, SIZE), (information, INFORMATION)):
        drawing.draw_critical(ax, table, panel)
        drawing.draw_panel(ax, table, panel, {EXACT: "black"})
        for name, colour in ESTIMATORS.items():
            theory, measured = table.select(panel, "theory", name), table.select(panel, "measured", name)
            ax.plot(theory.x, theory.y, color=colour, linestyle="--")
            ax.plot(measured.x, measured.y, color=colour, linestyle=":", linewidth=0.8, **MARKS[name])
        ax.set_ylabel("between groups (nats)")
    exact, scale = table.select(SIZE, "theory", EXACT).y[0], table.select(SIZE, "critical").x[0]
    drawing.letter(size, "b", r"against minibatch size, $\beta = 1$")
    size.set(xlabel="$M$", xscale="log", ylim=(round(exact - 0.2, 2), round(exact + 0.2, 2)))
    size.annotate(
        "scale",
        (scale, exact - 0.19),
        (-2, 0),
        textcoords="offset points",
        ha="right",
        color=drawing.text_colour(drawing.CRITICAL["color"]),
        fontsize=drawing.LABEL_SIZE,
    )
    drawing.plain_ticks(size.xaxis, [4, 16, 64, 256, 1024])
    drawing.state_limits(size)

    drawing.letter(information, "c", f"precise codes, $M = {SHRINKING_SIZE}$")
    information.set(xlabel="$I(x; z)$ (nats)")
    for ax, dashed in ((size, "leading order"), (information, "bound")):
        handles = [Line2D([], [], color=c, linestyle=":", label=name, **MARKS[name]) for name, c in ESTIMATORS.items()]
        handles += _lines(("black", "-", EXACT), (drawing.GREY, "--", dashed))
        drawing.add_legend(ax, handles, ncols=2, **drawing.ABOVE)
    handles = drawing.source_handles(rate, ["theory", "trained", "reference"], {"reference": "averaged"})
    handles += [
        Line2D([], [], color=drawing.GREY, linestyle="", label=f"{name} estimate", **MARKS[name]) for name in ESTIMATORS
    ]
    drawing.figure_legend(rate, handles)
    for name, text in BOUNDS.items():
        bound = table.select(INFORMATION, "theory", name)
        information.annotate(text, (bound.x[0], bound.y[0]), (0, 3), textcoords="offset points", fontsize=7)
    return axes


def _lines(*looks: tuple[str, str, str]) -> list[Line2D]:
    """Legend handles of lines: colour, style, label."""
    return [Line2D([], [], color=colour, linestyle=style, label=label) for colour, style, label in looks]


def _scaled(row: Point) -> Point:
    """A row with its value drawn smaller."""
    return dataclasses.replace(row, y=row.y / REDUCTION)
