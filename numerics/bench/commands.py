"""The command `bench` of `python -m numerics`: this project against the textbook formulation in other libraries."""

from __future__ import annotations

import argparse

from numerics.bench.peers import LIBRARIES, load
from theory import validation
from theory.interface.options import chosen_names, refuse_options
from theory.interface.progress import progress_bar
from theory.interface.report import Report, aligned_facts, aligned_table
from theory.interface.run import add_command

__all__ = ["add_commands"]

TABLES = {
    "full_batch": "full_batch",
    "sweep": "many_runs",
    "minibatch": "minibatch",
    "closed_form": "closed_form",
    "spectra": "spectra",
    "moments": "moments",
}
ROUNDS, BUDGET = 15, 20.0  # rounds of each comparison, and seconds after which no round begins
QUICK_ROUNDS, QUICK_BUDGET = 5, 3.0

LEGEND = (
    "Times are milliseconds a step, of all runs together: median and quartiles over interleaved rounds. ratio: median\n"
    "over that of ours. of_product: median time of the matrix products of a step in NumPy, of the same shapes, on as\n"
    "many threads and in the same rounds, over the median of the step (above 1 where NumPy's calls take longer than\n"
    "what they multiply). first_s: seconds of the first call, compilation included and not timed otherwise.\n"
    "difference: largest of any parameter from the first row of the same problem. In the table spectra a\n"
    "step is one optimum from a covariance, and the spectrum stands after the contestant. In the table moments a step\n"
    "is the covariance of all rows: ours from a memory-mapped file of float32, the others from floats in memory;\n"
    "of_product: SciPy's dsyrk on these, in blocks or in one call, whichever is faster; peak_mib: MiB of memory that\n"
    "ours takes at most beyond its libraries, in a process of its own."
)

GROWTH_LEGEND = (
    "exponent: p of seconds ~ size^p through the upper half of the sizes. expected: the largest p that the operations\n"
    "explain; smaller where fixed costs still count, or a library gains speed with size."
)
RUNS = 256  # of the sweep whose speed on two threads is measured


def add_commands(commands) -> None:
    """Register `bench` with what `Parser.add_subparsers` returned."""
    command = add_command(
        commands,
        "bench",
        _bench,
        "Time training, the closed form and moments against NumPy, PyTorch, JAX and scikit-learn; exit code 1 if they "
        "disagree.",
        "  python -m numerics bench --quick\n"
        "  python -m numerics bench --only full_batch,sweep --peers numpy,jax\n"
        "  python -m numerics bench --threads 1 --json\n"
        "  python -m numerics bench --growth --quick\n"
        "  python -m numerics bench --against ../earlier --quick",
    )
    command.add_argument(
        "--quick", action="store_true", help="fewer rounds, and without the larger problems, or with fewer rows"
    )
    command.add_argument(
        "--only",
        action="append",
        metavar="NAME",
        help=f"tables, separated by commas: {', '.join(TABLES)}; with --against, its commands",
    )
    command.add_argument(
        "--peers", action="append", metavar="NAME", help=f"peers, separated by commas: {', '.join(LIBRARIES)}"
    )
    command.add_argument(
        "--threads", type=int, metavar="N", help="threads for everyone (default: one for every core there is)"
    )
    instead = command.add_mutually_exclusive_group()
    instead.add_argument(
        "--growth",
        action="store_true",
        help="instead, how the time of each computation grows with size, beside what is expected; some minutes, half a "
        "minute with --quick",
    )
    instead.add_argument(
        "--against",
        metavar="DIR",
        help="instead, whole commands here and in another checkout of this project, such as an earlier commit: the "
        "main job, first and later starts; some minutes, and one with --quick, which leaves the main job out",
    )


def _bench(arguments: argparse.Namespace) -> Report:
    if arguments.against is not None:
        return _against(arguments)
    if arguments.growth:
        return _growth(arguments)

    from numerics.bench import tables as comparisons
    from numerics.bench.threads import cores, limited_threads, machine

    names = chosen_names("--only", arguments.only, TABLES)
    peers = load(chosen_names("--peers", arguments.peers, LIBRARIES))
    threads = cores() if arguments.threads is None else validation.count("--threads", arguments.threads)
    if not 1 <= threads <= cores():
        raise ValueError(f"--threads must be from 1 to {cores()}, got {threads}; pass as many as there are cores")
    installed = [LIBRARIES[name] for name, peer in peers.items() if peer is not None]
    rounds, budget = (QUICK_ROUNDS, QUICK_BUDGET) if arguments.quick else (ROUNDS, BUDGET)
    with limited_threads(threads, [peer for peer in peers.values() if peer is not None]):
        facts = machine(threads, dict.fromkeys(["numpy", "scipy", "numba", *installed]))
        tables, interrupted = {}, False
        try:
            with progress_bar(names, desc="bench", unit="table", leave=False) as bar:
                for name in bar:
                    bar.set_postfix_str(name)
                    rows = getattr(comparisons, TABLES[name])(peers, arguments.quick, rounds=rounds, budget=budget)
                    tables[name] = {
                        column: [row[column] for row in rows] for column in (rows[0] if rows else comparisons.COLUMNS)
                    }
        except KeyboardInterrupt:  # keeps the tables that are finished
            interrupted = True
    differ = any("differs" in columns["status"] for columns in tables.values())
    text = "\n\n".join(f"{name}\n{_shown(columns)}" for name, columns in tables.items())
    return Report(
        {"machine": facts, "agree": not differ, "tables": tables},
        f"{aligned_facts(facts)}\n\n{text}\n\n{LEGEND}",
        failed=differ,
        interrupted=interrupted,
    )


def _against(arguments: argparse.Namespace) -> Report:
    """Wall and processor time of whole commands, here over there."""
    from pathlib import Path

    from numerics.bench.against import COMMANDS, compare
    from numerics.bench.threads import machine

    refuse_options(arguments, ("peers", "threads"), "is not for --against, which runs whole commands; leave it out")
    default = [command.name for command in COMMANDS if not (arguments.quick and command.name.startswith("main_job"))]
    every = [command.name for command in COMMANDS]
    names = default if arguments.only is None else chosen_names("--only", arguments.only, every)
    facts, pairs, interrupted = machine(1, ["numpy", "scipy", "numba"]), [], False
    del facts["threads"]  # of this process, which measures others
    try:
        for pair in compare(Path(arguments.against), names):
            pairs.append(pair)
    except KeyboardInterrupt:  # keeps what is measured
        interrupted = True
    columns = {"command": [pair.name for pair in pairs]}
    for kind in ("wall", "processor"):
        for place, where in enumerate(("here", "there")):
            columns[f"{kind}_{where}_s"] = [getattr(pair, kind)[place] for pair in pairs]
        columns[f"{kind}_ratio"] = [getattr(pair, kind)[0] / getattr(pair, kind)[1] for pair in pairs]
    text = f"{aligned_facts(facts)}\n\n{aligned_table(_rounded(columns))}" if pairs else aligned_facts(facts)
    return Report({"machine": facts, "against": columns}, text, interrupted=interrupted)


def _growth(arguments: argparse.Namespace) -> Report:
    """Exponents beside the expected ones; an exponent that is larger by more than noise fails."""
    from numerics.bench import growth
    from numerics.bench.threads import machine

    refuse_options(
        arguments, ("only", "peers", "threads"), "is not for --growth, whose works and threads are given; leave it out"
    )
    facts = machine(1, ["numpy", "scipy", "numba", "sympy"]) | {"threads": "1 for linear algebra"}
    found, rest, interrupted = [], {}, False
    try:
        found.extend(growth.measure(growth.WORKS, arguments.quick))
        rest["error_curve_over_eigendecomposition"] = growth.error_curve_ratio()
        rest["parallel_efficiency"] = growth.parallel_efficiency(RUNS)
    except KeyboardInterrupt:  # keeps what is measured
        interrupted = True
    columns = {
        "work": [one.work.name for one in found],
        "size": [one.work.variable for one in found],
        "from": [int(one.sizes[0]) for one in found],
        "to": [int(one.sizes[-1]) for one in found],
        "first_s": [float(one.seconds[0]) for one in found],
        "last_s": [float(one.seconds[-1]) for one in found],
        "exponent": [one.exponent for one in found],
        "expected": [one.work.expected for one in found],
        "status": ["as expected" if one.as_expected else "more than expected" for one in found],
    }
    lines = {
        "error_curve_over_eigendecomposition": f"error curve of 1,000 betas over one eigendecomposition (at most "
        f"{growth.DEAREST_CURVE:g})",
        "parallel_efficiency": f"sweep of {RUNS} runs on two threads over twice the speed of one",
    }
    ended = [f"{lines[name]}: {value:.2g}" for name, value in rest.items()]
    dear = rest.get("error_curve_over_eigendecomposition", 0.0) > growth.DEAREST_CURVE
    failed = dear or not all(one.as_expected for one in found)
    table = [aligned_table(_rounded(columns))] if found else []
    return Report(
        {"machine": facts, "as_expected": not failed, "growth": columns} | rest,
        "\n\n".join([aligned_facts(facts), *table, "\n".join([*ended, GROWTH_LEGEND])]),
        failed=failed,
        interrupted=interrupted,
    )


def _shown(columns: dict[str, list]) -> str:
    """The table as text, or why it is empty."""
    return (
        aligned_table(_rounded(columns))
        if columns["status"]
        else "all its problems are too large for --quick: leave it out"
    )


def _rounded(columns: dict[str, list]) -> dict[str, list]:
    """Floats to three digits, which is more than timings are worth."""
    return {
        name: [float(f"{value:.3g}") if isinstance(value, float) else value for value in values]
        for name, values in columns.items()
    }
