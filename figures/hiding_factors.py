"""Figure: a small change of the data hides the factors from a VAE, but not from methods that do not follow variance.

Images of an ellipse that moves a little across and down, two factors of similar variance. The loading is changed by the
smallest E that turns the principal axes, up to the angle near 45 degrees at which the variances would tie.

a  Mean correlation of factors and codes. The VAE's falls; with noise of the same power instead of the change it stays.
   AMUSE, which knows the factors by their correlation in time, and FastICA, which knows them by their shape (here
   Laplace), keep theirs.
b  The mutual information gap, in closed form.
c  The angle between the VAE's latents and the factors.
d  The images at -2 and 2 standard deviations of each factor: original, manipulated, and five times what was changed.
"""

from __future__ import annotations

import numpy as np

from figures.drawing import (
    ABOVE,
    DOUBLE_COLUMN,
    draw_panel,
    letter,
    panel_axes,
    series_legend,
    source_legend,
    styled,
)
from figures.experiments import Say, silent, train_each, unfinished
from figures.table import Table, Tolerance, points
from numerics.hiding import amuse_correlations, fast_ica_correlations, separation_code, shifted_sprite, versions
from theory import GenerativeModel, LinearVAE, optimum
from theory.axes.separation import TemporalModel, separate
from theory.metrics import GaussianCode, mean_correlation, mutual_information_gap

__all__ = ["LAYOUT", "data", "plot"]

LAYOUT = {"shape": (2, 2), "size": (DOUBLE_COLUMN, 5.2)}

CORRELATION, GAP, ANGLE = "mean_correlation", "mutual_information_gap", "angle"
SCORES = {CORRELATION: mean_correlation, GAP: mutual_information_gap}
VAE, NOISY, AMUSE, ICA = "VAE", "VAE, noise instead", "AMUSE", "FastICA"
COLOURS = {VAE: "C1", NOISY: "C4", AMUSE: "C0", ICA: "C2"}
NOISE, BETA = 0.5, 2.0
AUTOCORRELATIONS = (0.9, 0.4)
LARGEST = 44.0  # degrees
PICTURES = ((-2, 0), (2, 0), (0, -2), (0, 2))
STRONGER = 5
TRAINED = Tolerance(1e-5, "what a gradient of 1e-8 nats leaves where the variances nearly tie")


def data(*, quick: bool = False, seed: int = 0, say: Say = silent) -> Table:
    """Scores and angle (degrees) against the size of the change, as a share of the loading's.

    Parameters
    ----------
    quick : bool
        fewer points, shorter samples.
    seed : int
        of samples and random starts.
    say : callable, optional
        is told what is being done.
    """
    sprite = shifted_sprite()
    whole = np.linalg.norm(sprite.loading)
    line, tried = np.linspace(0, LARGEST, 23 if quick else 45), np.linspace(0, 40, 3 if quick else 6)
    count, repeats = (3000, 10) if quick else (10_000, 20)
    rng = np.random.default_rng([seed, 3])
    rows, sweeps = [], []
    curves = [_closed(versions(sprite, np.radians(angle), NOISE)) for angle in line]
    sizes = [size / whole for size, _ in curves]
    for name in (VAE, NOISY, AMUSE):
        for panel, score in SCORES.items():
            rows += points(panel, name, "theory", sizes, [score(codes[name]) for _, codes in curves])
    rows += points(ANGLE, VAE, "theory", sizes, line)
    for angle in tried:
        say(f"angle {angle:g} degrees")
        made = versions(sprite, np.radians(angle), NOISE)
        size, codes = _closed(made)
        size /= whole
        for name, truth in {VAE: made.manipulated, NOISY: made.noisy}.items():
            done = train_each(truth.covariance, 2, [BETA], seeds=(seed,), noise_variance=truth.noise_variance)
            vae = done.vae(0, 0)
            sweeps.append(done)
            for panel, score in SCORES.items():
                found, expected = score(GaussianCode.of(truth, vae)), score(codes[name])
                rows += points(panel, name, "trained", size, found, expected=expected)
            if name == VAE:
                rows += points(ANGLE, VAE, "trained", size, _angle(truth, vae), expected=angle)
        series = amuse_correlations(made.manipulated, AUTOCORRELATIONS, count, repeats, rng)
        error = series.std(ddof=1) / np.sqrt(repeats)
        rows += points(
            CORRELATION, AMUSE, "monte_carlo", size, series.mean(), standard_error=error,
            expected=mean_correlation(codes[AMUSE]),
        )  # fmt: skip
        components = fast_ica_correlations(made.manipulated, count, max(2, repeats // 5), rng)
        rows += points(CORRELATION, ICA, "measured", size, components.mean())
    return Table(
        points=tuple(rows),
        parameters={
            "column_norms": np.linalg.norm(sprite.loading, axis=0),
            "pixels": sprite.image.size,
            "noise_variance": NOISE,
            "beta": BETA,
            "autocorrelations": AUTOCORRELATIONS,
            "pictured_angle": float(tried[-1]),
            "series_length": count,
            "series": repeats,
            "seed": seed,
        },
        tolerances={
            (CORRELATION, "trained"): TRAINED,
            (GAP, "trained"): TRAINED,
            (ANGLE, "trained"): Tolerance(1e-2, f"degrees; {TRAINED.reason}"),
        },
        checks=(unfinished(sweeps),),
    )


def _closed(made) -> tuple[float, dict[str, GaussianCode]]:
    """The size of the change, and the codes of each method in closed form."""

    def learned(truth: GenerativeModel) -> GaussianCode:
        best = optimum(truth.covariance, 2, beta=BETA, noise_variance=truth.noise_variance)
        return GaussianCode.of(truth, best.vae)

    truth = made.manipulated
    model = TemporalModel(truth.loading, AUTOCORRELATIONS, truth.noise_variance)
    found = separate(model.covariance, model.lagged_covariance(), 2)
    return made.size, {VAE: learned(truth), NOISY: learned(made.noisy), AMUSE: separation_code(truth, found)}


def _angle(truth: GenerativeModel, vae: LinearVAE) -> float:
    """The angle in degrees, from 0 to 45, between the factors and the directions of the factors that latents encode."""
    code = vae.encoder @ truth.loading
    angles = np.degrees(np.arctan2(code[:, 1], code[:, 0]))
    return float(np.abs((angles + 45) % 90 - 45).mean())


@styled()
def plot(table: Table, axes):
    """Draw two scores and the angle against the size of the change, and the images, on four Axes; returns these."""
    correlation, gap, angle, pictures = panel_axes(axes, 4)
    titles = {CORRELATION: "mean correlation", GAP: "mutual information gap", ANGLE: "angle of the latents (degrees)"}
    for ax, name, (panel, title) in zip((correlation, gap, angle), "abc", titles.items(), strict=True):
        draw_panel(ax, table, panel, COLOURS)
        ax.set_xlabel(r"size of the change, $\|E\| / \|A\|$")
        letter(ax, name, title)
    angle.set_yticks([0, 15, 30, 45])
    for ax, panel, together in ((correlation, CORRELATION, "noise, AMUSE and FastICA"), (gap, GAP, "noise and AMUSE")):
        rows = table.select(panel, "theory", AMUSE)
        ax.annotate(together, (rows.x[-1], rows.y[-1]), (0, -9), textcoords="offset points", ha="right", fontsize=7)
    series_legend(correlation, COLOURS, ncols=2, **ABOVE)
    source_legend(gap, ["theory", "trained", "monte_carlo", "measured"], ncols=2, **ABOVE)

    turn = table.parameters["pictured_angle"]
    sprite = shifted_sprite()
    changed = versions(sprite, np.radians(turn), table.parameters["noise_variance"]).manipulated.loading
    middle = slice(sprite.image.shape[0] // 6, -(sprite.image.shape[0] // 6))
    before = [sprite.picture(factors)[middle, middle] for factors in PICTURES]
    after = [sprite.picture(factors, changed)[middle, middle] for factors in PICTURES]
    apart = [0.5 + STRONGER * (b - a) / 2 for a, b in zip(before, after, strict=True)]
    rows = [np.hstack(row) for row in (before, after, apart)]
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
    letter(pictures, "d", f"images, axes turned by {turn:g} degrees")
    return axes
