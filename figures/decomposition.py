"""Figure: two weights, one for how much encodings overlap and one for how well the aggregate code fits the prior.

    loss = -E log p(x|z) + beta E KL(q(z|x) || p) + alpha KL(p || q(z))

A small I(x; z) means much overlap; a small KL(p || q(z)) means good alignment. In the setting of Mathieu et al. 2019;
their Theorem 1, which writes a weight beta as an annealed prior, is the result annealed-prior.

**Alignment against I(x; z).**

a  Gaussian factors and prior, fixed decoder: beta rises to the left along a line, alpha brings the code to the prior.
   (With a learned decoder all lines lie at zero, whatever alpha.)
b  Spike-and-slab factors, decoder learned, a prior with sharper spikes than theirs: alpha changes the alignment, beta
   the overlap.
c  Four clusters and a prior with their distribution: a larger alpha and a smaller beta lead along almost the same
   curve, because only the noise of the posterior keeps the code from the prior.

**Against alpha.**

d  Alignment of the clusters.
e  Sparsity of the code of spike-and-slab factors. With sparse priors it rises towards that of the factors. An isotropic
   Gaussian prior without alpha fixes neither the angle nor the sparsity; with alpha the code takes the angle at which
   it is closest to Gaussian.
f  The reconstruction: a prior that fits improves it, a prior that does not fit makes it worse.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from figures.kit import drawing
from figures.kit.options import Progress, between, checked_options, ignore, several_numbers
from figures.kit.table import Table, points
from figures.kit.training import largest_gradient
from numerics.comparison import (
    Comparison,
    Tolerance,
    largest_of,
    largest_of_standard_errors,
)
from numerics.priors.alpha_path import alpha_path, outside_envelope, sampled_divergence_deviation
from numerics.priors.mixture_code import sample_code, sample_hoyer_sparsity
from numerics.priors.training import train_with_prior
from numerics.sampling.estimate import Estimate
from theory.priors import SpikeSlabPrior
from theory.priors.registry import EXAMPLES
from theory.priors.regularised import regularised_encoder
from theory.scores.sparsity import hoyer_chance_level

__all__ = ["CAPTION", "LAYOUT", "data", "plot"]

LAYOUT = {"shape": (3, 2), "size": (drawing.DOUBLE_COLUMN, 6.9)}

CAPTION = r"""
A weight $\beta$ on the KL sets how much encodings overlap, a weight $\alpha$ on $\mathrm{{KL}}(p\,\|\,q(z))$ how well
the aggregate code $q(z)$ fits the prior $p$.

Two factors in three dimensions, noise variance {noise_variance}; $I(x; z)$ is the mutual information of data and code,
in nats.

(a) Gaussian factors and prior, fixed decoder: a line for each $\alpha$, dots at $\beta = {betas}$, from right to left.
(b) Sparse factors (spike and slab) and a sharper prior; (c) four clusters with their own prior; (b), (c) decoder
learned, a line for each $\beta$, along it $\alpha = {alphas}$.

Against $\alpha$, at $\beta = {beta_against_alpha}$: (d) alignment of the clusters; (e) sparsity (Hoyer) of the code of
sparse factors under their own, a sharper and a Gaussian prior, beside a Gaussian code and the factors; (f) expected
squared error of the same and of clusters, beside the noise of the data (dotted, not compared).

Solid lines are theory, bars Monte Carlo ± 2 standard errors (s.e.). Dots are trained and compared; squares are
trained, without closed form.
"""

GAUSSIAN, SHARPER, CLUSTERED = "gaussian", "sharper spikes", "clusters"  # alignment against I(x; z)
ALIGNMENT, SPARSITY, DISTORTION = "alignment", "sparsity", "distortion"  # against alpha
ISOTROPIC, CLUSTERS, SPARSE = (EXAMPLES[name] for name in ("isotropic", "clusters", "spike and slab"))
LOADING = np.array([[1.2, 0.3], [0.0, 0.8], [0.5, -0.72]])  # orthogonal columns
FIXED_DECODER = LOADING @ np.array([[0.9, 0.3], [0.1, 0.7]])  # a decoder that is not the optimum at any beta
SCENES = {  # factors and prior
    "clusters": (CLUSTERS, CLUSTERS),
    "sparse": (SPARSE, SPARSE),
    "sharper spikes": (SPARSE, SpikeSlabPrior(2, SPARSE.spike_probability, 0.1)),
    "Gaussian prior": (SPARSE, ISOTROPIC),
}
COLOURS = {"clusters": "C1", "sparse": "C0", "sharper spikes": "C5", "Gaussian prior": "black"}
LABELS = {
    "clusters": "clusters",
    "sparse": "sparse, own prior",
    "sharper spikes": "sparse, sharper prior",
    "Gaussian prior": "sparse, Gaussian prior",
}
INFORMATION_LABEL, ALIGNMENT_LABEL = "$I(x; z)$ (nats)", r"KL$(p\,\|\,q(z))$ (nats)"
GAUSSIAN_CODE, BATCHES = "Gaussian code", 20
TRAINED = Tolerance(1e-5, "nats; what a gradient of 1e-6 nats leaves, and integrals over a grid of the plane")


def data(
    *,
    alphas: Sequence[float] | None = None,
    betas: Sequence[float] | None = None,
    noise_variance: float = 0.05,
    quick: bool = False,
    seed: int = 0,
    progress: Progress = ignore,
) -> Table:
    """Alignment (nats) against I(x; z) (nats), and sparsity and expected squared error against alpha.

    Parameters
    ----------
    alphas : sequence of 2 to 8 rising floats from 0 to 100, optional
        weights of KL(p || q(z)); 0, 1, 3, 10 and 30 by default, 0, 1 and 10 with `quick`.
    betas : sequence of 2 to 8 rising floats from .2 to 8, optional
        weights of the KL term, of which the last but one is that of (d) to (f); .3, 1 and 3 by default, 1 and 3 with
        `quick`.
    noise_variance : float, from .03 to .1
        of the data and of the decoder.
    quick : bool
        fewer weights and draws.
    seed : int
        of the random starts and draws.
    progress : callable, optional
        receives a short status message before each part of the work.
    """
    quick, (drawn, starts) = checked_options(quick, seed, progress, 2)
    if alphas is None:
        alphas = (0.0, 1.0, 10.0) if quick else (0.0, 1.0, 3.0, 10.0, 30.0)
    if betas is None:
        betas = (1.0, 3.0) if quick else (0.3, 1.0, 3.0)
    alphas = several_numbers("alphas", alphas, 0, 100, least=2, rising=True)
    betas = several_numbers("betas", betas, 0.2, 8, least=2, rising=True)
    noise = between("noise_variance", noise_variance, 0.03, 0.1)
    draws, rng = 10_000 if quick else 100_000, np.random.default_rng(drawn)
    rows, runs, deviations = _gaussian(betas, noise, starts, progress)
    outside, sampled = [], []
    for name, (factors, prior) in SCENES.items():
        for beta in betas if name in (SHARPER, CLUSTERED) else betas[-2:-1]:
            progress(f"{name}, beta {beta:g}")
            path = alpha_path(factors, LOADING, noise, prior, beta=beta, alphas=alphas, seeds=starts.spawn(3))
            runs += path
            outside += outside_envelope(path, alphas)
            alignment = [run.divergence for run in path]
            if name in (SHARPER, CLUSTERED):
                rows += points(name, f"{beta:g}", "measured", [run.mutual_information for run in path], alignment)
                sampled.append(sampled_divergence_deviation(path[-1], factors, LOADING, noise, prior, draws, rng))
            if beta != betas[-2]:
                continue
            rows += points(DISTORTION, name, "measured", alphas, [run.distortion for run in path])
            if factors is CLUSTERS:
                rows += points(ALIGNMENT, name, "measured", alphas, alignment)
            else:
                codes = [sample_code(run.vae, factors, LOADING, noise, draws, rng) for run in path]
                rows += points(SPARSITY, name, "measured", alphas, [sample_hoyer_sparsity(code) for code in codes])
    factor_sparsity = sample_hoyer_sparsity(SPARSE.sample(draws, rng))
    alpha_range = [alphas[0], alphas[-1]]
    chance = hoyer_chance_level(2)
    rows += points(SPARSITY, GAUSSIAN_CODE, "theory", alpha_range, chance)
    drawn = Estimate.of([sample_hoyer_sparsity(rng.standard_normal((20_000, 2))) for _ in range(BATCHES)])
    rows += points(
        SPARSITY, GAUSSIAN_CODE, "monte_carlo", alphas[-1], drawn.value, standard_error=drawn.standard_error,
        expected=chance,
    )  # fmt: skip
    rows += points(SPARSITY, "factors", "measured", alpha_range, factor_sparsity)
    rows += points(DISTORTION, "noise", "theory", alpha_range, 3 * noise)
    gradient = largest_gradient(runs, 1e-4, "near the tolerance of 1e-6, unless rounding ends a line search")
    return Table(
        points=tuple(rows),
        parameters={
            "loading": LOADING,
            "held_decoder": FIXED_DECODER,
            "data_noise": noise,
            "noise_variance": noise,
            "alphas": alphas,
            "betas": betas,
            "beta_against_alpha": betas[-2],
            "scenes": {name: [repr(factors), repr(prior)] for name, (factors, prior) in SCENES.items()},
            "draws": draws,
            "seed": seed,
        },
        tolerances={(GAUSSIAN, "trained"): TRAINED},
        draws={SPARSITY: BATCHES},
        not_compared={(DISTORTION, "noise"): "a level to compare with: the mean square of the noise put into the data"},
        checks=(_overlap(deviations), _learned_decoder(noise, starts), _envelope(outside), _plane(sampled), gradient),
    )


def _gaussian(betas, noise: float, starts: np.random.SeedSequence, progress: Progress):
    """Gaussian factors, fixed decoder: theory along beta, training at some; and the deviations of I(x; z)."""
    covariance = LOADING @ LOADING.T + noise * np.eye(3)
    rows, runs, deviations = [], [], []
    for alpha in (0.0, 1.0, 10.0):
        progress(f"Gaussian factors, alpha {alpha:g}")

        def exact(beta, alpha=alpha):
            terms = regularised_encoder(FIXED_DECODER, covariance, noise, beta, alpha, posterior="full").terms
            return terms.elbo.mutual_information, terms.divergence

        line = np.array([exact(beta) for beta in np.geomspace(0.2, 8, 25)])
        rows += points(GAUSSIAN, f"{alpha:g}", "theory", line[:, 0], line[:, 1])
        for beta in betas:
            run = train_with_prior(
                ISOTROPIC, LOADING, noise, ISOTROPIC, beta=beta, alpha=alpha, noise_variance=noise,
                decoder=FIXED_DECODER, rng=np.random.default_rng(starts.spawn(1)[0]),
            )  # fmt: skip
            information, divergence = exact(beta)
            rows += points(
                GAUSSIAN, f"{alpha:g}", "trained", run.mutual_information, run.divergence, expected=divergence
            )
            deviations.append(run.mutual_information - information)
            runs.append(run)
    return rows, runs, deviations


def _overlap(deviations: list[float]) -> Comparison:
    return largest_of("I(x; z) with Gaussian factors", deviations, TRAINED.value, TRAINED.reason)


def _learned_decoder(noise: float, starts: np.random.SeedSequence) -> Comparison:
    """With Gaussian factors and a learned decoder neither D nor I(x; z) depends on alpha."""
    (start,) = starts.spawn(1)
    runs = [
        train_with_prior(
            ISOTROPIC,
            LOADING,
            noise,
            ISOTROPIC,
            beta=1.0,
            alpha=alpha,
            noise_variance=noise,
            rng=np.random.default_rng(start),
        )
        for alpha in (0.0, 3.0)
    ]
    changes = [abs(run.divergence) for run in runs] + [abs(runs[1].mutual_information - runs[0].mutual_information)]
    return largest_of(
        "effect of alpha with a learned decoder",
        changes,
        TRAINED.value,
        f"none by theorem; {TRAINED.reason.split('; ')[1]}",
    )


def _envelope(outside: list[float]) -> Comparison:
    return largest_of(
        "rise of the loss with alpha outside its bounds",
        outside,
        1e-5,
        "the smallest loss is concave in alpha with slope KL(p || q(z)); what a small gradient leaves",
    )


def _plane(sampled: list[float]) -> Comparison:
    return largest_of_standard_errors("KL(p || q(z)) by grid and by draws", sampled)


@drawing.styled()
def plot(table: Table, axes):
    """Draw alignment against I(x; z), and the quantities against alpha, on six Axes; returns the Axes."""
    gaussian, sharper, clusters, alignment, sparsity, distortion = drawing.panel_axes(axes, 6)
    _draw_gaussian(gaussian, table)
    _draw_weights(sharper, table, SHARPER)
    sharper.set(yscale="log", ylim=(None, 1.4 * table.select(SHARPER, "measured").y.max()))
    drawing.plain_ticks(sharper.yaxis)
    drawing.letter(sharper, "b", r"sparse: $\alpha$ aligns, $\beta$ sets the overlap")
    _draw_weights(clusters, table, CLUSTERED)
    clusters.set_ylim(0, 1.15 * table.select(CLUSTERED, "measured").y.max())
    drawing.letter(clusters, "c", "clusters: both weights move along one curve")

    drawing.draw_panel(alignment, table, ALIGNMENT, COLOURS)
    alignment.set(ylabel=ALIGNMENT_LABEL, ylim=(0, 1.15 * table.select(ALIGNMENT, "measured").y.max()))
    _leave_space(alignment, 0.4)
    drawing.label_ends(alignment, table, ALIGNMENT, COLOURS, {"clusters": LABELS["clusters"]}, source="measured")
    drawing.letter(alignment, "d", r"clusters: a larger $\alpha$, a better fit")
    _draw_sparsity(sparsity, table)
    _draw_distortion(distortion, table)
    for ax in (alignment, sparsity, distortion):
        ax.set(xlabel=r"$\alpha$")
        ax.set_xticks([tick for tick in ax.get_xticks() if 0 <= tick <= table.parameters["alphas"][-1]])

    names = {"measured": "trained, no closed form"}
    sources = ["theory", "not_compared", "trained", "monte_carlo", "measured"]
    drawing.figure_legend(gaussian, drawing.source_handles(gaussian, sources, names))
    return axes


def _draw_gaussian(ax: Axes, table: Table) -> None:
    colours = drawing.ordered_colours(table.series(GAUSSIAN, "theory"))
    drawing.draw_panel(ax, table, GAUSSIAN, colours)
    ax.set(xlabel=INFORMATION_LABEL, ylabel=ALIGNMENT_LABEL, ylim=(0, 1.1 * table.select(GAUSSIAN, "theory").y.max()))
    _leave_space(ax, 0.2)
    drawing.label_ends(ax, table, GAUSSIAN, colours, {name: rf"$\alpha = {name}$" for name in colours})
    top = next(iter(colours))
    dots = table.select(GAUSSIAN, "trained", top)
    for beta, place in zip(table.parameters["betas"], zip(dots.x, dots.y, strict=True), strict=True):
        drawing.label_at(ax, rf"$\beta = {beta:g}$", place, colours[top], (-4, 3), ha="right")
    drawing.letter(ax, "a", r"Gaussian: $\alpha$ aligns, $\beta$ sets the overlap")


def _draw_weights(ax: Axes, table: Table, panel: str) -> None:
    """A line for each beta, along which alpha rises from its start, where the label is, as named for the first."""
    colours = drawing.ordered_colours(table.series(panel))
    drawing.draw_panel(ax, table, panel, colours)
    first, alphas = next(iter(colours)), table.parameters["alphas"]
    for series in colours:
        rows = table.select(panel, "measured", series)
        start = rf", $\alpha = {alphas[0]:g}$" if series == first else ""
        drawing.label_at(ax, rf"$\beta = {series}$" + start, (rows.x[0], rows.y[0]), colours[series], (6, 2), ha="left")
    rows = table.select(panel, "measured", first)
    drawing.label_at(ax, rf"$\alpha = {alphas[-1]:g}$", (rows.x[-1], rows.y[-1]), colours[first], (5, -2), ha="left")
    ax.margins(x=0.22)
    ax.set(xlabel=INFORMATION_LABEL, ylabel=ALIGNMENT_LABEL)


def _leave_space(ax: Axes, share: float) -> None:
    """Leave space for labels to the right of the lines, as a share of their width."""
    ends = np.concatenate([line.get_xdata() for line in ax.lines])
    width = np.ptp(ends)
    ax.set_xlim(ends.min() - 0.05 * width, ends.max() + share * width)


def _draw_sparsity(ax: Axes, table: Table) -> None:
    colours = COLOURS | {GAUSSIAN_CODE: drawing.GREY, "factors": "C2"}
    drawing.draw_panel(ax, table, SPARSITY, colours)
    rows = [row.y for row in table.points if row.panel == SPARSITY]
    ax.set(ylabel="sparsity", ylim=(min(rows) - 0.008, max(rows) + 0.004))
    drawing.state_limits(ax)
    _leave_space(ax, 0.8)
    labels = {name: LABELS[name] for name in table.series(SPARSITY, "measured") if name in LABELS}
    labels |= {"factors": "the factors", GAUSSIAN_CODE: "a Gaussian code"}
    drawing.label_ends(ax, table, SPARSITY, colours, labels, source="measured")
    drawing.letter(ax, "e", "the code is sparse if its prior is")


def _draw_distortion(ax: Axes, table: Table) -> None:
    colours = COLOURS | {"noise": drawing.GREY}
    drawing.draw_panel(ax, table, DISTORTION, colours)
    ax.set(
        ylabel="expected squared error", ylim=(0, 1.05 * max(row.y for row in table.points if row.panel == DISTORTION))
    )
    _leave_space(ax, 0.9)
    labels = {name: LABELS[name] for name in table.series(DISTORTION, "measured")}
    drawing.label_ends(ax, table, DISTORTION, colours, labels | {"noise": "noise of the data"}, source="measured")
    drawing.letter(ax, "f", "a fitting prior lowers the error, another raises it")
