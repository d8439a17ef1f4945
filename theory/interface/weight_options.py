"""Options for the weight of the KL on a command line: beta, or the weight in somebody's code with its loss."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from theory.conventions import (
    KL_REDUCTIONS,
    LEARNED,
    LIKELIHOODS,
    RECONSTRUCTIONS,
    convention,
    kl_weight,
    loss_as_written,
)
from theory.interface.options import number_or_keyword, positive_numbers, refuse_options

__all__ = [
    "NO_NOISE",
    "Weight",
    "add_noise_option",
    "add_reduction_options",
    "add_weight_options",
    "is_squared_error",
    "loss_in_code",
    "noise_of",
    "own_weights",
    "weight_of",
]

NO_NOISE = (
    "a squared error has no noise: beta is for this noise_variance, and only their product, the water level, counts"
)


@dataclass(frozen=True, eq=False)
class Weight:
    """What the options say.

    Attributes
    ----------
    betas : (B,) array
    noise_variance : float or str
    columns : dict
        "kl_weight" with the (B,) weights in the user's code if the loss was named, else empty.
    loss : dict
        the arguments of `convention` that name the loss, else empty.
    note : str
        below the table, for people.
    """

    betas: np.ndarray
    noise_variance: float | str
    columns: dict[str, np.ndarray] = field(default_factory=dict)
    loss: dict = field(default_factory=dict)
    note: str = ""

    def critical(self, critical_betas: np.ndarray) -> dict[str, np.ndarray]:
        """The weights in the user's code at which latents die, by name; none if the loss was not named."""
        per_beta = {f"critical_{name}s": weights[0] / self.betas[0] for name, weights in self.columns.items()}
        return {name: critical_betas * factor for name, factor in per_beta.items()}

    def losses(self, distortion, rate, noise_variance) -> dict[str, np.ndarray]:
        """The loss in the user's code of each weight, by name; none if the loss was not named."""
        if not self.columns:
            return {}
        values = np.broadcast_arrays(self.columns["kl_weight"], distortion, rate, noise_variance)
        return {
            "loss_in_code": np.array(
                [
                    # as the noise runs to zero the loss falls without bound
                    loss_as_written(error, kl, weight, **self.loss, noise_variance=noise) if noise else -np.inf
                    for weight, error, kl, noise in zip(*values, strict=True)
                ]
            )
        }


def add_weight_options(command: argparse.ArgumentParser, beta: str, about: str, *, required: bool = False) -> None:
    """Add the option `beta` ("--beta" or "--betas") and, instead of it, `--kl-weight` with the loss of the code."""
    given = command.add_mutually_exclusive_group(required=required)
    given.add_argument(beta, dest="beta", help=about)
    add_kl_weight_option(given)
    add_reduction_options(command)


def add_kl_weight_option(group) -> None:
    """Add `--kl-weight` to a group of options that exclude each other."""
    group.add_argument(
        "--kl-weight", metavar="B", help="instead, what your code multiplies the KL by; needs --reconstruction"
    )


def add_reduction_options(command: argparse.ArgumentParser, *, required: bool = False) -> None:
    """Add `--reconstruction` and `--kl`, which say how a code reduces the two terms of its loss."""
    command.add_argument(
        "--reconstruction",
        choices=RECONSTRUCTIONS,
        required=required,
        help="the other term of your loss, for one observation: the squared error summed over its dimensions, or "
        "averaged (mean, as MSELoss), or half of it; or the negative log-likelihood, summed or averaged. A binary "
        "cross-entropy is none of these",
    )
    command.add_argument(
        "--kl",
        choices=KL_REDUCTIONS,
        help="whether your KL is summed over the latents (default) or averaged; norm: B is the normalized beta of "
        "Higgins et al.",
    )


def add_noise_option(command: argparse.ArgumentParser) -> None:
    """Add `--noise-variance`, of a learned decoder."""
    command.add_argument(
        "--noise-variance",
        metavar="S2",
        help="decoder noise: a number, or learned (default); beside a squared error of --reconstruction, which has no "
        "noise, a number (default 1)",
    )


def noise_of(arguments: argparse.Namespace) -> float | str:
    """The noise that the options give: learned by default, or 1 for a squared error, which has none to learn."""
    if arguments.noise_variance is not None:
        return number_or_keyword("--noise-variance", arguments.noise_variance, LEARNED)
    return 1.0 if is_squared_error(arguments) else LEARNED


def is_squared_error(arguments: argparse.Namespace) -> bool:
    """Whether `--reconstruction` names a squared error, which has no noise."""
    return arguments.reconstruction not in (None, *LIKELIHOODS)


def loss_in_code(arguments: argparse.Namespace, dimensions: Sequence[int]) -> dict:
    """The arguments of `convention` that the options give, but for the noise; `dimensions` are D and K."""
    data_dim, latent_dim = dimensions
    options = {"reconstruction": arguments.reconstruction, "data_dim": data_dim, "latent_dim": latent_dim}
    return options | {"kl": arguments.kl or KL_REDUCTIONS[0]}


def weight_of(
    arguments: argparse.Namespace, option: str, default: str, dimensions: Sequence[int], noise_variance: float | str
) -> Weight:
    """Read the options that `add_weight_options` adds.

    Parameters
    ----------
    arguments : argparse.Namespace
    option : str
        name of the option for beta, for errors.
    default : str
        its text if neither weight is given.
    dimensions : pair of int
        D and K.
    noise_variance : float or str
    """
    if arguments.kl_weight is None:
        why = "is about the loss in your code; pass its --kl-weight too, or leave it out"
        refuse_options(arguments, ("reconstruction", "kl"), why)
        return Weight(positive_numbers(option, default if arguments.beta is None else arguments.beta), noise_variance)
    if arguments.reconstruction is None:
        raise ValueError("--kl-weight needs --reconstruction, the other term of your loss; pass mean for MSELoss")
    weights = positive_numbers("--kl-weight", arguments.kl_weight)
    loss, known = loss_in_code(arguments, dimensions), _known(arguments, noise_variance)
    betas = np.array([convention(weight, **loss, noise_variance=known).beta for weight in weights])
    return Weight(betas, noise_variance, {"kl_weight": weights}, loss, _note(arguments))


def own_weights(
    arguments: argparse.Namespace, dimensions: Sequence[int], betas: np.ndarray, noise_variance: float | str
) -> Weight:
    """Betas and, if `--reconstruction` names the loss of the user's code, the weights that they are there."""
    if arguments.reconstruction is None:
        why = "is about the loss in your code; pass its --reconstruction too, or leave it out"
        refuse_options(arguments, ("kl",), why)
        return Weight(betas, noise_variance)
    loss, known = loss_in_code(arguments, dimensions), _known(arguments, noise_variance)
    weights = np.array([kl_weight(beta, **loss, noise_variance=known) if beta > 0 else 0.0 for beta in betas])
    return Weight(betas, noise_variance, {"kl_weight": weights}, loss, _note(arguments))


def _known(arguments: argparse.Namespace, noise_variance: float | str) -> float | str:
    """The noise as `convention` takes it: a likelihood has the same beta for every noise, whatever its keyword."""
    return LEARNED if isinstance(noise_variance, str) and not is_squared_error(arguments) else noise_variance


def _note(arguments: argparse.Namespace) -> str:
    return f"\n{NO_NOISE}" if is_squared_error(arguments) else ""
