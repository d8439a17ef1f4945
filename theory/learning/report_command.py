"""The command `report` of `python -m theory`: from a file of observations to one page of answers."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from theory.interface.options import (
    add_latent_dim_option,
    add_observations_option,
    add_reading_options,
    add_unit_option,
    in_unit,
)
from theory.interface.report import FORMAT, Report, aligned_facts, csv_text, to_json
from theory.interface.run import add_command
from theory.interface.weight_options import (
    Weight,
    add_noise_option,
    add_weight_options,
    is_squared_error,
    noise_of,
    weight_of,
)
from theory.learning.commands import aligned_modes, mode_columns
from theory.learning.noise_words import noise_words

if TYPE_CHECKING:
    from theory.interface.observations import Observations
    from theory.learning.report import DataReport

__all__ = ["add_commands", "add_report_options", "report_of"]

LEARNED = ("learned_noise_variance", "learned_active_count", "learned_noise_status")
MODES = 20  # rows of the table of modes in the text
CANNOT_TELL = """\
What these data cannot tell
- Which directions are the true factors. A rotation of independent Gaussian factors, with the loading turned back, gives
  the same data: the modes above are principal axes and need not be causes.
- The beta at which the latents infer the true factors best: it needs the true loading. If you have measured the
  factors, run `python -m theory optimal-beta --data X --factors S`; if you know the loading A, pass `--loading A`.
- How much of the small eigenvalues is sampling error. N observations of pure noise of variance s2 in D dimensions have
  eigenvalues from about s2 (1 - sqrt(D/N))^2 to s2 (1 + sqrt(D/N))^2 (Marchenko and Pastur){spread}."""


def add_commands(commands) -> None:
    """Add it to `commands`, the result of `Parser.add_subparsers`."""
    command = add_command(
        commands,
        "report",
        _report,
        "One page on a data set and a VAE of K latents: what was done to the data, the spectrum, which latents live, "
        "the beta at which each dies, the learned noise, rate and distortion, and what data alone cannot tell.",
        "  python -m theory report --data observations.csv --latent-dim 4\n"
        "  python -m theory report --data observations.csv --columns a,c --standardize --latent-dim 1\n"
        "  python -m theory report --data observations.csv --latent-dim 2 --kl-weight 1 --reconstruction mean",
    )
    add_report_options(command)
    add_unit_option(command)
    command.add_argument(
        "--out", metavar="DIR", help="also write report.txt, report.json and modes.csv into this folder"
    )


def add_report_options(command: argparse.ArgumentParser) -> None:
    """Add the options of `report_of`."""
    add_observations_option(command, required=True, note="; they are centred, and rescaled only by --standardize")
    add_reading_options(command)
    add_latent_dim_option(command, required=True)
    add_weight_options(command, "--beta", "of this project's loss (default 1)")
    add_noise_option(command)


def report_of(arguments: argparse.Namespace) -> tuple[Observations, Weight, DataReport]:
    """The data, the weight and the report that the options ask for."""
    from theory.interface.observations import observations_of
    from theory.learning.report import data_report

    data = observations_of(arguments)
    dimensions = len(data.names), arguments.latent_dim
    weight = weight_of(arguments, "--beta", "1", dimensions, noise_of(arguments))
    if len(weight.betas) > 1:
        raise ValueError(f"report serves one beta, got {len(weight.betas)}; pass one, or use `optimum` for a curve")
    found = data_report(
        data.moments(),
        arguments.latent_dim,
        beta=float(weight.betas[0]),
        noise_variance=weight.noise_variance,
    )
    return data, weight, found


def _report(arguments: argparse.Namespace) -> Report:
    from theory.interface.files import output_folder

    folder = None if arguments.out is None else output_folder(arguments.out)
    data, weight, found = report_of(arguments)
    own = {name: float(values[0]) for name, values in weight.columns.items()}
    treatment = {
        "data": str(arguments.data),
        "columns": list(data.names),
        "left_out": list(data.left_out),
        "centred": True,
        "divided_by": "N",
        "standardized": data.standardized,
    }
    losses = weight.losses(found.distortion, found.rate, found.noise_variance)
    loss = {"reconstruction": arguments.reconstruction, "kl": arguments.kl or "sum", **own} if own else {}
    loss |= {name: float(one[0]) for name, one in losses.items()}
    rates = {name: in_unit(arguments, getattr(found, name)) for name in ("rate", "excess_rate")}
    critical = weight.critical(found.critical_betas)
    collapse = {f"total_collapse_{name}": critical[f"critical_{name}s"][0] for name in own}
    values = treatment | loss | vars(found) | critical | collapse | rates | {"unit": arguments.unit}
    values["constant_columns"] = [data.names[at] for at in found.constant_columns]
    if is_squared_error(arguments):  # which has no noise that could be learned
        values |= dict.fromkeys(LEARNED)
    modes = {
        "eigenvalues": found.eigenvalues,
        "explained": found.explained,
        "critical_betas": found.critical_betas,
        **critical,
        "alive": found.beta < found.critical_betas,
    }
    text = _text(values, modes, weight)
    files = {} if folder is None else _files(folder, text, values, mode_columns(modes))
    return Report(values, text, files=files)


def _text(values: dict, modes: dict[str, np.ndarray], weight: Weight) -> str:
    unit, count, data_dim = values["unit"], values["observations"], values["data_dim"]
    left_out = ", ".join(values["left_out"])
    done = ["centred", "divided by its standard deviation" if values["standardized"] else "not rescaled"]
    facts = {
        "observations N": count,
        "variables D": data_dim,
        "rank": values["rank"],
        "constant columns": ", ".join(values["constant_columns"]) or "none",
        "left out": left_out or "none",
        "each column": " and ".join(done),
        "covariance": "divided by N",
        "total variance": values["total_variance"],
    }
    model = {
        "latents K": values["latent_dim"],
        **{name: values[name] for name in weight.columns},
        "beta": values["beta"],
        "noise variance": values["noise_variance"],
        "noise": values["noise_status"],
        "water level": values["water_level"],
        "latents alive": f"{values['active_count']} of {values['latent_dim']}",
        f"rate ({unit})": values["rate"],
        f"rate above Shannon's ({unit})": values["excess_rate"],
        "distortion": values["distortion"],
        "distortion / variance": values["distortion"] / values["total_variance"] if values["total_variance"] else None,
        **({"loss in your code": values["loss_in_code"]} if "loss_in_code" in values else {}),
        "total collapse at beta": values["total_collapse"],
        **{f"total collapse at {name}": values[f"total_collapse_{name}"] for name in weight.columns},
    }
    learned = values["learned_noise_variance"] is not None
    if learned:
        model |= {
            "noise if learned": values["learned_noise_variance"],
            "learned noise is": values["learned_noise_status"],
            "latents alive with it": f"{values['learned_active_count']} of {values['latent_dim']}",
        }
    words = noise_words(values["learned_noise_status"], "learned noise") if learned else ""
    ratio = np.sqrt(data_dim / count)
    spread = f", here from {max(1 - ratio, 0) ** 2:.2g} to {(1 + ratio) ** 2:.2g} times s2"
    return "\n\n".join(
        [
            f"Data\n{aligned_facts(facts)}",
            f"The optimal linear VAE\n{aligned_facts(model)}{words}{weight.note}",
            f"Modes: a latent is alive while its eigenvalue is above the water level, that is, beta below its critical "
            f"beta\n{aligned_modes(modes, MODES, 'the others are in --json and --out')}",
            CANNOT_TELL.format(spread=spread),
        ]
    )


def _files(folder: Path, text: str, values: dict, columns: dict) -> dict[Path, Callable[[IO[bytes]], object]]:
    contents = {
        "report.txt": f"{text}\n",
        "report.json": f"{to_json({'format': FORMAT} | values)}\n",
        "modes.csv": csv_text(columns),
    }
    return {
        folder / name: lambda opened, content=content: opened.write(content.encode())
        for name, content in contents.items()
    }
