"""The table of results: a row for each theorem, whose links lead to its function, page and figures."""

from __future__ import annotations

from pathlib import Path

from theory.results import RESULTS, ROOMS

__all__ = ["pages"]

ABOUT = (
    "Every theorem: what it says, the functions that compute it, the page that derives it, the checks of "
    "`python -m numerics verify` that compare it with an experiment, the figures that show it, and where it comes from. "
    "*In the setting of* a paper: the paper poses the question, the formula is this project's own derivation."
)


def pages(folder: Path) -> dict[str, str]:
    """The page by its file."""
    rows = []
    for result in sorted(RESULTS, key=lambda result: list(ROOMS).index(result.room)):
        functions = ", ".join(f"{{py:obj}}`{name}`" for name in result.functions)
        page = f"{{ref}}`{result.page} <page-{result.page}>`" if result.page else ""
        figures = ", ".join(f"{{ref}}`{name} <figure-{name}>`" for name in result.figures)
        checks = ", ".join(f"`{name}`" for name in result.checks)
        claim = f"**{result.name}**: {result.claim} *{result.scope}*"
        missing = f" ({result.missing})" if result.missing else ""
        rows.append([claim + missing, ROOMS[result.room], functions, page, checks, figures, result.source])
    head = ["result", "room", "functions", "page", "checks", "figures", "source"]
    lines = [_row(head), _row(["---"] * len(head)), *(_row(row) for row in rows)]
    table = "\n".join(lines)
    return {"results.md": f"(results)=\n\n# Results\n\n{ABOUT}\n\n{{.results}}\n{table}\n"}


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
