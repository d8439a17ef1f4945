"""The command `verify` of `python -m numerics`."""

from __future__ import annotations

import argparse
from dataclasses import asdict

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
        "  python -m numerics verify --only optimal_beta,collapse",
    )
    command.add_argument("--quick", action="store_true", help="fewer draws, and without the larger cases")
    command.add_argument(
        "--only",
        action="append",
        metavar="NAME",
        help="one check, or a result for all its checks (python -m theory results lists the results); repeat it or "
        f"separate names by commas. The checks: {', '.join(names_in_results('checks'))}",
    )


def _verify(arguments: argparse.Namespace) -> Report:
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
