"""Commands of `python -m numerics` on groups: training over group sizes, and where the error is a V."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import numpy as np

from theory import validation
from theory.interface.options import (
    add_csv_option,
    add_posterior_option,
    csv_path,
    positive_numbers,
    posterior_family,
    whole_numbers,
)
from theory.interface.report import Report, aligned_table, csv_file
from theory.interface.run import add_command

if TYPE_CHECKING:
    from numerics.experiments.best_group_size import VertexCell
    from numerics.experiments.granularity import GranularityRun

__all__ = ["add_commands"]

LOADINGS = ("random", "orthogonal", "local")  # of `numerics.data.block_factors`, which is loaded only when it is used


def add_commands(commands) -> None:
    """Register both commands with what `Parser.add_subparsers` returned."""
    command = add_command(
        commands,
        "granularity",
        _granularity,
        "Train the grouped objective on factors correlated in blocks, for each capacity, group size and weight.",
        "  python -m numerics granularity --blocks 2,2,2\n"
        "  python -m numerics granularity --blocks 3,3,3,3 --data-dim 16 --betas 1,3,10 --sizes 1,3,6,12\n"
        "  python -m numerics granularity --blocks 1,1,2,4 --capacities 2,4,8 --decoder learned --json",
    )
    command.add_argument("--blocks", default="2,2,2", metavar="B,B,...", help="sizes of the blocks (default 2,2,2)")
    command.add_argument("--correlation", type=float, default=0.8, help="inside a block (default 0.8)")
    command.add_argument("--noise-variance", type=float, default=0.1, help="of the data (default 0.1)")
    command.add_argument("--data-dim", type=int, default=8, metavar="D", help="dimensions of the data (default 8)")
    command.add_argument("--loading", choices=LOADINGS, default="random", help="default random")
    command.add_argument("--betas", default="1,3,10,30", help="weights between groups: 1,2,4 or a range low:high:count")
    command.add_argument("--sizes", metavar="G,G,...", help="of groups of latents (default all)")
    command.add_argument("--capacities", metavar="K,K,...", help="numbers of latents (default: one for each factor)")
    command.add_argument(
        "--decoder", choices=["true", "learned"], default="true", help="fixed at the true columns (default) or learned"
    )
    command.add_argument(
        "--prior",
        choices=["standard", "matched"],
        default="standard",
        help="N(0, I) (default) or the factors' own distribution",
    )
    add_posterior_option(command)
    command.add_argument("--seeds", type=int, default=1, metavar="N", help="random starts of each (default 1)")
    command.add_argument("--truth-seed", type=int, default=0, help="of the loading (default 0)")
    add_csv_option(command)

    command = add_command(
        commands,
        "vertex",
        _vertex,
        "Share of random truths whose inference error is smallest at groups that are the true blocks.",
        "  python -m numerics vertex\n  python -m numerics vertex --block 3 --count 2 --beta 3 --draws 100 --json",
    )
    command.add_argument("--block", type=int, default=2, help="factors in a block (default 2)")
    command.add_argument("--count", type=int, default=3, help="number of blocks (default 3)")
    command.add_argument("--data-dim", type=int, default=8, metavar="D", help="dimensions of the data (default 8)")
    command.add_argument("--beta", type=float, default=10.0, help="weight between groups (default 10)")
    command.add_argument("--loadings", default=",".join(LOADINGS), help=f"default {','.join(LOADINGS)}")
    command.add_argument("--correlations", default="0.2,0.4,0.6,0.8", help="default 0.2,0.4,0.6,0.8")
    command.add_argument("--noise-variances", default="0.1,0.3,1,3", help="default 0.1,0.3,1,3")
    command.add_argument("--draws", type=int, default=30, metavar="N", help="truths in a cell (default 30)")
    command.add_argument("--seed", type=int, default=0, help="of the truths (default 0)")
    add_csv_option(command)


def _granularity(arguments: argparse.Namespace) -> Report:
    from numerics.data.block_factors import block_truth
    from numerics.experiments.granularity import granularity_map

    file, blocks = csv_path(arguments), whole_numbers("--blocks", arguments.blocks)
    truth = block_truth(
        blocks,
        arguments.correlation,
        arguments.noise_variance,
        arguments.data_dim,
        loading=arguments.loading,
        rng=np.random.default_rng(validation.seed("--truth-seed", arguments.truth_seed)),
    )
    runs = granularity_map(
        truth,
        betas=positive_numbers("--betas", arguments.betas),
        sizes=None if arguments.sizes is None else whole_numbers("--sizes", arguments.sizes),
        capacities=None if arguments.capacities is None else whole_numbers("--capacities", arguments.capacities),
        decoder=arguments.decoder,
        prior=arguments.prior,
        posterior=posterior_family("--posterior", arguments.posterior),
        seeds=validation.count("--seeds", arguments.seeds, minimum=1),
    )
    names = ("capacity", "size", "beta", "seed", "loss", "elbo", "matched_elbo", "stopped")
    columns = {name: [getattr(run, name) for run in runs] for name in names}
    for complexity in sorted(set(blocks)):
        columns[f"error_blocks_of_{complexity}"] = [_mean_error(run, blocks, complexity) for run in runs]
    note = (
        "error: mean squared error of a factor, whose variance is 1; nan for learned decoders. Each row is the end of "
        "one start: with fewer data dimensions than factors that may be a local minimum, so try several --seeds"
    )
    text = f"{aligned_table(columns)}\n\n{note}"
    return Report({"loading": truth.loading, "runs": columns}, text, files=csv_file(file, columns))


def _mean_error(run: GranularityRun, blocks: list[int], complexity: int) -> float:
    """The error of the factors in blocks of one size that have a latent, on average; NaN if there are none."""
    from numerics.data.block_factors import block_labels

    chosen = run.errors[np.asarray(blocks)[block_labels(blocks)][: run.capacity] == complexity]
    return float(chosen.mean()) if chosen.size else np.nan


def _vertex(arguments: argparse.Namespace) -> Report:
    from numerics.experiments.best_group_size import SHARES, vertex_map
    from theory.interface.readers import read_vector

    file = csv_path(arguments)
    cells = vertex_map(
        block=validation.count("--block", arguments.block),
        count=validation.count("--count", arguments.count),
        data_dim=arguments.data_dim,
        beta=arguments.beta,
        correlations=read_vector("--correlations", arguments.correlations),
        noise_variances=positive_numbers("--noise-variances", arguments.noise_variances),
        loadings=arguments.loadings.split(","),
        draws=arguments.draws,
        rng=validation.seed("--seed", arguments.seed),
    )
    columns = {name: [getattr(cell, name) for cell in cells] for name in vars(cells[0])}
    shown = columns | {name: [_with_interval(cell, name) for cell in cells] for name in SHARES}
    records = [vars(cell) | {f"{name}_interval": cell.interval(name) for name in SHARES} for cell in cells]
    note = (
        "shares of the draws, with 95 % intervals (Clopper, Pearson); cells are independent; ratio: median error at "
        "the true blocks over that without a penalty; slope_helps: by the closed form at weight 1; unfinished: draws "
        "with a training that ended before its gradient vanished, whose errors are not those of a minimum"
    )
    return Report({"cells": records}, f"{aligned_table(shown)}\n\n{note}", files=csv_file(file, columns))


def _with_interval(cell: VertexCell, name: str) -> str:
    low, high = cell.interval(name)
    return f"{getattr(cell, name):.2f} [{low:.2f}, {high:.2f}]"
