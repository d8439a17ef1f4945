"""The command `sweep` of `python -m numerics`."""

from __future__ import annotations

import argparse
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from numerics.training.commands import PARTS, add_training_options, parts_of, training_data, training_options
from numerics.training.methods import GRADIENT_METHODS
from theory import validation
from theory.interface import interrupts
from theory.interface.files import output_file
from theory.interface.report import Report, aligned_table, csv_text
from theory.interface.run import add_command
from theory.interface.weight_options import add_weight_options, weight_of
from theory.learning.commands import data_dim_of

__all__ = ["add_commands"]

PROCESS_BYTES = 2**27  # memory of a process after it has loaded the compiled kernels, before any data
COLUMNS = ("beta", "seed", *PARTS, "excess_loss", "gradient_norm", "steps", "stopped", "least")


def add_commands(commands) -> None:
    """Register `sweep` with what `Parser.add_subparsers` returned."""
    command = add_command(
        commands,
        "sweep",
        _sweep,
        "Train for many betas and seeds at once, and compare with the closed form; Ctrl-C keeps the finished runs.",
        "  python -m numerics sweep --latent-dim 4 --betas 0.5:50:20 --seeds 4 --out runs.csv\n"
        "  python -m numerics sweep --latent-dim 4 --betas 0.5:50:20 --seeds 4 --processes 8 --resume runs.jsonl\n"
        "  python -m numerics sweep --covariance S.npy --latent-dim 2 --betas 0.5,1,2,4 --json",
    )
    add_training_options(command, GRADIENT_METHODS, "accelerated")
    add_weight_options(command, "--betas", "a list 0.5,1,2 or a range low:high:count", required=True)
    command.add_argument("--seeds", type=int, default=1, metavar="N", help="random starts for each beta (default 1)")
    command.add_argument("--out", metavar="FILE.csv", help="write a table with one row for every run")
    command.add_argument(
        "--resume", metavar="FILE.jsonl", help="add finished runs to this file, and reuse those already in it"
    )
    command.add_argument("--processes", type=int, metavar="N", help="train in N processes (default: in threads)")


def _sweep(arguments: argparse.Namespace) -> Report:
    from numerics.sweeps.sweep import sweep
    from numerics.training.stop import Stop
    from theory.learning import optimum_curve

    file = None if arguments.out is None else output_file(arguments.out, ".csv")
    source, options = training_data(arguments), training_options(arguments)
    dimensions = data_dim_of(source), arguments.latent_dim
    weight = weight_of(arguments, "--betas", "", dimensions, options["noise_variance"])
    betas = weight.betas
    seeds = validation.count("--seeds", arguments.seeds, minimum=1)
    options |= {"betas": betas, "seeds": seeds, "file": arguments.resume}
    with _processes(arguments.processes) as executor:
        done = sweep(source, arguments.latent_dim, executor=executor, **options)
    best = optimum_curve(source, arguments.latent_dim, betas, noise_variance=options["noise_variance"])
    runs = _runs(done, source, best.loss)
    for name, values in weight.columns.items():
        own = dict(zip(betas, values, strict=True))
        runs = {name: [float(own[beta]) for beta in runs["beta"]], **runs}
    made, overflowed = len(runs["least"]), int(np.sum(done.stopped == Stop.OVERFLOWED))
    keep_older = file is not None and not made and file.exists()  # an empty table does not replace an older one
    least = [i for i, seed in enumerate(runs["least"]) if seed]
    shown = {name: [values[i] for i in least] for name, values in runs.items() if name != "least"}
    text = f"{aligned_table(shown)}\n\nof each beta the run of least loss" if least else "no run finished"
    if overflowed:
        text += f"; {overflowed} of {made} runs overflowed: pass a smaller --learning-rate"
    if done.interrupted:
        text += f"; interrupted after {made} of {done.losses.size} runs"
    if done.failure is not None:
        text += f" by {done.failure}"
    text += weight.note
    return Report(
        {"interrupted": done.interrupted, "failure": done.failure, "overflowed": overflowed, "runs": runs},
        text,
        failed=done.failure is not None or overflowed > 0,
        interrupted=done.interrupted and done.failure is None,
        files={} if file is None or keep_older else {file: lambda opened: opened.write(csv_text(runs).encode())},
    )


@contextmanager
def _processes(count: int | None) -> Iterator:
    """A pool of processes for the runs of a sweep, or None."""
    from concurrent.futures import BrokenExecutor, ProcessPoolExecutor

    from numerics.sweeps.workers import WORKERS, follow_parent

    if count is None:
        yield None
        return
    count = validation.count("--processes", count, minimum=1, bytes_each=PROCESS_BYTES)
    interrupts.treat_as_interrupt(signal.SIGTERM)  # like Ctrl-C, so that the workers shut down too
    theirs, ours = WORKERS.Pipe(duplex=False)
    try:
        with theirs, ProcessPoolExecutor(count, WORKERS, initializer=follow_parent, initargs=(theirs,)) as pool, ours:
            yield pool
    except BrokenExecutor:  # before the first run has finished; later the sweep returns it
        raise ValueError(
            "a process of --processes ended before its first run did, as when it is killed or memory runs out; "
            "run the command again, with fewer processes if memory is short"
        ) from None


def _runs(done, source, closed_form: np.ndarray) -> dict[str, list]:
    """The `COLUMNS`, with one entry for every run that was made; the numbers of one that overflowed are NaN."""
    from numerics.training.stop import Stop

    rows = []
    for at, beta in enumerate(done.betas):
        losses, overflowed = done.losses[at], done.stopped[at] == Stop.OVERFLOWED
        for seed in np.flatnonzero(overflowed | ~np.isnan(losses)):
            parts = dict.fromkeys(PARTS, np.nan) if overflowed[seed] else parts_of(done.vae(at, seed), source, beta)
            rows.append(
                {
                    "beta": float(beta),
                    "seed": int(done.seeds[seed]),
                    **parts,
                    "excess_loss": parts["loss"] - float(closed_form[at]),
                    "gradient_norm": float(done.gradient_norms[at, seed]),
                    "steps": int(done.steps[at, seed]),
                    "stopped": str(done.stopped[at, seed]),
                    "least": not overflowed[seed] and bool(seed == np.nanargmin(losses)),
                }
            )
    return {name: [row[name] for row in rows] for name in COLUMNS}
