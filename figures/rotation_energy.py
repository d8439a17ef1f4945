"""Figure: rotating the latents away from the principal axes is free with a full posterior, costly with a diagonal one.

a  Two latents at the optimum are rotated by an angle and the encoder is optimised again. The excess loss is zero at
   every angle for a full posterior covariance; for a diagonal one it is (beta/2) log(1 + x), x = (p1 - p2)^2 sin^2(2
   angle) / (4 p1 p2) with p = l / t the precisions of the latents, l their eigenvalues and t = beta s2 (s2 the noise
   variance): the more, the wider the gap between the eigenvalues. A trained diagonal model that is rotated and
   *truncated* (its posterior covariance is cut to the diagonal, without training again) pays (beta/2) [2 x - log(1 +
   x)] (dashed).
b  Training from many starts therefore ends at any angle with a full posterior, and at the axes with a diagonal one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from figures.kit import drawing
from figures.kit.angles import by_chance, concentration, modulo_right_angle
from figures.kit.options import Progress, between, checked_options, ignore, several_numbers, start_seeds
from figures.kit.table import Table, points
from figures.kit.training import train_each, unfinished
from numerics.comparison import FALSE_ALARM, Comparison, Tolerance, largest_of
from numerics.sampling.cubature import elbo_terms_by_cubature
from theory import LinearVAE, optimum, validation
from theory.axes import plane_rotation, two_mode_rotation_energy

__all__ = ["CAPTION", "LAYOUT", "axis_angle", "data", "plot"]

LAYOUT = {"shape": (1, 2), "size": (drawing.DOUBLE_COLUMN, 2.9)}

CAPTION = r"""
Rotating the latents away from the principal axes is free with a full posterior covariance and costly with a diagonal
one, so that only a diagonal posterior fixes the axes.

(a) Excess loss (nats) of the optimum with two latents rotated by an angle (degrees) from the principal axes. Solid:
the encoder is optimised again. Dashed: it is not optimised again, but rotated, and its covariance cut to the diagonal.
Wide and grey: the full posterior, whose excess is zero at every ratio. Lines are theory; dots are trained for the
rotated decoder (dashed: a trained model rotated). (b) The angle (degrees) at which training from random starts ends,
one dot for each of {starts} starts.

The data have four dimensions; colours are ratios $\ell_1 / \ell_2 = {eigenvalue_ratios}$ of the two leading
eigenvalues of their covariance, $\ell_2 = {smaller_eigenvalue}$ and the further eigenvalues
{eigenvalues_without_latent}; $\beta = {beta}$, noise variance {noise_variance}.
"""

ENERGY, TRUNCATED, STARTS = "excess_loss", "excess_loss_if_only_turned", "excess_loss_of_starts"
SMALLER, REST = 2.0, (0.5, 0.4)  # the smaller of the two eigenvalues that have a latent, and those that have none
POSTERIORS = ("full", "diagonal")
FULL = {"linewidth": 3.5, "solid_capstyle": "butt"}  # the line of all full posteriors
LOSS = Tolerance(1e-10, "the loss is quadratic in the error that a gradient of 1e-8 nats leaves, rounding aside")
LINEAR = Tolerance(1e-6, "away from the optimum the loss is linear in the error that a gradient of 1e-8 nats leaves")


def data(
    *,
    eigenvalue_ratios: Sequence[float] = (1.2, 2.0, 4.0),
    beta: float = 1.5,
    noise_variance: float = 0.4,
    starts: int | None = None,
    quick: bool = False,
    seed: int = 0,
    progress: Progress = ignore,
) -> Table:
    """Excess loss (nats) against the angle (degrees), at rotated decoders and where training from many starts ends.

    Parameters
    ----------
    eigenvalue_ratios : sequence of rising floats, each from 1.1 to 20
        of the two leading eigenvalues of the data covariance, of which the smaller is 2.
    beta : float, from .1 to 20
        weight of the KL term.
    noise_variance : float
        fixed noise of the decoder; `beta` times it is from .1 to 1.8, so that both latents are active.
    starts : int, from 8 to 500, optional
        random starts for each posterior and ratio; 48 by default, 12 with `quick`.
    quick : bool
        fewer angles and starts.
    seed : int
        of the random starts.
    progress : callable, optional
        receives a short status message before each part of the work.
    """
    quick, (stream,) = checked_options(quick, seed, progress, 1)
    eigenvalue_ratios = several_numbers("eigenvalue_ratios", eigenvalue_ratios, 1.1, 20, rising=True)
    beta = between("beta", beta, 0.1, 20)
    noise_variance = between("noise_variance", noise_variance, 0.1 / beta, 0.9 * SMALLER / beta)
    default = 12 if quick else 48
    starts = default if starts is None else validation.count("starts", starts, 8, 500)
    line, tried = np.linspace(0, 90, 181), np.linspace(0, 90, 7 if quick else 19)
    rows, sweeps, angles_of = [], [], {posterior: [] for posterior in POSTERIORS}
    energy = partial(_energy, beta=beta, noise_variance=noise_variance)
    for ratio in eigenvalue_ratios:
        covariance = np.diag([ratio * SMALLER, SMALLER, *REST])
        best = optimum(covariance, 2, beta=beta, noise_variance=noise_variance)
        setting = {"noise_variance": noise_variance}
        for posterior in POSTERIORS:
            progress(f"training at ratio {ratio:g}, {posterior} posterior")
            series = f"{posterior} {ratio:g}"
            fixed = [
                train_each(
                    covariance,
                    2,
                    [beta],
                    seeds=start_seeds(stream),
                    posterior=posterior,
                    decoder=best.vae.decoder @ plane_rotation(2, np.radians(angle)).T,
                    **setting,
                )
                for angle in tried
            ]
            losses_above_optimum = [done.losses[0, 0] - best.loss for done in fixed]
            rows += points(ENERGY, series, "theory", line, energy(ratio, posterior, line))
            rows += points(
                ENERGY, series, "trained", tried, losses_above_optimum, expected=energy(ratio, posterior, tried)
            )

            free = train_each(covariance, 2, [beta], seeds=start_seeds(stream, starts), posterior=posterior, **setting)
            angles = [axis_angle(vae) for vae in free.vaes()[0]]
            rows += points(STARTS, series, "trained", angles, free.losses[0] - best.loss, expected=0.0)
            angles_of[posterior] += angles
            if posterior == "diagonal":
                rows += points(TRUNCATED, series, "theory", line, energy(ratio, posterior, line, "truncated"))
                losses = [_truncated(free.vae(0, 0), angle, covariance, beta) - best.loss for angle in tried]
                expected = energy(ratio, posterior, tried, "truncated")
                rows += points(TRUNCATED, series, "trained", tried, losses, expected=expected)
            sweeps += [*fixed, free]
    spread = concentration(
        "concentration of full latents",
        angles_of["full"],
        by_chance(len(angles_of["full"])),
        f"angles drawn evenly exceed it by chance in at most 1 of {1 / FALSE_ALARM:.0f} sets of this many (Rayleigh)",
    )
    return Table(
        points=tuple(rows),
        parameters={
            "eigenvalue_ratios": eigenvalue_ratios,
            "smaller_eigenvalue": SMALLER,
            "eigenvalues_without_latent": REST,
            "beta": beta,
            "noise_variance": noise_variance,
            "starts": starts,
            "seed": seed,
        },
        tolerances={(panel, "trained"): LOSS for panel in (ENERGY, STARTS)} | {(TRUNCATED, "trained"): LINEAR},
        checks=(_locked(angles_of["diagonal"]), spread, unfinished(sweeps)),
    )


def axis_angle(vae: LinearVAE) -> float:
    """The angle in degrees, from -45 to 45, between two latents and the principal axes of what they decode.

    With W = U diag(w) R^T the latents are R away from the axes; only the angle modulo a right angle is a rotation,
    the rest permutes and flips latents.
    """
    leading_axis = np.linalg.svd(vae.decoder)[2][0]
    return float(modulo_right_angle(np.degrees(np.arctan2(leading_axis[1], leading_axis[0]))))


def _truncated(vae: LinearVAE, degrees: float, covariance: np.ndarray, beta: float) -> float:
    """The loss of a model whose latents are rotated and whose posterior covariance keeps its diagonal only."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    rotation = np.array([[cosine, -sine], [sine, cosine]])
    kept = np.diag(np.diagonal(rotation @ vae.posterior_covariance @ rotation.T))
    parts = elbo_terms_by_cubature(
        LinearVAE(vae.decoder @ rotation.T, rotation @ vae.encoder, kept, vae.noise_variance), covariance
    )
    return parts["reconstruction"] + beta * parts["rate"]


def _energy(
    ratio: float,
    posterior: str,
    degrees: np.ndarray,
    encoder: str = "reoptimised",
    *,
    beta: float,
    noise_variance: float,
) -> np.ndarray:
    if posterior == "full":
        return np.zeros(len(degrees))
    level = beta * noise_variance
    precisions = ratio * SMALLER / level, SMALLER / level
    return two_mode_rotation_energy(*precisions, np.radians(degrees), beta, encoder=encoder)


def _locked(angles: list[float]) -> Comparison:
    return largest_of(
        "angle of diagonal latents",
        angles,
        1e-3,
        "the smallest gap leaves little curvature to a gradient of 1e-8 nats",
        unit="degrees",
    )


@drawing.styled()
def plot(table: Table, axes):
    """Draw the loss along a rotation, and the angles at which training ends, on two Axes; returns the Axes."""
    energy, ends = drawing.panel_axes(axes, 2)
    names = [series.split()[1] for series in table.series(ENERGY) if series.startswith("diagonal")]
    shades = drawing.ordered_colours(names)
    drawing.draw_panel(energy, table, ENERGY, {f"diagonal {name}": shade for name, shade in shades.items()})
    drawing.draw_panel(
        energy, table, TRUNCATED, {f"diagonal {name}": shade for name, shade in shades.items()}, linestyle="--"
    )
    _draw_full(energy, table)
    drawing.letter(energy, "a", "loss along a rotation")
    energy.set(xlabel="angle from the principal axes (degrees)", ylabel="excess loss (nats)", xticks=[0, 30, 60, 90])
    energy.set_ylim(-0.03, 1.05 * table.select(TRUNCATED, "theory").y.max())

    heights = {}
    for posterior in reversed(POSTERIORS):
        for name, shade in shades.items():
            height = heights[posterior, name] = len(heights) + (posterior == "full")
            angles = table.select(STARTS, "trained", f"{posterior} {name}").x
            named = {"va": "center", "fontsize": drawing.LABEL_SIZE}
            ends.text(49, height, rf"$\ell_1 / \ell_2 = {name}$", color=drawing.text_colour(shade), **named)
            if posterior == "diagonal":
                ends.text(3, height, f"all {len(angles)} starts", **named)
            ends.plot(angles, np.full(len(angles), height), "o", color=shade, markeredgecolor="white")
    ends.set(
        xlabel="angle from the principal axes (degrees)",
        xlim=(-47, 47),
        xticks=[-45, -30, -15, 0, 15, 30, 45],
        yticks=[np.mean([h for (kind, _), h in heights.items() if kind == posterior]) for posterior in POSTERIORS],
        yticklabels=[f"{posterior}\nposterior" for posterior in POSTERIORS],
        ylim=(-0.7, max(heights.values()) + 0.7),
    )
    ends.tick_params(axis="y", length=0)
    drawing.letter(ends, "b", "where training ends, one dot per start")
    handles = drawing.series_handles(energy, shades, {name: rf"diagonal, $\ell_1 / \ell_2 = {name}$" for name in names})
    handles += [
        Line2D([], [], color=drawing.GREY, label="full, at every ratio", **FULL),
        *drawing.source_handles(energy, ["theory"], {"theory": "encoder optimised again"}),
        Line2D([], [], color=drawing.GREY, linestyle="--", label="not optimised again"),
        *drawing.source_handles(energy, ["trained"]),
    ]
    drawing.figure_legend(energy, handles, ncols=4)
    return axes


def _draw_full(ax: Axes, table: Table) -> None:
    """Draw the full posteriors, whose excess loss is zero at every ratio, below the diagonal ones and wider."""
    full = [series for series in table.series(ENERGY) if series.startswith("full")]
    line = table.select(ENERGY, "theory", full[0])
    ax.plot(line.x, line.y, color=drawing.GREY, zorder=1, **FULL)
    for series in full:
        dots = table.select(ENERGY, "trained", series)
        ax.plot(dots.x, dots.y, "o", color=drawing.GREY, markersize=5.5, zorder=1)
