"""The command `verify` of `python -m numerics`."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from theory.interface.files import output_file
from theory.interface.options import chosen_names, names_in_results
from theory.interface.report import Report, aligned_table
from theory.interface.run import add_command

__all__ = ["add_commands"]

COLUMNS = (
    "result",
    "quantity",
    "closed_form",
    "trained",
    "monte_carlo",
    "standard_error",
    "deviation",
    "tolerance",
    "resolution",
)


def add_commands(commands) -> None:
    """Register `verify` with what `Parser.add_subparsers` returned."""
    command = add_command(
        commands,
        "verify",
        _verify,
        "Compare closed forms with training from random starts and Monte Carlo; exit code 1 if any disagrees.",
        "  python -m numerics verify\n"
        "  python -m numerics verify --quick --json\n"
        "  python -m numerics verify --only optimal_beta,collapse\n"
        "  python -m numerics verify --power",
    )
    command.add_argument("--quick", action="store_true", help="fewer draws, and without the larger cases")
    command.add_argument(
        "--only",
        action="append",
        metavar="NAME",
        help="one check, or a result for all its checks (python -m theory results lists the results); repeat it or "
        f"separate names by commas. The checks: {', '.join(names_in_results('checks'))}",
    )
    command.add_argument(
        "--power",
        action="store_true",
        help="make every field of every closed form wrong in turn, by ever smaller shares, in sign and in order, and "
        "tell the smallest share that a row notices (some minutes); with --only, those of the checks named",
    )
    command.add_argument("--markdown", metavar="FILE.md", help="with --power, write its table as a page of Markdown")


def _verify(arguments: argparse.Namespace) -> Report:
    if arguments.power:
        return _power(arguments)
    if arguments.markdown is not None:
        raise ValueError("--markdown writes the table of --power; pass both")
    from numerics.checks.verify import CHECKS, verify

    rows = verify(quick=arguments.quick, only=chosen_names("--only", arguments.only, CHECKS, "checks"))
    failed = [row for row in rows if not row.passed]
    columns = {name: [getattr(row, name) for row in rows] for name in COLUMNS}
    verdicts = ["ok" if row.passed else "FAIL" for row in rows]
    summary = f"{len(rows) - len(failed)} of {len(rows)} comparisons agree"
    if failed:
        summary += f"; these results do not: {', '.join(dict.fromkeys(row.result for row in failed))}"
    return Report(
        {"passed": not failed, "rows": [asdict(row) | {"passed": row.passed} for row in rows]},
        f"{aligned_table(columns | {'verdict': verdicts})}\n\n{summary}",
        failed=bool(failed),
    )


def _power(arguments: argparse.Namespace) -> Report:
    from numerics.checks.power import measured, power_page
    from numerics.checks.verify import CHECKS

    if arguments.markdown is not None and arguments.only is not None:
        raise ValueError("--markdown writes the whole table, got --only too; leave one of them out")
    rows = measured(chosen_names("--only", arguments.only, CHECKS, "checks"))
    missed = [row for row in rows if not row.passed]
    table = aligned_table(
        {
            "function": [row.function for row in rows],
            "field": [row.field for row in rows],
            "smallest error noticed": [row.smallest if row.row else "-" for row in rows],
            "by, or why not": [row.row or row.reason for row in rows],
            "rests on it": [row.dependent or "-" for row in rows],
            "not noticed": [", ".join(row.unnoticed) or "-" for row in rows],
            "verdict": ["ok" if row.passed else "MISSED" for row in rows],
        }
    )
    noticed = sum(row.smallest <= 1e-2 for row in rows)
    summary = (
        f"of {len(rows)} fields {noticed} are noticed if they are wrong by 1 %; {len(missed)} are missed, by size, "
        "sign or order, or an experiment rests on them"
    )
    text, files = f"{table}\n\n{summary}", {}
    if arguments.markdown is not None:
        file = output_file(arguments.markdown, ".md")
        files[file] = lambda opened: opened.write(power_page(rows).encode())
        text += f"\n\nwrote {file}"
    described = {"passed": not missed, "fields": [asdict(row) for row in rows]}
    return Report(described, text, files=files, failed=bool(missed))
