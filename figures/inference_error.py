"""Figure: the four inference errors against beta, for two factors with more or less coherent loading columns.

The decoder is the true one. If the columns are coherent the true posterior correlates the factors, which a diagonal one
cannot; forward KL and log score are then best at a finite beta above 1. For orthogonal columns, and for the other two
errors, the best beta is exactly 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from figures.kit import drawing
from figures.kit.options import Progress, between, checked_options, ignore, several_numbers, start_seeds
from figures.kit.table import Point, Table, points
from figures.kit.training import SEARCHED, train_each, unfinished
from numerics import Sweep
from numerics.comparison import Comparison, Tolerance, compare_points
from numerics.experiments.optimal_beta import SearchedBeta, trained_optimal_beta
from numerics.sampling.cubature import errors_by_cubature
from numerics.sampling.monte_carlo import sample_errors
from theory import GenerativeModel, inference_error_curve, optimal_beta
from theory.inference import two_factor_loading

__all__ = ["CAPTION", "LAYOUT", "data", "plot"]

LAYOUT = {"shape": (2, 2), "size": (drawing.DOUBLE_COLUMN, 4.8)}

CAPTION = r"""
If the columns of the loading are coherent, forward KL and log score of the inferred factors are best at a finite
$\beta > 1$; mean squared error and reverse KL are always best at $\beta = 1$.

Against the weight $\beta$ of the KL term: (a) mean squared error of the posterior mean, summed over the factors; (b)
forward KL, from the true posterior $p(s|x)$ of the factors $s$ to the encoder $q$; (c) reverse KL, from $q$ to
$p(s|x)$; (d) negative log score, the mean of $-\log q$ at the true factors. (b) to (d) The unit is nats.

Panels are cut off above the values that their axes name. Data $x = A s + n$ have two independent factors of variance
1, noise $n$ of variance 1, and columns of $A$ of squared norm {signal_to_noise} and coherence $r$ (the cosine of their
angle), $r = {coherences}$ by colour. The decoder is the true one, the posterior is diagonal. Lines are theory,
diamonds its minimum. Dots are trained encoders, evaluated to rounding; error bars are other trained encoders by Monte
Carlo over {draws:,} draws, with two standard errors (s.e.).
"""

PANELS = {
    "mean_squared_error": "mean squared error",
    "forward_kl": "forward KL",
    "reverse_kl": "reverse KL",
    "log_score": "negative log score",
}
UNITS = dict.fromkeys(PANELS, "nats") | {"mean_squared_error": "sum over the factors"}
LOWEST = -0.08  # below zero, and below minima below it, so that diamonds are whole
HIGHEST = {"mean_squared_error": 1.3, "forward_kl": 2.0, "reverse_kl": 2.0, "log_score": 3.0}  # shown
HEADROOM = 0.6  # above the highest minimum, at least
BETAS = (0.1, 20.0)
TRAINED = Tolerance(1e-6, "training stops at a gradient of 1e-8 nats, and the errors are smooth in what it trains")


def data(
    *,
    coherences: Sequence[float] = (0.0, 0.6, 0.8, 0.9),
    signal_to_noise: float = 10.0,
    quick: bool = False,
    seed: int = 0,
    progress: Progress = ignore,
) -> Table:
    """The four errors against beta for each coherence (the log score negated), with their minima.

    Closed forms; encoders trained for the fixed decoder; and Monte Carlo of the trained encoders.

    Parameters
    ----------
    coherences : sequence of floats, each from 0 to .95
        cosine of the angle of the two columns of the loading.
    signal_to_noise : float, from .5 to 50
        squared norm of a column; the noise variance is 1.
    quick : bool
        fewer trained models and draws.
    seed : int
        of the random starts and draws.
    progress : callable, optional
        receives a short status message before each part of the work.
    """
    quick, (starts, codes) = checked_options(quick, seed, progress, 2)
    coherences = several_numbers("coherences", coherences, 0, 0.95)
    signal_to_noise = between("signal_to_noise", signal_to_noise, 0.5, 50)
    line, draws = np.geomspace(*BETAS, 201), 20_000 if quick else 200_000
    tried = np.geomspace(0.13, 16.0, 7 if quick else 17)
    rows, sweeps, minima = [], [], []
    for coherence, stream in zip(coherences, codes.spawn(len(coherences)), strict=True):
        progress(f"training at coherence {coherence:g}")
        truth = GenerativeModel(two_factor_loading(signal_to_noise, coherence), 1.0)
        done = train_each(
            truth.covariance,
            2,
            tried,
            decoder=truth.loading,
            noise_variance=1.0,
            seeds=start_seeds(starts),
            gradient_tolerance=1e-9,
        )
        sweeps.append(done)
        rows += _theory(truth, coherence, line) + _experiment(truth, coherence, done, draws, stream)
        progress(f"searching the minima at coherence {coherence:g}")
        minima += [trained_optimal_beta(truth, panel, start=starts) for panel in PANELS]
    return Table(
        points=tuple(rows),
        parameters={"coherences": coherences, "signal_to_noise": signal_to_noise, "draws": draws, "seed": seed},
        tolerances={(panel, "trained"): TRAINED for panel in PANELS},
        checks=(*_minima(rows, minima), unfinished(sweeps)),
    )


def _theory(truth: GenerativeModel, coherence: float, line: np.ndarray) -> list[Point]:
    curve, rows = inference_error_curve(truth, line), []
    for panel in PANELS:
        best = optimal_beta(truth, panel)
        rows += points(panel, f"{coherence:g}", "theory", line, _sign(panel) * getattr(curve, panel))
        rows += points(panel, f"{coherence:g}", "minimum", best.beta, _sign(panel) * best.error)
    return rows


def _experiment(truth: GenerativeModel, coherence: float, done: Sweep, draws: int, stream) -> list[Point]:
    """Trained encoders are measured to rounding and by Monte Carlo, in turn."""
    expected = inference_error_curve(truth, done.betas)
    rng = np.random.default_rng(stream)
    rows = []
    for index, beta in enumerate(done.betas):
        vae = done.vae(index, 0)
        if index % 2 == 0:
            measured = errors_by_cubature(truth, vae)
            errors = dict.fromkeys(measured, np.nan)
        else:
            estimates = sample_errors(truth, vae, draws, rng)
            measured = {name: estimate.value for name, estimate in estimates.items()}
            errors = {name: estimate.standard_error for name, estimate in estimates.items()}
        for panel in PANELS:
            rows += points(
                panel,
                f"{coherence:g}",
                "monte_carlo" if index % 2 else "trained",
                beta,
                _sign(panel) * measured[panel],
                standard_error=errors[panel],
                expected=_sign(panel) * getattr(expected, panel)[index],
            )
    return rows


def _minima(rows: list[Point], found: list[SearchedBeta]) -> list[Comparison]:
    """The place and the value of each minimum against a search over trained encoders."""
    minima = [row for row in rows if row.source == "minimum"]
    betas = compare_points("optimal beta", "trained", [row.x for row in minima], [one.beta for one in found], SEARCHED)
    least = [_sign(row.panel) * one.error for row, one in zip(minima, found, strict=True)]
    return [betas, compare_points("error at the optimal beta", "trained", [row.y for row in minima], least, TRAINED)]


def _sign(panel: str) -> int:
    return -1 if panel == "log_score" else 1


@drawing.styled()
def plot(table: Table, axes):
    """Draw the four errors on four Axes; returns the Axes."""
    flat = drawing.panel_axes(axes, len(PANELS))
    colours = drawing.ordered_colours(table.series("forward_kl", "theory"))
    for ax, name, (panel, label) in zip(flat, "abcd", PANELS.items(), strict=True):
        drawing.draw_panel(ax, table, panel, colours)
        drawing.letter(ax, name, label)
        minima = table.select(panel, "minimum").y
        bottom, top = min(LOWEST, minima.min() + LOWEST), max(HIGHEST[panel], minima.max() + HEADROOM)
        ax.set(xlabel=r"$\beta$", ylabel=UNITS[panel], xscale="log", xlim=BETAS, ylim=(bottom, top))
        drawing.plain_ticks(ax.xaxis)
        drawing.state_limits(ax)
    handles = drawing.series_handles(flat[0], colours, {name: f"$r = {name}$" for name in colours})
    handles += drawing.source_handles(flat[0], ["theory", "minimum", "trained", "monte_carlo"])
    drawing.figure_legend(flat[0], handles, ncols=4)
    return axes
