"""Figure: real data's Gaussian rate-distortion function, and trained VAEs on it.

With enough latents the optimal VAE lies on Shannon's curve, at the water level beta s2 (s2 the noise variance). With
fewer latents than there are modes above the water it lies above it: at a high rate the distortion stays at the variance
of the modes without a latent.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from figures.kit import drawing
from figures.kit.options import Progress, between, checked_options, ignore, start_seeds
from figures.kit.real_data import Observations, away_from, real_data
from figures.kit.table import Table, points
from figures.kit.training import train_each, unfinished
from numerics.comparison import Tolerance, compare_points
from numerics.experiments.water_filling import shannon_distortion
from numerics.sampling.cubature import elbo_terms_by_cubature
from theory import rate_distortion
from theory.learning import capacity_penalty, vae_rate_distortion, water_level_for_rate

__all__ = ["CAPTION", "LAYOUT", "data", "plot"]

LAYOUT = {"shape": (1, 2), "size": (drawing.DOUBLE_COLUMN, 3.0)}

CAPTION = r"""
With enough latents the optimal VAE of real data lies on Shannon's rate-distortion curve; with too few it pays an
excess distortion.

(a) Distortion, the expected squared error over the total variance, against the rate, the expected KL of the posterior
from the prior in nats. Black: Shannon's curve for Gaussian data of the same covariance. Coloured: the VAE with $K =
{latent_dims}$ latents; while these are enough, it lies on Shannon's curve. (b) How far the VAE with $K =
{latent_dims}$ latents lies above Shannon's curve at the same rate: the excess distortion, in units of the total
variance.

The data are `{data}`, {observations} observations of {data_dim} variables. Along a curve $\beta$ falls from left to
right; the noise variance is fixed at {noise_variance:.3g}, the mean variance, and the curves end where $\beta$ times
it is {lowest_level} of the largest eigenvalue. Lines are theory; dots are trained VAEs, whose rate and distortion are
measured; rings are Shannon's curve by bisection.
"""

PLANE, PENALTY = "distortion", "excess_distortion"
SHANNON = "Shannon"
LATENTS = (2, 4, 8, 16)
FEW_DIMENSIONS = 8  # of the data, up to which a single latent is shown too: two may already be enough
RINGS = 20  # points of Shannon's curve from one to the next that is found by bisection
BISECTED = Tolerance(1e-12, "bisection of the water level, to rounding; relative to the total variance")
RATE = Tolerance(1e-6, "nats; training stops at a gradient of 1e-8 nats")
TRAINED = Tolerance(1e-6, "training stops at a gradient of 1e-8 nats; relative to the total variance")


def data(
    *,
    observations=None,
    name: str = "data",
    latent_dims: Sequence[int] | None = None,
    lowest_level: float = 0.02,
    quick: bool = False,
    seed: int = 0,
    progress: Progress = ignore,
) -> Table:
    """Distortion (as a share of the total variance) against rate (nats): Shannon's curve, VAEs, and their distance.

    Parameters
    ----------
    observations : (N, D) array, optional
        scikit-learn's digits by default.
    name : str
        of the observations, for the json file.
    latent_dims : sequence of ints, optional
        each K; by default those of 2, 4, 8 and 16 (1, 2, 4 for up to 8 variables) that leave a noise to learn and
        whose training is short.
    lowest_level : float, from .001 to .5
        the water level at which the curves end, over the largest eigenvalue: the lower, the higher the rates.
    quick, seed, progress
        as for `figures.collapse.data`, as are the errors.
    """
    quick, (starts,) = checked_options(quick, seed, progress, 1)
    source = real_data(observations, name)
    total, largest = source.eigenvalues.sum(), source.eigenvalues[0]
    lowest_level = between("lowest_level", lowest_level, 0.001, 0.5)
    levels = largest * np.geomspace(lowest_level, 1.0, 161)
    shannon = rate_distortion(source.eigenvalues, levels)
    rows = points(PLANE, SHANNON, "theory", shannon.rate, shannon.distortion / total)
    few_rates = shannon.rate[::RINGS]
    found = [shannon_distortion(source.eigenvalues, rate) / total for rate in few_rates]
    at_rate = rate_distortion(source.eigenvalues, water_level_for_rate(source.eigenvalues, few_rates)).distortion
    rows += points(PLANE, SHANNON, "reference", few_rates, found, expected=at_rate / total)
    few, wanted = source.data.shape[1] <= FEW_DIMENSIONS, 5 if quick else 12
    sizes = LATENTS[1:3] if quick else LATENTS
    sizes = (1, *LATENTS[:2]) if few else sizes
    if latent_dims is None:
        latent_dims = source.affordable(source.latent_dims(sizes), wanted)
    else:
        latent_dims = source.checked_latent_dims("latent_dims", latent_dims)
    count, sweeps, rates = source.affordable_betas(latent_dims, wanted), [], []
    noise = source.eigenvalues.mean()
    for latent_dim in latent_dims:
        progress(f"training {latent_dim} latents")
        trained_levels = away_from(source.eigenvalues[:latent_dim], largest * np.geomspace(lowest_level, 0.9, count))
        seeds = start_seeds(starts)
        done = train_each(source.moments, latent_dim, trained_levels / noise, noise_variance=noise, seeds=seeds)
        sweeps.append(done)
        rows += _curve(source, latent_dim, levels, total)
        dots, stated, found = _dots(source, latent_dim, trained_levels, done, total)
        rows += dots
        rates.append((stated, found))
    rate = compare_points("rate", "trained", *np.hstack(rates), RATE)
    return Table(
        points=tuple(rows),
        parameters=source.parameters
        | {
            "latent_dims": latent_dims,
            "lowest_level": lowest_level,
            "noise_variance": noise,
            "total_variance": total,
            "seed": seed,
        },
        tolerances={(panel, "trained"): TRAINED for panel in (PLANE, PENALTY)} | {(PLANE, "reference"): BISECTED},
        checks=(rate, unfinished(sweeps)),
    )


def _curve(source: Observations, latent_dim: int, levels: np.ndarray, total: float):
    point, penalty = (f(source.eigenvalues, latent_dim, levels) for f in (vae_rate_distortion, capacity_penalty))
    return [
        *points(PLANE, str(latent_dim), "theory", point.rate, point.distortion / total),
        *points(PENALTY, str(latent_dim), "theory", point.rate, penalty.distortion / total),
    ]


def _dots(source: Observations, latent_dim: int, levels: np.ndarray, done, total: float):
    """The trained models at their own rates, the least distortion at these rates, and the rates by theory and found."""
    parts = [elbo_terms_by_cubature(vae, source.moments) for (vae,) in done.vaes()]
    rate, distortion = (np.array([part[name] for part in parts]) for name in ("rate", "distortion"))
    least = np.array([shannon_distortion(source.eigenvalues, value) for value in rate])
    stated = vae_rate_distortion(source.eigenvalues, latent_dim, levels)
    penalty = capacity_penalty(source.eigenvalues, latent_dim, levels).distortion
    series = str(latent_dim)
    rows = [
        *points(PLANE, series, "trained", rate, distortion / total, expected=stated.distortion / total),
        *points(PENALTY, series, "trained", rate, (distortion - least) / total, expected=penalty / total),
    ]
    return rows, stated.rate, rate


@drawing.styled()
def plot(table: Table, axes):
    """Draw the plane of rate and distortion, and the price of too few latents, on two Axes; returns the Axes."""
    plane, penalty = drawing.panel_axes(axes, 2)
    latents = [series for series in table.series(PLANE) if series != SHANNON]
    colours = drawing.ordered_colours(latents)
    drawing.draw_panel(plane, table, PLANE, {SHANNON: "black"}, linewidth=1.8)
    drawing.draw_panel(plane, table, PLANE, colours)
    drawing.draw_panel(penalty, table, PENALTY, colours)
    drawing.letter(plane, "a", "rate and distortion")
    drawing.letter(penalty, "b", "price of too few latents")
    plane.set(xlabel="rate (nats)", ylabel="distortion / total variance", yscale="log")
    penalty.set(xlabel="rate (nats)", ylabel="excess distortion / total variance")
    penalty.set_ylim(-0.002, max(0.02, 1.05 * table.select(PENALTY, "theory").y.max()))
    drawing.plain_ticks(plane.yaxis)
    for ax, panel in ((plane, PLANE), (penalty, PENALTY)):
        drawing.label_ends(ax, table, panel, colours, {name: f"$K = {name}$" for name in latents})
    shannon = {SHANNON: "black"}
    handles = drawing.series_handles(plane, shannon, {SHANNON: "Shannon's curve"})
    handles += drawing.series_handles(plane, shannon, {SHANNON: "Shannon's curve by bisection"}, "reference")
    handles += drawing.source_handles(
        plane, ["theory", "trained"], {"theory": "VAE, theory", "trained": "VAE, trained"}
    )
    drawing.figure_legend(plane, handles)
    return axes
