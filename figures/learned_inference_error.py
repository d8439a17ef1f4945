"""Figure: the inference error of a *learned* VAE on the true factors, against beta.

Decoder, encoder and noise are learned. Latents follow the principal axes of the data: if the loading's columns are
orthogonal and of different lengths these are the factors, and at beta = 1 the true posterior is found (forward KL
zero); if they are coherent an error remains at every beta. Each time a latent collapses, its factor is lost and the
error has a kink. Latents are matched to factors.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np

from figures.kit import drawing
from figures.kit.options import Progress, between, checked_options, ignore, several_numbers, start_seeds
from figures.kit.real_data import away_from
from figures.kit.table import Table, points
from figures.kit.training import critical_betas_found, train_each, unfinished
from numerics.comparison import Tolerance
from numerics.sampling.cubature import matched_errors_by_cubature
from theory import GenerativeModel, inference_error, optimum

__all__ = ["CAPTION", "LAYOUT", "data", "plot"]

LAYOUT = {"shape": (2, 2), "size": (drawing.DOUBLE_COLUMN, 4.4)}

CAPTION = r"""
A learned VAE infers the factors well only if the columns of the loading are orthogonal and of different norms; with
coherent columns an error remains at every $\beta$, and each collapse of a latent loses a factor.

Against the weight $\beta$ of the KL term: (a), (b) mean squared error of the posterior mean, summed over the factors;
(c), (d) forward KL, in nats, from the true posterior of the factors to the encoder. (a), (c) The loading has
orthogonal columns. (b), (d) The loading has coherent columns. (d) The panel is cut off above 8.

Data are three independent factors of variance 1 in six dimensions, with columns of norms {norms} and noise variance
{noise_variance}. Decoder, encoder and noise of a VAE with three latents and a diagonal posterior are learned; its
latents are matched to the factors in order and sign. Curves are theory, at the global optimum; dots are trained from
random starts. Thin vertical lines are the critical $\beta$, also theory, at which a latent collapses to the prior.
"""

ERRORS = {"mean_squared_error": "mean squared error", "forward_kl": "forward KL (nats)"}
HEIGHTS = {"mean_squared_error": (0, 3.3), "forward_kl": (-0.2, 8)}  # of the panels
LOADINGS = {"aligned": "orthogonal columns", "general": "coherent columns"}
COLOURS = {"aligned": "C0", "general": "C1"}
MIXING = ((1.0, 0.5, 0.3), (0.0, 0.866, 0.4), (0.0, 0.0, 0.866))  # unit columns, pairwise coherent
DATA_DIM = 6
COLLAPSES = "collapses"
TRAINED = Tolerance(1e-5, "training stops at a gradient of 1e-8 nats; near a collapse the loss is almost flat")


def truths(norms: Sequence[float], noise_variance: float) -> dict[str, GenerativeModel]:
    """Three factors in six dimensions: with orthogonal columns of three norms, and with coherent ones."""
    columns = np.zeros((DATA_DIM, len(norms)))
    columns[: len(norms)] = np.eye(len(norms))
    mixed = np.zeros_like(columns)
    mixed[: len(norms)] = np.array(MIXING) / np.linalg.norm(MIXING, axis=0)
    return {
        "aligned": GenerativeModel(columns * norms, noise_variance),
        "general": GenerativeModel(mixed * norms, noise_variance),
    }


def data(
    *,
    norms: Sequence[float] = (2.0, 1.5, 1.0),
    noise_variance: float = 0.25,
    quick: bool = False,
    seed: int = 0,
    progress: Progress = ignore,
) -> Table:
    """Mean squared error and forward KL of the matched learned VAE, by closed form and from training.

    Parameters
    ----------
    norms : three floats from .8 to 2.2, each at most .75 times the one before it
        of the columns of the loading: columns of one norm have no axes that a VAE could find.
    noise_variance : float, from .15 to .5
        of the data.
    quick : bool
        fewer trained models and a coarser line.
    seed : int
        of the random starts.
    progress : callable, optional
        receives a short status message before each part of the work.
    """
    quick, (starts,) = checked_options(quick, seed, progress, 1)
    norms = _checked_norms(norms)
    noise_variance = between("noise_variance", noise_variance, 0.15, 0.5)
    rows, sweeps, revived = [], [], []
    models = truths(norms, noise_variance)
    for name, truth in models.items():
        covariance, latent_dim = truth.covariance, truth.latent_dim
        critical = optimum(covariance, latent_dim).critical_betas
        line = np.union1d(np.geomspace(0.3, 1.4 * critical[0], 61 if quick else 181), critical)
        trained_betas = away_from(critical, np.geomspace(0.35, 1.3 * critical[0], 6 if quick else 14))
        expected = [
            inference_error(truth, optimum(covariance, latent_dim, beta=b).vae, match=True) for b in trained_betas
        ]
        curve = [inference_error(truth, optimum(covariance, latent_dim, beta=b).vae, match=True) for b in line]
        progress(f"training with {LOADINGS[name]}")
        done = train_each(covariance, latent_dim, trained_betas, seeds=start_seeds(starts))
        trained = [matched_errors_by_cubature(truth, vae) for (vae,) in done.vaes()]
        sweeps.append(done)
        found = critical_betas_found(covariance, critical, seed=starts)
        revived.append(dataclasses.replace(found, quantity=f"{name} {found.quantity}"))
        for error in ERRORS:
            panel = f"{name} {error}"
            rows += points(panel, "learned", "theory", line, [getattr(value, error) for value in curve])
            rows += points(
                panel,
                "learned",
                "trained",
                trained_betas,
                [value[error] for value in trained],
                expected=[getattr(value, error) for value in expected],
            )
            rows += points(panel, COLLAPSES, "critical", critical, np.nan)
    return Table(
        points=tuple(rows),
        parameters={
            "norms": norms,
            "loadings": {name: truth.loading for name, truth in models.items()},
            "noise_variance": noise_variance,
            "seed": seed,
        },
        tolerances={(f"{name} {error}", "trained"): TRAINED for name in LOADINGS for error in ERRORS},
        checks=(*revived, unfinished(sweeps)),
        checked={
            (f"{name} {error}", COLLAPSES): found.quantity
            for name, found in zip(LOADINGS, revived, strict=True)
            for error in ERRORS
        },
    )


def _checked_norms(norms: Sequence[float]) -> tuple[float, ...]:
    norms = several_numbers("norms", norms, 0.8, 2.2)
    if len(norms) != 3 or any(second > 0.75 * first for first, second in itertools.pairwise(norms)):
        raise ValueError(
            f"norms must be three numbers, each at most 0.75 times the one before it, got "
            f"{', '.join(f'{norm:g}' for norm in norms)}; pass such as 2, 1.5, 1"
        )
    return norms


@drawing.styled()
def plot(table: Table, axes):
    """Draw the errors (rows) for the two loadings (columns) on four Axes; returns the Axes."""
    flat = drawing.panel_axes(axes, 4)
    for place, ax in enumerate(flat):
        error, loading = list(ERRORS)[place // 2], list(LOADINGS)[place % 2]
        panel = f"{loading} {error}"
        drawing.draw_critical(ax, table, panel)
        drawing.draw_panel(ax, table, panel, {"learned": COLOURS[loading]})
        drawing.letter(ax, "abcd"[place], LOADINGS[loading])
        ax.set(xscale="log", xlabel=r"$\beta$", ylabel=ERRORS[error], ylim=HEIGHTS[error])
        drawing.plain_ticks(ax.xaxis)
        drawing.state_limits(ax)
    handles = drawing.series_handles(flat[0], COLOURS, LOADINGS)
    handles += drawing.source_handles(flat[0], ["theory", "trained", "critical"])
    drawing.figure_legend(flat[0], handles)
    return axes
