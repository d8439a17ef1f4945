"""Figure: a small, chosen change of the data hides the factors from a VAE, but not from methods that ignore variance.

Images of an ellipse that moves a little across and down, two factors of similar variance. The loading is changed by the
smallest E that rotates the principal axes, up to the angle near 45 degrees at which the variances would tie.

a  Mean correlation of factors and codes. The VAE's falls; under a random change of the same size in the same plane it
   falls far less (mean of 200 draws, and the range that holds 90 % of them; yellow dots are one of the draws, trained):
   the choice of the change harms more than its size. AMUSE, which identifies the factors by their correlation in time,
   and FastICA, which identifies them by their distribution (here Laplace), keep theirs.
b  The mutual information gap, in closed form.
c  The angle between the VAE's latents and the factors.
d  The images at -2 and 2 standard deviations of each factor: original, manipulated, and five times the difference.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import partial

import numpy as np
from matplotlib.axes import Axes

from figures.kit import drawing
from figures.kit.angles import modulo_right_angle
from figures.kit.options import Progress, between, checked_options, ignore, several_numbers, start_seeds
from figures.kit.table import Table, points
from figures.kit.training import train_each, unfinished
from numerics.comparison import Tolerance, compare_points
from numerics.experiments.hiding import (
    amuse_correlations,
    demixing_by_eigenvalues,
    fast_ica_correlations,
    random_changes,
    scores_of_points,
    separation_code,
    shifted_sprite,
    versions,
)
from numerics.sampling.estimate import Estimate
from theory import GenerativeModel, LinearVAE, optimum, validation
from theory.axes.separation import separate
from theory.axes.temporal_model import TemporalModel
from theory.scores import GaussianCode, mean_correlation, mutual_information_gap

__all__ = ["CAPTION", "LAYOUT", "data", "plot"]

LAYOUT = {"shape": (2, 2), "size": (drawing.DOUBLE_COLUMN, 5.2)}

CAPTION = r"""
A small change of the data, chosen to rotate their principal axes, hides the factors from a VAE, but not from methods
that ignore variance.

Images of an ellipse follow two factors, a move across and one down, by a loading $A$.

Against the size $\|E\| / \|A\|$ of the smallest change $E$ of $A$ that rotates the axes: (a) mean correlation of
factors and codes; (b) mutual information gap; (c) angle between the VAE's latents and the factors, in degrees.

(d) Images two standard deviations left, right, up and down: original, manipulated with the axes rotated by
{pictured_angle} degrees, and the change made stronger.

The VAE has $\beta = {beta}$; the noise variance is {noise_variance}. Lines are theory; dots are trained VAEs; rings
are AMUSE by eigenvectors; bars are AMUSE by Monte Carlo over {series} series, with two standard errors (s.e.). Squares
of FastICA are measured, and drawn a little to the right. A VAE under {random_changes} random changes of the same size
is measured: mean (squares) and the range of 90 %; a dot is one draw, trained.
"""

CORRELATION, GAP, ANGLE = "mean_correlation", "mutual_information_gap", "angle"
SCORES = {CORRELATION: mean_correlation, GAP: mutual_information_gap}
VAE, RANDOM, AMUSE, ICA = "VAE", "VAE, random change", "AMUSE", "FastICA"
LOW, HIGH = "VAE, random change, 5 %", "VAE, random change, 95 %"
COLOURS = {VAE: "C1", RANDOM: "C4", AMUSE: "C0", ICA: "C2"}
LOWEST = {CORRELATION: 0.7, GAP: -0.02}  # on the axes; two factors mixed at 45 degrees correlate by 0.7 with the codes
BESIDE = 0.003  # how far to the right FastICA is drawn, whose values are those of AMUSE
LARGEST = 44.0  # degrees
PICTURES = ((-2, 0), (2, 0), (0, -2), (0, 2))
STRONGER = 5
ROUNDED = Tolerance(1e-9, "eigenvectors and quadrature in double precision")
TRAINED = Tolerance(1e-5, "error that a gradient of 1e-8 nats leaves where the variances nearly tie")


def data(
    *,
    beta: float = 2.0,
    noise_variance: float = 0.5,
    autocorrelations: Sequence[float] = (0.9, 0.4),
    largest_angle: float = 40.0,
    random_draws: int = 200,
    quick: bool = False,
    seed: int = 0,
    progress: Progress = ignore,
) -> Table:
    """Scores and angle (degrees) against the size of the change, as a share of the loading's.

    Parameters
    ----------
    beta : float, from .5 to 10
        weight of the KL term of the VAE.
    noise_variance : float, from .1 to 2
        of the images, per pixel, and of the decoder; `beta` times it is at most 5, so that both latents are active.
    autocorrelations : two floats, from -.95 to .95, that differ by .2 or more
        of the factors in time, by which AMUSE identifies them.
    largest_angle : float, from 10 to 40
        degrees by which the largest change that is trained rotates the axes; that of the images in (d).
    random_draws : int, from 20 to 2000
        random changes of each size.
    quick : bool
        fewer points and shorter samples.
    seed : int
        of samples and random starts.
    progress : callable, optional
        receives a short status message before each part of the work.
    """
    quick, (drawn, changed, starts) = checked_options(quick, seed, progress, 3)
    beta, noise = between("beta", beta, 0.5, 10), between("noise_variance", noise_variance, 0.1, min(2, 5 / beta))
    autocorrelations = _checked_autocorrelations(autocorrelations)
    largest_angle = between("largest_angle", largest_angle, 10, 40)
    random_draws = validation.count("random_draws", random_draws, 20, 2000)
    sprite = shifted_sprite()
    loading_size = np.linalg.norm(sprite.loading)
    line, tried = np.linspace(0, LARGEST, 23 if quick else 45), np.linspace(0, largest_angle, 3 if quick else 6)
    count, repeats = (3000, 10) if quick else (10_000, 20)
    rng, changes = np.random.default_rng(drawn), np.random.default_rng(changed)
    rows, sweeps, sizes_stated, sizes_found = [], [], [], []
    closed = partial(_closed, beta=beta, autocorrelations=autocorrelations)
    curves = [closed(versions(sprite, np.radians(angle), noise)) for angle in line]
    sizes = [size / loading_size for size, _ in curves]
    for name in (VAE, AMUSE):
        for panel, score in SCORES.items():
            rows += points(panel, name, "theory", sizes, [score(codes[name]) for _, codes in curves])
    rows += points(ANGLE, VAE, "theory", sizes, line)
    for angle in tried:
        progress(f"angle {angle:g} degrees")
        version = versions(sprite, np.radians(angle), noise)
        size, codes = closed(version)
        size /= loading_size
        randomly = random_changes(sprite, version.size, noise, random_draws, changes)
        learned = [_learned(truth, beta) for truth in randomly]
        codes[RANDOM] = learned[0]
        for panel, score in SCORES.items():
            scores = np.array([score(code) for code in learned])
            rows += points(panel, RANDOM, "measured", size, scores.mean())
            for name, value in zip((LOW, HIGH), np.quantile(scores, [0.05, 0.95]), strict=True):
                rows += points(panel, name, "measured", size, value)
        for name, truth in {VAE: version.manipulated, RANDOM: randomly[0]}.items():
            done = train_each(truth.covariance, 2, [beta], seeds=start_seeds(starts), noise_variance=noise)
            vae = done.vae(0, 0)
            sweeps.append(done)
            measured = scores_of_points(truth, vae.encoder)
            for panel, score in SCORES.items():
                rows += points(panel, name, "trained", size, measured[panel], expected=score(codes[name]))
            if name == VAE:
                rows += points(ANGLE, VAE, "trained", size, _angle(truth, vae), expected=angle)
        demixed = scores_of_points(version.manipulated, demixing_by_eigenvalues(version.manipulated, autocorrelations))
        for panel, score in SCORES.items():
            rows += points(panel, AMUSE, "reference", size, demixed[panel], expected=score(codes[AMUSE]))
        sizes_found.append(np.linalg.norm(version.manipulated.loading - sprite.loading) / loading_size)
        sizes_stated.append(size)
        series = Estimate.of(amuse_correlations(version.manipulated, autocorrelations, count, repeats, rng))
        rows += points(
            CORRELATION, AMUSE, "monte_carlo", size, series.value, standard_error=series.standard_error,
            expected=mean_correlation(codes[AMUSE]),
        )  # fmt: skip
        components = fast_ica_correlations(version.manipulated, count, max(2, repeats // 5), rng)
        rows += points(CORRELATION, ICA, "measured", size, components.mean())
    return Table(
        points=tuple(rows),
        parameters={
            "column_norms": np.linalg.norm(sprite.loading, axis=0),
            "pixels": sprite.image.size,
            "noise_variance": noise,
            "beta": beta,
            "autocorrelations": autocorrelations,
            "pictured_angle": float(tried[-1]),
            "series_length": count,
            "series": repeats,
            "random_changes": random_draws,
            "seed": seed,
        },
        tolerances={
            (CORRELATION, "trained"): TRAINED,
            (GAP, "trained"): TRAINED,
            (CORRELATION, "reference"): ROUNDED,
            (GAP, "reference"): ROUNDED,
            (ANGLE, "trained"): Tolerance(1e-2, f"degrees; {TRAINED.reason}"),
        },
        draws={CORRELATION: repeats},
        checks=(
            compare_points("size of the change", "reference", sizes_stated, sizes_found, ROUNDED),
            unfinished(sweeps),
        ),
    )


def _checked_autocorrelations(values: Sequence[float]) -> tuple[float, ...]:
    first, second = several_numbers("autocorrelations", values, -0.95, 0.95, least=2)[:2]
    if len(values) > 2 or abs(first - second) < 0.2:
        raise ValueError(
            f"autocorrelations must be two numbers that differ by 0.2 or more, got "
            f"{', '.join(f'{value:g}' for value in values)}; pass such as 0.9, 0.4"
        )
    return first, second


def _closed(made, *, beta: float, autocorrelations) -> tuple[float, dict[str, GaussianCode]]:
    """The size of the change, and the codes of each method in closed form."""
    truth = made.manipulated
    model = TemporalModel(truth.loading, autocorrelations, truth.noise_variance)
    separation = separate(model.covariance, model.lagged_covariance(), 2)
    return made.size, {VAE: _learned(truth, beta), AMUSE: separation_code(truth, separation)}


def _learned(truth: GenerativeModel, beta: float) -> GaussianCode:
    """The code of the VAE that is optimal for the data."""
    best = optimum(truth.covariance, 2, beta=beta, noise_variance=truth.noise_variance)
    return GaussianCode.of(truth, best.vae)


def _angle(truth: GenerativeModel, vae: LinearVAE) -> float:
    """The angle in degrees, from 0 to 45, between the factors and the directions of the factors that latents encode."""
    code = vae.encoder @ truth.loading
    angles = np.degrees(np.arctan2(code[:, 1], code[:, 0]))
    return float(np.abs(modulo_right_angle(angles)).mean())


@drawing.styled()
def plot(table: Table, axes):
    """Draw two scores and the angle against the size of the change, and the images, on four Axes; returns the Axes."""
    correlation, gap, angle, pictures = drawing.panel_axes(axes, 4)
    titles = {CORRELATION: "mean correlation", GAP: "mutual information gap", ANGLE: "angle of the latents (degrees)"}
    for ax, name, (panel, title) in zip((correlation, gap, angle), "abc", titles.items(), strict=True):
        drawing.draw_panel(ax, table, panel, {name: COLOURS[name] for name in (VAE, RANDOM, AMUSE)})
        drawing.draw_panel(ax, _beside(table), panel, {ICA: COLOURS[ICA]})
        ax.set_xlabel(r"size of the change, $\|E\| / \|A\|$")
        drawing.letter(ax, name, title)
    for ax, panel in ((correlation, CORRELATION), (gap, GAP)):
        low, high = (table.select(panel, "measured", name) for name in (LOW, HIGH))
        text = "90 % of random changes"
        shade = ax.fill_between(low.x, low.y, high.y, color=COLOURS[RANDOM], alpha=0.2, linewidth=0, label=text)
    angle.set_yticks([0, 15, 30, 45])
    for ax, panel, together in ((correlation, CORRELATION, "AMUSE and FastICA"), (gap, GAP, "AMUSE")):
        rows = table.select(panel, "theory", AMUSE)
        ax.set_ylim(LOWEST[panel], rows.y[-1] + 0.12 * np.diff(ax.get_ylim()).item())
        ax.annotate(together, (rows.x[-1], rows.y[-1]), (0, 4), textcoords="offset points", ha="right", fontsize=7)
        drawing.state_limits(ax)
    sources = ["theory", "trained", "monte_carlo", "measured", "reference"]
    handles = [
        *drawing.series_handles(correlation, COLOURS),
        shade,
        *drawing.source_handles(correlation, sources, {"reference": "eigenvectors"}),
    ]
    drawing.figure_legend(correlation, handles, ncols=5)

    _draw_images(pictures, table)
    return axes


def _beside(table: Table) -> Table:
    """A table with its points moved to the right, so that they do not hide others."""
    return dataclasses.replace(table, points=tuple(dataclasses.replace(row, x=row.x + BESIDE) for row in table.points))


def _draw_images(pictures: Axes, table: Table) -> None:
    """Draw the images of two standard deviations of each factor, before and after the change, and the difference."""
    angle_shown = table.parameters["pictured_angle"]
    sprite = shifted_sprite()
    changed = versions(sprite, np.radians(angle_shown), table.parameters["noise_variance"]).manipulated.loading
    middle = slice(sprite.image.shape[0] // 6, -(sprite.image.shape[0] // 6))
    before = [sprite.picture(factors)[middle, middle] for factors in PICTURES]
    after = [sprite.picture(factors, changed)[middle, middle] for factors in PICTURES]
    differences = [0.5 + STRONGER * (b - a) / 2 for a, b in zip(before, after, strict=True)]
    rows = [np.hstack(row) for row in (before, after, differences)]
    high, wide = before[0].shape
    pictures.imshow(np.vstack(rows), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    places = [(index + 0.5) * wide for index in range(len(PICTURES))]
    pictures.set_xticks(places, labels=["left", "right", "up", "down"])
    labels = ["original", "manipulated", f"change\nx {STRONGER}"]
    pictures.set_yticks([(index + 0.5) * high for index in range(3)], labels=labels)
    for index in range(1, len(PICTURES)):
        pictures.axvline(index * wide - 0.5, color="white", linewidth=0.5)
    for index in range(1, 3):
        pictures.axhline(index * high - 0.5, color="white", linewidth=0.5)
    pictures.tick_params(length=0)
    pictures.set_xlabel("two standard deviations of one factor")
    drawing.letter(pictures, "d", f"images, axes rotated by {angle_shown:g} degrees")
