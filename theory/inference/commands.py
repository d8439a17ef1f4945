"""The commands of `python -m theory` on a fixed decoder: `inference` and `optimal-beta`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from theory.conventions import LIKELIHOODS
from theory.inference.criteria import CRITERIA
from theory.interface.options import (
    add_csv_option,
    add_posterior_option,
    csv_path,
    number_or_keyword,
    posterior_family,
)
from theory.interface.report import Report, aligned_table, csv_file
from theory.interface.run import add_command
from theory.interface.weight_options import add_weight_options, weight_of
from theory.validation import positive_or_keyword

if TYPE_CHECKING:
    from theory.model import GenerativeModel

__all__ = ["add_commands"]


def add_commands(commands) -> None:
    """Add both to `commands`, the result of `Parser.add_subparsers`."""
    command = add_command(
        commands,
        "inference",
        _inference,
        "Errors of the best encoder q of a fixed decoder against the true factors s, x = A s + noise, for each beta. "
        "With p the true posterior, forward is KL(p || q) and reverse KL(q || p); a log score is better if higher.",
        '  python -m theory inference --loading "1,.9;0,.436" --noise-variance 0.05 --beta 0.1:10:25\n'
        "  python -m theory inference --loading A.npy --noise-variance 0.1 --factor-covariance G.npy",
    )
    _add_truth(command)
    add_weight_options(command, "--beta", "one value (default 1), a list 0.5,1,2 or a range low:high:count")
    add_csv_option(command)

    command = add_command(
        commands,
        "optimal-beta",
        _optimal_beta,
        "The beta at which each inference error of a fixed decoder's best encoder is least (log score: largest). "
        "If no encoder attains it, beta is the limit, 0 or inf. Data alone do not determine it: it needs the "
        "loading.",
        '  python -m theory optimal-beta --loading "1,.9;0,.436" --noise-variance 0.05\n'
        '  python -m theory optimal-beta --loading A.npy --noise-variance 0.1 --posterior "0,1;2" --decoder-noise .2',
    )
    _add_truth(command)
    command.add_argument("--criterion", choices=CRITERIA, help="one error; all four by default")


def _add_truth(command: argparse.ArgumentParser) -> None:
    matrix = "as text (rows separated by ;) or in a file"
    command.add_argument("--loading", required=True, metavar='"1,.9;0,.436"', help=f"A, {matrix}")
    command.add_argument("--noise-variance", type=float, required=True, help="noise variance of the data, >= 0")
    command.add_argument("--factor-covariance", metavar='"1,0;0,1"', help=f"{matrix}; the identity by default")
    command.add_argument("--decoder", metavar='"1,.9;0,.436"', help=f"{matrix}; the loading by default")
    command.add_argument("--decoder-noise", help="noise variance of the decoder: a number, true (default) or learned")
    add_posterior_option(command)


def _inference(arguments: argparse.Namespace) -> Report:
    from theory.inference import inference_error_curve

    file, (truth, vae_options) = csv_path(arguments), _truth(arguments)
    data_dim, latent_dim = truth.loading.shape
    if vae_options["decoder"] is not None:
        latent_dim = vae_options["decoder"].shape[1]
    noise = vae_options["noise_variance"]
    if arguments.reconstruction not in (None, *LIKELIHOODS):  # a squared error: the encoder depends on beta s2 alone
        noise = {"true": truth.noise_variance}.get(noise, noise) if arguments.decoder_noise else 1.0
    weight = weight_of(arguments, "--beta", "1", (data_dim, latent_dim), noise)
    errors = inference_error_curve(truth, weight.betas, **vae_options | {"noise_variance": noise})
    columns = weight.columns | {"beta": weight.betas, **{name: getattr(errors, name) for name in CRITERIA}}
    return Report(columns, f"{aligned_table(columns)}{weight.note}", files=csv_file(file, columns))


def _optimal_beta(arguments: argparse.Namespace) -> Report:
    from theory.inference import optimal_beta

    truth, vae_options = _truth(arguments)
    criteria = CRITERIA if arguments.criterion is None else (arguments.criterion,)
    optima = {criterion: optimal_beta(truth, criterion, **vae_options) for criterion in criteria}
    names = ("beta", "error", "flat", "attained")
    columns = {name: [getattr(best, name) for best in optima.values()] for name in names}
    return Report(optima, aligned_table({"criterion": list(optima), **columns}))


def _truth(arguments: argparse.Namespace) -> tuple[GenerativeModel, dict]:
    """The generative model that the options describe, and the VAE's decoder, noise and posterior family."""
    from theory.interface.readers import read_matrix
    from theory.model import GenerativeModel

    factors, decoder = arguments.factor_covariance, arguments.decoder
    noise = number_or_keyword("--decoder-noise", arguments.decoder_noise or "true", "true", "learned")
    truth = GenerativeModel(
        read_matrix("--loading", arguments.loading),
        arguments.noise_variance,
        None if factors is None else read_matrix("--factor-covariance", factors),
    )
    return truth, {
        "decoder": None if decoder is None else read_matrix("--decoder", decoder),
        "noise_variance": positive_or_keyword("--decoder-noise", noise, "true", "learned"),
        "posterior": posterior_family("--posterior", arguments.posterior),
    }
