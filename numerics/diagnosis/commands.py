"""The command `audit` of `python -m numerics`: a trained VAE by its codes, beside the exact linear optimum."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np

from theory import validation
from theory.conventions import LIKELIHOODS
from theory.interface.options import (
    add_factors_options,
    add_observations_option,
    add_reading_options,
    read_number,
    refuse_options,
    refuse_reading_options,
)
from theory.interface.report import Report, aligned_facts, aligned_table
from theory.interface.run import add_command
from theory.interface.weight_options import add_weight_options, weight_of

if TYPE_CHECKING:
    from numerics.diagnosis.audit import Audit
    from numerics.diagnosis.linear_reference import LinearReference

__all__ = ["add_commands"]

ARRAYS = {"mean": 2, "variance": 2, "log_variance": 2, "reconstruction": 2, "squared_error": 1}
SHOWN = 20  # latents, unless --all
EVEN = 1e-9  # nats up to which the network and the linear optimum are even
PARTS = ("mutual_information", "total_correlation", "dimension_wise_kl")
WORDS = {
    "facts": {
        "rate": "E KL(q(z|x) || p(z)) in nats, with its standard error",
        "active_count": "latents whose mean_variance is above --threshold",
        "polarized_rate": "of the active latents without their posterior variances, and its relative error",
        "orthogonality": "distance of the decoder to one with orthogonal columns, active latents; and that by chance",
    },
    "latents": {
        "latent": "column of the arrays, counted from 0; from the largest kl on",
        "kl": "of the latent at an average observation, nats; the sum is the rate",
        "mean_variance": "of the mean code over observations",
        "posterior_variance": "of the code at one observation, on average",
        "attenuation": "correlation of mean and sampled code, sqrt(m/(m + p)) of these two; 0 if passive",
        "linear": "attenuation sqrt(1 - t/l) of the linear optimum, from its largest eigenvalue l on",
        "collapsed_share": "of the observations at which the kl is below .01",
        "regime": "passive: collapsed at 95 % of them or more; active: at 5 % or fewer; mixed: between;",
        "": "constant: the same at every observation and not the prior, a cost without information",
    },
    "parts": {
        "plug_in": "usual estimate, by the mixture of the posteriors of all observations",
        "bias": "of plug_in to first order, to be subtracted; nan if observations are too few to tell",
        "lower, upper": "bounds for the population, up to standard_error",
        "gaussian": "the part if the code were Gaussian with this mean and covariance",
    },
    "linear": {
        "linear_optimum": "best linear VAE with as many latents on the same observations, exact",
        "nats": "distortion / (2 t) + rate: the loss over the weight of its KL, without a constant",
    },
    "scores": {"mean, sampled": "of the mean codes, and of one draw of each posterior"},
}


def add_commands(commands) -> None:
    """Register `audit` with what `Parser.add_subparsers` returned."""
    command = add_command(
        commands,
        "audit",
        _audit,
        "Audit of any trained VAE by its codes: KL, active and passive latents, the parts of its rate with their bias; "
        "with more files its scores, its distance to orthogonality, and what a linear VAE would reach on its data.",
        "  python -m numerics audit --codes codes.npz\n"
        "  python -m numerics audit --codes codes.npz --data digits --kl-weight 2 --reconstruction mean\n"
        "  python -m numerics audit --codes codes.npz --data codes.npz:data --beta 4 --noise-variance 0.1 --json\n"
        "  python -m numerics audit --codes codes.npz --factors factors.csv --decoder codes.npz:jacobians",
    )
    command.add_argument(
        "--codes",
        required=True,
        metavar="FILE.npz",
        help="arrays mean (N, K) and variance or log_variance (N, K); for the distortion also reconstruction (N, D) of "
        "one sampled code each, or squared_error (N)",
    )
    add_observations_option(command, built_in="digits, ", note="; those that were encoded, as the loss took them")
    add_factors_options(command)
    command.add_argument(
        "--decoder", metavar="FILE", help="weights (D, K) of a linear decoder, or Jacobians (M, D, K) of another"
    )
    add_reading_options(command)
    add_weight_options(command, "--beta", "of this project's loss; with --noise-variance")
    command.add_argument(
        "--noise-variance", metavar="S2", help="of the likelihood, a number; one that was learned where training ended"
    )
    command.add_argument(
        "--threshold", type=float, default=0.01, help="variance of the mean of an active latent (default .01)"
    )
    command.add_argument("--seed", type=int, default=0, help="of the sampled codes (default 0)")
    command.add_argument("--all", action="store_true", help=f"print all latents, not the first {SHOWN}")


def _water_level(arguments: argparse.Namespace, data_dim: int | None, latent_dim: int) -> float | None:
    """The water level of the loss that the options name, if they do."""
    noise = arguments.noise_variance
    if noise is not None:
        noise = validation.positive("--noise-variance", _number(noise))
    if arguments.beta is None and arguments.kl_weight is None:
        names = ("noise_variance", "reconstruction", "kl")
        refuse_options(arguments, names, "needs the weight of the KL beside it; pass --beta or --kl-weight")
        return None
    if data_dim is None:
        option = "--beta" if arguments.kl_weight is None else "--kl-weight"
        raise ValueError(f"--data must be given with {option}: the linear optimum is that of the same observations")
    if noise is None and (arguments.beta is not None or arguments.reconstruction in LIKELIHOODS):
        raise ValueError("--noise-variance must be given with --beta or a likelihood; pass that of the decoder")
    noise = 1.0 if noise is None else noise
    weight = weight_of(arguments, "--beta", "1", (data_dim, latent_dim), noise)
    if len(weight.betas) > 1:
        raise ValueError(f"audit serves the one loss of these codes, got {len(weight.betas)} weights; pass one")
    return float(weight.betas[0]) * noise


def _number(text: str) -> float:
    try:
        return read_number(text)
    except ValueError:
        raise ValueError(
            f"--noise-variance must be a number, got {validation.shown(text)}; of a noise that was learned pass the "
            "value at which training ended"
        ) from None


def _audit(arguments: argparse.Namespace) -> Report:
    from numerics.data.observations import BUILT_IN
    from numerics.diagnosis.audit import audit
    from theory.interface.observations import factors_of, is_text, observations_of
    from theory.interface.readers import read_matrices, refuse_header

    codes, others = _codes(arguments.codes)
    if not any(map(is_text, (arguments.data, arguments.factors))):
        refuse_header(arguments.header, "none is read")
    if arguments.data is None:
        refuse_reading_options(arguments, "there is none")
        data = None
    else:
        header = arguments.header if is_text(arguments.data) else None
        data = observations_of(argparse.Namespace(**vars(arguments) | {"header": header}), BUILT_IN).values
    factors = None if arguments.factors is None else factors_of(arguments).values
    decoder = None
    if arguments.decoder is not None:
        decoder = read_matrices("--decoder", arguments.decoder)
    level = _water_level(arguments, None if data is None else data.shape[1], codes.latent_dim)
    found = audit(
        codes,
        data=data,
        factors=factors,
        decoder=decoder,
        water_level=level,
        threshold=arguments.threshold,
        rng=validation.seed("--seed", arguments.seed),
    )
    missing = _missing(found, data is not None, codes.reconstruction is not None)
    notes = {"missing": missing, "other_arrays": others}
    return Report(vars(found) | notes, _text(found, missing, others, arguments.all))


def _codes(path: str):
    from numerics.diagnosis.codes import Codes
    from theory.interface.readers import read_archive

    arrays, others = read_archive(path, ARRAYS)
    if "mean" not in arrays or not {"variance", "log_variance"} & set(arrays):
        raise ValueError(
            f"--codes {path}: must hold arrays mean and variance or log_variance, it holds "
            f"{', '.join([*arrays, *others]) or 'none'}; save it with numpy.savez(FILE, mean=..., log_variance=...)"
        )
    try:
        return Codes(**arrays), others
    except ValueError as error:
        raise ValueError(f"--codes {path}: {error}") from None


def _missing(found: Audit, has_data: bool, has_reconstruction: bool) -> dict[str, str]:
    """What the audit could not tell, and what to give for it."""
    missing = {}
    if found.linear_optimum is None:
        data = "" if has_data else "--data and "
        missing["linear_optimum"] = (
            f"{data}the loss, which codes do not tell: --beta with --noise-variance, or --kl-weight with "
            "--reconstruction"
        )
    if found.distortion is None:
        missing["distortion"] = (
            "--data" if has_reconstruction else "the array reconstruction (N, D) or squared_error (N) beside mean"
        )
    if found.scores is None:
        missing["scores"] = "--factors"
    if found.orthogonality is None:
        missing["orthogonality"] = "--decoder"
    return missing


def _text(found: Audit, missing: dict[str, str], others: list[str], everything: bool) -> str:
    linear, orthogonality = found.linear_optimum, found.orthogonality
    facts = {
        "observations": found.count,
        "rate": f"{found.rate:.6g} +- {found.rate_standard_error:.2g}",
        "active_count": f"{found.active_count} of {found.latent_dim}",
        "polarized_rate": f"{found.polarized.approximate:.6g} ({100 * found.polarized.relative_error:.3g} %)",
    }
    if orthogonality is not None:
        facts["orthogonality"] = f"{orthogonality.distance:.6g} ({orthogonality.chance:.3g} by chance)"
    absent = {"orthogonality"} if orthogonality is None else set()
    blocks = [f"{aligned_facts(facts)}\n\n{_words('facts', absent)}"]
    blocks += [_latent_table(found, everything), _words("latents", {"linear"} if linear is None else set())]
    parts = {name: [getattr(getattr(found, part), name) for part in PARTS] for name in vars(found.mutual_information)}
    blocks += [aligned_table({"part": PARTS, **parts}), _words("parts")]
    if found.scores is not None:
        mean, sampled = found.scores["mean"], found.scores["sampled"]
        scores = {"score": list(vars(mean)), "mean": vars(mean).values(), "sampled": vars(sampled).values()}
        blocks += [aligned_table({name: list(column) for name, column in scores.items()}), _words("scores")]
    if linear is not None:
        blocks += [_comparison(found, linear), _words("linear")]
    if missing:
        blocks.append("not told, and what would tell it\n" + aligned_facts(missing))
    if others:
        blocks.append(f"other arrays in the file of the codes: {', '.join(others)}")
    return "\n\n".join(blocks)


def _latent_table(found: Audit, everything: bool) -> str:
    use, order = found.latents, np.argsort(-found.latents.kl, kind="stable")
    shown = order if everything else order[:SHOWN]
    columns = {name: getattr(use, name)[shown] for name in ("kl", "mean_variance", "posterior_variance", "attenuation")}
    if found.linear_optimum is not None:
        columns["linear"] = found.linear_optimum.attenuation[: len(shown)]
    columns |= {"collapsed_share": use.collapsed_share[shown], "regime": [use.regime[latent] for latent in shown]}
    more = f"\n{len(order) - len(shown)} more latents: pass --all" if len(shown) < len(order) else ""
    return aligned_table({"latent": shown, **columns}) + more


def _words(table: str, absent: Collection[str] = ()) -> str:
    """The words of a table, but for those that it does not have, with what they mean."""
    return aligned_facts({word: text for word, text in WORDS[table].items() if word not in absent})


def _comparison(found: Audit, linear: LinearReference) -> str:
    """The VAE beside the linear optimum, and what that comes to in one sentence."""
    nats = [
        None if found.distortion is None else found.distortion / (2 * linear.water_level) + found.rate,
        linear.distortion / (2 * linear.water_level) + linear.rate,
    ]
    table = aligned_table(
        {
            "quantity": ["active_count", "rate", "distortion", "nats"],
            "vae": [found.active_count, found.rate, found.distortion, nats[0]],
            "linear_optimum": [linear.active_count, linear.rate, linear.distortion, nats[1]],
            "excess": [
                found.active_count - linear.active_count,
                linear.excess_rate,
                linear.excess_distortion,
                linear.excess_nats,
            ],
        }
    )
    verdict = "what the network lost or won needs its distortion"
    if linear.excess_nats is not None:
        won, error = -linear.excess_nats, linear.standard_error
        verdict = f"the network {'won' if won > 0 else 'lost'} {abs(won):.4g} nats (standard error {error:.2g})"
        if abs(won) <= max(2 * error, EVEN):
            verdict = f"the network is even with it, within two standard errors ({won:.2g} nats won, {error:.2g})"
    return (
        f"{table}\n\nat water level t = {linear.water_level:.6g} a linear VAE would reach rate {linear.rate:.4g} and "
        f"distortion {linear.distortion:.6g} with {linear.active_count} of {found.latent_dim} latents;\n{verdict}"
    )
