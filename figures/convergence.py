"""Figure: seven ways to train, by how far their loss is above the closed form, against the number of iterations.

Three spectra with a learned noise and a diagonal posterior: neighbouring eigenvalues with a constant ratio, a power
law, and quadruples within a few percent, the last latent's eigenvalue 1 % above the first without one. All methods
start from the same random encoder and decoder. Curves end at 1e-12 nats, where rounding begins; dots mark where the
three methods that converge in every panel first come within 1e-10.

Parameter by parameter (Adam), along the gradient, or half by half in fixed axes (EM), training slows down with every
close pair of eigenvalues. If EM rotates to the principal axes each round, only the subspace remains to be learned: the
excess loss falls by (l_{K+1} / l_K)^2 in a round (thin dashed line, l the eigenvalues and K the number of latents), and
momentum takes the square root of this gap.
"""

from __future__ import annotations

import numpy as np
from matplotlib.lines import Line2D

from figures.kit import drawing
from figures.kit.options import Progress, between, checked_options, ignore
from figures.kit.table import Table, points
from numerics import train
from numerics.comparison import Tolerance, largest_of
from theory import optimum, validation

__all__ = ["CAPTION", "LAYOUT", "SPECTRA", "data", "plot", "subspace_rate"]

LAYOUT = {"shape": (1, 3), "size": (drawing.DOUBLE_COLUMN, 3.3)}

CAPTION = r"""
Training that rotates to the principal axes in every round converges in far fewer iterations than training parameter by
parameter, and close eigenvalues slow down every method.

Loss above the closed form of the optimum (nats) against the number of iterations, for data whose covariance has
eigenvalues $l_1 \ge l_2 \ge \dots$: (a) separated by the ratio {ratio_of_separated_eigenvalues}; (b) in a power law
$1/i$; (c) nearly tied, in quadruples of ratio {ratio_of_nearly_tied_eigenvalues}.

There are {data_dim} variables, $K = {latent_dim}$ latents, a learned noise, a diagonal posterior and $\beta = {beta}$;
at most {max_steps:,} iterations. All coloured lines are training, from one random start: plain descent, Adam,
accelerated gradient, L-BFGS with the decoder eliminated, and EM (best encoder and best decoder in turn), also rotated,
and rotated with momentum. Dots mark where a method that converges for all spectra is first within $10^{{-10}}$ nats
(grey line). The thin dashed line is theory: the excess of rotated EM falls by $(l_{{K+1}}/l_K)^2$ a round.
"""

METHODS = {
    "gradient": "plain descent",
    "adam": "Adam",
    "accelerated": "accelerated gradient",
    "lbfgs": "L-BFGS, decoder eliminated",
    "em": "EM",
    "rotated_em": "EM, rotated",
    "accelerated_em": "EM, rotated, with momentum",
}
COLOURS = {name: f"C{number}" for number, name in enumerate(METHODS)}
FINISHERS = ("lbfgs", "rotated_em", "accelerated_em")  # which converge in every panel within the steps allowed
GOAL, FLOOR = 1e-10, 1e-12  # nats
RATE_TOLERANCE = 1e-9
RATE_RANGE = (1e-8, 1e-10)  # excess losses between which the rate is read
SPECTRA = ("separated", "power_law", "nearly_tied")
TITLES = {"separated": "separated", "power_law": "power law", "nearly_tied": "nearly tied"}
BETA = 1.0
MOST_LATENTS = 16  # for which three of the methods converge within the steps allowed, whatever the spectrum
MARKS_PER_CURVE = 120
GOAL_LINE = {"color": "0.55", "linewidth": 0.5, "zorder": 0}
RATE_LINE = {"color": "black", "linewidth": 0.7, "linestyle": (0, (4, 2))}


def data(
    *,
    data_dim: int | None = None,
    latent_dim: int | None = None,
    ratio: float = 0.8,
    tie: float = 0.99,
    max_steps: int | None = None,
    quick: bool = False,
    seed: int = 0,
    progress: Progress = ignore,
) -> Table:
    """Excess loss (nats) against the number of iterations, for every method and spectrum.

    Parameters
    ----------
    data_dim : int, from 8 to 96, optional
        D; 64 by default, 32 with `quick`.
    latent_dim : int, 4, 8, 12 or 16, at most half of `data_dim`, optional
        K, a multiple of 4, so that the quadruples of (c) are whole; by default that nearest below a quarter of it.
    ratio : float, from .8 to .95
        of an eigenvalue to the one before it, in (a).
    tie : float, from .9 to .99
        the same inside a quadruple, and for the first eigenvalue without a latent, in (c).
    max_steps : int, from 4000 to 100,000, optional
        the most iterations; 10,000 by default, 4,000 with `quick`.
    quick : bool
        half the size and fewer iterations.
    seed : int
        of the random start.
    progress : callable, optional
        receives a short status message before each part of the work.
    """
    quick, (start,) = checked_options(quick, seed, progress, 1)
    data_dim = (32 if quick else 64) if data_dim is None else validation.count("data_dim", data_dim, 8, 96)
    latent_dim = _checked_latent_dim(latent_dim, data_dim)
    ratio, tie = between("ratio", ratio, 0.8, 0.95), between("tie", tie, 0.9, 0.99)
    default = 4_000 if quick else 10_000
    max_steps = default if max_steps is None else validation.count("max_steps", max_steps, 4_000, 100_000)
    rows, rates = [], []
    for spectrum in SPECTRA:
        eigenvalues = _eigenvalues(spectrum, data_dim, latent_dim, ratio, tie)
        best = optimum(np.diag(eigenvalues), latent_dim, beta=BETA).loss
        for method in METHODS:
            progress(f"{TITLES[spectrum]}, {METHODS[method]}")
            run = train(
                np.diag(eigenvalues),
                latent_dim,
                beta=BETA,
                method=method,
                max_steps=max_steps,
                rng=np.random.default_rng(start),
            )
            excess = run.history - best
            rows += points(spectrum, method, "measured", *_curve(excess))
            if method in FINISHERS:
                reached = _first_below(excess, GOAL)
                rows += points(spectrum, method, "trained", reached, excess[-1], expected=0.0)
            if method == "rotated_em":
                expected = subspace_rate(eigenvalues, latent_dim)
                above_end = run.history - run.loss  # so that the rate is read without the closed form
                first, last = (_first_below(above_end, level) for level in RATE_RANGE)
                tilts = [_slowest_tilt(eigenvalues, latent_dim, count, start) for count in (first, last)]
                rates.append(2 * np.log(tilts[1] / tilts[0]) / (last - first) / np.log(expected) - 1)
                line = np.linspace(1, last + np.log(FLOOR / above_end[last]) / np.log(expected), 201)
                rows += points(spectrum, method, "theory", line, above_end[last] * expected ** (line - last))
    rate = largest_of(
        "rate of rotated EM",
        rates,
        RATE_TOLERANCE,
        "of its logarithm, twice that of the tilt of the last axis towards the next; rounding",
        unit="relative",
        resolution=RATE_TOLERANCE,
    )
    return Table(
        points=tuple(rows),
        parameters={
            "data_dim": data_dim,
            "latent_dim": latent_dim,
            "beta": BETA,
            "noise_variance": "learned",
            "posterior": "diagonal",
            "ratio_of_separated_eigenvalues": ratio,
            "ratio_of_nearly_tied_eigenvalues": tie,
            "max_steps": max_steps,
            "seed": seed,
        },
        tolerances={
            (spectrum, "trained"): Tolerance(GOAL, "the claim is that training comes as near within the steps allowed")
            for spectrum in SPECTRA
        },
        checks=(rate,),
    )


def subspace_rate(eigenvalues: np.ndarray, latent_dim: int) -> float:
    """The factor of the excess loss in a round of rotated EM near the optimal subspace: (l_{K+1} / l_K)^2."""
    return float((eigenvalues[latent_dim] / eigenvalues[latent_dim - 1]) ** 2)


def _checked_latent_dim(latent_dim: int | None, data_dim: int) -> int:
    if latent_dim is None:
        return min(max(4, data_dim // 16 * 4), MOST_LATENTS)
    latent_dim = validation.count("latent_dim", latent_dim, 4, min(data_dim // 2, MOST_LATENTS))
    if latent_dim % 4:
        raise ValueError(f"latent_dim must be a multiple of 4, got {latent_dim}; pass {latent_dim // 4 * 4}")
    return latent_dim


def _eigenvalues(spectrum: str, data_dim: int, latent_dim: int, ratio: float, tie: float) -> np.ndarray:
    index = np.arange(data_dim)
    if spectrum == "separated":
        return ratio**index
    if spectrum == "power_law":
        return 1 / (1.0 + index)
    eigenvalues = tie ** (index % 4) / (1.0 + index // 4)
    eigenvalues[latent_dim:] *= tie * eigenvalues[latent_dim - 1] / eigenvalues[latent_dim]
    return eigenvalues


def _slowest_tilt(eigenvalues: np.ndarray, latent_dim: int, count: int, start: np.random.SeedSequence) -> float:
    """How far the decoder's subspace is tilted from the last axis with a latent to the next, after so many rounds.

    A round multiplies the subspace by S, so that each pair of axes, one inside and one outside, decays on its own.
    """
    rng = np.random.default_rng(start)
    run = train(np.diag(eigenvalues), latent_dim, beta=BETA, method="rotated_em", max_steps=count, rng=rng)
    inside, outside = run.vae.decoder[:latent_dim], run.vae.decoder[latent_dim:]
    return abs((outside @ np.linalg.inv(inside))[0, -1])


def _first_below(excess: np.ndarray, level: float) -> int:
    """The first iteration after which the excess loss is below a level, or the last one if none is."""
    below = np.flatnonzero(excess < level)
    return int(below[0]) if below.size else len(excess) - 1


def _curve(excess: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Iterations, evenly on a logarithmic axis from 1 on, down to the floor, and the excess losses there."""
    last = max(_first_below(excess, FLOOR), 1)
    iterations = np.unique(np.geomspace(1, last, MARKS_PER_CURVE).round().astype(int))
    iterations = iterations[excess[iterations] > 0]
    return iterations, excess[iterations]


@drawing.styled()
def plot(table: Table, axes):
    """Draw the excess losses on three Axes, one for each spectrum; returns the Axes."""
    panels = drawing.panel_axes(axes, 3)
    for ax, spectrum, name in zip(panels, SPECTRA, "abc", strict=True):
        ax.axhline(GOAL, **GOAL_LINE)
        for method, colour in COLOURS.items():
            curve = table.select(spectrum, "measured", method)
            ax.plot(curve.x, curve.y, color=colour, linewidth=1.1)
            goal = table.select(spectrum, "trained", method)
            ax.plot(
                goal.x,
                np.full(len(goal.x), GOAL),
                "o",
                color=colour,
                markeredgecolor="white",
                markeredgewidth=0.4,
                zorder=4,
            )
            line = table.select(spectrum, "theory", method)
            ax.plot(line.x, line.y, zorder=5, **RATE_LINE)
        ax.set(xscale="log", yscale="log", xlabel="iterations", xlim=(1, table.parameters["max_steps"]))
        ax.set_ylim(FLOOR, 1e3)
        drawing.letter(ax, name, TITLES[spectrum])
    panels[0].set_ylabel("loss above the closed form (nats)")
    drawing.repeat_ylabel(*panels)
    for ax in panels[1:]:
        ax.tick_params(labelleft=False)
    handles = drawing.series_handles(panels[0], COLOURS, METHODS)
    handles += [
        Line2D([], [], label="$10^{-10}$ nats", **GOAL_LINE),
        *drawing.source_handles(panels[0], ["trained"], {"trained": "first within $10^{-10}$ nats"}),
        Line2D([], [], label="theory: $(l_{K+1}/l_K)^2$ a round", **RATE_LINE),
    ]
    drawing.figure_legend(panels[0], handles, ncols=4)
    return axes
