"""Figure: latents become the axes of the data only with a diagonal posterior, and only where the variances differ.

Points of a rectangle of a given axis ratio, rotated into space; two latents; distance to orthogonality of the decoder.

a  Trained to the end on 50,000 points: zero with a diagonal posterior, the chance level (16 sqrt2 / pi)(1 - cos(pi/8))
   of a rotation drawn at random with a full posterior and for an autoencoder. Even at ratio 1 the diagonal posterior
   finds axes, those by which the sample differs from its population.
b  The distances of single starts are those of an angle even over (-45, 45) degrees: (8/pi) arcsin(d / (2 sqrt2)).
c  During training. With a diagonal posterior, the closer the variances, the more steps it takes; a full posterior and
   an autoencoder (at ratio 2) stay at chance.

Crosses are the mean distances that Rolinek et al. (2019) report. Two of the six are reproduced: .00 of the diagonal
posterior at ratio 2, at the end, and .01 at ratio 1.5 after about 300 steps, where the crosses of panel c lie. The .20
at ratio 1.2 is near what these steps give, .16 (.15 to .18 in four samples of 400 starts each), and passed between 200
and 250. Three are not reproduced: .49 at ratio 1 (.37 to .47 after 300 steps, over ten samples), and .34 and .33 of the
full posterior and the autoencoder, which are at chance, .548, at every step. The json file of the figure lists each
with the distance measured here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

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

LAYOUT = {"shape": (1, 3), "size": (drawing.DOUBLE_COLUMN, 3.0)}

CAPTION = r"""
Latents become the axes of the data only with a diagonal posterior, and the later in training the closer the variances
along the axes; otherwise their angle is left to chance.

Data: {points:,} points, uniform in a rectangle of a given axis ratio; two latents. A decoder whose latents are
the principal axes has distance zero to orthogonality.

(a) Mean distance after training, against the ratio: with a diagonal or a full posterior, and of an autoencoder. (b)
Share of starts, over all ratios, with at most a given distance, with a full posterior, and of an autoencoder. (c) Mean
distance against gradient steps, for the diagonal posterior at each ratio, and a full one and an autoencoder at the
largest.

Solid lines are theory: zero, or the mean and the distribution of an angle drawn by chance. Dots are trained to the end
(at ratio 1 the axes are those of the sample); Monte Carlo bars are means over {starts} starts ± 2 standard errors
(s.e.); squares, over {starts_on_the_way}. Crosses, if any, are published by Rolinek et al. 2019.
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
        of the rectangle: the first from 1 to 3, the others from 1.2 to 3.
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
    rows = points(DISTANCE, "diagonal", "theory", [ratios[1], ratios[-1]], 0.0)
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
        rows += points(TRAINING, f"{ratio:g}", "measured", steps, in_training.mean(axis=1))
        if ratio in PUBLISHED_SERIES:
            rows += points(TRAINING, f"{ratio:g}", "published", MATCHING, PUBLISHED_SERIES[ratio])
            matching = in_training[steps.index(MATCHING)]
            comparison.append(_compared("diagonal", ratio, PUBLISHED_SERIES[ratio], matching, f"{MATCHING} steps"))
        if ratio > 1:
            rows += points(TRAINING, f"{ratio:g}", "trained", steps[-1], in_training[-1].mean(), expected=0.0)
        if ratio == ratios[-1]:
            for name in MODELS[1:]:
                values = distances_while_training(moments, steps, seeds=seeds, model=name)
                rows += points(TRAINING, name, "measured", steps, values.mean(axis=1))
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
                float(np.sqrt(np.log(2 / FALSE_ALARM) / (2 * pooled))),
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
    return ratios


def _means(name: str, ratios: Sequence[float], values: np.ndarray, chance: float) -> list[Point]:
    """Means over starts, by ratio; rows of `values` are ratios."""
    found = Estimate.of(values, axis=1)
    if name == "diagonal":
        return points(DISTANCE, name, "trained", ratios, found.value, expected=0.0)
    error = found.standard_error
    return points(DISTANCE, name, "monte_carlo", ratios, found.value, standard_error=error, expected=chance)


@drawing.styled()
def plot(table: Table, axes):
    """Draw the distance at the end, its distribution and its course in training on three Axes; returns the Axes."""
    end, spread, course = drawing.panel_axes(axes, 3)
    ratios = table.parameters["axis_ratios"]
    drawing.draw_panel(end, table, DISTANCE, COLOURS)
    end.set(
        xlabel="ratio of the axes",
        ylabel="distance to orthogonality",
        xlim=(ratios[0] - 0.06, ratios[-1] + 0.06),
        ylim=(-0.04, 1.0),
    )
    end.set_xticks(ratios)
    drawing.letter(end, "a", "after training")
    names = {"diagonal": "diagonal posterior", "full": "full posterior", "autoencoder": "autoencoder"}
    drawing.series_legend(end, COLOURS, names, **drawing.ABOVE)

    drawing.draw_panel(spread, table, DISTRIBUTION, {name: COLOURS[name] for name in MODELS[1:]})
    spread.set(xlabel="distance to orthogonality", ylabel="share of starts at most there", ylim=(-0.02, 1.02))
    drawing.letter(spread, "b", "over starts and ratios")
    drawing.source_legend(spread, ["theory", "trained", "monte_carlo", "published"], **drawing.ABOVE)

    shades = drawing.ordered_colours([f"{ratio:g}" for ratio in ratios])
    drawing.draw_panel(
        course, table, TRAINING, {END: drawing.GREY} | shades | {name: COLOURS[name] for name in MODELS[1:]}
    )
    course.set(xlabel="gradient steps", xscale="log", ylim=(-0.04, 0.8))
    drawing.letter(course, "c", "during training")
    drawing.repeat_ylabel(end, course)
    rows = table.select(TRAINING, "measured", MODELS[1])
    above = (rows.x[-1], rows.y[-1])
    course.annotate("full, autoencoder", above, (0, 6), textcoords="offset points", ha="right", fontsize=7)
    handles = [
        course.plot([], [], "s:", color=shade, markersize=2.6, label=f"ratio {name}")[0]
        for name, shade in shades.items()
    ]
    drawing.add_legend(course, handles, ncols=2, **drawing.ABOVE)
    return axes
