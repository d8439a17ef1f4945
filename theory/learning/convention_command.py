"""The command `convention` of `python -m theory`: from a weight in somebody's code to beta, and back."""

from __future__ import annotations

import argparse

import numpy as np

from theory.conventions import LEARNED
from theory.interface.options import add_data_options, add_latent_dim_option, covariance_of, number_or_keyword
from theory.interface.report import Report, aligned_facts, aligned_table
from theory.interface.run import add_command
from theory.interface.weight_options import NO_NOISE, add_reduction_options, is_squared_error, loss_in_code
from theory.learning.commands import eigenvalues_of, of_latents
from theory.learning.noise_words import noise_words

__all__ = ["add_commands"]


def add_commands(commands) -> None:
    """Add it to `commands`, the result of `Parser.add_subparsers`."""
    command = add_command(
        commands,
        "convention",
        _convention,
        "What the weight of the KL in your code is here: the water level, above which eigenvalues of the data have a "
        "living latent, and beta; or the weight for a beta. With data: which latents live, and the weight at which "
        "each dies.",
        "  python -m theory convention --kl-weight 0.00025 --reconstruction mean --data-dim 12288\n"
        "  python -m theory convention --kl-weight 1 --reconstruction mean --data observations.csv --latent-dim 8\n"
        "  python -m theory convention --beta 4 --reconstruction nll-mean --noise-variance learned --data-dim 784",
    )
    given = command.add_mutually_exclusive_group(required=True)
    given.add_argument("--kl-weight", type=float, metavar="B", help="what your code multiplies the KL by")
    given.add_argument("--beta", type=float, help="instead, of this project's loss: then the weight is printed")
    add_reduction_options(command, required=True)
    command.add_argument(
        "--noise-variance",
        metavar="S2",
        help="of the likelihood: a number, or learned; beside a squared error, a number",
    )
    command.add_argument(
        "--batch-size",
        type=int,
        metavar="B",
        help="only if one term is averaged over the batch and the other summed: beside a mean over the batch, as "
        "MSELoss, the KL is the summed one; beside a sum over the batch, the averaged one",
    )
    command.add_argument("--data-dim", type=int, metavar="D", help="dimensions of an observation, if no data are given")
    add_latent_dim_option(command)
    add_data_options(command, optional=True)


def _convention(arguments: argparse.Namespace) -> Report:
    from theory.conventions import convention, kl_weight
    from theory.learning import learned_noise_variance

    eigenvalues = _eigenvalues(arguments)
    options = loss_in_code(arguments, (_data_dim(arguments.data_dim, eigenvalues), arguments.latent_dim))
    options["batch_size"] = arguments.batch_size
    if arguments.noise_variance is not None:
        options["noise_variance"] = number_or_keyword("--noise-variance", arguments.noise_variance, LEARNED)
    weight = arguments.kl_weight if arguments.beta is None else kl_weight(arguments.beta, **options)
    found = convention(weight, **options)
    values = vars(found) if arguments.beta is None else vars(found) | {"beta": arguments.beta}
    text = aligned_facts({name: value for name, value in values.items() if value is not None})
    if is_squared_error(arguments):
        text += f"\n{NO_NOISE}"
    if eigenvalues is None:
        return Report(values, text)
    modes = _modes(eigenvalues, found, arguments.latent_dim)
    if found.noise_variance == LEARNED:
        status = learned_noise_variance(eigenvalues, len(modes["eigenvalue"]), found.beta).status
        values, text = values | {"noise_status": str(status)}, f"{text}\nnoise_status    {status}{noise_words(status)}"
    table = aligned_table({"mode": range(1, len(modes["eigenvalue"]) + 1), **modes})
    arrays = {f"{name}s" if name != "active" else name: column for name, column in modes.items()}
    count = {"active_count": int(np.count_nonzero(modes["active"]))}
    return Report(values | count | arrays, f"{text}\n\n{table}")


def _eigenvalues(arguments: argparse.Namespace) -> np.ndarray | None:
    if arguments.data is None and arguments.covariance is None and arguments.eigenvalues is None:
        return None
    return eigenvalues_of(covariance_of(arguments))


def _data_dim(given: int | None, eigenvalues: np.ndarray | None) -> int:
    if eigenvalues is None:
        if given is None:
            raise ValueError("--data-dim must be given without data; pass the dimensions of an observation")
        return given
    if given not in (None, len(eigenvalues)):
        raise ValueError(f"--data-dim must be {len(eigenvalues)}, as in the data, got {given}; leave it out")
    return len(eigenvalues)


def _modes(eigenvalues: np.ndarray, found, latent_dim: int | None) -> dict[str, np.ndarray]:
    """Of each mode that has a latent: its eigenvalue, the weight at which the latent dies, and whether it lives."""
    from theory.learning import critical_betas

    latents = len(eigenvalues) if latent_dim is None else latent_dim
    critical = critical_betas(eigenvalues, latents, found.noise_variance)
    return {
        "eigenvalue": of_latents(eigenvalues, latents),
        "critical_kl_weight": critical * (found.kl_weight / found.beta),
        "active": critical > found.beta,
    }
