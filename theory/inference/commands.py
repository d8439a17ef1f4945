"""The commands of `python -m theory` on a fixed decoder: `inference` and `optimal-beta`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from theory import validation
from theory.inference.criteria import CRITERIA
from theory.interface.options import (
    READING,
    add_csv_option,
    add_factors_options,
    add_observations_option,
    add_posterior_option,
    add_reading_options,
    csv_path,
    number_or_keyword,
    posterior_family,
    refuse_options,
)
from theory.interface.report import Report, aligned_facts, aligned_table, csv_file
from theory.interface.run import add_command
from theory.interface.weight_options import add_weight_options, is_squared_error, weight_of

if TYPE_CHECKING:
    from theory.model import GenerativeModel

__all__ = ["add_commands"]

RESAMPLES, LEVEL = 400, 0.95
KNOWN = ("loading", "noise_variance", "factor_covariance", "decoder")  # options of a known truth
MEASURED = ("factor_columns", "resamples", "level", "seed", "header", *READING)  # those of measured factors
FACTOR_UNITS = (
    "each factor in units of its standard deviation; low and high: percentile interval of the bootstrap; p values are "
    "those of the pair that deviates most, times the number of pairs, at most 1"
)
FLAT = "flat: the error is the same at every beta"
NOT_ATTAINED = "not attained: the error still falls towards this limit, and every positive, finite beta is worse"


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
        "If no encoder attains it, beta is the limit, 0 or inf. Data alone do not determine it: it needs the loading, "
        "or data whose factors were measured, and then comes with a bootstrap interval.",
        '  python -m theory optimal-beta --loading "1,.9;0,.436" --noise-variance 0.05\n'
        '  python -m theory optimal-beta --loading A.npy --noise-variance 0.1 --posterior "0,1;2" --decoder-noise .2\n'
        "  python -m theory optimal-beta --data observations.csv --columns a,b --factors observations.csv "
        "--factor-columns c",
    )
    _add_truth(command, required=False)
    command.add_argument("--criterion", choices=CRITERIA, help="one error; all four by default")
    measured = command.add_argument_group("instead of a loading, data whose factors were measured")
    add_observations_option(measured)
    add_factors_options(measured)
    add_reading_options(measured)
    measured.add_argument(
        "--resamples", type=int, metavar="N", help=f"of the bootstrap that gives the interval (default {RESAMPLES})"
    )
    measured.add_argument("--level", type=float, help=f"of the interval (default {LEVEL})")
    measured.add_argument("--seed", type=int, help="of the bootstrap (default 0)")


def _add_truth(command: argparse.ArgumentParser, *, required: bool = True) -> None:
    matrix = "as text (rows separated by ;) or in a file"
    command.add_argument("--loading", required=required, metavar='"1,.9;0,.436"', help=f"A, {matrix}")
    command.add_argument("--noise-variance", type=float, required=required, help="noise variance of the data, >= 0")
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
    if is_squared_error(arguments):  # then the encoder depends on beta s2 alone
        noise = {"true": truth.noise_variance}.get(noise, noise) if arguments.decoder_noise else 1.0
    weight = weight_of(arguments, "--beta", "1", (data_dim, latent_dim), noise)
    errors = inference_error_curve(truth, weight.betas, **vae_options | {"noise_variance": noise})
    columns = weight.columns | {"beta": weight.betas, **{name: getattr(errors, name) for name in CRITERIA}}
    return Report(columns, f"{aligned_table(columns)}{weight.note}", files=csv_file(file, columns))


def _optimal_beta(arguments: argparse.Namespace) -> Report:
    from theory.inference import optimal_beta

    criteria = CRITERIA if arguments.criterion is None else (arguments.criterion,)
    if arguments.data is not None or arguments.factors is not None:
        return _from_data(arguments, criteria)
    refuse_options(arguments, MEASURED, "is for --data with --factors; leave it out, or pass these")
    for name in ("loading", "noise_variance"):
        if getattr(arguments, name) is None:
            raise ValueError(
                f"--{name.replace('_', '-')} must be given, or --data with --factors: data alone do not determine the "
                "optimal beta"
            )
    truth, vae_options = _truth(arguments)
    optima = {criterion: optimal_beta(truth, criterion, **vae_options) for criterion in criteria}
    names = ("beta", "error", "flat", "attained")
    columns = {name: [getattr(best, name) for best in optima.values()] for name in names}
    return Report(optima, f"{aligned_table({'criterion': list(optima), **columns})}{_words(optima.values())}")


def _from_data(arguments: argparse.Namespace, criteria: Sequence[str]) -> Report:
    """The optimal beta of a model that is estimated from data and measured factors."""
    from theory.inference import optimal_beta_from_data
    from theory.interface.observations import factors_of, observations_of

    for name in ("data", "factors"):
        if getattr(arguments, name) is None:
            raise ValueError(
                f"--{name} must be given too: the optimal beta follows from data together with their measured factors"
            )
    refuse_options(arguments, KNOWN, "is for a known truth, and --data with --factors estimate it; leave it out")
    factors = factors_of(arguments)
    data = observations_of(arguments, leave_out=_factors_in_data(arguments, factors.names))
    found = optimal_beta_from_data(
        data.values,
        factors.values,
        criteria=criteria,
        noise_variance=_decoder_noise(arguments),
        posterior=posterior_family("--posterior", arguments.posterior),
        resamples=RESAMPLES if arguments.resamples is None else arguments.resamples,
        level=LEVEL if arguments.level is None else arguments.level,
        rng=validation.seed("--seed", 0 if arguments.seed is None else arguments.seed),
    )
    optima = {name: vars(each.best) | {"interval": [each.low, each.high]} for name, each in found.betas.items()}
    rows = [vars(each.best) | {"low": each.low, "high": each.high} for each in found.betas.values()]
    names = ("beta", "low", "high", "error", "flat", "attained")
    columns = {"criterion": list(optima), **{name: [row[name] for row in rows] for name in names}}
    model, fitted = found.fitted.model, found.fitted
    facts = {
        "observations": len(data.values),
        "data_dim": model.data_dim,
        "factors": ", ".join(factors.names),
        "noise_variance": model.noise_variance,
        "noise_error": fitted.noise_error,
        "explained": fitted.explained,
        "orthogonality_p_value": fitted.orthogonality_p_value,
        "independence_p_value": fitted.independence_p_value,
    }
    estimated = {
        "relation_p_value": fitted.relation_p_value,
        "loading": model.loading,
        "loading_errors": fitted.loading_errors,
        "factor_covariance": model.factor_covariance,
        "factor_covariance_errors": fitted.factor_covariance_errors,
        "residual_variances": fitted.residual_variances,
    }
    notes = "".join(f"\n{note}" for note in found.notes)
    words = _words(each.best for each in found.betas.values())
    return Report(
        optima | {"fitted": facts | {"factors": list(factors.names)} | estimated, "notes": found.notes},
        f"{aligned_facts(facts)}\n\n{aligned_table(columns)}\n{FACTOR_UNITS}{words}{notes}",
    )


def _factors_in_data(arguments: argparse.Namespace, factors: Sequence[str]) -> Sequence[str]:
    """The factors, which are no data, if they are columns of the same file and `--columns` does not choose the data."""
    if os.path.realpath(arguments.data) != os.path.realpath(arguments.factors) or arguments.columns is not None:
        return ()
    if arguments.factor_columns is None:
        raise ValueError("--factors is the file of --data: name its columns by --factor-columns, all others are data")
    return factors


def _words(optima: Iterable) -> str:
    """What `flat` and `attained` mean, where they say something that a reader must know."""
    optima = list(optima)
    words = [FLAT] * any(best.flat for best in optima)
    words += [NOT_ATTAINED] * any(not (best.attained or best.flat) for best in optima)
    return "".join(f"\n{word}" for word in words)


def _truth(arguments: argparse.Namespace) -> tuple[GenerativeModel, dict]:
    """The generative model that the options describe, and the VAE's decoder, noise and posterior family."""
    from theory.interface.readers import read_matrix
    from theory.model import GenerativeModel

    factors, decoder = arguments.factor_covariance, arguments.decoder
    truth = GenerativeModel(
        read_matrix("--loading", arguments.loading),
        arguments.noise_variance,
        None if factors is None else read_matrix("--factor-covariance", factors),
    )
    return truth, {
        "decoder": None if decoder is None else read_matrix("--decoder", decoder),
        "noise_variance": _decoder_noise(arguments),
        "posterior": posterior_family("--posterior", arguments.posterior),
    }


def _decoder_noise(arguments: argparse.Namespace) -> float | str:
    noise = number_or_keyword("--decoder-noise", arguments.decoder_noise or "true", "true", "learned")
    return validation.positive_or_keyword("--decoder-noise", noise, "true", "learned")
