"""Figure: latents become the axes of the data only with a diagonal posterior, and only where the variances differ.

Points of a rectangle of a given axis ratio, rotated into space; two latents; distance to orthogonality of the decoder.

a  Trained to the end on 50,000 points: zero with a diagonal posterior, the chance level (16 sqrt2 / pi)(1 - cos(pi/8))
   of a rotation drawn at random with a full posterior and for an autoencoder. Even at ratio 1 the diagonal posterior
   finds axes, those by which the sample differs from its population.
b  The distances of single starts are those of an angle even over (-45, 45) degrees: (8/pi) arcsin(d / (2 sqrt2)).
c  During training. With a diagonal posterior, the closer the variances, the more steps it takes; a full posterior and
   an autoencoder (at ratio 2) stay at chance.
d  The mean distances that Rolinek et al. (2019) report, beside those measured here. Two of the six are reproduced: .00
   of the diagonal posterior at ratio 2, at the end, and .01 at ratio 1.5 after about 300 steps. The .20 at ratio 1.2 is
   near what these steps give, .16 (.15 to .18 in four samples of 400 starts each), and passed between 200 and 250.
   Three are not reproduced: .49 at ratio 1 (.37 to .47 after 300 steps, over ten samples), and .34 and .33 of the full
   posterior and the autoencoder, which are at chance, .548, at every step. The json file of the figure lists each with
   the distance measured here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from figures.kit import drawing
from figures.kit.options import Progress, checked_options, ignore, several_numbers, start_seeds
from figures.kit.table import Point, Table, points
from numerics.comparison import FALSE_ALARM, Tolerance
from numerics.data.rectangle import uniform_square
from numerics.experiments.orthogonality import MODELS, distances, distances_while_training
from numerics.experiments.published_distances import PUBLISHED, PUBLISHED_SERIES
from numerics.sampling.estimate import Estimate
from theory import Moments, validation
from theory.axes.orthogonality import orthogonality_chance_level, orthogonality_distribution

__all__ = ["CAPTION", "LAYOUT", "data", "plot"]

LAYOUT = {"shape": (2, 2), "size": (drawing.DOUBLE_COLUMN, 5.4)}

CAPTION = r"""
Latents become the axes of the data only with a diagonal posterior, and the later in training the closer the variances
along the axes; otherwise their angle is left to chance.

Data: {points:,} points, uniform in a rectangle with a given ratio of axes; two latents, with a diagonal or a full
posterior, or an autoencoder. Distance zero to orthogonality: latents are principal axes.

(a) Mean distance after training; at ratio 1 the axes are those of the sample. (b) Share of the {starts} starts at each
ratio with at most this distance (40 dots shown); 95 % of samples lie in the band (Dvoretzky, Kiefer, Wolfowitz). (c)
Mean distance against gradient steps: diagonal by ratio, the other two at the largest. (d) Crosses: published by
Rolinek et al. 2019 (second-hand); squares: measured here, the steps chosen to match. Reproduced: within 3 standard
errors (s.e.) and rounding.

Solid lines are theory: zero, or an angle drawn by chance. Dots are trained to the end. Monte Carlo and measured means:
over {starts} and {starts_on_the_way} starts; bars, other bands: ± 2 s.e.
"""

DISTANCE, DISTRIBUTION, TRAINING = "distance", "distribution", "distance_while_training"
CLOSEST = 1.2  # ratio above 1 at which the longest training shown has rotated the latents to the axes
PUBLISHED_RATIO = 2.0  # of the distances at the end
LARGEST = 2 * np.sqrt(2) * np.sin(np.pi / 8)  # at 45 degrees
MATCHING = 300  # steps after which published distances are reproduced, or nearly
ROUNDED = 0.005  # published distances have two decimals
GRADIENT = 1e-10  # nats, where training ends
END = "end"
COLOURS = {"diagonal": "C0", "full": "C1", "autoencoder": "C2"}
NAMES = {"diagonal": "diagonal posterior", "full": "full posterior", "autoencoder": "autoencoder"}
SHOWN = 40  # dots of each series in panel b


def data(
    *,
    axis_ratios: Sequence[float] = (1.0, 1.2, 1.5, 2.0),
    count: int = 50_000,
    starts: int | None = None,
    quick: bool = False,
    seed: int = 0,
    progress: Progress = ignore,
) -> Table:
    """Distance to orthogonality against the axis ratio, over starts, and against the number of training steps.

    Parameters
    ----------
    axis_ratios : sequence of 2 to 8 rising floats
        of the rectangle: the first from 1 to 3, the others from 1.2 to 3, one of them 1, 1.2, 1.5 or 2, at which
        distances are published.
    count : int, from 1000 to a million
        points in the rectangle.
    starts : int, from 20 to 2000, optional
        random starts for each model and ratio; 200 by default; 50, and 20 on the way, with `quick`.
    quick : bool
        fewer starts and steps.
    seed : int
        of the points and the random starts.
    progress : callable, optional
        receives a short status message before each part of the work.
    """
    quick, (drawn, begin) = checked_options(quick, seed, progress, 2)
    ratios = _checked_ratios(axis_ratios)
    count = validation.count("count", count, 1_000, 1_000_000)
    if starts is None:
        starts, training_starts = (50, 20) if quick else (200, 200)
    else:
        starts = training_starts = validation.count("starts", starts, 20, 2000)
    steps = [10, 30, 100, 300, 1000, 3000] if quick else [10, 20, 50, 100, 200, 300, 500, 1000, 2000, 5000, 10_000]
    chance = orthogonality_chance_level(2).mean
    apart = [ratio for ratio in ratios if ratio > 1]
    rows = points(DISTANCE, "diagonal", "theory", [apart[0], apart[-1]], 0.0)
    rows += [row for name in MODELS[1:] for row in points(DISTANCE, name, "theory", [ratios[0], ratios[-1]], chance)]
    rows += points(TRAINING, END, "theory", [steps[0], steps[-1]], 0.0)
    distances_at_end, comparison, gaps = {name: [] for name in MODELS}, [], []
    for ratio, stream in zip(ratios, drawn.spawn(len(ratios)), strict=True):
        progress(f"training at ratio {ratio:g}")
        moments = Moments.of(uniform_square(count, ratio, np.random.default_rng(stream)))
        larger, smaller = np.linalg.eigvalsh(moments.covariance)[:0:-1]
        gaps.append(larger / smaller - 1)
        at_end = distances(moments, seeds=start_seeds(begin, starts), gradient_tolerance=GRADIENT)
        for name, values in at_end.items():
            distances_at_end[name].append(values)
        seeds = start_seeds(begin, training_starts)
        in_training = distances_while_training(moments, steps, seeds=seeds)
        rows += _course(f"{ratio:g}", steps, in_training)
        if ratio in PUBLISHED_SERIES:
            rows += points(TRAINING, f"{ratio:g}", "published", MATCHING, PUBLISHED_SERIES[ratio])
            matching = in_training[steps.index(MATCHING)]
            comparison.append(_compared("diagonal", ratio, PUBLISHED_SERIES[ratio], matching, f"{MATCHING} steps"))
        if ratio > 1:
            rows += points(TRAINING, f"{ratio:g}", "trained", steps[-1], in_training[-1].mean(), expected=0.0)
        if ratio == ratios[-1]:
            for name in MODELS[1:]:
                values = distances_while_training(moments, steps, seeds=seeds, model=name)
                rows += _course(name, steps, values)
    for name in MODELS:
        rows += _means(name, ratios, np.array(distances_at_end[name]), chance)
        if PUBLISHED_RATIO in ratios:
            at_ratio = distances_at_end[name][ratios.index(PUBLISHED_RATIO)]
            comparison.append(_compared(name, PUBLISHED_RATIO, PUBLISHED[name], at_ratio, "the end"))
            rows += points(DISTANCE, name, "published", PUBLISHED_RATIO, PUBLISHED[name])
    line = np.linspace(0, LARGEST, 61)
    for name in MODELS[1:]:
        rows += points(DISTRIBUTION, name, "theory", line, orthogonality_distribution(line))
        values = np.sort(np.ravel(distances_at_end[name]))
        below = (np.arange(len(values)) + 0.5) / len(values)
        rows += points(DISTRIBUTION, name, "trained", values, below, expected=orthogonality_distribution(values))
    pooled = starts * len(ratios)
    return Table(
        points=tuple(rows),
        parameters={
            "axis_ratios": ratios,
            "points": count,
            "starts": starts,
            "steps": steps,
            "seed": seed,
            "starts_on_the_way": training_starts,
            "published": comparison,
        },
        tolerances={
            (DISTANCE, "trained"): Tolerance(
                3 * GRADIENT * (1 + min(gaps)) / min(gaps) ** 2,
                f"3 (1 + gap) / gap^2 times the largest gradient, {GRADIENT:g}; the variances of the sample at ratio "
                f"{ratios[0]:g} differ by a gap of {min(gaps):.2g}",
            ),
            (DISTRIBUTION, "trained"): Tolerance(
                _massart_bound(pooled, FALSE_ALARM),
                f"exceeded by chance for at most 1 of {1 / FALSE_ALARM:.0f} sets of this many starts (Massart)",
            ),
            (TRAINING, "trained"): Tolerance(1e-4, "at ratio 1.2 the last steps still rotate the latents a little"),
        },
        draws={DISTANCE: starts},
        checked={(TRAINING, END): TRAINING},
    )


def _compared(model: str, ratio: float, published: float, values: np.ndarray, after: str) -> dict[str, object]:
    """A published distance and the one measured; reproduced if within three standard errors and rounding."""
    found = Estimate.of(values)
    return {
        "model": model,
        "axis_ratio": ratio,
        "published": published,
        "after": after,
        "found": found.value,
        "standard_error": found.standard_error,
        "comes_out": abs(found.value - published) <= 3 * found.standard_error + ROUNDED,
    }


def _checked_ratios(axis_ratios: Sequence[float]) -> tuple[float, ...]:
    ratios = several_numbers("axis_ratios", axis_ratios, 1, 3, least=2, rising=True)
    if ratios[1] < CLOSEST or 1 < ratios[0] < CLOSEST:
        raise ValueError(
            f"axis_ratios must be 1 or at least {CLOSEST}, got {', '.join(f'{r:g}' for r in ratios)}; "
            "at a ratio in between training has not come to its end within the steps shown"
        )
    if not {*PUBLISHED_SERIES, PUBLISHED_RATIO} & {*ratios}:
        raise ValueError(
            f"axis_ratios must hold 1, 1.2, 1.5 or 2, at which distances are published, got "
            f"{', '.join(f'{r:g}' for r in ratios)}; add one"
        )
    return ratios


def _massart_bound(draws: int, false_alarm: float) -> float:
    """Exceeded with at most this probability by the largest distance of an empirical distribution function from the
    true one, sqrt(log(2 / false_alarm) / (2 draws)) (Dvoretzky, Kiefer, Wolfowitz 1956, with Massart's constant).
    """
    return float(np.sqrt(np.log(2 / false_alarm) / (2 * draws)))


def _course(series: str, steps: list[int], values: np.ndarray) -> list[Point]:
    """Means over starts during training; rows of `values` are steps."""
    found = Estimate.of(values, axis=1)
    return points(TRAINING, series, "measured", steps, found.value, standard_error=found.standard_error)


def _means(name: str, ratios: Sequence[float], values: np.ndarray, chance: float) -> list[Point]:
    """Means over starts, by ratio; rows of `values` are ratios."""
    found = Estimate.of(values, axis=1)
    if name == "diagonal":
        return points(DISTANCE, name, "trained", ratios, found.value, expected=0.0)
    error = found.standard_error
    return points(DISTANCE, name, "monte_carlo", ratios, found.value, standard_error=error, expected=chance)


@drawing.styled()
def plot(table: Table, axes):
    """Draw the distance at the end, its distribution, its course in training and what was published on four Axes."""
    end, spread, course, published = drawing.panel_axes(axes, 4)
    _draw_end(end, table)
    _draw_distribution(spread, table)
    _draw_course(course, table)
    _draw_published(published, table)
    sources = ["theory", "trained", "monte_carlo", "measured", *(["published"] if published.lines else [])]
    handles = drawing.source_handles(end, sources, {"measured": "measured mean"})
    drawing.figure_legend(end, [*handles, drawing.band_handle("± 2 s.e.; share of starts: 95 %")])
    return axes


def _draw_end(ax: Axes, table: Table) -> None:
    ratios = table.select(DISTANCE, "trained").x
    drawing.draw_series(ax, table, DISTANCE, "full", "theory", drawing.GREY)  # the line of the autoencoder too
    drawing.draw_series(ax, table, DISTANCE, "diagonal", "theory", COLOURS["diagonal"])
    drawing.draw_series(ax, table, DISTANCE, "diagonal", "trained", COLOURS["diagonal"])
    for name, shift in (("full", -0.012), ("autoencoder", 0.012)):
        drawing.draw_series(ax, table, DISTANCE, name, "monte_carlo", COLOURS[name], shift)
    ax.set(xlabel="ratio of the axes", ylabel="mean distance to orthogonality", ylim=(-0.06, 1.0), xticks=ratios)
    middle, level = (ratios[0] + ratios[-1]) / 2, table.select(DISTANCE, "theory", "full").y[0]
    drawing.label_at(ax, NAMES["full"], (middle, level), COLOURS["full"], (-4, 24), ha="right")
    drawing.label_at(ax, NAMES["autoencoder"], (middle, level), COLOURS["autoencoder"], (4, 24), ha="left")
    drawing.label_at(ax, "an angle drawn by chance", (middle, level), drawing.GREY, (0, -28))
    drawing.label_at(ax, NAMES["diagonal"], (middle, 0.0), COLOURS["diagonal"])
    drawing.letter(ax, "a", "only a diagonal posterior finds the axes")


def _draw_distribution(ax: Axes, table: Table) -> None:
    line = table.select(DISTRIBUTION, "theory", "full")
    starts = len(table.select(DISTRIBUTION, "trained", "full").x)
    half = _massart_bound(starts, 0.05)
    drawing.draw_band(ax, line.x, np.maximum(line.y - half, 0), np.minimum(line.y + half, 1), drawing.GREY)
    drawing.draw_series(ax, table, DISTRIBUTION, "full", "theory", drawing.GREY)  # the line of the autoencoder too
    shown = np.linspace(0, starts - 1, SHOWN).round().astype(int)
    for name in MODELS[1:]:
        rows = table.select(DISTRIBUTION, "trained", name)
        ax.plot(rows.x[shown], rows.y[shown], color=COLOURS[name], **drawing.MARKS["trained"])
    ax.set(xlabel="distance to orthogonality", ylabel="share of starts with at most this", ylim=(-0.02, 1.02))
    drawing.label_at(ax, NAMES["full"], (LARGEST, 0.22), COLOURS["full"], ha="right")
    drawing.label_at(ax, NAMES["autoencoder"], (LARGEST, 0.12), COLOURS["autoencoder"], ha="right")
    drawing.label_at(ax, "an angle drawn by chance", (LARGEST, 0.02), drawing.GREY, ha="right")
    drawing.letter(ax, "b", "otherwise the angle is left to chance")


def _draw_course(ax: Axes, table: Table) -> None:
    diagonal = [name for name in table.series(TRAINING, "measured") if name not in MODELS]
    colours = _shades(diagonal) | {name: COLOURS[name] for name in MODELS[1:]}
    drawing.draw_series(ax, table, TRAINING, END, "theory", drawing.GREY)
    for name, colour in colours.items():
        rows = table.select(TRAINING, "measured", name)
        drawing.draw_band(ax, rows.x, rows.y - 2 * rows.standard_error, rows.y + 2 * rows.standard_error, colour)
        for source in ("measured", "trained"):
            drawing.draw_series(ax, table, TRAINING, name, source, colour)
    steps = table.select(TRAINING, "measured", diagonal[0]).x
    first, last = steps[0], steps[-1]
    ax.set(xlabel="gradient steps", xscale="log", ylabel="mean distance to orthogonality", ylim=(-0.04, 1.0))
    ax.set_xlim(first / (last / first) ** 0.35, last * 1.2)  # space for labels to the left of the lines
    drawing.plain_ticks(ax.xaxis, [10.0**power for power in range(8) if first <= 10.0**power <= last])
    labels = {name: f"ratio {name}" for name in diagonal}
    drawing.label_ends(ax, table, TRAINING, colours, labels, side="left", source="measured")
    middle = (np.sqrt(first * last), 0.86)
    drawing.label_at(ax, NAMES["full"], middle, COLOURS["full"], (-4, 0), ha="right")
    drawing.label_at(ax, NAMES["autoencoder"], middle, COLOURS["autoencoder"], (4, 0), ha="left")
    drawing.letter(ax, "c", "diagonal: closer variances take more steps")


def _shades(series: list[str]) -> dict[str, tuple]:
    """Of the colour of the diagonal posterior, from dark to light."""
    light = np.array(to_rgb(COLOURS["diagonal"]))
    return {name: tuple(light * part) for name, part in zip(series, np.linspace(0.25, 1, len(series)), strict=True)}


def _draw_published(ax: Axes, table: Table) -> None:
    rows = [row for row in table.points if row.source == "published"]
    for height, row in enumerate(reversed(rows)):
        model = row.series if row.series in MODELS else "diagonal"
        source = {DISTANCE: "trained" if model == "diagonal" else "monte_carlo", TRAINING: "measured"}[row.panel]
        found = table.select(row.panel, source, row.series)
        (index,) = np.flatnonzero(found.x == row.x)
        error = np.nan_to_num(found.standard_error[index])
        ax.plot(row.y, height, color=COLOURS[model], **drawing.MARKS["published"])
        ax.errorbar(found.y[index], height, xerr=2 * error, color=COLOURS[model], **drawing.MARKS["monte_carlo"])
        ax.plot(found.y[index], height, color=COLOURS[model], **drawing.MARKS["measured"])
        label = {"textcoords": ("axes fraction", "offset points"), "va": "center", "ha": "left"}
        drawing.label_at(ax, _setting(row), (0.0, height), COLOURS[model], (0.62, 0), **label)
    ax.set(xlabel="mean distance to orthogonality", xlim=(-0.04, 1.4), ylim=(-0.6, len(rows) - 0.4), yticks=[])
    ax.set_xticks(np.arange(0, 0.9, 0.2))
    reproduced = sum(one["comes_out"] for one in table.parameters["published"])
    drawing.letter(ax, "d", f"{reproduced} of {len(rows)} published means are reproduced")


def _setting(row: Point) -> str:
    if row.panel == DISTANCE:
        return f"{NAMES[row.series]},\nratio {row.x:g}, at the end"
    return f"{NAMES['diagonal']},\nratio {row.series}, {row.x:g} steps"
