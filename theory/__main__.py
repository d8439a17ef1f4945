"""The command line of the closed forms: `python -m theory COMMAND`, with `--help` and `--json` on every command.

optimum           what a beta-VAE learns from data, a covariance or eigenvalues
inference         how well the best encoder of a known decoder infers the factors, against beta
optimal-beta      the beta at which each inference error is least
rate-distortion   Shannon's curve, and where the optimal VAE lies
granularity       which factors belong in one group, from data and a known decoder
derive, book      the symbolic derivations of all this (`theory.derivations`)
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from itertools import zip_longest

import numpy as np

from theory import (
    GenerativeModel,
    Moments,
    Optimum,
    cli,
    inference_error_curve,
    optimal_beta,
    optimum,
    optimum_curve,
    output,
    rate_distortion,
    validation,
)
from theory.data import read_covariance, read_matrix, read_moments, read_vector
from theory.derivations.commands import add_subcommands
from theory.groups.commands import add_subcommands as add_group_subcommands
from theory.inference.path import CRITERIA
from theory.learning import capacity_penalty, vae_rate_distortion
from theory.spectrum import known_modes

ROWS = 20  # of a table of modes, unless --all


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code: 0 good, 1 a check failed, 2 bad usage, 130 interrupted."""
    return cli.run(_parser(), argv)


def _parser() -> cli.Parser:
    parser = cli.Parser(
        prog="python -m theory", description="Closed forms of the linear-Gaussian beta-VAE. All rates are in nats."
    )
    cli.add_version_option(parser)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    command = cli.add_command(
        commands,
        "optimum",
        _optimum,
        "What a beta-VAE learns: the global optimum over decoder, encoder and noise, whatever the posterior family.",
        "  python -m theory optimum --data observations.csv --latent-dim 2\n"
        "  python -m theory optimum --covariance S.npy --latent-dim 2 --beta 4 --noise-variance 0.1 --save vae.npz\n"
        "  python -m theory optimum --eigenvalues 3,2,1 --latent-dim 2 --beta 0.1:10:50",
    )
    _add_spectrum(command)
    command.add_argument(
        "--latent-dim",
        type=int,
        required=True,
        metavar="K",
        help="number of latents; one is active below its critical beta, and has collapsed to the prior from there on",
    )
    command.add_argument(
        "--beta",
        default="1",
        help="one value (default 1), which prints the modes; a list 0.5,1,2 or range low:high:count prints a curve",
    )
    command.add_argument(
        "--noise-variance",
        default="learned",
        help="decoder noise: a number, or learned (default), whose status is zero where the loss falls without bound "
        "as the noise vanishes, and undetermined where every noise up to the one given is as good",
    )
    command.add_argument("--all", action="store_true", help=f"print all modes, not the first {ROWS}")
    command.add_argument("--save", metavar="FILE.npz", help="write the arrays of the optimum at one beta")
    command.add_argument(
        "--leading-only",
        action="store_true",
        help="compute only as many eigenvalues as there are latents, and the trace: faster for large data, at one beta",
    )

    command = cli.add_command(
        commands,
        "inference",
        _inference,
        "Errors of the best encoder q of a known decoder against the true factors s, x = A s + noise, for each beta. "
        "With p the true posterior, forward is KL(p || q) and reverse KL(q || p); a log score is better if higher.",
        '  python -m theory inference --loading "1,.9;0,.436" --noise-variance 0.05 --beta 0.1:10:25\n'
        "  python -m theory inference --loading A.npy --noise-variance 0.1 --factor-covariance G.npy",
    )
    _add_truth(command)
    command.add_argument("--beta", default="1", help="one value (default 1), a list 0.5,1,2 or a range low:high:count")

    command = cli.add_command(
        commands,
        "optimal-beta",
        _optimal_beta,
        "The beta at which each inference error of a known decoder's best encoder is least (log score: largest). "
        "Where no encoder attains it, beta is the limit, 0 or inf. Data alone do not determine it: it needs the "
        "loading.",
        '  python -m theory optimal-beta --loading "1,.9;0,.436" --noise-variance 0.05\n'
        '  python -m theory optimal-beta --loading A.npy --noise-variance 0.1 --posterior "0,1;2" --decoder-noise .2',
    )
    _add_truth(command)
    command.add_argument("--criterion", choices=CRITERIA, help="one error; all four by default")

    command = cli.add_command(
        commands,
        "rate-distortion",
        _rate_distortion,
        "Shannon's rate-distortion curve of a Gaussian source, and the optimal VAE (level: beta x noise variance).",
        "  python -m theory rate-distortion --eigenvalues 3,2,1\n"
        "  python -m theory rate-distortion --data observations.csv --latent-dim 2 --water-level 0.01:10:30",
    )
    _add_spectrum(command)
    command.add_argument(
        "--latent-dim", type=int, metavar="K", help="also the optimal VAE with K latents, and its penalty"
    )
    command.add_argument(
        "--water-level",
        help="value, list or range low:high:count; by default from 1/100 of the largest eigenvalue to it",
    )
    add_group_subcommands(commands)
    add_subcommands(commands)
    return parser


def _add_spectrum(command: argparse.ArgumentParser) -> None:
    source = command.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--data",
        metavar="FILE",
        help="observations, one per row: .csv, .npy, .npz or FILE.npz:KEY; they are centred, not rescaled",
    )
    source.add_argument("--covariance", metavar="FILE", help="covariance matrix of the data, in a file of these kinds")
    source.add_argument("--eigenvalues", metavar="3,2,1", help="eigenvalues of the covariance, as text or in a file")
    cli.add_header_option(command)


def _add_truth(command: argparse.ArgumentParser) -> None:
    matrix = "as text (rows separated by ;) or in a file"
    command.add_argument("--loading", required=True, metavar='"1,.9;0,.436"', help=f"A, {matrix}")
    command.add_argument("--noise-variance", type=float, required=True, help="noise variance of the data, >= 0")
    command.add_argument("--factor-covariance", metavar='"1,0;0,1"', help=f"{matrix}; the identity by default")
    command.add_argument("--decoder", metavar='"1,.9;0,.436"', help=f"{matrix}; the loading by default")
    command.add_argument(
        "--decoder-noise", default="true", help="noise variance of the decoder: a number, true (default) or learned"
    )
    command.add_argument(
        "--posterior", default="diagonal", help='posterior family: diagonal (default), full, or groups such as "0,1;2"'
    )


def _optimum(arguments: argparse.Namespace) -> cli.Report:
    source = _source(arguments)
    betas = cli.positive_numbers("--beta", arguments.beta)
    noise = cli.number_or_word("--noise-variance", arguments.noise_variance, "learned")
    if len(betas) > 1:
        if arguments.save is not None:
            raise ValueError(f"--save writes the optimum at one beta, got {len(betas)} in --beta; pass one value")
        if arguments.leading_only:
            raise ValueError(
                f"--leading-only serves one beta, got {len(betas)} in --beta; pass one value or leave it out"
            )
        curve = optimum_curve(source, arguments.latent_dim, betas, noise_variance=noise)
        columns = ("noise_variance", "noise_status", "active_count", "distortion", "rate", "loss")
        return cli.Report(
            {"latent_dim": arguments.latent_dim, **vars(curve)},
            cli.table({"beta": betas, **{name: getattr(curve, name) for name in columns}}),
        )
    file = None if arguments.save is None else output.output_file(arguments.save, ".npz")
    beta = float(betas[0])
    best = optimum(source, arguments.latent_dim, beta=beta, noise_variance=noise, leading_only=arguments.leading_only)
    parts = ("noise_variance", "noise_status", "active_count", "distortion", "rate", "loss", "resolution")
    values = {"beta": beta, "latent_dim": arguments.latent_dim} | {name: getattr(best, name) for name in parts}
    modes = _modes(best)
    arrays = {"eigenvalues": best.eigenvalues, "critical_betas": best.critical_betas, "active": best.active, **modes}
    solution = {} if best.vae is None else vars(best.vae)
    return cli.Report(
        values | arrays,
        f"{cli.facts(values)}\n\n{_mode_table(arrays, arguments.all)}",
        files={} if file is None else {file: cli.archive(values | arrays | solution)},
    )


def _modes(best: Optimum) -> dict[str, np.ndarray | None]:
    """What each latent does with its mode, shape (K,) each; None where the noise runs to zero and there is no VAE."""
    vae = best.vae
    return {
        "weight_norms": None if vae is None else np.linalg.norm(vae.decoder, axis=0),
        "encoder_gains": None if vae is None else np.linalg.norm(vae.encoder, axis=1),
        "posterior_variances": None if vae is None else np.diagonal(vae.posterior_covariance),
    }


def _mode_table(arrays: dict[str, np.ndarray | None], everything: bool) -> str:
    """One row for each mode or latent, whichever are more; "-" for a mode without a latent and the other way round."""
    known = {name.removesuffix("s"): values for name, values in arrays.items() if values is not None}
    rows = list(zip_longest(*known.values()))
    shown = rows if everything else rows[:ROWS]
    columns = dict(zip(known, zip(*shown, strict=True), strict=True))
    more = f"\n{len(rows) - len(shown)} more rows: pass --all" if len(shown) < len(rows) else ""
    return cli.table({"mode": range(1, len(shown) + 1), **columns}) + more


def _inference(arguments: argparse.Namespace) -> cli.Report:
    betas = cli.positive_numbers("--beta", arguments.beta)
    truth, options = _truth(arguments)
    errors = inference_error_curve(truth, betas, **options)
    columns = {"beta": betas, **{name: getattr(errors, name) for name in CRITERIA}}
    return cli.Report(columns, cli.table(columns))


def _optimal_beta(arguments: argparse.Namespace) -> cli.Report:
    truth, options = _truth(arguments)
    criteria = CRITERIA if arguments.criterion is None else (arguments.criterion,)
    found = {criterion: optimal_beta(truth, criterion, **options) for criterion in criteria}
    columns = {name: [getattr(best, name) for best in found.values()] for name in ("beta", "error", "flat", "attained")}
    return cli.Report(found, cli.table({"criterion": list(found), **columns}))


def _rate_distortion(arguments: argparse.Namespace) -> cli.Report:
    eigenvalues = _spectrum(_source(arguments))
    if arguments.water_level is None:
        levels = np.unique(eigenvalues[0] * np.geomspace(0.01, 1, 11))
    else:
        levels = cli.positive_numbers("--water-level", arguments.water_level)
    columns = {"water_level": levels, **vars(rate_distortion(eigenvalues, levels))}
    if arguments.latent_dim is not None:
        for prefix, point in [
            ("vae", vae_rate_distortion(eigenvalues, arguments.latent_dim, levels)),
            ("excess", capacity_penalty(eigenvalues, arguments.latent_dim, levels)),
        ]:
            columns |= {f"{prefix}_rate": point.rate, f"{prefix}_distortion": point.distortion}
    return cli.Report(columns, cli.table(columns))


def _source(arguments: argparse.Namespace) -> Moments | np.ndarray:
    """The second moments that the data options name; eigenvalues stand for a diagonal covariance."""
    if arguments.data is not None:
        return read_moments(arguments.data, arguments.header)
    if arguments.covariance is not None:
        return read_covariance(arguments.covariance, arguments.header)
    return np.diag(
        validation.stated_spectrum(
            "--eigenvalues", read_vector("--eigenvalues", arguments.eigenvalues, arguments.header)
        )
    )


def _spectrum(source: Moments | np.ndarray) -> np.ndarray:
    covariance = source.covariance if isinstance(source, Moments) else source
    return known_modes(covariance, *np.linalg.eigh(covariance), len(covariance))[0]


def _truth(arguments: argparse.Namespace) -> tuple[GenerativeModel, dict]:
    """The generative model that the options describe, and what is assumed of the VAE."""
    factors, decoder = arguments.factor_covariance, arguments.decoder
    noise = cli.number_or_word("--decoder-noise", arguments.decoder_noise, "true", "learned")
    truth = GenerativeModel(
        read_matrix("--loading", arguments.loading),
        arguments.noise_variance,
        None if factors is None else read_matrix("--factor-covariance", factors),
    )
    return truth, {
        "decoder": None if decoder is None else read_matrix("--decoder", decoder),
        "noise_variance": validation.positive_or_word("--decoder-noise", noise, "true", "learned"),
        "posterior": cli.posterior_family("--posterior", arguments.posterior),
    }


if __name__ == "__main__":
    sys.exit(main())
