"""The command `rate-distortion` of `python -m theory`: the curve, or the point at a rate, a distortion or a beta."""

from __future__ import annotations

import argparse

import numpy as np

from theory.interface.options import (
    add_csv_option,
    add_data_options,
    add_latent_dim_option,
    add_unit_option,
    covariance_of,
    csv_path,
    in_unit,
    positive_numbers,
    refuse_options,
)
from theory.interface.report import Report, aligned_table, csv_file
from theory.interface.run import add_command
from theory.interface.weight_options import (
    add_kl_weight_option,
    add_noise_option,
    add_reduction_options,
    noise_of,
    own_weights,
    weight_of,
)
from theory.learning.commands import eigenvalues_of
from theory.learning.noise_words import noise_words

__all__ = ["add_commands"]


def add_commands(commands) -> None:
    """Add it to `commands`, the result of `Parser.add_subparsers`."""
    command = add_command(
        commands,
        "rate-distortion",
        _rate_distortion,
        "Shannon's rate-distortion curve of a Gaussian source, and the optimal VAE (water level = beta x noise). With "
        "--rate or --distortion, the beta that holds it, for fixed or learned noise.",
        "  python -m theory rate-distortion --eigenvalues 3,2,1\n"
        "  python -m theory rate-distortion --data observations.csv --latent-dim 2 --water-level 0.01:10:30\n"
        "  python -m theory rate-distortion --eigenvalues 3,2,1 --latent-dim 2 --rate 0.5,1,2 --unit bits\n"
        "  python -m theory rate-distortion --eigenvalues 3,2,1 --latent-dim 2 --distortion 2 --reconstruction mean",
    )
    add_data_options(command)
    add_latent_dim_option(command, "also the optimal VAE with K latents, and its penalty; needed for a beta")
    asked = command.add_mutually_exclusive_group()
    values = "value, list or range low:high:count"
    asked.add_argument(
        "--water-level", help=f"{values}; by default from 1/100 of the largest eigenvalue to it", metavar="T"
    )
    asked.add_argument("--rate", metavar="C", help=f"find the beta at which the optimal VAE has this rate: {values}")
    asked.add_argument("--distortion", metavar="D", help=f"the same for its expected squared error: {values}")
    asked.add_argument("--beta", help=f"rate and distortion of the optimal VAE there: {values}")
    add_kl_weight_option(asked)
    add_reduction_options(command)
    add_noise_option(command)
    add_unit_option(command)
    add_csv_option(command)


def _rate_distortion(arguments: argparse.Namespace) -> Report:
    file, eigenvalues = csv_path(arguments), eigenvalues_of(covariance_of(arguments))
    curve = arguments.rate is arguments.distortion is arguments.beta is arguments.kl_weight is None
    if curve or arguments.latent_dim is None:
        refuse_options(
            arguments,
            ("beta", "kl_weight", "reconstruction", "kl", "noise_variance"),
            "is for the optimal VAE at a rate, a distortion or a beta; pass --latent-dim and one of --rate, "
            "--distortion, --beta and --kl-weight, or leave it out",
        )
        columns, note = (_curve if curve else _on_shannons_curve)(arguments, eigenvalues), ""
    else:
        columns, note = _points(arguments, eigenvalues)
    columns = {name: in_unit(arguments, values) if "rate" in name else values for name, values in columns.items()}
    unit = {} if arguments.unit == "nats" else {"unit": arguments.unit}
    text = "".join([aligned_table(columns), *(f"\nrates in {name}" for name in unit.values()), note])
    return Report(columns | unit, text, files=csv_file(file, columns))


def _curve(arguments: argparse.Namespace, eigenvalues: np.ndarray) -> dict[str, np.ndarray]:
    from theory.learning import capacity_penalty, rate_distortion, vae_rate_distortion

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
    return columns


def _on_shannons_curve(arguments: argparse.Namespace, eigenvalues: np.ndarray) -> dict[str, np.ndarray]:
    """The point of the curve at a rate or a distortion, without a VAE and so without a beta."""
    from theory.learning import rate_distortion, water_level_for_distortion, water_level_for_rate

    if arguments.rate is not None:
        levels = water_level_for_rate(eigenvalues, _rates(arguments))
    else:
        distortions, total = positive_numbers("--distortion", arguments.distortion), eigenvalues.sum()
        if distortions.max() > total * (1 + 1e-12):
            raise ValueError(
                f"--distortion must be at most {total:.6g}, the total variance, got {distortions.max():g}; pass less"
            )
        levels = water_level_for_distortion(eigenvalues, distortions)
    return {"water_level": levels, **vars(rate_distortion(eigenvalues, levels))}


def _points(arguments: argparse.Namespace, eigenvalues: np.ndarray) -> tuple[dict[str, np.ndarray], str]:
    """The optimal VAE at each rate, distortion or beta, and a note for people."""
    from theory.learning import beta_for_distortion, beta_for_rate, operating_point

    noise, dimensions = noise_of(arguments), (len(eigenvalues), arguments.latent_dim)
    if arguments.rate is not None:
        found = beta_for_rate(eigenvalues, arguments.latent_dim, _rates(arguments), noise)
    elif arguments.distortion is not None:
        distortions = positive_numbers("--distortion", arguments.distortion)
        found = beta_for_distortion(eigenvalues, arguments.latent_dim, distortions, noise)
    else:
        weight = weight_of(arguments, "--beta", "1", dimensions, noise)
        found = operating_point(eigenvalues, arguments.latent_dim, weight.betas, noise)
    if arguments.rate is not None or arguments.distortion is not None:
        weight = own_weights(arguments, dimensions, found.beta, noise)
    return weight.columns | vars(found), f"{noise_words(found.noise_status)}{weight.note}"


def _rates(arguments: argparse.Namespace) -> np.ndarray:
    """The rates asked for, in nats."""
    return positive_numbers("--rate", arguments.rate) / in_unit(arguments, 1.0)
