"""Figure of `python -m figures sweep`: the runs of a sweep against beta.

(a) Loss of each run, and the closed form. (b) By how much each run is above it. (c) Rate. (d) Active latents. The run
of least loss of each beta is dark, the others are light.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from figures.kit import drawing
from figures.kit.table import Table, points
from theory.interface.text_table import cell_number

__all__ = ["CAPTION", "LAYOUT", "data", "plot", "read"]

LAYOUT = {"shape": (2, 2), "size": (drawing.DOUBLE_COLUMN, 4.6)}

CAPTION = r"""
The run of least loss of each $\beta$ shows how near training came to the closed form of the optimum.

Runs of the file `{runs}` against the weight $\beta$ of the KL term: (a) loss, in nats. (b) Loss above the closed form,
in nats; distances of less than $10^{{-16}}$, also those below zero by rounding, are drawn as that. (c) Rate, the
expected KL of the posterior from the prior, in nats. (d) The number of active latents, those that have not collapsed
to the prior.

Dots are trained models: blue, the run of least loss of its beta; grey, the other runs, which the blue dots cover where
both agree. The line in (a) is theory, the closed form of the least loss, computed at the betas of the runs only and
joined straight between them; (b) to (d) have no line. There are no error bars: each dot is one run. A beta whose noise
runs to zero has no closed form, and no point in (b).
"""

COLUMNS = ("beta", "seed", "loss", "rate", "active_count", "excess_loss")
PANELS = {
    "loss": "loss (nats)",
    "excess_loss": "loss above it (nats, at least $10^{-16}$)",
    "rate": "rate (nats)",
    "active_count": "latents",
}
LEAST, OTHERS, CLOSED = "least loss of its beta", "other runs", "closed form"
SMALLEST = 1e-16  # nats, where the distance from the closed form is drawn that is zero or, by rounding, negative


def read(path) -> dict[str, np.ndarray]:
    """The columns of the runs in a file that `numerics sweep` wrote, by --out (.csv) or --resume (.jsonl).

    Raises
    ------
    ValueError
        if the file is not one of these, has no run, or its runs have no closed form: unequal weights, a fixed decoder.
    """
    path = Path(path)
    if path.suffix.lower() == ".jsonl":
        columns = _of_resume_file(path)
    elif path.suffix.lower() == ".csv":
        columns = _of_table(path)
    else:
        raise ValueError(f"{path}: must be a .csv file of `numerics sweep --out`, or a .jsonl file of `--resume`")
    kept = np.isfinite(columns["loss"])  # a run that overflowed has none
    if not kept.any():
        raise ValueError(f"{path}: has no finished run; run the sweep first")
    return {name: values[kept] for name, values in columns.items()}


def _of_table(path: Path) -> dict[str, np.ndarray]:
    try:
        with path.open(newline="", encoding="utf-8") as opened:
            rows = list(csv.DictReader(opened))
    except (OSError, UnicodeError) as error:
        raise ValueError(f"{path}: cannot be read ({error}); name the file that `numerics sweep --out` wrote") from None
    values = {name: [cell_number(row.get(name) or "") for row in rows] for name in COLUMNS}
    missing = [name for name, column in values.items() if not column or None in column]
    if missing:
        raise ValueError(
            f"{path}: must have numbers in the columns {', '.join(COLUMNS)}, as `numerics sweep --out` writes them; "
            f"it has none in {', '.join(missing)}"
        )
    return {name: np.array(column) for name, column in values.items()}


def _of_resume_file(path: Path) -> dict[str, np.ndarray]:
    from numerics import active_count, read_runs
    from theory import elbo_terms, optimum_curve

    runs = read_runs(path)
    asked, covariance = runs.asked, runs.problem.covariance
    if (
        asked["decoder"] is not None
        or np.isnan(runs.betas).any()
        or not np.array_equal(asked["prior"], np.eye(asked["latent_dim"]))
    ):
        raise ValueError(
            f"{path}: must hold runs of a learned decoder with one beta and the prior N(0, I), which have a closed form"
        )
    vaes = [runs.vae(index) for index in range(len(runs.betas))]
    if not vaes:
        return {name: np.empty(0) for name in COLUMNS}
    closed = optimum_curve(covariance, asked["latent_dim"], runs.betas, noise_variance=asked["noise_variance"]).loss
    return {
        "beta": runs.betas,
        "seed": runs.seeds,
        "loss": runs.losses,
        "rate": np.array([elbo_terms(vae, covariance).rate for vae in vaes]),
        "active_count": np.array([active_count(vae, covariance) for vae in vaes]),
        "excess_loss": runs.losses - closed,
    }


def data(columns: Mapping[str, np.ndarray], *, parameters: dict | None = None) -> Table:
    """The panels from the columns that `read` returns; `parameters` are what the json file states about the runs."""
    betas = columns["beta"]
    least = np.zeros(len(betas), dtype=bool)
    for beta in np.unique(betas):
        of_beta = np.flatnonzero(betas == beta)
        least[of_beta[np.argmin(columns["loss"][of_beta])]] = True
    rows = []
    for name, chosen in ((OTHERS, ~least), (LEAST, least)):
        order = np.flatnonzero(chosen)[np.argsort(betas[chosen], kind="stable")]
        for panel in PANELS:
            finite = order[np.isfinite(columns[panel][order])]
            rows += points(panel, name, "measured", betas[finite], columns[panel][finite])
    bounded = least & np.isfinite(columns["excess_loss"])  # else the noise runs to zero, and there is no closed form
    order = np.flatnonzero(bounded)[np.argsort(betas[bounded])]
    closed = columns["loss"] - columns["excess_loss"]
    rows += points("loss", CLOSED, "theory", betas[order], closed[order])
    reason = "the panel excess_loss is the distance, of your runs"
    reasons = {("loss", CLOSED): reason} if bounded.any() else {}
    return Table(points=tuple(rows), parameters=parameters or {}, not_compared=reasons)


@drawing.styled()
def plot(table: Table, axes):
    """Draw loss, distance, rate and active latents on four Axes; returns the Axes."""
    flat = drawing.panel_axes(axes, len(PANELS))
    titles = ("loss", "distance from the optimum", "rate", "active latents")
    for ax, letter, (panel, label), title in zip(flat, "abcd", PANELS.items(), titles, strict=True):
        closed = table.select(panel, "theory", CLOSED)
        if closed.x.size:
            ax.plot(closed.x, closed.y, color="black", linewidth=0.8, label=CLOSED)
        for name, colour, size in ((OTHERS, "0.7", 3.0), (LEAST, "C0", 3.6)):
            rows = table.select(panel, "measured", name)
            if rows.x.size:
                heights = np.maximum(rows.y, SMALLEST) if panel == "excess_loss" else rows.y
                ax.plot(rows.x, heights, color=colour, linestyle="", marker="o", markersize=size, label=name)
        ax.set(xlabel=r"$\beta$", ylabel=label, xscale="log")
        drawing.plain_ticks(ax.xaxis)
        drawing.letter(ax, letter, title)
    flat[1].set_yscale("log")
    drawing.whole_ticks(flat[3].yaxis)
    flat[0].legend()
    return axes
