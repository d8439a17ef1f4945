"""The commands of `python -m theory` on a learned decoder: `optimum` and `rate-distortion`."""

from __future__ import annotations

import argparse
from itertools import zip_longest

import numpy as np

from theory.interface.files import output_file
from theory.interface.options import (
    add_data_options,
    add_latent_dim_option,
    covariance_of,
    number_or_keyword,
    positive_numbers,
)
from theory.interface.report import Report, aligned_facts, aligned_table, npz_archive
from theory.interface.run import add_command

__all__ = ["add_commands", "eigenvalues_of"]

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
        "  python -m theory optimum --eigenvalues 3,2,1 --latent-dim 2 --beta 0.1:10:50",
    )
    add_data_options(command)
    add_latent_dim_option(
        command,
        "number of latents; each is active below its critical beta, and collapsed to the prior from there on",
        required=True,
    )
    command.add_argument(
        "--beta",
        default="1",
        help="one value (default 1), which prints the modes; a list 0.5,1,2 or range low:high:count prints a curve",
    )
    command.add_argument(
        "--noise-variance",
        default="learned",
        help="decoder noise: a number, or learned (default); its status is zero if the loss falls without bound as the "
        "noise vanishes, and undetermined if every noise up to the one printed is optimal",
    )
    command.add_argument("--all", action="store_true", help=f"print all modes, not the first {TABLE_ROWS}")
    command.add_argument("--save", metavar="FILE.npz", help="write the arrays of the optimum at one beta")
    command.add_argument(
        "--leading-only",
        action="store_true",
        help="compute only the K largest eigenvalues and the trace: faster for large data, at one beta",
    )

    command = add_command(
        commands,
        "rate-distortion",
        _rate_distortion,
        "Shannon's rate-distortion curve of a Gaussian source, and the optimal VAE (water level = beta x noise).",
        "  python -m theory rate-distortion --eigenvalues 3,2,1\n"
        "  python -m theory rate-distortion --data observations.csv --latent-dim 2 --water-level 0.01:10:30",
    )
    add_data_options(command)
    add_latent_dim_option(command, "also the optimal VAE with K latents, and its penalty")
    command.add_argument(
        "--water-level",
        help="value, list or range low:high:count; by default from 1/100 of the largest eigenvalue to it",
    )


def _optimum(arguments: argparse.Namespace) -> Report:
    from theory.learning import optimum, optimum_curve

    source = covariance_of(arguments)
    betas = positive_numbers("--beta", arguments.beta)
    noise = number_or_keyword("--noise-variance", arguments.noise_variance, "learned")
    if len(betas) > 1:
        if arguments.save is not None:
            raise ValueError(f"--save writes the optimum at one beta, got {len(betas)} in --beta; pass one value")
        if arguments.leading_only:
            raise ValueError(
                f"--leading-only serves one beta, got {len(betas)} in --beta; pass one value or leave it out"
            )
        curve = optimum_curve(source, arguments.latent_dim, betas, noise_variance=noise)
        columns = ("noise_variance", "noise_status", "active_count", "distortion", "rate", "loss")
        return Report(
            {"latent_dim": arguments.latent_dim, **vars(curve)},
            aligned_table({"beta": betas, **{name: getattr(curve, name) for name in columns}}),
        )
    file = None if arguments.save is None else output_file(arguments.save, ".npz")
    beta = float(betas[0])
    best = optimum(source, arguments.latent_dim, beta=beta, noise_variance=noise, leading_only=arguments.leading_only)
    parts = ("noise_variance", "noise_status", "active_count", "distortion", "rate", "loss", "resolution")
    values = {"beta": beta, "latent_dim": arguments.latent_dim} | {name: getattr(best, name) for name in parts}
    modes = _modes(best)
    arrays = {"eigenvalues": best.eigenvalues, "critical_betas": best.critical_betas, "active": best.active, **modes}
    solution = {} if best.vae is None else vars(best.vae)
    return Report(
        values | arrays,
        f"{aligned_facts(values)}\n\n{_mode_table(arrays, arguments.all)}",
        files={} if file is None else {file: npz_archive(values | arrays | solution)},
    )


def _modes(best) -> dict[str, np.ndarray | None]:
    """Weight norm, encoder gain and posterior variance of each latent, shape (K,); None if there is no VAE."""
    vae = best.vae
    return {
        "weight_norms": None if vae is None else np.linalg.norm(vae.decoder, axis=0),
        "encoder_gains": None if vae is None else np.linalg.norm(vae.encoder, axis=1),
        "posterior_variances": None if vae is None else np.diagonal(vae.posterior_covariance),
    }


def _mode_table(arrays: dict[str, np.ndarray | None], everything: bool) -> str:
    """One row for each mode or latent, whichever are more; "-" for a mode without a latent or the reverse."""
    given = {name.removesuffix("s"): values for name, values in arrays.items() if values is not None}
    rows = list(zip_longest(*given.values()))
    shown = rows if everything else rows[:TABLE_ROWS]
    columns = dict(zip(given, zip(*shown, strict=True), strict=True))
    more = f"\n{len(rows) - len(shown)} more rows: pass --all" if len(shown) < len(rows) else ""
    return aligned_table({"mode": range(1, len(shown) + 1), **columns}) + more


def _rate_distortion(arguments: argparse.Namespace) -> Report:
    from theory.learning import capacity_penalty, rate_distortion, vae_rate_distortion

    eigenvalues = eigenvalues_of(covariance_of(arguments))
    if arguments.water_level is None:
        levels = np.unique(eigenvalues[0] * np.geomspace(0.01, 1, 11))
    else:
        levels = positive_numbers("--water-level", arguments.water_level)
    columns = {"water_level": levels, **vars(rate_distortion(eigenvalues, levels))}
    if arguments.latent_dim is not None:
        for prefix, point in [
            ("vae", vae_rate_distortion(eigenvalues, arguments.latent_dim, levels)),
            ("excess", capacity_penalty(eigenvalues, arguments.latent_dim, levels)),
        ]:
            columns |= {f"{prefix}_rate": point.rate, f"{prefix}_distortion": point.distortion}
    return Report(columns, aligned_table(columns))


def eigenvalues_of(source) -> np.ndarray:
    """The eigenvalues of `Moments` or a covariance, from the largest."""
    from theory.moments import as_moments
    from theory.spectrum import Spectrum

    covariance = as_moments(source).covariance
    return Spectrum.of(covariance, len(covariance)).eigenvalues
