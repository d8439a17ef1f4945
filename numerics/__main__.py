"""The command line of the experiments: `python -m numerics COMMAND`, with `--help` and `--json` on every command.

verify   every closed form against training from random starts and Monte Carlo; exit code 1 if any disagrees
train    train one VAE, and compare it with the closed form
sweep    train for many betas and seeds
sprites  what the principal axes of sprite images carry, and how a linear beta-VAE scores for it
granularity, vertex  the grouped objective over group sizes; where the error is least at the true blocks
bench    training and the closed form timed against other libraries
"""

from __future__ import annotations

import argparse
import csv
import io
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict

import numpy as np

from numerics import granularity_commands, sprite_commands
from numerics.activity import active_count
from numerics.bench import commands as bench
from numerics.certification import certify
from numerics.data import DATA_SETS, load
from numerics.ending import OVERFLOWED
from numerics.minibatch_training import train_minibatch
from numerics.sweep import Sweep, sweep
from numerics.training import DESCENTS, METHODS, TrainingRun, train
from numerics.verification import CHECKS, verify
from numerics.workers import WORKERS, follow_parent
from theory import LinearVAE, Moments, cli, elbo_terms, interrupts, optimum, optimum_curve, output, validation
from theory.data import read_covariance, read_vector

PARTS = ("loss", "distortion", "rate", "noise_variance", "active_count")
PROCESS_BYTES = 2**27  # what a process takes once it has loaded the compiled kernels, before any data
COLUMNS = ("beta", "seed", *PARTS, "excess_loss", "gradient_norm", "steps", "stopped", "least")  # of a sweep


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code: 0 good, 1 a check failed, 2 bad usage, 130 interrupted."""
    return cli.run(_parser(), argv)


def _parser() -> cli.Parser:
    parser = cli.Parser(
        prog="python -m numerics", description="Experiments on the linear-Gaussian beta-VAE. All rates are in nats."
    )
    cli.add_version_option(parser)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    command = cli.add_command(
        commands,
        "verify",
        _verify,
        "Compare every closed form with training from random starts and Monte Carlo; exit code 1 if any disagrees.",
        "  python -m numerics verify\n"
        "  python -m numerics verify --quick --json\n"
        "  python -m numerics verify --only optimal_beta,collapse",
    )
    command.add_argument("--quick", action="store_true", help="fewer draws, and without the larger cases")
    command.add_argument(
        "--only",
        action="append",
        metavar="NAME",
        help=f"one result; repeat it or separate names by commas: {', '.join(CHECKS)}",
    )

    command = cli.add_command(
        commands,
        "train",
        _train,
        "Train one VAE from a random start, and compare it with the closed form.",
        "  python -m numerics train --latent-dim 4 --beta 2\n"
        "  python -m numerics train --data observations.csv --latent-dim 2 --noise-variance 0.1 --posterior full\n"
        "  python -m numerics train --eigenvalues 3,2,1 --latent-dim 2 --method adam --max-steps 5000 --save vae.npz\n"
        "  python -m numerics train --latent-dim 4 --batch-size 128 --learning-rate 0.003 --max-steps 10000",
    )
    _add_training(command, METHODS, "auto")
    command.add_argument(
        "--batch-size", type=int, metavar="N", help="train on batches of the observations, with sampled codes, by adam"
    )
    command.add_argument("--beta", type=float, default=1.0, help="weight of the KL term (default 1)")
    command.add_argument("--seed", type=int, default=0, help="of the random start (default 0)")
    command.add_argument("--save", metavar="FILE.npz", help="write the trained model and the loss before every step")

    command = cli.add_command(
        commands,
        "sweep",
        _sweep,
        "Train for many betas and seeds at once, and compare with the closed form; Ctrl-C keeps the finished runs.",
        "  python -m numerics sweep --latent-dim 4 --betas 0.5:50:20 --seeds 4 --out runs.csv\n"
        "  python -m numerics sweep --latent-dim 4 --betas 0.5:50:20 --seeds 4 --processes 8 --resume runs.jsonl\n"
        "  python -m numerics sweep --covariance S.npy --latent-dim 2 --betas 0.5,1,2,4 --json",
    )
    _add_training(command, DESCENTS, "accelerated")
    command.add_argument("--betas", required=True, help="a list 0.5,1,2 or a range low:high:count")
    command.add_argument("--seeds", type=int, default=1, metavar="N", help="random starts for each beta (default 1)")
    command.add_argument("--out", metavar="FILE.csv", help="write a table with one row for every run")
    command.add_argument(
        "--resume", metavar="FILE.jsonl", help="add finished runs to this file, and take those that it has from there"
    )
    command.add_argument("--processes", type=int, metavar="N", help="train in N processes (default: in threads)")

    sprite_commands.add_subcommands(commands)
    granularity_commands.add_subcommands(commands)
    bench.add_subcommands(commands)
    return parser


def _add_training(command: argparse.ArgumentParser, methods: Iterable[str], default: str) -> None:
    source = command.add_mutually_exclusive_group()
    source.add_argument(
        "--data",
        metavar="FILE",
        help=f"observations, one per row: {', '.join(DATA_SETS)} (default), .csv, .npy, .npz or FILE.npz:KEY",
    )
    source.add_argument("--covariance", metavar="FILE", help="covariance matrix of the data, in a file of these kinds")
    source.add_argument("--eigenvalues", metavar="3,2,1", help="eigenvalues of the covariance, as text or in a file")
    cli.add_header_option(command)
    command.add_argument("--latent-dim", type=int, required=True, metavar="K", help="number of latents")
    command.add_argument("--noise-variance", default="learned", help="decoder noise: learned (default) or a number")
    command.add_argument(
        "--posterior", default="diagonal", help='posterior family: diagonal (default), full, or groups such as "0,1;2"'
    )
    command.add_argument("--method", choices=list(methods), help=f"default {default}")
    command.add_argument("--learning-rate", type=float, default=0.01, help="of adam (default 0.01)")
    command.add_argument("--gradient-tolerance", type=float, default=1e-8, help="where training stops (default 1e-8)")
    command.add_argument("--max-steps", type=int, default=20_000, help="safety net (default 20000)")


def _verify(arguments: argparse.Namespace) -> cli.Report:
    rows = verify(quick=arguments.quick, only=cli.chosen("--only", arguments.only, CHECKS))
    failed = [row for row in rows if not row.passed]
    columns = {name: [getattr(row, name) for row in rows] for name in asdict(rows[0]) if name != "passed"}
    verdicts = ["ok" if row.passed else "FAIL" for row in rows]
    summary = f"{len(rows) - len(failed)} of {len(rows)} comparisons agree"
    if failed:
        summary += f"; these results do not: {', '.join(dict.fromkeys(row.result for row in failed))}"
    return cli.Report(
        {"passed": not failed, "rows": rows},
        f"{cli.table(columns | {'verdict': verdicts})}\n\n{summary}",
        failed=bool(failed),
    )


def _train(arguments: argparse.Namespace) -> cli.Report:
    file = None if arguments.save is None else output.output_file(arguments.save, ".npz")
    source, options = _source(arguments), _options(arguments)
    seed = validation.count("--seed", arguments.seed)
    rng = np.random.default_rng(seed)
    if arguments.batch_size is None:
        run = train(source, arguments.latent_dim, beta=arguments.beta, rng=rng, **options)
    else:
        run = _train_minibatch(arguments, options, rng)
    noise, posterior = options["noise_variance"], options["posterior"]
    best = optimum(source, arguments.latent_dim, beta=arguments.beta, noise_variance=noise, posterior=posterior)
    found = _parts(run.vae, source, arguments.beta)
    closed_form = {name: getattr(best, name) for name in PARTS}
    progress = {name: getattr(run, name) for name in ("stopped", "steps", "gradient_norm")}
    certificate = certify(run.vae, source, arguments.beta, learned_noise=isinstance(noise, str), posterior=posterior)
    columns = {
        "quantity": PARTS,
        "closed_form": list(closed_form.values()),
        "trained": list(found.values()),
        "deviation": [abs(found[name] - closed_form[name]) for name in PARTS],
    }
    facts = progress | {"curvature": certificate.curvature, "closed_form_noise": best.noise_status}
    return cli.Report(
        {"closed_form": closed_form, "trained": found, "vae": run.vae} | facts,
        f"{cli.table(columns)}\n\n{cli.facts(facts)}",
        files={} if file is None else {file: cli.archive(vars(run.vae) | {"history": run.history})},
    )


def _train_minibatch(arguments: argparse.Namespace, options: dict, rng: np.random.Generator) -> TrainingRun:
    if arguments.covariance is not None or arguments.eigenvalues is not None:
        raise ValueError("--batch-size needs observations, got a covariance; pass them by --data")
    if arguments.method not in (None, "adam"):
        raise ValueError(f"--method must be adam with --batch-size, got {arguments.method}; leave one of them out")
    return train_minibatch(
        _observations(arguments),
        arguments.latent_dim,
        beta=arguments.beta,
        noise_variance=options["noise_variance"],
        posterior=options["posterior"],
        batch_size=arguments.batch_size,
        steps=options["max_steps"],
        learning_rate=options["learning_rate"],
        rng=rng,
    )


def _sweep(arguments: argparse.Namespace) -> cli.Report:
    file = None if arguments.out is None else output.output_file(arguments.out, ".csv")
    source, options = _source(arguments), _options(arguments)
    betas = cli.positive_numbers("--betas", arguments.betas)
    seeds = validation.count("--seeds", arguments.seeds, minimum=1)
    options |= {"betas": betas, "seeds": seeds, "file": arguments.resume}
    with _processes(arguments.processes) as executor:
        found = sweep(source, arguments.latent_dim, executor=executor, **options)
    best = optimum_curve(source, arguments.latent_dim, betas, noise_variance=options["noise_variance"])
    runs = _runs(found, source, best.loss)
    made, overflowed = len(runs["least"]), int(np.sum(found.stopped == OVERFLOWED))
    keep_older = file is not None and not made and file.exists()  # a table of no runs is no reason to lose an older one
    least = [i for i, seed in enumerate(runs["least"]) if seed]
    shown = {name: [values[i] for i in least] for name, values in runs.items() if name != "least"}
    text = f"{cli.table(shown)}\n\nof each beta the run of least loss" if least else "no run finished"
    if overflowed:
        text += f"; {overflowed} of {made} runs overflowed: pass a smaller --learning-rate"
    if found.interrupted:
        text += f"; interrupted after {made} of {found.losses.size} runs"
    if found.failure is not None:
        text += f" by {found.failure}"
    return cli.Report(
        {"interrupted": found.interrupted, "failure": found.failure, "overflowed": overflowed, "runs": runs},
        text,
        failed=found.failure is not None or overflowed > 0,
        interrupted=found.interrupted and found.failure is None,
        files={} if file is None or keep_older else {file: lambda opened: opened.write(_csv(runs))},
    )


@contextmanager
def _processes(count: int | None) -> Iterator[ProcessPoolExecutor | None]:
    """A pool of processes, or none, to make the runs of a sweep in."""
    if count is None:
        yield None
        return
    count = validation.count("--processes", count, minimum=1, bytes_each=PROCESS_BYTES)
    interrupts.also(signal.SIGTERM)  # whoever ends this process by a signal means its workers too: as by Ctrl-C
    theirs, ours = WORKERS.Pipe(duplex=False)
    try:
        with theirs, ProcessPoolExecutor(count, WORKERS, initializer=follow_parent, initargs=(theirs,)) as pool, ours:
            yield pool
    except BrokenExecutor:  # before one run was finished; later it is in what the sweep returns
        raise ValueError(
            "one of --processes ended before its first run did, as it does when it is killed or memory runs out; "
            "run the command again, with fewer of them if memory is short"
        ) from None


def _runs(found: Sweep, source, closed_form: np.ndarray) -> dict[str, list]:
    """The `COLUMNS`, with one entry for every run that was made; of one that overflowed the numbers are NaN."""
    rows = []
    for at, beta in enumerate(found.betas):
        losses, overflowed = found.losses[at], found.stopped[at] == OVERFLOWED
        for seed in np.flatnonzero(overflowed | ~np.isnan(losses)):
            parts = dict.fromkeys(PARTS, np.nan) if overflowed[seed] else _parts(found.vae(at, seed), source, beta)
            rows.append(
                {
                    "beta": float(beta),
                    "seed": int(found.seeds[seed]),
                    **parts,
                    "excess_loss": parts["loss"] - float(closed_form[at]),
                    "gradient_norm": float(found.gradient_norms[at, seed]),
                    "steps": int(found.steps[at, seed]),
                    "stopped": str(found.stopped[at, seed]),
                    "least": not overflowed[seed] and bool(seed == np.nanargmin(losses)),
                }
            )
    return {name: [row[name] for row in rows] for name in COLUMNS}


def _parts(vae: LinearVAE, source, beta: float) -> dict[str, float]:
    """The `PARTS` of a model, from the definition of the objective."""
    terms = elbo_terms(vae, source)
    values = (terms.loss(beta), terms.distortion, terms.rate, vae.noise_variance, active_count(vae, source))
    return dict(zip(PARTS, values, strict=True))


def _csv(columns: Mapping[str, Sequence]) -> bytes:
    """A table as comma-separated text, floats with all their digits."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue().encode()


def _source(arguments: argparse.Namespace) -> Moments | np.ndarray:
    """The second moments that the data options name; eigenvalues stand for a diagonal covariance."""
    if arguments.covariance is not None:
        return read_covariance(arguments.covariance, arguments.header)
    if arguments.eigenvalues is not None:
        eigenvalues = read_vector("--eigenvalues", arguments.eigenvalues, arguments.header)
        return np.diag(validation.stated_spectrum("--eigenvalues", eigenvalues))
    return Moments.of(_observations(arguments))


def _observations(arguments: argparse.Namespace) -> np.ndarray:
    return load("digits" if arguments.data is None else arguments.data, arguments.header)


def _options(arguments: argparse.Namespace) -> dict:
    return {
        "noise_variance": cli.number_or_word("--noise-variance", arguments.noise_variance, "learned"),
        "posterior": cli.posterior_family("--posterior", arguments.posterior),
        **({} if arguments.method is None else {"method": arguments.method}),
        "learning_rate": arguments.learning_rate,
        "gradient_tolerance": arguments.gradient_tolerance,
        "max_steps": arguments.max_steps,
    }


if __name__ == "__main__":
    sys.exit(main())
