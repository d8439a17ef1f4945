"""Figure: the noise variance that a VAE learns on real data, against beta.

With fewer latents than modes it is continuous and never falls as beta grows; wherever a latent collapses it has a kink.
Beyond the first critical beta all latents are gone and it is the mean variance. At beta = 1 it is the maximum
likelihood noise of probabilistic PCA, the mean of the eigenvalues beyond the K-th, which scikit-learn
confirms.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from figures.kit import drawing
from figures.kit.options import Progress, checked_options, ignore, interval, start_seeds
from figures.kit.real_data import Observations, betas_to_train, real_data
from figures.kit.table import Table, points
from figures.kit.training import critical_betas_found, train_each, unfinished
from numerics import active_count
from numerics.comparison import Tolerance
from theory import optimum_curve

__all__ = ["CAPTION", "LAYOUT", "data", "plot"]

LAYOUT = {"shape": (1, 2), "size": (drawing.DOUBLE_COLUMN, 3.1)}

CAPTION = r"""
The noise variance that a VAE learns on real data never falls as $\beta$ grows, and has a kink wherever a latent
collapses, until it is the mean variance of the data.

Against the weight $\beta$ of the KL term, for $K = {latent_dims}$ latents: (a) the learned noise variance over the
mean variance (the total variance divided by the number of variables); (b) the number of active latents; where lines
coincide, that of the smallest $K$ is on top.

The data are `{data}`, {observations} observations of {data_dim} variables. Decoder, encoder (diagonal posterior) and
noise are learned. Lines are theory; dots are models trained from random starts. Rings are the noise of probabilistic
PCA, which is the case $\beta = 1$, by scikit-learn. Thin vertical lines are the critical $\beta$ of the latents of the
largest $K$, by theory: latent $i$ has the same critical $\beta$ for every $K \ge i$.
"""

NOISE, COUNT = "noise_variance", "active_count"
LATENTS = (12, 6, 2)
TRAINED = Tolerance(1e-6, "training stops at a gradient of 1e-8 nats; relative to the mean variance")
WHOLE = Tolerance(0.0, "a whole number, and training stays 2 % away from collapses")
PCA = Tolerance(1e-10, "two closed forms in double precision; relative to the mean variance")


def data(
    *,
    observations=None,
    name: str = "data",
    latent_dims: Sequence[int] | None = None,
    beta_range: Sequence[float] | None = None,
    quick: bool = False,
    seed: int = 0,
    progress: Progress = ignore,
) -> Table:
    """Learned noise (in units of the mean variance) and active count against beta, for several numbers of latents.

    Parameters
    ----------
    observations : (N, D) array, optional
        scikit-learn's digits by default.
    name : str
        of the observations, for the json file.
    latent_dims : sequence of ints, optional
        each K; by default those of 12, 6 and 2 that leave a noise to learn and whose training is short.
    beta_range : (low, high), optional
        of the weight of the KL term; by default it holds 1 and all critical betas.
    quick, seed, progress
        as for `figures.collapse.data`, as are the errors.
    """
    quick, (starts,) = checked_options(quick, seed, progress, 1)
    source = real_data(observations, name)
    mean_variance = source.eigenvalues.mean()
    wanted = 6 if quick else 18
    if latent_dims is None:
        latent_dims = source.affordable(source.latent_dims(LATENTS[1:] if quick else LATENTS), wanted)
    else:
        latent_dims = source.checked_latent_dims("latent_dims", latent_dims)
    betas_tried = source.affordable_betas(latent_dims, wanted)
    critical = optimum_curve(source.moments, max(latent_dims), [1.0]).critical_betas
    default = min(0.5, critical[-1] / 2), 1.3 * critical[0]
    low, high = default if beta_range is None else interval("beta_range", beta_range)
    shown = critical[(critical >= low) & (critical <= high)]
    line = np.union1d(np.geomspace(low, high, 161), shown)
    rows, sweeps = points(NOISE, "all", "critical", shown, np.nan), []
    rows += points(COUNT, "all", "critical", shown, np.nan)
    for latent_dim in latent_dims:
        progress(f"training {latent_dim} latents")
        trained_betas = betas_to_train(critical[:latent_dim], low, high, betas_tried)
        done = train_each(source.moments, latent_dim, trained_betas, seeds=start_seeds(starts))
        series = str(latent_dim)
        sweeps.append(done)
        curve, expected = (optimum_curve(source.moments, latent_dim, betas) for betas in (line, trained_betas))
        vaes = [vae for (vae,) in done.vaes()]
        noise = np.array([vae.noise_variance for vae in vaes])
        count = [active_count(vae, source.moments) for vae in vaes]
        at_one = optimum_curve(source.moments, latent_dim, [1.0]).noise_variance
        rows += points(NOISE, series, "theory", line, curve.noise_variance / mean_variance)
        rows += points(
            NOISE,
            series,
            "trained",
            trained_betas,
            noise / mean_variance,
            expected=expected.noise_variance / mean_variance,
        )
        if low <= 1 <= high:
            rows += points(
                NOISE,
                series,
                "reference",
                1.0,
                _pca_noise(source, latent_dim) / mean_variance,
                expected=at_one / mean_variance,
            )
        rows += points(COUNT, series, "theory", line, curve.active_count)
        rows += points(COUNT, series, "trained", trained_betas, count, expected=expected.active_count)
    revived = critical_betas_found(source.moments, critical[:betas_tried], seed=starts)
    return Table(
        points=tuple(rows),
        parameters=source.parameters | {"latent_dims": latent_dims, "mean_variance": mean_variance, "seed": seed},
        tolerances={(NOISE, "trained"): TRAINED, (COUNT, "trained"): WHOLE, (NOISE, "reference"): PCA},
        checks=(revived, unfinished(sweeps)),
        checked={(panel, "all"): revived.quantity for panel in (NOISE, COUNT) if shown.size},
    )


def _pca_noise(source: Observations, latent_dim: int) -> float:
    """Probabilistic PCA's noise by scikit-learn, which divides by N - 1 where maximum likelihood divides by N.

    Its average is over the min(N, D) - K directions that N observations can fill, the likelihood's over all D - K.
    """
    from sklearn.decomposition import PCA as Decomposition

    count, data_dim = source.data.shape
    fitted = Decomposition(n_components=latent_dim, svd_solver="full").fit(source.data)
    directions = min(count, data_dim) - latent_dim
    return float(fitted.noise_variance_ * (count - 1) / count * directions / (data_dim - latent_dim))


@drawing.styled()
def plot(table: Table, axes):
    """Draw the learned noise and the active count on two Axes; returns the Axes."""
    noise, count = drawing.panel_axes(axes, 2)
    colours = drawing.ordered_colours(table.series(NOISE, "theory"))
    for ax, panel, line in ((noise, NOISE, {}), (count, COUNT, {"drawstyle": "steps-post"})):
        drawing.draw_critical(ax, table, panel)
        drawing.draw_panel(ax, table, panel, colours, **line)
        ax.set(xlabel=r"$\beta$", xscale="log")
        drawing.plain_ticks(ax.xaxis)
    drawing.letter(noise, "a", "learned noise")
    drawing.letter(count, "b", "active latents")
    noise.set(ylabel="noise variance / mean variance", ylim=(0, 1.05))
    count.set(ylabel="latents")
    drawing.whole_ticks(count.yaxis)
    drawing.from_zero(count)
    handles = drawing.series_handles(noise, colours, {name: f"$K = {name}$" for name in colours})
    sources = drawing.sources_in(table, ["theory", "trained", "reference", "critical"])
    handles += drawing.source_handles(noise, sources, {"reference": "probabilistic PCA"})
    drawing.figure_legend(noise, handles, ncols=min(len(handles), 7))
    return axes
