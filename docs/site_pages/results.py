"""The table of results: a row for each theorem, whose links lead to its function, page and figures."""

from __future__ import annotations

from pathlib import Path

from theory.results import RESULTS, ROOMS, Result

__all__ = ["pages"]

ABOUT = (
    "Every theorem: what it says and for what, where it comes from, and the functions that compute it, the page that "
    "derives it, the checks of `python -m numerics verify` that compare it with an experiment, and the figures that "
    "show it. *In the setting of* a paper: the paper poses the question, the formula is this project's own derivation."
)


def pages(folder: Path) -> dict[str, str]:
    """The page by its file."""
    in_order = sorted(RESULTS, key=lambda result: list(ROOMS).index(result.room))
    rows = "\n".join(_row(result) for result in in_order)
    table = f"```{{list-table}}\n:class: results\n:header-rows: 1\n:widths: 55 45\n\n* - result\n  - where\n{rows}\n```"
    return {"results.md": f"(results)=\n\n# Results\n\n{ABOUT}\n\n{table}\n"}


def _row(result: Result) -> str:
    """The claim with its scope and source, and the places where the result is."""
    claim = [
        f"**{result.name}** · {ROOMS[result.room]}",
        result.claim,
        f"*Scope:* {result.scope} ({result.status}).",
        f"*Source:* {result.source}.",
    ]
    places = {
        "Computed by": ", ".join(f"{{py:obj}}`{name}`" for name in result.functions),
        "Derived in": f"{{ref}}`{result.page} <page-{result.page}>`" if result.page else "",
        "Checked by": ", ".join(f"`{name}`" for name in result.checks),
        "Seen in": ", ".join(f"{{ref}}`{name} <figure-{name}>`" for name in result.figures),
        "Missing": result.missing,
    }
    where = [f"*{lead}:* {text}" for lead, text in places.items() if text]
    return "\n".join([f"* - {_paragraphs(claim)}", f"  - {_paragraphs(where)}"])


def _paragraphs(texts: list[str]) -> str:
    return "\n\n    ".join(texts)
