"""Figure: the beta of the least forward KL, and what it depends on.

a  the coherence of two factors, with the expansion for weakly coherent columns
b  the signal-to-noise ratio of two factors
c  a decoder noise that is not the true one: every optimum scales as 1 / noise, also that of the mean squared error
d  random mixing of many factors: the limit of infinite size, with rings by quadrature of the law of the eigenvalues,
   and draws at finite size

The experiment trains an encoder for each beta that a scalar minimiser asks for, and does not use the closed forms.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from threadpoolctl import threadpool_limits

from figures.kit import drawing
from figures.kit.options import Progress, between, checked_options, ignore, several_numbers
from figures.kit.table import Point, Table, points
from figures.kit.training import SEARCHED
from numerics.comparison import Comparison, Tolerance, compare_points
from numerics.experiments.optimal_beta import trained_optimal_beta
from numerics.experiments.random_mixing_law import beta_by_law
from numerics.sampling.estimate import Estimate
from theory import GenerativeModel, optimal_beta
from theory.inference import (
    mismatched_beta,
    random_mixing_loading,
    random_mixing_optimal_beta,
    small_coherence_beta,
    two_factor_loading,
    two_factor_optimal_beta,
)

__all__ = ["CAPTION", "LAYOUT", "data", "plot"]

LAYOUT = {"shape": (2, 2), "size": (drawing.DOUBLE_COLUMN, 5.0)}

CAPTION = r"""
The $\beta$ of least forward KL rises above 1 with the coherence of the loading's columns and with the signal, and
every optimal $\beta$ is inversely proportional to the decoder's noise.

The optimal $\beta$ of encoders with a diagonal posterior, for the true decoder and independent factors of variance 1.
(a) Against the coherence $r$ of two columns, the cosine of their angle, at signal-to-noise ratios $a$ (squared norm of
a column over the noise variance) of {signal_to_noise}; dotted, the expansion for small $r$. (b) Against the
signal-to-noise ratio $a$ of two columns, for coherences $r = {coherence}$. (c) Against the decoder's noise variance
$\sigma^2$ over the true one $\tau^2$: the optimum of the forward KL and that of the mean squared error. (d) Random
mixing: {random_mixing_draws} draws of a Gaussian loading with $K$ factors in $D$ data dimensions, $D =
{random_mixing_data_dims}$ (shifted sideways), against $K / D$; the line is the limit $D \to \infty$, the rings the
same by quadrature of the law of the eigenvalues.

Lines are theory. Dots are found by a search over trained encoders.
"""

PANELS = ("coherence", "signal_to_noise", "noise_mismatch", "random_mixing")
CRITERIA = {"forward_kl": "forward KL", "mean_squared_error": "mean squared error"}  # of panel c
TITLES = (
    "two coherent factors",
    "two factors in more or less noise",
    "two factors, wrong noise, $a = {0:g}$, $r = {1:g}$",
    "random mixing, $a = {random:g}$",
)
LIMIT = "limit"
DOTTED = {"linestyle": ":", "linewidth": 1.0}

EXPANDED = Tolerance(2e-3, "two coherences cancel the next order, r^4; what is left is of order r^6", relative=True)
SMALL = (0.1, 0.15)  # coherences at which the expansion is tested
BY_LAW = Tolerance(1e-5, "a search knows a minimum to the square root of the quadrature's accuracy", relative=True)
DRAWN = Tolerance(1e-3, "draws are searched to 1e-3 in log beta, far below their spread", relative=True)


def data(
    *,
    signals_to_noise: Sequence[float] = (1.0, 4.0, 16.0),
    coherences: Sequence[float] = (0.3, 0.6, 0.9),
    mismatched_signal_to_noise: float = 4.0,
    mismatched_coherence: float = 0.8,
    random_signal_to_noise: float = 4.0,
    quick: bool = False,
    seed: int = 0,
    progress: Progress = ignore,
) -> Table:
    """The optimal beta against each quantity, by closed form and by search over trained encoders.

    Parameters
    ----------
    signals_to_noise : sequence of floats, each from .2 to 20
        lines of (a): squared norm of a column of the loading over the noise variance.
    coherences : sequence of floats, each from .1 to .9
        lines of (b): cosine of the angle of the two columns.
    mismatched_signal_to_noise, mismatched_coherence : floats, from .2 to 20 and from .1 to .9
        of the two columns in (c).
    random_signal_to_noise : float, from .5 to 20
        of the random columns in (d).
    quick : bool
        fewer searches, and draws of a smaller size.
    seed : int
        of the random starts and draws.
    progress : callable, optional
        receives a short status message before each part of the work.
    """
    quick, (start, loadings) = checked_options(quick, seed, progress, 2)
    signals = several_numbers("signals_to_noise", signals_to_noise, 0.2, 20)
    coherences = several_numbers("coherences", coherences, 0.1, 0.9)
    mismatched = (
        between("mismatched_signal_to_noise", mismatched_signal_to_noise, 0.2, 20),
        between("mismatched_coherence", mismatched_coherence, 0.1, 0.9),
    )
    random_signal = between("random_signal_to_noise", random_signal_to_noise, 0.5, 20)
    rows = []
    sizes, draws = ((16, 48), 12) if quick else ((16, 64), 24)
    with threadpool_limits(1, user_api="blas"):
        progress("weakly coherent columns")
        expansion = _expansion(signals, start)
        for search, varied in (
            (_against_coherence, signals),
            (_against_signal, coherences),
            (_against_mismatch, mismatched),
        ):
            progress(search.__name__.strip("_").replace("_", " "))
            rows += search(varied, quick, start)
        progress("random mixing")
        drawn, check = _random_mixing(random_signal, sizes, draws, loadings, start)
    return Table(
        points=(*rows, *drawn),
        parameters={
            "signal_to_noise": signals,
            "coherence": coherences,
            "mismatched_signal_to_noise_and_coherence": mismatched,
            "random_mixing_signal_to_noise": random_signal,
            "random_mixing_data_dims": sizes,
            "random_mixing_draws": draws,
            "seed": seed,
        },
        tolerances={(panel, "trained"): SEARCHED for panel in PANELS[:3]}
        | {(PANELS[3], "trained"): DRAWN, (PANELS[3], "reference"): BY_LAW},
        checks=(expansion, check),
        checked={(PANELS[0], _expanded(signal)): expansion.quantity for signal in signals},
    )


def _two_factors(signal: float, coherence: float) -> GenerativeModel:
    return GenerativeModel(two_factor_loading(signal, coherence), 1.0)


def _expanded(signal: float) -> str:
    """The series of the expansion."""
    return f"{signal:g} expansion"


def _expansion(signals: Sequence[float], start: np.random.SeedSequence) -> Comparison:
    """The coefficient of r^2 from searches at two small coherences r, extrapolated to zero."""
    near, far = SMALL
    stated, found = [], []
    for signal in signals:
        slopes = [(trained_optimal_beta(_two_factors(signal, r), start=start).beta - 1) / r**2 for r in SMALL]
        found.append((far**2 * slopes[0] - near**2 * slopes[1]) / (far**2 - near**2))
        stated.append((small_coherence_beta(signal, near) - 1) / near**2)
    return compare_points("expansion in the coherence", "trained", stated, found, EXPANDED)


def _against_coherence(signals: Sequence[float], quick: bool, start: np.random.SeedSequence) -> list[Point]:
    line, searched_at = np.linspace(0, 0.97, 98), np.linspace(0.1, 0.95, 4 if quick else 9)
    rows = []
    for signal in signals:
        name = f"{signal:g}"
        expansion = np.array([small_coherence_beta(signal, r) for r in line])
        expected = [two_factor_optimal_beta(signal, r) for r in searched_at]
        searched = [trained_optimal_beta(_two_factors(signal, r), start=start).beta for r in searched_at]
        rows += points(PANELS[0], name, "theory", line, [two_factor_optimal_beta(signal, r) for r in line])
        rows += points(PANELS[0], _expanded(signal), "theory", line, expansion)
        rows += points(PANELS[0], name, "trained", searched_at, searched, expected=expected)
    return rows


def _against_signal(coherences: Sequence[float], quick: bool, start: np.random.SeedSequence) -> list[Point]:
    line, searched_at = np.geomspace(0.1, 1000, 121), np.geomspace(0.2, 500, 4 if quick else 8)
    rows = []
    for coherence in coherences:
        name = f"{coherence:g}"
        expected = [two_factor_optimal_beta(a, coherence) for a in searched_at]
        searched = [trained_optimal_beta(_two_factors(a, coherence), start=start).beta for a in searched_at]
        rows += points(PANELS[1], name, "theory", line, [two_factor_optimal_beta(a, coherence) for a in line])
        rows += points(PANELS[1], name, "trained", searched_at, searched, expected=expected)
    return rows


def _against_mismatch(mismatched: tuple[float, float], quick: bool, start: np.random.SeedSequence) -> list[Point]:
    line, searched_at = np.geomspace(0.1, 10, 61), np.geomspace(0.1, 10, 3 if quick else 9)
    truth = _two_factors(*mismatched)
    rows = []
    for criterion in CRITERIA:
        at_truth = optimal_beta(truth, criterion).beta
        expected = [mismatched_beta(at_truth, truth.noise_variance, noise) for noise in searched_at]
        searched = [
            trained_optimal_beta(truth, criterion, noise_variance=noise, start=start).beta for noise in searched_at
        ]
        exact = [mismatched_beta(at_truth, truth.noise_variance, noise) for noise in line]
        rows += points(PANELS[2], criterion, "theory", line, exact)
        rows += points(PANELS[2], criterion, "trained", searched_at, searched, expected=expected)
    return rows


def _random_mixing(
    signal: float, sizes: tuple[int, int], draws: int, loadings: np.random.SeedSequence, start: np.random.SeedSequence
) -> tuple[list[Point], Comparison]:
    """Draws of the loading at each size; their means, extrapolated to infinite size, are compared with the limit."""
    line, aspects = np.geomspace(0.15, 1.2, 81), (0.25, 0.5, 1.0)
    limits = [random_mixing_optimal_beta(aspect, signal) for aspect in aspects]
    rows = points(PANELS[3], LIMIT, "theory", line, [random_mixing_optimal_beta(c, signal) for c in line])
    by_law = [beta_by_law(aspect, signal) for aspect in aspects]
    rows += points(PANELS[3], LIMIT, "reference", aspects, by_law, expected=limits)
    optima = np.empty((len(sizes), len(aspects), draws))
    streams = np.random.default_rng(loadings).spawn(optima.size)
    for place, stream in zip(np.ndindex(optima.shape), streams, strict=True):
        data_dim, aspect = sizes[place[0]], aspects[place[1]]
        latent_dim = round(aspect * data_dim)
        truth = GenerativeModel(random_mixing_loading(data_dim, latent_dim, signal, 1.0, stream), 1.0)
        optima[place] = trained_optimal_beta(truth, bracket=(0.6, 6.0), accuracy=1e-3, start=start).beta
        expected = optimal_beta(truth).beta
        rows += points(PANELS[3], str(data_dim), "trained", aspect, optima[place], expected=expected)
    small, large = sizes
    weights = np.array([-small, large]) / (large - small)  # what is linear in 1 / D cancels
    found = Estimate.of(optima, axis=2)
    return rows, compare_points(
        "random_mixing limit",
        "trained",
        np.array(limits),
        weights @ found.value,
        np.sqrt(weights**2 @ found.standard_error**2),
        draws=draws,
        reason=f"means over {draws} draws at D = {small} and {large}, extrapolated linearly in 1/D",
    )


@drawing.styled()
def plot(table: Table, axes):
    """Draw the four panels on four Axes; returns the Axes."""
    flat = drawing.panel_axes(axes, len(PANELS))
    mismatched = table.parameters["mismatched_signal_to_noise_and_coherence"]
    random_signal = table.parameters["random_mixing_signal_to_noise"]
    for ax, name, title in zip(flat, "abcd", TITLES, strict=True):
        drawing.letter(ax, name, title.format(*mismatched, random=random_signal))
        ax.set(ylabel=r"optimal $\beta$" if name == "c" else r"optimal $\beta$ (forward KL)")
    _plot_coherence(flat[0], table)
    _plot_signal(flat[1], table)
    _plot_mismatch(flat[2], table)
    _plot_mixing(flat[3], table)
    drawing.figure_legend(flat[0], drawing.source_handles(flat[0], ["theory", "trained"]))
    return axes


def _plot_coherence(ax: Axes, table: Table) -> None:
    signals = table.parameters["signal_to_noise"]
    colours = drawing.ordered_colours([f"{value:g}" for value in signals])
    expansions = {_expanded(signal): colour for signal, colour in zip(signals, colours.values(), strict=True)}
    drawing.draw_panel(ax, table, PANELS[0], expansions, **DOTTED)
    drawing.draw_panel(ax, table, PANELS[0], colours)
    ax.set(xlabel="coherence $r$ of the two columns", xlim=(0, 1), ylim=(0.95, 12), yscale="log")
    drawing.plain_ticks(ax.yaxis)
    handles = drawing.series_handles(ax, colours, {name: f"signal-to-noise $a = {name}$" for name in colours})
    handles.append(Line2D([], [], color=drawing.GREY, label="expansion for small $r$", **DOTTED))
    drawing.add_legend(ax, handles, loc="upper left")


def _plot_signal(ax: Axes, table: Table) -> None:
    colours = drawing.ordered_colours([f"{value:g}" for value in table.parameters["coherence"]])
    drawing.draw_panel(ax, table, PANELS[1], colours)
    ax.set(xlabel="signal-to-noise ratio $a$", xscale="log", yscale="log", ylim=(0.95, 6))
    drawing.plain_ticks(ax.xaxis, [0.1, 1, 10, 100, 1000])
    drawing.plain_ticks(ax.yaxis, [1, 2, 3, 4, 5])
    drawing.series_legend(ax, colours, {name: f"coherence $r = {name}$" for name in colours}, loc="upper left")


def _plot_mismatch(ax: Axes, table: Table) -> None:
    colours = dict(zip(CRITERIA, ("#0072B2", "#D55E00"), strict=True))
    drawing.draw_panel(ax, table, PANELS[2], colours)
    ax.set(xlabel=r"decoder noise / true noise, $\sigma^2 / \tau^2$", xscale="log", yscale="log")
    drawing.plain_ticks(ax.xaxis)
    drawing.plain_ticks(ax.yaxis)
    drawing.series_legend(ax, colours, CRITERIA, loc="upper right")


def _plot_mixing(ax: Axes, table: Table) -> None:
    """Draws of different sizes are shifted a little, so that none hides another."""
    sizes = [name for name in table.series(PANELS[3]) if name != LIMIT]
    colours = drawing.ordered_colours(sizes)
    drawing.draw_panel(ax, table, PANELS[3], {LIMIT: "black"})
    ax.set_ylim(1, 1.05 * max(table.select(PANELS[3], source).y.max() for source in ("theory", "trained")))
    for name, shift in zip(sizes, (0.97, 1.03), strict=True):
        draws = table.select(PANELS[3], "trained", name)
        ax.plot(draws.x * shift, draws.y, "o", color=colours[name], markersize=2.6, markeredgewidth=0)
    ax.set(xlabel="factors per data dimension $K / D$", xscale="log")
    drawing.plain_ticks(ax.xaxis)
    drawing.state_limits(ax)
    limit = {LIMIT: "black"}
    handles = drawing.series_handles(ax, limit, {LIMIT: r"limit $D \to \infty$"})
    handles += drawing.series_handles(ax, limit, {LIMIT: "limit by quadrature"}, "reference")
    labels = {name: f"trained, a draw at $D = {name}$" for name in sizes}
    handles += drawing.series_handles(ax, colours, labels, "trained")
    drawing.add_legend(ax, handles, loc="upper left")
