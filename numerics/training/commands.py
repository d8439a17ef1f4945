"""The command `train` of `python -m numerics`, and the options of training that `sweep` has too."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from numerics.data import DATA_SETS
from numerics.training.methods import METHODS
from theory import validation
from theory.interface.files import output_file
from theory.interface.options import (
    add_data_options,
    add_latent_dim_option,
    add_posterior_option,
    covariance_of,
    posterior_family,
)
from theory.interface.report import Report, aligned_facts, aligned_table, npz_archive
from theory.interface.run import add_command
from theory.interface.weight_options import add_noise_option, add_weight_options, noise_of, weight_of
from theory.learning.commands import data_dim_of
from theory.learning.noise_words import noise_words

if TYPE_CHECKING:
    from numerics.training.train import TrainingRun
    from theory.interface.observations import Observations
    from theory.model import LinearVAE

__all__ = ["PARTS", "add_commands", "add_training_options", "parts_of", "training_data", "training_options"]

PARTS = ("loss", "distortion", "rate", "noise_variance", "active_count")


def add_commands(commands) -> None:
    """Register `train` with what `Parser.add_subparsers` returned."""
    command = add_command(
        commands,
        "train",
        _train,
        "Train one VAE from a random start, and compare it with the closed form.",
        "  python -m numerics train --latent-dim 4 --beta 2\n"
        "  python -m numerics train --data observations.csv --latent-dim 2 --noise-variance 0.1 --posterior full\n"
        "  python -m numerics train --eigenvalues 3,2,1 --latent-dim 2 --method adam --max-steps 5000 --save vae.npz\n"
        "  python -m numerics train --latent-dim 4 --kl-weight 0.02 --reconstruction mean\n"
        "  python -m numerics train --latent-dim 4 --batch-size 128 --learning-rate 0.003 --max-steps 10000",
    )
    add_training_options(command, METHODS, "auto")
    command.add_argument(
        "--batch-size", type=int, metavar="N", help="train on batches of the observations, with sampled codes, by adam"
    )
    add_weight_options(command, "--beta", "weight of the KL term (default 1)")
    command.add_argument("--seed", type=int, default=0, help="of the random start (default 0)")
    command.add_argument("--save", metavar="FILE.npz", help="write the trained model and the loss before every step")


def add_training_options(command: argparse.ArgumentParser, methods: Iterable[str], default: str) -> None:
    """Add the options that `train` and `sweep` share: data, model, and a choice of `methods`."""
    add_data_options(command, DATA_SETS)
    add_latent_dim_option(command, required=True)
    add_noise_option(command)
    add_posterior_option(command)
    command.add_argument("--method", choices=list(methods), help=f"default {default}")
    command.add_argument("--learning-rate", type=float, default=0.01, help="of adam (default 0.01)")
    command.add_argument("--gradient-tolerance", type=float, default=1e-8, help="where training stops (default 1e-8)")
    command.add_argument("--max-steps", type=int, default=20_000, help="safety net (default 20000)")


def training_data(arguments: argparse.Namespace):
    """The `Moments` or covariance that the data options name; the first of `DATA_SETS` by default."""
    return covariance_of(arguments, _observations)


def training_options(arguments: argparse.Namespace) -> dict:
    """The options of `add_training_options` but for the data, as `train` and `sweep` take them."""
    return {
        "noise_variance": noise_of(arguments),
        "posterior": posterior_family("--posterior", arguments.posterior),
        **({} if arguments.method is None else {"method": arguments.method}),
        "learning_rate": arguments.learning_rate,
        "gradient_tolerance": arguments.gradient_tolerance,
        "max_steps": arguments.max_steps,
    }


def parts_of(vae: LinearVAE, source, beta: float) -> dict[str, float]:
    """The `PARTS` of a model, from the definition of the objective."""
    from numerics.diagnosis.activity import active_count
    from theory.objective import elbo_terms

    terms = elbo_terms(vae, source)
    values = (terms.loss(beta), terms.distortion, terms.rate, vae.noise_variance, active_count(vae, source))
    return dict(zip(PARTS, values, strict=True))


def _train(arguments: argparse.Namespace) -> Report:
    from numerics.diagnosis.certificate import certify
    from numerics.training.train import train
    from theory.learning import optimum

    file = None if arguments.save is None else output_file(arguments.save, ".npz")
    observations = None if arguments.batch_size is None else _observations_in_batches(arguments)
    source = training_data(arguments) if observations is None else observations.moments()
    options = training_options(arguments)
    dimensions = data_dim_of(source), arguments.latent_dim
    weight = weight_of(arguments, "--beta", "1", dimensions, options["noise_variance"])
    if len(weight.betas) > 1:
        raise ValueError(f"train serves one beta, got {len(weight.betas)}; pass one, or use `sweep`")
    beta = float(weight.betas[0])
    seed = validation.seed("--seed", arguments.seed)
    rng = np.random.default_rng(seed)
    if observations is None:
        run = train(source, arguments.latent_dim, beta=beta, rng=rng, **options)
    else:
        run = _train_minibatch(arguments, observations, beta, options, rng)
    noise, posterior = options["noise_variance"], options["posterior"]
    best = optimum(source, arguments.latent_dim, beta=beta, noise_variance=noise, posterior=posterior)
    trained = parts_of(run.vae, source, beta)
    closed_form = {name: getattr(best, name) for name in PARTS}
    progress = {name: getattr(run, name) for name in ("stopped", "steps", "gradient_norm")}
    certificate = certify(run.vae, source, beta, learned_noise=isinstance(noise, str), posterior=posterior)
    for part in (trained, closed_form):
        losses = weight.losses(part["distortion"], part["rate"], part["noise_variance"])
        part |= {name: float(values[0]) for name, values in losses.items()}
    columns = {
        "quantity": list(trained),
        "closed_form": list(closed_form.values()),
        "trained": list(trained.values()),
        "deviation": [abs(trained[name] - closed_form[name]) for name in trained],
    }
    own = {name: float(values[0]) for name, values in weight.columns.items()}
    found = {"curvature": certificate.curvature, "closed_form_noise": best.noise_status}
    facts = own | {"beta": beta} | progress | found
    words = noise_words(best.noise_status, "closed_form_noise")
    return Report(
        {"closed_form": closed_form, "trained": trained, "vae": run.vae} | facts,
        f"{aligned_table(columns)}\n\n{aligned_facts(facts)}{words}{weight.note}",
        files={} if file is None else {file: npz_archive(vars(run.vae) | {"history": run.history})},
    )


def _observations_in_batches(arguments: argparse.Namespace) -> Observations:
    """The observations that `--batch-size` is for, if what else is asked goes with it."""
    if arguments.covariance is not None or arguments.eigenvalues is not None:
        raise ValueError("--batch-size needs observations, got a covariance; pass them by --data")
    if arguments.method not in (None, "adam"):
        raise ValueError(f"--method must be adam with --batch-size, got {arguments.method}; leave one of them out")
    return _observations(arguments)


def _train_minibatch(
    arguments: argparse.Namespace,
    observations: Observations,
    beta: float,
    options: dict,
    rng: np.random.Generator,
) -> TrainingRun:
    from numerics.training.minibatch import train_minibatch

    return train_minibatch(
        observations.values,
        arguments.latent_dim,
        beta=beta,
        noise_variance=options["noise_variance"],
        posterior=options["posterior"],
        batch_size=arguments.batch_size,
        steps=options["max_steps"],
        learning_rate=options["learning_rate"],
        rng=rng,
    )


def _observations(arguments: argparse.Namespace) -> Observations:
    """The observations of `--data`, by default the first of `DATA_SETS`."""
    from numerics.data.observations import BUILT_IN
    from theory.interface.observations import observations_of

    return observations_of(arguments, BUILT_IN)
