"""The commands of `python -m theory` on a learned decoder: `optimum` and `critical-betas`."""

from __future__ import annotations

import argparse
from itertools import zip_longest
from pathlib import Path

import numpy as np

from theory.interface.files import output_file
from theory.interface.options import (
    add_csv_option,
    add_data_options,
    add_latent_dim_option,
    covariance_of,
    csv_path,
)
from theory.interface.report import Report, aligned_facts, aligned_table, csv_file, npz_archive
from theory.interface.run import add_command
from theory.interface.weight_options import (
    add_noise_option,
    add_reduction_options,
    add_weight_options,
    noise_of,
    own_weights,
    weight_of,
)
from theory.learning.noise_words import noise_words

__all__ = ["add_commands", "aligned_modes", "data_dim_of", "eigenvalues_of", "mode_columns", "of_latents"]

TABLE_ROWS = 20  # of a table of modes, unless --all


def add_commands(commands) -> None:
    """Add both to `commands`, the result of `Parser.add_subparsers`."""
    command = add_command(
        commands,
        "optimum",
        _optimum,
        "The global optimum of a beta-VAE over decoder, encoder and noise, the same for every posterior family.",
        "  python -m theory optimum --data observations.csv --latent-dim 2\n"
        "  python -m theory optimum --covariance S.npy --latent-dim 2 --beta 4 --noise-variance 0.1 --save vae.npz\n"
        "  python -m theory optimum --eigenvalues 3,2,1 --latent-dim 2 --beta 0.1:10:50 --out curve.csv\n"
        "  python -m theory optimum --data observations.csv --latent-dim 8 --kl-weight 0.001 --reconstruction mean",
    )
    add_data_options(command)
    add_latent_dim_option(
        command,
        "number of latents; each is active below its critical beta, and collapsed to the prior from there on",
        required=True,
    )
    add_weight_options(
        command,
        "--beta",
        "one value (default 1), which prints the modes; a list 0.5,1,2 or range low:high:count prints a curve",
    )
    add_noise_option(command)
    command.add_argument("--all", action="store_true", help=f"print all modes, not the first {TABLE_ROWS}")
    command.add_argument("--save", metavar="FILE.npz", help="write the arrays of the optimum, or of the curve")
    command.add_argument(
        "--leading-only",
        action="store_true",
        help="compute only the K largest eigenvalues and the trace: faster for large data, at one beta",
    )

    add_csv_option(command)

    command = add_command(
        commands,
        "critical-betas",
        _critical_betas,
        "The beta at which each latent collapses, for fixed or learned noise; total collapse is the largest. With the "
        "loss of your code, also the weight of its KL at which each collapses.",
        "  python -m theory critical-betas --data observations.csv\n"
        "  python -m theory critical-betas --eigenvalues 3,2,1 --latent-dim 2 --noise-variance 0.1\n"
        "  python -m theory critical-betas --data observations.csv --latent-dim 8 --reconstruction mean --out b.csv",
    )
    add_data_options(command)
    add_latent_dim_option(command, "number of latents (default: one for every dimension of the data)")
    add_noise_option(command)
    add_reduction_options(command)
    command.add_argument("--all", action="store_true", help=f"print all modes, not the first {TABLE_ROWS}")
    add_csv_option(command)


def _optimum(arguments: argparse.Namespace) -> Report:
    from theory.learning import optimum, optimum_curve

    if arguments.leading_only and arguments.out is not None:
        raise ValueError("--out writes every mode, which --leading-only does not compute; leave one of them out")
    files = [None if arguments.save is None else output_file(arguments.save, ".npz"), csv_path(arguments)]
    source = covariance_of(arguments)
    weight = weight_of(arguments, "--beta", "1", (data_dim_of(source), arguments.latent_dim), noise_of(arguments))
    betas, noise = weight.betas, weight.noise_variance
    if len(betas) > 1:
        if arguments.leading_only:
            raise ValueError(
                f"--leading-only serves one beta, got {len(betas)}; pass one value of --beta or --kl-weight, or leave "
                "it out"
            )
        curve = optimum_curve(source, arguments.latent_dim, betas, noise_variance=noise)
        names = ("noise_variance", "noise_status", "active_count", "distortion", "rate", "loss")
        losses = weight.losses(curve.distortion, curve.rate, curve.noise_variance)
        columns = weight.columns | {"beta": betas} | {name: getattr(curve, name) for name in names} | losses
        own = {f"{name}s": values for name, values in weight.columns.items()}
        values = {"latent_dim": arguments.latent_dim, **own, **vars(curve), **losses}
        return _report(values, aligned_table(columns), columns, curve.noise_status, weight, files, values)
    beta = float(betas[0])
    best = optimum(source, arguments.latent_dim, beta=beta, noise_variance=noise, leading_only=arguments.leading_only)
    parts = ("noise_variance", "noise_status", "active_count", "distortion", "rate", "loss", "resolution")
    own = {name: float(values[0]) for name, values in weight.columns.items()}
    values = own | {"beta": beta, "latent_dim": arguments.latent_dim} | {name: getattr(best, name) for name in parts}
    values |= {
        name: float(one[0]) for name, one in weight.losses(best.distortion, best.rate, best.noise_variance).items()
    }
    arrays = {"eigenvalues": best.eigenvalues, "critical_betas": best.critical_betas}
    arrays |= weight.critical(best.critical_betas) | {"active": best.active} | _modes(best)
    solution = {} if best.vae is None else vars(best.vae)
    text = f"{aligned_facts(values)}\n\n{aligned_modes(arrays, None if arguments.all else TABLE_ROWS)}"
    columns = mode_columns(arrays)
    return _report(values | arrays, text, columns, best.noise_status, weight, files, values | arrays | solution)


def _report(values: dict, text: str, columns: dict, statuses, weight, files: list[Path | None], saved: dict) -> Report:
    """The report of `optimum`, whether of one beta or of a curve."""
    save, out = files
    archive = {} if save is None else {save: npz_archive(saved)}
    return Report(values, f"{text}{noise_words(statuses)}{weight.note}", files={**archive, **csv_file(out, columns)})


def _modes(best) -> dict[str, np.ndarray | None]:
    """Weight norm, encoder gain and posterior variance of each latent, shape (K,); None if there is no VAE."""
    vae = best.vae
    return {
        "weight_norms": None if vae is None else np.linalg.norm(vae.decoder, axis=0),
        "encoder_gains": None if vae is None else np.linalg.norm(vae.encoder, axis=1),
        "posterior_variances": None if vae is None else np.diagonal(vae.posterior_covariance),
    }


def mode_columns(arrays: dict[str, np.ndarray | None]) -> dict[str, tuple]:
    """One row for each mode or latent, whichever are more; None for a mode without a latent or the reverse."""
    given = {name.removesuffix("s"): values for name, values in arrays.items() if values is not None}
    rows = list(zip_longest(*given.values()))
    return {"mode": range(1, len(rows) + 1), **dict(zip(given, zip(*rows, strict=True), strict=True))}


def aligned_modes(arrays: dict[str, np.ndarray | None], rows: int | None, rest: str = "pass --all") -> str:
    """The first rows of `mode_columns` as text, or all of them; `rest` says where the others are."""
    columns = mode_columns(arrays)
    more = 0 if rows is None else len(columns["mode"]) - rows
    note = f"\n{more} more rows: {rest}" if more > 0 else ""
    return aligned_table({name: column[:rows] for name, column in columns.items()}) + note


def _critical_betas(arguments: argparse.Namespace) -> Report:
    from theory.learning import critical_betas

    file, eigenvalues = csv_path(arguments), eigenvalues_of(covariance_of(arguments))
    latents = len(eigenvalues) if arguments.latent_dim is None else arguments.latent_dim
    noise = noise_of(arguments)
    critical = critical_betas(eigenvalues, latents, noise)
    weight = own_weights(arguments, (len(eigenvalues), arguments.latent_dim), critical, noise)
    columns = {
        "eigenvalues": of_latents(eigenvalues, latents),
        "critical_betas": critical,
        **{f"critical_{name}s": values for name, values in weight.columns.items()},
    }
    values = {"data_dim": len(eigenvalues), "latent_dim": latents, "noise_variance": noise}
    return Report(
        values | columns,
        f"{aligned_facts(values)}\n\n{aligned_modes(columns, None if arguments.all else TABLE_ROWS)}{weight.note}",
        files=csv_file(file, mode_columns(columns)),
    )


def of_latents(eigenvalues: np.ndarray, latents: int) -> np.ndarray:
    """The eigenvalue of each latent; zero for a latent without a mode."""
    return np.append(eigenvalues, np.zeros(latents))[:latents]


def data_dim_of(source) -> int:
    """D of `Moments` or of a covariance."""
    from theory.moments import Moments

    return source.data_dim if isinstance(source, Moments) else len(source)


def eigenvalues_of(source) -> np.ndarray:
    """The eigenvalues of `Moments` or a covariance, from the largest."""
    from theory.spectrum import Spectrum

    return Spectrum.stated(source).eigenvalues
