"""Figure: two weights, one for how much encodings overlap and one for how well the aggregate code fits the prior.

    loss = -E log p(x|z) + beta E KL(q(z|x) || p) + alpha KL(p || q(z))

Overlap is what I(x; z) lacks; alignment is a small KL(p || q(z)).

a  Gaussian factors and prior, fixed decoder: beta rises to the left along a line, alpha brings the code to the prior.
   (With a learned decoder all lines lie at zero, whatever alpha.)
b  Spike-and-slab factors, decoder learned, a prior with sharper spikes than theirs: alpha moves the alignment, beta the
   overlap.
c  Four clusters and a prior of their own law: nothing is left for alpha alone. A larger alpha and a smaller beta lead
   along almost the same curve, because the one thing that keeps the code from the prior is the noise of the posterior.
d  Alignment of the clusters against alpha.
e  Sparsity of the code of spike-and-slab factors against alpha. With the priors of their kind it rises towards that of
   the factors. A round Gaussian prior leaves the angle, and so the sparsity, open without alpha; with it the code takes
   the angle at which it looks most Gaussian.
f  What this does to the reconstruction: a fitting prior improves it, a prior that does not fit spoils it.
"""

from __future__ import annotations

import numpy as np

from figures.kit.drawing import (
    ABOVE,
    DOUBLE_COLUMN,
    GREY,
    draw_panel,
    letter,
    ordered_colours,
    panel_axes,
    plain_ticks,
    series_legend,
    source_legend,
    styled,
)
from figures.kit.options import Say, checked_options, silent
from figures.kit.table import Table, points
from numerics.comparison import (
    Comparison,
    Tolerance,
    largest_of,
    largest_of_standard_errors,
)
from numerics.priors.mixture_code import code_components, sample_code, sample_hoyer_sparsity
from numerics.priors.training import PriorRun, train_with_prior
from theory.priors import ClusterPrior, GaussianPrior, SpikeSlabPrior
from theory.priors.regularised import regularised_encoder
from theory.scores.sparsity import hoyer_chance_level

__all__ = ["LAYOUT", "data", "plot"]

LAYOUT = {"shape": (2, 3), "size": (DOUBLE_COLUMN, 6.0)}

GAUSSIAN, SHARPER, CLUSTERED = "gaussian", "sharper spikes", "clusters"  # alignment against I(x; z)
ALIGNMENT, SPARSITY, DISTORTION = "alignment", "sparsity", "distortion"  # against alpha
ROUND, CLUSTERS, SPARSE = GaussianPrior.isotropic(2), ClusterPrior(), SpikeSlabPrior(2, 0.8, 0.25)
LOADING = np.array([[1.2, 0.3], [0.0, 0.8], [0.5, -0.72]])  # orthogonal columns
NOISE = 0.05
HELD = LOADING @ np.array([[0.9, 0.3], [0.1, 0.7]])  # a decoder that is not the optimum at any beta
SCENES = {  # factors and prior
    "clusters": (CLUSTERS, CLUSTERS),
    "sparse": (SPARSE, SPARSE),
    "sharper spikes": (SPARSE, SpikeSlabPrior(2, 0.8, 0.1)),
    "Gaussian prior": (SPARSE, ROUND),
}
COLOURS = {"clusters": "C1", "sparse": "C0", "sharper spikes": "C5", "Gaussian prior": "black"}
LABELS = {
    "clusters": "clusters",
    "sparse": "sparse",
    "sharper spikes": "sparse, sharper prior",
    "Gaussian prior": "sparse, Gaussian prior",
}
TRAINED = Tolerance(1e-3, "nats; integrals over a grid of the plane")


def data(*, quick: bool = False, seed: int = 0, say: Say = silent) -> Table:
    """Alignment (nats) against I(x; z) (nats), and sparsity and expected squared error against alpha.

    Parameters
    ----------
    quick : bool
        fewer weights and draws.
    seed : int
        of the random starts and draws.
    say : callable, optional
        is told what is being done.
    """
    quick, (drawn, starts) = checked_options(quick, seed, say, 2)
    alphas = (0.0, 1.0, 10.0) if quick else (0.0, 1.0, 3.0, 10.0, 30.0)
    betas = (1.0, 3.0) if quick else (0.3, 1.0, 3.0)
    draws, rng = 10_000 if quick else 100_000, np.random.default_rng(drawn)
    rows, runs, apart = _gaussian(betas, starts, say)
    steps, sampled = [], []
    for name, (factors, prior) in SCENES.items():
        for beta in betas if name in (SHARPER, CLUSTERED) else betas[-2:-1]:
            say(f"{name}, beta {beta:g}")
            path = _path(factors, prior, beta, alphas, starts)
            runs += path
            steps += _gains(path, alphas)
            alignment = [run.divergence for run in path]
            if name in (SHARPER, CLUSTERED):
                rows += points(name, f"{beta:g}", "measured", [run.mutual_information for run in path], alignment)
                sampled.append(_sampled_divergence(path[-1], prior, factors, draws, rng))
            if beta != betas[-2]:
                continue
            rows += points(DISTORTION, name, "measured", alphas, [run.distortion for run in path])
            if factors is CLUSTERS:
                rows += points(ALIGNMENT, name, "measured", alphas, alignment)
            else:
                codes = [sample_code(run.vae, factors, LOADING, NOISE, draws, rng) for run in path]
                rows += points(SPARSITY, name, "measured", alphas, [sample_hoyer_sparsity(code) for code in codes])
    own = sample_hoyer_sparsity(SPARSE.sample(draws, rng))
    ends = [alphas[0], alphas[-1]]
    rows += points(SPARSITY, "Gaussian code", "theory", ends, hoyer_chance_level(2))
    rows += points(SPARSITY, "factors", "measured", ends, own)
    rows += points(DISTORTION, "noise", "theory", ends, 3 * NOISE)
    return Table(
        points=tuple(rows),
        parameters={
            "loading": LOADING,
            "held_decoder": HELD,
            "data_noise": NOISE,
            "noise_variance": NOISE,
            "alphas": alphas,
            "betas": betas,
            "scenes": {name: [repr(factors), repr(prior)] for name, (factors, prior) in SCENES.items()},
            "draws": draws,
            "seed": seed,
        },
        tolerances={(GAUSSIAN, "trained"): TRAINED},
        checks=(_overlap(apart), _learned_decoder(starts), _envelope(steps), _plane(sampled), _unfinished(runs)),
    )


def _gaussian(betas, starts: np.random.SeedSequence, say: Say):
    """Gaussian factors, decoder held: theory along beta, training at some; also how far I(x; z) is from theory."""
    covariance = LOADING @ LOADING.T + NOISE * np.eye(3)
    rows, runs, apart = [], [], []
    for alpha in (0.0, 1.0, 10.0):
        say(f"Gaussian factors, alpha {alpha:g}")

        def exact(beta, alpha=alpha):
            terms = regularised_encoder(HELD, covariance, NOISE, beta, alpha, posterior="full").terms
            return terms.elbo.mutual_information, terms.divergence

        line = np.array([exact(beta) for beta in np.geomspace(0.2, 8, 25)])
        rows += points(GAUSSIAN, f"{alpha:g}", "theory", line[:, 0], line[:, 1])
        for beta in betas:
            run = train_with_prior(
                ROUND, LOADING, NOISE, ROUND, beta=beta, alpha=alpha, noise_variance=NOISE, decoder=HELD,
                rng=np.random.default_rng(starts.spawn(1)[0]),
            )  # fmt: skip
            information, divergence = exact(beta)
            rows += points(
                GAUSSIAN, f"{alpha:g}", "trained", run.mutual_information, run.divergence, expected=divergence
            )
            apart.append(run.mutual_information - information)
            runs.append(run)
    return rows, runs, apart


def _path(factors, prior, beta: float, alphas, starts) -> list[PriorRun]:
    """The best of three random starts without alpha, then alpha by alpha from the solution before."""

    def trained(alpha, **options):
        return train_with_prior(factors, LOADING, NOISE, prior, beta=beta, alpha=alpha, noise_variance=NOISE, **options)

    runs = [trained(alphas[0], rng=np.random.default_rng(start)) for start in starts.spawn(3)]
    path = [min(runs, key=lambda run: run.loss)]
    for alpha in alphas[1:]:
        path.append(trained(alpha, start=path[-1].vae))
    return path


def _gains(path: list[PriorRun], alphas) -> list[float]:
    """How far the rise of the loss from alpha to alpha lies outside its bounds, for each step.

    The smallest loss is concave in alpha with slope D, so the rise over a step lies between the step times D after it
    and the step times D before it.
    """
    outside = []
    for before, after, low, high in zip(path, path[1:], alphas, alphas[1:], strict=False):
        rise = after.loss - before.loss
        outside.append(max((high - low) * after.divergence - rise, rise - (high - low) * before.divergence, 0.0))
    return outside


def _sampled_divergence(run: PriorRun, prior, factors, draws: int, rng) -> float:
    """KL(p || q(z)) over a grid against draws of the prior, in standard errors."""
    latents = prior.sample(draws, rng)
    density = np.zeros(draws)
    for weight, mean, covariance in zip(*code_components(run.vae, factors, LOADING, NOISE), strict=True):
        away = latents - mean
        squares = np.sum(away * np.linalg.solve(covariance, away.T).T, axis=1)
        density += weight * np.exp(-squares / 2) / (2 * np.pi * np.sqrt(np.linalg.det(covariance)))
    ratios = prior.log_density(latents) - np.log(density)
    return float(abs(ratios.mean() - run.divergence) / (ratios.std(ddof=1) / np.sqrt(draws)))


def _overlap(apart: list[float]) -> Comparison:
    return largest_of("I(x; z) with Gaussian factors", apart, TRAINED.value, TRAINED.reason)


def _learned_decoder(starts: np.random.SeedSequence) -> Comparison:
    """With Gaussian factors and a learned decoder neither D nor I(x; z) depends on alpha."""
    (start,) = starts.spawn(1)
    runs = [
        train_with_prior(
            ROUND, LOADING, NOISE, ROUND, beta=1.0, alpha=alpha, noise_variance=NOISE, rng=np.random.default_rng(start)
        )
        for alpha in (0.0, 3.0)
    ]
    moved = [abs(run.divergence) for run in runs] + [abs(runs[1].mutual_information - runs[0].mutual_information)]
    return largest_of(
        "effect of alpha with a learned decoder",
        moved,
        TRAINED.value,
        f"none by theorem; {TRAINED.reason.split('; ')[1]}",
    )


def _envelope(outside: list[float]) -> Comparison:
    return largest_of(
        "rise of the loss with alpha outside its bounds",
        outside,
        1e-5,
        "the smallest loss is concave in alpha with slope KL(p || q(z)); what the gradient leaves",
    )


def _plane(sampled: list[float]) -> Comparison:
    return largest_of_standard_errors("KL(p || q(z)) by grid and by draws", sampled)


def _unfinished(runs: list[PriorRun]) -> Comparison:
    return largest_of(
        "largest gradient where training ends",
        [run.gradient_norm for run in runs],
        1e-4,
        "near the tolerance of 1e-6, unless rounding ends a line search",
    )


@styled()
def plot(table: Table, axes):
    """Draw alignment against I(x; z), and what follows alpha, on six Axes and return these."""
    gaussian, sharper, clusters, alignment, sparsity, distortion = panel_axes(axes, 6)
    colours = ordered_colours(table.series(GAUSSIAN, "theory"))
    draw_panel(gaussian, table, GAUSSIAN, colours)
    letter(gaussian, "a", "Gaussian, fixed decoder")
    series_legend(gaussian, colours, {name: rf"$\alpha = {name}$" for name in colours}, loc="upper left")
    source_legend(gaussian, ["theory", "trained", "measured"], {"measured": "trained, no closed form"}, **ABOVE)

    alphas = table.parameters["alphas"]
    for ax, panel, name, title in (
        (sharper, SHARPER, "b", "sparse, sharper prior"),
        (clusters, CLUSTERED, "c", "clusters"),
    ):
        colours = ordered_colours(table.series(panel))
        draw_panel(ax, table, panel, colours)
        for series in colours:
            rows = table.select(panel, "measured", series)
            for place in (0, -1):
                text, spot = rf"$\alpha = {alphas[place]:g}$", (rows.x[place], rows.y[place])
                ax.annotate(text, spot, (4, 1), textcoords="offset points", fontsize=6)
        ax.margins(x=0.2)
        letter(ax, name, title)
        series_legend(ax, colours, {s: rf"$\beta = {s}$" for s in colours}, source="measured", loc="upper right")
    sharper.set_yscale("log")
    plain_ticks(sharper.yaxis)
    for ax in (gaussian, sharper, clusters):
        ax.set_xlabel("$I(x; z)$ (nats)")
    for ax in (gaussian, alignment):
        ax.set_ylabel(r"KL$(p\,\|\,q(z))$ (nats)")

    draw_panel(alignment, table, ALIGNMENT, COLOURS)
    letter(alignment, "d", "alignment of clusters")
    draw_panel(sparsity, table, SPARSITY, COLOURS | {"Gaussian code": GREY, "factors": "C2"})
    letter(sparsity, "e", "sparsity of the code")
    for name, text in {"Gaussian code": "a Gaussian code", "factors": "the factors"}.items():
        source = "theory" if name == "Gaussian code" else "measured"
        level = table.select(SPARSITY, source, name).y[0]
        sparsity.annotate(text, (alphas[-1], level), (0, 3), textcoords="offset points", ha="right", fontsize=7)
    draw_panel(distortion, table, DISTORTION, COLOURS | {"noise": GREY})
    letter(distortion, "f", "squared error")
    series_legend(alignment, COLOURS, LABELS, source="measured", **ABOVE)
    level = table.select(DISTORTION, "theory").y[0]
    spot = (alphas[0], level)
    distortion.annotate("noise of the data", spot, (0, 12), textcoords="offset points", fontsize=7)
    for ax in (alignment, sparsity, distortion):
        ax.set_xscale("symlog", linthresh=1)
        ax.set_xticks(alphas, labels=[f"{alpha:g}" for alpha in alphas])
        ax.set_xlabel(r"$\alpha$")
    return axes
