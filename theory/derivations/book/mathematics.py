"""The mathematics of a page, as the writers need it: sentences in pieces, relations in lines that fit, inline LaTeX."""

from __future__ import annotations

import re
from collections.abc import Callable

import sympy as sp

from theory.derivations.engine.printers import latex, ordered_terms, width

__all__ = ["broken", "displayed", "map_pieces", "table_cell", "upright"]

RELATIONS = {sp.Eq: "=", sp.Ge: "≥", sp.Gt: ">", sp.Le: "≤", sp.Lt: "<"}
LATEX_RELATIONS = {"≥": r"\ge", "≤": r"\le"}
LINE = 88  # characters of the two-dimensional text form that fit on a printed line
NARROW = 10  # a left side of at most so many characters shares its line with the beginning of the right side


def map_pieces(
    sentence: str, *, words: Callable[[str], str], formula: Callable[[str], str], code: Callable[[str], str]
) -> str:
    """A sentence with its words, formulas (given with their dollar signs) and code (without backticks) rewritten."""
    written = []
    for piece in re.split(r"(\$[^$]*\$|`[^`]*`)", sentence):
        if piece.startswith("$"):
            written.append(formula(piece))
        elif piece.startswith("`"):
            written.append(code(piece[1:-1]))
        else:
            written.append(words(piece))
    return "".join(written)


def upright(formula: str) -> str:
    """Names of more than one letter upright; the bars of a divergence without the commands that Markdown swallows."""
    formula = re.sub(r"(?<![\\A-Za-z{])(KL|tr|gap|diag|TC|MSE|Bayes)(?![A-Za-z])", r"\\mathrm{\1}", formula)
    return formula.replace("||", r"\Vert ")


def table_cell(text: str) -> str:
    """A formula or sentence without the bars that would end a cell of a table in Markdown."""
    return text.replace("|", r"\mid ")


def displayed(relation) -> str:
    """A relation as displayed LaTeX, broken into aligned lines where it is too wide."""
    if width(relation) <= LINE:
        return latex(relation)
    lines = broken(relation, LINE - NARROW)
    rows = [latex(lines[0][1])]
    for operator, expression in lines[1:]:
        written = latex(expression)
        if operator == "+":
            rows.append(rf"\quad {written}" if written.startswith("-") else rf"\quad + {written}")
        else:
            rows.append(rf"{LATEX_RELATIONS.get(operator, operator)} {written}")
    if width(lines[0][1]) <= NARROW:
        rows[:2] = [" ".join(rows[:2])]
    if len(rows) == 1:
        return rows[0]
    inner = " \\\\\n".join(f"&{row}" for row in rows)
    return f"\\begin{{aligned}}\n{inner}\n\\end{{aligned}}"


def broken(relation, limit: int) -> list[tuple[str, sp.Basic]]:
    """A relation in lines that fit: (operator, expression) pairs, the first with no operator.

    A line is broken after the left side, then between the terms of a sum. Terms keep the printer's order.
    """
    lines: list[tuple[str, sp.Basic]] = []
    for operator, side in (("", relation.lhs), (RELATIONS[relation.func], relation.rhs)):
        chunks = _chunks(side, limit - 3)
        lines.append((operator, chunks[0]))
        lines.extend(("+", chunk) for chunk in chunks[1:])
    return lines


def _chunks(expression: sp.Basic, limit: int) -> list[sp.Basic]:
    """A sum in pieces no wider than the limit; a single wide term, or what is not a sum, stays whole."""
    if not isinstance(expression, sp.Add | sp.MatAdd) or width(expression) <= limit:
        return [expression]
    chunks: list[list[sp.Basic]] = [[]]
    for term in ordered_terms(expression) if isinstance(expression, sp.Add) else expression.args:
        if chunks[-1] and width(expression.func(*chunks[-1], term)) > limit:
            chunks.append([])
        chunks[-1].append(term)
    return [expression.func(*chunk) for chunk in chunks]
