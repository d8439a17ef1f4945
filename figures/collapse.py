"""Figure: the latents of a VAE on real data collapse one by one as beta grows.

Decoder, encoder and noise are learned. With l_i the eigenvalues of the data covariance, s2 the noise variance and t =
beta s2, latent i has the weight sqrt(l_i - t) and the posterior variance t / l_i until beta reaches its critical value;
beyond it the weight is zero and the posterior is the prior.

Where eigenvalues nearly tie, the loss hardly depends on how their latents are mixed, and training does not decide it.
Weights and variances are therefore trained and compared only for latents whose eigenvalue is at least 1 % away from its
neighbours (also from those without a latent), or ties with them exactly: then no mixture changes the weights. The
active latents are counted at every trained beta, whatever the eigenvalues.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from figures.kit import drawing
from figures.kit.options import Progress, checked_options, ignore, interval, start_seeds
from figures.kit.real_data import SEPARABLE, Observations, betas_to_train, real_data
from figures.kit.table import Table, points
from figures.kit.training import critical_betas_found, train_each, unfinished
from numerics import active_count
from numerics.comparison import Tolerance
from theory import LinearVAE, optimum, optimum_curve

__all__ = ["CAPTION", "LAYOUT", "data", "plot", "resolved"]

LAYOUT = {"shape": (1, 3), "size": (drawing.DOUBLE_COLUMN, 2.7)}

CAPTION = r"""
The latents of a VAE on real data collapse to the prior one by one as $\beta$ grows, each at its critical $\beta$.

Against the weight $\beta$ of the KL term: (a) the decoder weight of each latent, the norm $\|w_i\|$ of column $i$ of
the decoder in units of $\sqrt{{\ell_1}}$; (b) the posterior variance $Q_{{ii}}$ of each latent, which is 1 after
collapse; (c) the number of active latents.

The data are `{data}`, {observations} observations of {data_dim} variables, and $\ell_1 \ge \ell_2 \ge \dots$ the
eigenvalues of their covariance. Decoder, encoder (diagonal posterior) and noise variance $\sigma^2$ of {latent_dim}
latents are learned. Numbers beside lines are latents. Lines are theory, $\|w_i\|^2 = \max(0, \ell_i - t)$
and $Q_{{ii}} = \min(1, t / \ell_i)$ with $t = \beta \sigma^2$; dots are models trained from random starts. Thin
vertical lines are the critical $\beta$, by theory; beyond its own, each latent lies on the line of the last. Dotted
lines, if there are any, are theory that is not compared: training does not separate latents whose eigenvalues differ
by less than 1 %.
"""

PANELS = {
    "weight_norm": r"decoder weight $\|w_i\| / \sqrt{\ell_1}$",
    "posterior_variance": "posterior variance $Q_{ii}$",
    "active_count": "active latents",
}
LATENTS = (12, 6, 3, 2)
TRAINED = Tolerance(1e-5, "training stops at a gradient of 1e-8 nats and stays 2 % away from collapses")
UNRESOLVED = "its eigenvalue is within 1 % of another's, and training does not decide how their latents are mixed"
WHOLE = Tolerance(0.0, "a whole number, and training stays 2 % away from collapses")


def data(
    *,
    observations=None,
    name: str = "data",
    latent_dim: int | None = None,
    beta_range: Sequence[float] | None = None,
    quick: bool = False,
    seed: int = 0,
    progress: Progress = ignore,
) -> Table:
    """Weights (in units of the largest standard deviation), posterior variances and the active count against beta.

    Parameters
    ----------
    observations : (N, D) array, optional
        scikit-learn's digits by default.
    name : str
        of the observations, for the json file.
    latent_dim : int, optional
        K; by default 12, or the largest of 6, 3 and 2 for which the data leave a noise to learn and training is short.
    beta_range : (low, high), optional
        of the weight of the KL term; by default from a third of the smallest critical beta to beyond the largest.
    quick : bool
        fewer latents and fewer trained models.
    seed : int
        of the random starts.
    progress : callable, optional
        receives a short status message before each part of the work.

    Raises
    ------
    ValueError
        if the observations are not a finite matrix, or vary in fewer than two directions; if `latent_dim` latents
        leave no noise to learn; or if `beta_range` is not a range, or holds only betas at collapses.
    """
    quick, (starts,) = checked_options(quick, seed, progress, 1)
    source = real_data(observations, name)
    wanted = 8 if quick else 26
    if latent_dim is None:
        latent_dims = source.latent_dims(LATENTS[1:] if quick else LATENTS)
        latent_dim = source.largest_affordable(latent_dims, wanted)
    else:
        (latent_dim,) = source.checked_latent_dims("latent_dim", [latent_dim])
    critical = optimum_curve(source.moments, latent_dim, [1.0]).critical_betas
    low, high = (critical[-1] / 3, 1.3 * critical[0]) if beta_range is None else interval("beta_range", beta_range)
    shown = critical[(critical >= low) & (critical <= high)]
    line = np.union1d(np.geomspace(low, high, 121), shown)
    trained_betas = betas_to_train(critical, low, high, source.affordable_betas([latent_dim], wanted))
    progress(f"training {latent_dim} latents")
    done = train_each(source.moments, latent_dim, trained_betas, seeds=start_seeds(starts))

    curve, expected = (_of_optima(source, latent_dim, betas) for betas in (line, trained_betas))
    vaes = [vae for (vae,) in done.vaes()]
    trained = _read(source, vaes, [active_count(vae, source.moments) for vae in vaes])
    compared = {panel: resolved(source) for panel in PANELS} | {"active_count": [True]}
    revived = critical_betas_found(source.moments, critical[: len(trained_betas)], seed=starts)
    rows, not_compared = [], {}
    for panel in PANELS:
        for latent, values in enumerate(curve[panel]):
            series = str(latent + 1)
            rows += points(panel, series, "theory", line, values)
            if not compared[panel][latent]:
                not_compared[panel, series] = UNRESOLVED
            else:
                rows += points(
                    panel, series, "trained", trained_betas, trained[panel][latent], expected=expected[panel][latent]
                )
        rows += points(panel, "all", "critical", shown, np.nan)
    return Table(
        points=tuple(rows),
        parameters=source.parameters | {"latent_dim": latent_dim, "critical_betas": critical, "seed": seed},
        tolerances={(panel, "trained"): WHOLE if panel == "active_count" else TRAINED for panel in PANELS},
        checks=(revived, unfinished([done])),
        checked={(panel, "all"): revived.quantity for panel in PANELS if shown.size},
        not_compared=not_compared,
    )


def resolved(source: Observations) -> np.ndarray:
    """For each eigenvalue whether training can separate its latent from the others, shape (D,).

    Eigenvalues form groups, in which each is less than 1 % below the one before it. A group is resolved if it is a
    single eigenvalue, or several that tie exactly.
    """
    group = np.concatenate([[0], np.cumsum(source.gaps >= SEPARABLE)])
    near = (source.gaps > 0) & (source.gaps < SEPARABLE)
    return ~np.isin(group, group[1:][near])


def _of_optima(source: Observations, latent_dim: int, betas: np.ndarray) -> dict[str, np.ndarray]:
    """The panels of optimal VAEs in the first K principal axes alone, at the noise learned in all: faster, the same."""
    modes = np.diag(source.eigenvalues[:latent_dim])
    curve = optimum_curve(source.moments, latent_dim, betas)
    vaes = [
        optimum(modes, latent_dim, beta=beta, noise_variance=noise).vae
        for beta, noise in zip(betas, curve.noise_variance, strict=True)
    ]
    return _read(source, vaes, curve.active_count)


def _read(source: Observations, vaes: list[LinearVAE], active_counts) -> dict[str, np.ndarray]:
    """Panel by panel, one row per latent (in the order of their weights; one row for the count) and column per VAE."""
    order = [np.argsort(np.diagonal(vae.posterior_covariance), kind="stable") for vae in vaes]
    weights = [np.linalg.norm(vae.decoder, axis=0)[by] for vae, by in zip(vaes, order, strict=True)]
    variances = [np.diagonal(vae.posterior_covariance)[by] for vae, by in zip(vaes, order, strict=True)]
    return {
        "weight_norm": np.transpose(weights) / np.sqrt(source.eigenvalues[0]),
        "posterior_variance": np.transpose(variances),
        "active_count": np.array(active_counts)[np.newaxis],
    }


@drawing.styled()
def plot(table: Table, axes):
    """Draw weights, posterior variances and the active count on three Axes; returns the Axes."""
    flat = drawing.panel_axes(axes, len(PANELS))
    for ax, name, (panel, label) in zip(flat, "abc", PANELS.items(), strict=True):
        drawing.draw_critical(ax, table, panel)
        step = {"drawstyle": "steps-post"} if panel == "active_count" else {}
        colours = drawing.ordered_colours(table.series(panel, "theory"))
        drawing.draw_panel(
            ax, table, panel, colours if panel != "active_count" else dict.fromkeys(colours, drawing.GREY), **step
        )
        drawing.letter(ax, name, label)
        ax.set(xlabel=r"$\beta$", xscale="log")
        drawing.plain_ticks(ax.xaxis)
    weight, variance, count = flat
    lowest, highest = (end(table.select("weight_norm", "theory").x) for end in (np.min, np.max))
    for ax, panel in ((weight, "weight_norm"), (variance, "posterior_variance")):
        # To the left of the lines is space for the numbers of the latents.
        ax.set(xlim=(lowest / (highest / lowest) ** 0.3, 1.1 * highest), ylim=(-0.03, 1.05))
        colours = drawing.ordered_colours(table.series(panel, "theory"))
        drawing.label_ends(ax, table, panel, colours, {name: name for name in colours}, side="left")
    count.set(ylabel="latents")
    drawing.whole_ticks(count.yaxis)
    drawing.from_zero(count)
    not_compared = ["not_compared"] if table.not_compared else []
    sources = ["theory", *not_compared, *drawing.sources_in(table, ["trained", "critical"])]
    drawing.figure_legend(weight, drawing.source_handles(weight, sources))
    return axes
