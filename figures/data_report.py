"""Figure of `python -m figures report`: a data set and the optimal VAE of K latents, all by closed forms.

(a) The eigenvalues of the covariance, and the water level: latents of modes above it live. (b) How many latents live
against beta, and the beta that was asked for. (c) Rate and distortion of this VAE beside Shannon's curve.
"""

from __future__ import annotations

import numpy as np

from figures.kit import drawing
from figures.kit.table import Table, points
from theory import operating_point, rate_distortion
from theory.learning import DataReport, vae_rate_distortion

__all__ = ["CAPTION", "LAYOUT", "data", "plot"]

LAYOUT = {"shape": (1, 3), "size": (drawing.DOUBLE_COLUMN, 2.7)}

CAPTION = r"""
A latent lives if the eigenvalue of its mode exceeds the water level, and on the rate-distortion plane the optimal VAE
lies on Shannon's curve as long as it has a latent for each such mode.

The data are `{data}`, the VAE has {latent_dim} latents; this beta is {beta}. (a) Eigenvalue of each mode of the data's
covariance, in descending order: with a latent that is alive, with a latent that has collapsed, or with no latent. The
line is the water level $t = \beta \sigma^2$, with $\sigma^2$ the noise variance. Eigenvalues below .1 % of the largest
are left out. (b) How many latents are alive against the weight $\beta$ of the KL term. (c) Distortion, the expected
squared error over the total variance, against the rate, in nats: Shannon's curve for Gaussian data of this covariance,
and the optimal VAE.

Points in (a) are measured from your data; all lines and diamonds are theory, computed from these eigenvalues; no model
is trained, and there are no error bars.
"""

SPECTRUM, ALIVE, PLANE = "spectrum", "active_count", "distortion"
MODES = {"alive": "C0", "collapsed": "C1", "no latent": drawing.GREY}
LEVEL, SHANNON, VAE, ASKED = "water level", "Shannon", "VAE", "this beta"
LOWEST = 1e-3  # of the largest eigenvalue: where curves and eigenvalues end
REASON = "a closed form of your data; `python -m numerics train` compares it with training"


def data(report: DataReport, *, parameters: dict | None = None) -> Table:
    """The three panels of a report; `parameters` are what the json file states about the data."""
    eigenvalues, total = report.eigenvalues, report.total_variance
    if not total:
        raise ValueError("report must be of data that vary; these are constant, and there is nothing to draw")
    modes = np.arange(1, len(eigenvalues) + 1)
    shown = eigenvalues > LOWEST * eigenvalues[0]
    latent, alive = modes <= report.latent_dim, modes <= report.active_count
    rows = []
    for name, chosen in zip(MODES, (alive, latent & ~alive, ~latent), strict=True):
        rows += points(SPECTRUM, name, "measured", modes[chosen & shown], eigenvalues[chosen & shown])
    if report.water_level > 0:
        ends = np.array([0.5, modes[shown][-1] + 0.5])
        rows += points(SPECTRUM, LEVEL, "theory", ends, np.full(2, report.water_level))
    critical = report.critical_betas[report.critical_betas > 0]
    lowest, highest = min(critical.min(), report.beta) / 2, 2 * max(critical.max(), report.beta)
    betas = np.geomspace(lowest, highest, 400)
    counts = np.count_nonzero(betas[:, np.newaxis] < critical, axis=1)
    rows += points(ALIVE, VAE, "theory", betas, counts)
    rows += points(ALIVE, ASKED, "minimum", [report.beta], [report.active_count])
    levels = eigenvalues[0] * np.geomspace(LOWEST, 1, 200)
    shannon, vae = (
        rate_distortion(eigenvalues, levels),
        vae_rate_distortion(eigenvalues, report.latent_dim, levels),
    )
    rows += points(PLANE, SHANNON, "theory", shannon.rate, shannon.distortion / total)
    rows += points(PLANE, VAE, "theory", vae.rate, vae.distortion / total)
    if np.isfinite(report.rate):
        noise = "learned" if report.noise_status != "fixed" else report.noise_variance
        here = operating_point(eigenvalues, report.latent_dim, report.beta, noise)
        rows += points(PLANE, ASKED, "minimum", [here.rate], [here.distortion / total])
    lines = {(row.panel, row.series) for row in rows if row.source in ("theory", "minimum")}
    return Table(points=tuple(rows), parameters=parameters or {}, not_compared=dict.fromkeys(sorted(lines), REASON))


@drawing.styled()
def plot(table: Table, axes):
    """Draw spectrum, living latents and the plane of rate and distortion on three Axes; returns the Axes."""
    spectrum, alive, plane = drawing.panel_axes(axes, 3)
    solid = {"linestyle": "-"}
    present = {name: colour for name, colour in MODES.items() if name in table.series(SPECTRUM)}
    for name, colour in present.items():
        rows = table.select(SPECTRUM, "measured", name)
        spectrum.plot(rows.x, rows.y, color=colour, linestyle="", marker="o", markersize=3, label=name)
    level = table.select(SPECTRUM, "theory", LEVEL)
    if level.x.size:
        spectrum.plot(level.x, level.y, color="black", linewidth=0.8, label=LEVEL)
    spectrum.legend(loc="best")
    spectrum.set(xlabel="mode", ylabel="eigenvalue", yscale="log")
    drawing.whole_ticks(spectrum.xaxis)
    for ax, panel, names in ((alive, ALIVE, {VAE: "C0"}), (plane, PLANE, {SHANNON: "black", VAE: "C0"})):
        for name, colour in names.items():
            rows = table.select(panel, "theory", name)
            ax.plot(rows.x, rows.y, color=colour, label=name, **solid)
        here = table.select(panel, "minimum", ASKED)
        if here.x.size:
            ax.plot(here.x, here.y, color="C3", linestyle="", marker="D", markeredgecolor="black", label=ASKED)
    alive.set(xlabel=r"$\beta$", ylabel="latents alive", xscale="log")
    drawing.plain_ticks(alive.xaxis)
    drawing.whole_ticks(alive.yaxis)
    plane.set(xlabel="rate (nats)", ylabel="distortion / total variance", yscale="log")
    drawing.plain_ticks(plane.yaxis)
    plane.legend(loc="lower left")
    drawing.letter(spectrum, "a", "spectrum")
    drawing.letter(alive, "b", "who lives")
    drawing.letter(plane, "c", "rate and distortion")
    return axes
