"""Figure: a prior can fix the axes of the latents, but only if the factors are not Gaussian.

Two factors mixed linearly, a full posterior covariance. The energy of a rotation is what it adds to the loss.

a  Gaussian factors, at the optimum of each prior: the aggregate code is Gaussian and isotropic, so that a rotation
   costs nothing under a prior that is the same for all latents. Under an anisotropic prior a rotation costs something,
   but the linear maps that preserve the best code do not, and they rotate the latents just as well.
b  Other factors, their code without noise: beta times the divergence between the rotated code and the prior, zero only
   at the symmetries of the prior. Under an isotropic Gaussian prior the energy is zero here too.
c  Where training from random starts ends, decoder learned, as the angle between latents and factors. Hollow: a minimum
   that is worse than that of other starts.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from figures.kit import drawing
from figures.kit.angles import concentration, modulo_right_angle
from figures.kit.options import Progress, between, checked_options, ignore
from figures.kit.table import Point, Table, points
from figures.kit.training import largest_gradient
from numerics.comparison import Comparison, Tolerance, largest_of
from numerics.priors.training import PriorRun, train_with_prior
from numerics.sampling.rotation_energy import sampled_rotation_energies
from theory import LinearVAE, validation
from theory.axes import plane_rotation
from theory.priors.optimum import prior_optimum
from theory.priors.registry import EXAMPLES
from theory.priors.rotation import factor_rotation_energy, prior_rotation_energy

__all__ = ["CAPTION", "LAYOUT", "data", "factor_angle", "plot"]

LAYOUT = {"shape": (1, 3), "size": (drawing.DOUBLE_COLUMN, 3.4)}

CAPTION = r"""
No prior fixes the axes of the latents if the factors are Gaussian; if they are not, a prior other than an isotropic
Gaussian can.

(a), (b) Loss added by a rotation of the latents (degrees), in nats. (a) Gaussian factors, at the optimum of each
prior: only the anisotropic prior charges for a rotation; the others lie at zero, their dots a little apart sideways.
(b) Sparse factors (clustered ones for the clusters prior), with a code almost free of noise; the asinh scale is linear
near zero and logarithmic beyond. (a), (b) Lines are theory, dots are encoders trained for a rotated decoder, bars
Monte Carlo over {draws:,} draws ± 2 standard errors (s.e.). (c) Where training of decoder and encoder from {starts}
random starts ends: a dot for each start, at the angle between latents and factors, for each pair of factors and prior.
Hollow, if any: a worse minimum than that of other starts.

Two factors in three dimensions, noise variance {noise_variance}, $\beta = {beta}$, full posterior. Priors: isotropic,
anisotropic, Student-t, spike and slab, clusters.
"""

GAUSSIAN, OTHERS, ENDS = "gaussian_factors", "other_factors", "angle_of_starts"
ISOTROPIC, SPARSE, CLUSTERS = (EXAMPLES[name] for name in ("isotropic", "spike and slab", "clusters"))
PAIRS = {  # prior and factors
    "isotropic": (ISOTROPIC, SPARSE),
    "Student-t": (EXAMPLES["Student-t"], SPARSE),
    "spike and slab": (SPARSE, SPARSE),
    "clusters": (CLUSTERS, CLUSTERS),
}
COLOURS = {  # a prior that is added to the examples takes the next of the cycle
    "isotropic": "black",
    "anisotropic": "C4",
    "Student-t": "C2",
    "spike and slab": "C0",
    "clusters": "C1",
}
LOADING = np.array([[1.2, 0.3], [0.0, 0.8], [0.5, -0.72]])  # orthogonal columns
SAME = 1e-6  # nats; minima closer than this are one
WORSE = {"linestyle": "", "marker": "o", "markerfacecolor": "none"}  # a minimum worse than that of other starts
LOW_NOISE = 2e-5  # at which the code is the factors


def data(
    *,
    beta: float = 1.0,
    noise_variance: float = 0.05,
    starts: int | None = None,
    quick: bool = False,
    seed: int = 0,
    progress: Progress = ignore,
) -> Table:
    """Energies (nats) against the angle of a rotation (degrees) for each prior, and the angles where training ends.

    Parameters
    ----------
    beta : float, from .5 to 2
        weight of the KL term.
    noise_variance : float, from .02 to .1
        of the data and of the decoder.
    starts : int, from 4 to 50, optional
        random starts for each pair of factors and prior in (c); 10 by default, 4 with `quick`.
    quick : bool
        fewer angles, starts and draws.
    seed : int
        of starts and draws.
    progress : callable, optional
        receives a short status message before each part of the work.
    """
    quick, (free_starts, drawn, fixed_starts) = checked_options(quick, seed, progress, 3)
    beta = between("beta", beta, 0.5, 2)
    noise_variance = between("noise_variance", noise_variance, 0.02, 0.1)
    tried = np.linspace(0, 90, 4 if quick else 7)
    default, draws = (4, 100_000) if quick else (10, 1_000_000)
    starts = default if starts is None else validation.count("starts", starts, 4, 50)
    train = partial(_train, beta=beta, noise_variance=noise_variance)
    line = np.linspace(0, 90, 46 if quick else 91)
    rng = np.random.default_rng(drawn)
    covariance = LOADING @ LOADING.T + noise_variance * np.eye(3)
    rows, runs, excess = [], [], []
    for name, prior in EXAMPLES.items():
        progress(f"Gaussian factors, {name} prior")
        best = prior_optimum(covariance, prior, beta=beta, noise_variance=noise_variance)

        def energy(rotation, prior=prior, best=best):
            return prior_rotation_energy(prior, best.aggregate, rotation, beta)

        rows += points(GAUSSIAN, name, "theory", line, _along(energy, line))
        if not _is_isotropic(best.aggregate):
            rows += _sampled(GAUSSIAN, name, energy, prior, best.aggregate, tried, draws, rng, beta)
        else:
            fixed = [
                train(ISOTROPIC, prior, fixed_starts, decoder=best.vae.decoder @ _rotation(angle).T) for angle in tried
            ]
            rows += points(GAUSSIAN, name, "trained", tried, [run.loss - best.loss for run in fixed], expected=0.0)
            runs += fixed
        free = [train(ISOTROPIC, prior, start) for start in free_starts.spawn(starts)]
        # The basis in which the best code is isotropic, where the rotation under an anisotropic prior can be seen.
        basis = np.linalg.inv(np.linalg.cholesky(best.aggregate))
        angles = [factor_angle(run.vae, LOADING, basis) for run in free]
        rows += points(ENDS, f"Gaussian, {name}", "measured", np.arange(starts), angles)
        excess += [run.loss - best.loss for run in free]
        runs += free
    for name, (prior, factors) in PAIRS.items():
        progress(f"other factors, {name} prior")

        def energy(rotation, prior=prior, factors=factors):
            return factor_rotation_energy(prior, factors, rotation, beta)

        rows += points(OTHERS, name, "theory", line, _along(energy, line))
        rows += _sampled(OTHERS, name, energy, prior, factors, tried[1:-1:2], draws, rng, beta)
        rows += _fixed_decoders(name, energy, prior, factors, tried, fixed_starts, beta)
        free = [train(factors, prior, start) for start in free_starts.spawn(starts)]
        angles = [factor_angle(run.vae, LOADING) for run in free]
        if name == "isotropic":
            rows += points(ENDS, f"sparse, {name}", "measured", np.arange(starts), angles)
        else:
            series = f"{'clustered' if factors is CLUSTERS else 'sparse'}, {name}"
            losses = np.array([run.loss for run in free])
            for index, (angle, worse) in enumerate(zip(angles, losses - losses.min() > SAME, strict=True)):
                rows += points(ENDS, series, "measured" if worse else "trained", index, angle, expected=0.0)
        runs += free
    free_angles = [row.y for row in rows if row.panel == ENDS and np.isnan(row.expected)]
    scattered = concentration(
        "concentration of angles that are free",
        free_angles,
        0.95,
        "1 to rounding if training locked the angle; exceeded by chance in 1 of 1000 sets of 8 angles, 1e-9 of 24",
    )
    gradient = largest_gradient(runs, 1e-5, "ten times the tolerance, where rounding ends a line search")
    return Table(
        points=tuple(rows),
        parameters={
            "loading": LOADING,
            "data_noise": noise_variance,
            "noise_variance": noise_variance,
            "low_noise": LOW_NOISE,
            "beta": beta,
            "priors": {name: repr(prior) for name, prior in EXAMPLES.items()},
            "starts": starts,
            "draws": draws,
            "seed": seed,
        },
        tolerances={
            (GAUSSIAN, "trained"): Tolerance(
                1e-8, "the loss is quadratic in the error that a gradient of 1e-6 nats leaves"
            ),
            (OTHERS, "trained"): Tolerance(
                5e-3 * beta, "of the order of the noise over the variance of a spike or cluster"
            ),
            (ENDS, "trained"): Tolerance(0.05, "degrees; error that a gradient of 1e-6 nats leaves in the angle"),
        },
        checks=(_same_loss(excess), scattered, gradient),
    )


def factor_angle(vae: LinearVAE, loading, basis=None) -> float:
    """The angle in degrees, from -45 to 45, between the latents and the factors: of the rotation nearest to V A.

    Only the angle modulo a right angle is a rotation; the rest permutes and flips latents.
    """
    code = vae.encoder @ loading if basis is None else basis @ vae.encoder @ loading
    left, _, right = np.linalg.svd(code)
    nearest = left @ right
    return float(modulo_right_angle(np.degrees(np.arctan2(nearest[1, 0], nearest[0, 0]))))


def _is_isotropic(covariance: np.ndarray) -> bool:
    """Whether a covariance is a multiple of I, to the accuracy of a search for the nearest Gaussian."""
    return np.allclose(covariance, covariance[0, 0] * np.eye(len(covariance)), rtol=0, atol=1e-5 * covariance[0, 0])


def _rotation(degrees: float) -> np.ndarray:
    return plane_rotation(2, np.radians(degrees))


def _along(energy: Callable, degrees) -> np.ndarray:
    return energy(np.array([_rotation(angle) for angle in degrees]))


def _train(factors, prior, start: np.random.SeedSequence, *, beta: float, noise_variance: float, **options) -> PriorRun:
    return train_with_prior(
        factors, LOADING, noise_variance, prior, beta=beta, noise_variance=noise_variance, gradient_tolerance=1e-6,
        rng=np.random.default_rng(start), **options,
    )  # fmt: skip


def _sampled(panel: str, name: str, energy, prior, code, degrees, draws: int, rng, beta: float) -> list[Point]:
    """The mean fall of the log prior when drawn codes are rotated; `code` is a covariance or a distribution."""
    if isinstance(code, np.ndarray):
        latents = rng.standard_normal((draws, 2)) @ np.linalg.cholesky(code).T
    else:
        latents = code.sample(draws, rng)
    exact = _along(energy, degrees)
    degrees, exact = np.asarray(degrees)[exact != 0], exact[exact != 0]  # a symmetry changes no draw: no error
    sampled = sampled_rotation_energies(prior, latents, [_rotation(angle) for angle in degrees], beta)
    rows = []
    for angle, expected, drawn in zip(degrees, exact, sampled, strict=True):
        error = drawn.standard_error
        if error >= 1e-12:
            rows += points(panel, name, "monte_carlo", angle, drawn.value, standard_error=error, expected=expected)
    return rows


def _fixed_decoders(name: str, energy, prior, factors, degrees, start, beta: float) -> list[Point]:
    """Encoders trained for decoders fixed at rotated factors, at so little noise that the code is the factors."""
    losses = []
    for angle in degrees:
        run = train_with_prior(
            factors, LOADING, LOW_NOISE, prior, beta=beta, noise_variance=LOW_NOISE, gradient_tolerance=1e-4,
            decoder=LOADING @ _rotation(angle).T, rng=np.random.default_rng(start),
        )  # fmt: skip
        losses.append(run.loss)
    return points(OTHERS, name, "trained", degrees, np.array(losses) - losses[0], expected=_along(energy, degrees))


def _same_loss(excess: list[float]) -> Comparison:
    return largest_of(
        "loss with Gaussian factors",
        excess,
        1e-8,
        "that of the theorem at every angle; quadratic in the error that the gradient leaves",
    )


@drawing.styled()
def plot(table: Table, axes):
    """Draw the energies of Gaussian and other factors, and where training ends, on three Axes; returns the Axes."""
    gaussian, others, ends = drawing.panel_axes(axes, 3)
    _draw_gaussian(gaussian, table)
    _draw_others(others, table)
    _draw_ends(ends, table)
    for ax in (gaussian, others):
        ax.set(xlabel="rotation of the latents (degrees)", xticks=[0, 30, 60, 90])
    handles = drawing.source_handles(gaussian, ["theory", "trained", "monte_carlo"])
    if any(line.get_markerfacecolor() == "none" and np.size(line.get_xdata()) for line in ends.lines):
        handles.append(Line2D([], [], color=drawing.GREY, label="a worse minimum", **WORSE))
    drawing.figure_legend(gaussian, handles)
    return axes


def _draw_gaussian(ax: Axes, table: Table) -> None:
    """Lines of zero are one line; the dots on it are a little apart sideways."""
    names = table.series(GAUSSIAN, "theory")
    flat = [name for name in names if table.select(GAUSSIAN, "trained", name).x.size]
    degrees = 2.2 * (np.arange(len(flat)) - (len(flat) - 1) / 2)
    shifts = dict.fromkeys(names, 0.0) | dict(zip(flat, degrees, strict=True))
    for name in names:
        colour = drawing.GREY if name in flat else _colour(name)
        drawing.draw_series(ax, table, GAUSSIAN, name, "theory", colour)
        for source in ("trained", "monte_carlo"):
            drawing.draw_series(ax, table, GAUSSIAN, name, source, _colour(name), shifts[name])
        if name not in flat:
            line = table.select(GAUSSIAN, "theory", name)
            rising = np.argmax(line.y >= 0.6 * line.y.max())
            drawing.label_at(ax, name, (line.x[rising], line.y[rising]), colour, (-4, 0), ha="right")
    for row, name in enumerate(reversed(flat)):
        drawing.label_at(ax, name, (90.0, 0.0), _colour(name), (0, 6 + 10 * row), ha="right")
    ax.set_ylabel("added loss (nats)")
    drawing.letter(ax, "a", "Gaussian factors: mostly free")


def _draw_others(ax: Axes, table: Table) -> None:
    names = table.series(OTHERS, "theory")
    drawing.draw_panel(ax, table, OTHERS, {name: _colour(name) for name in names})
    ax.set(ylabel="added loss (nats), asinh scale", ylim=(-0.002, 2 * table.select(OTHERS, "theory").y.max()))
    drawing.asinh_scale(ax, 0.005)
    for name in names:
        line = table.select(OTHERS, "theory", name)
        top = np.argmax(line.y) if line.y.any() else len(line.y) // 2
        drawing.label_at(ax, name, (line.x[top], line.y[top]), _colour(name))
    drawing.letter(ax, "b", "other factors: a rotation costs")


def _draw_ends(ax: Axes, table: Table) -> None:
    series = table.series(ENDS)
    for height, name in enumerate(reversed(series)):
        colour = _colour(name.split(", ")[1])
        for source in ("measured", "trained"):
            rows = table.select(ENDS, source, name)
            worse = np.isfinite(rows.expected) & (source == "measured")
            places = np.full(len(rows.y), height)
            ax.plot(rows.y[~worse], places[~worse], color=colour, **drawing.MARKS["trained"])
            ax.plot(rows.y[worse], places[worse], color=colour, **WORSE)
    ax.set(xlabel="angle to the factors (degrees)", xlim=(-47, 47), xticks=[-45, 0, 45], ylim=(-0.6, len(series) - 0.4))
    ax.set_yticks(range(len(series)), labels=list(reversed(series)))
    for label, name in zip(ax.get_yticklabels(), reversed(series), strict=True):
        label.set_color(drawing.text_colour(_colour(name.split(", ")[1])))
    drawing.letter(ax, "c", "locked at 0, or free")


def _colour(name: str) -> str:
    return COLOURS.get(name) or f"C{list(EXAMPLES).index(name)}"
