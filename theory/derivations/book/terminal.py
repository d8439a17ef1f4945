"""How a page is put into words: mathematics inside sentences, relations broken into lines, the page for a terminal.

Sentences carry mathematics between dollar signs, in a small LaTeX. `plain` turns it into unicode; the book leaves it.
"""

from __future__ import annotations

import re
import textwrap

import sympy as sp

from theory.derivations.engine.page import Derivation, Let, Step
from theory.derivations.engine.printers import baseline, ordered_terms, pretty, width
from theory.derivations.registry import CHAPTERS, chapter_of

__all__ = ["broken", "opening", "page_text", "plain", "sources_of"]

COLUMNS = 96
RELATIONS = {sp.Eq: "=", sp.Ge: "≥", sp.Gt: ">", sp.Le: "≤", sp.Lt: "<"}
WORDS = {
    r"\beta": "β", r"\sigma": "σ", r"\tau": "τ", r"\lambda": "λ", r"\Lambda": "Λ", r"\Gamma": "Γ", r"\gamma": "γ",
    r"\mu": "μ", r"\theta": "θ", r"\pi": "π", r"\Pi": "Π", r"\alpha": "α", r"\nu": "ν", r"\kappa": "κ",
    r"\Sigma": "Σ", r"\log\det": "log det", r"\infty": "∞", r"\ge": "≥", r"\le": "≤", r"\ne": "≠", r"\to": "→",
    r"\in": "∈", r"\sim": "~", r"\propto": "∝", r"\circ": "∘", r"\cdot": "·", r"\dots": "…", r"\sum": "Σ",
    r"\int": "∫", r"\log": "log", r"\det": "det", r"\sin": "sin", r"\cos": "cos", r"\mathbf{R}": "ℝ",
    r"\mathrm{E}": "E", r"\omega": "ω", r"\delta": "δ", r"\ell": "ℓ", r"\sqrt": "√", r"\partial": "∂",
    r"\times": "×", r"\quad": "  ", r"\max": "max", r"\min": "min", r"\pm": "±", r"\chi": "χ", r"\prod": "Π",
}  # fmt: skip
RAISED = str.maketrans("0123456789+-T*", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ᵀ*")
LOWERED = str.maketrans("0123456789ij", "₀₁₂₃₄₅₆₇₈₉ᵢⱼ")


def plain(sentence: str) -> str:
    """A sentence whose mathematics is unicode text."""
    return re.sub(r"\$([^$]*)\$", lambda found: _plain_formula(found.group(1)), sentence).replace("`", "")


def broken(relation, limit: int) -> list[tuple[str, sp.Basic]]:
    """A relation in lines that fit: (operator, expression) pairs, the first with no operator.

    A line is broken after the left side, then between the terms of a sum. Terms keep the printer's order.
    """
    left, right = relation.lhs, relation.rhs
    lines: list[tuple[str, sp.Basic]] = []
    for operator, side in (("", left), (RELATIONS[relation.func], right)):
        chunks = _chunks(side, limit - 3)
        lines.append((operator, chunks[0]))
        lines.extend(("+", chunk) for chunk in chunks[1:])
    return lines


def page_text(page: Derivation, columns: int = COLUMNS) -> str:
    """A page for the terminal, in unicode."""
    heading = page.title
    blocks = [
        f"{heading}\n{'=' * len(heading)}",
        f"{page.name}   chapter: {CHAPTERS[chapter_of(page)]}",
        _wrapped(page.statement, columns),
        "Assumptions\n" + "\n".join(_wrapped(item, columns, "  - ") for item in page.assumptions),
        "What is checked\n" + _wrapped(page.scope, columns, "  "),
    ]
    if page.builds_on:
        blocks.append(f"Builds on: {', '.join(page.builds_on)}")
    for number, step in enumerate(page.steps, 1):
        blocks.append(_step_text(page, step, number, columns))
    numbers = [str(number) for number, step in enumerate(page.steps, 1) if step.title in page.results]
    blocks.append(f"Result: step{'s' if len(numbers) > 1 else ''} {', '.join(numbers)}")
    blocks.append("Computed by\n" + "\n".join(f"  {name}" for name in page.implements))
    if page.figures:
        commands = "\n".join(f"  python -m figures --only {name}" for name in page.figures)
        blocks.append(f"Seen in the figures\n{commands}")
    if page.sources:
        blocks.append("Sources\n" + "\n".join(_wrapped(item, columns, "  - ") for item in sources_of(page)))
    return "\n\n".join(blocks) + "\n"


def sources_of(page: Derivation) -> list[str]:
    """Each source of a page: the work, and how the page relates to it."""
    from theory.derivations.engine.notation import REFERENCES

    return [f"{REFERENCES[source.key]} Here: {source.relation}." for source in page.sources]


def _step_text(page: Derivation, step: Step, number: int, columns: int) -> str:
    mark = "   [result]" if step.title in page.results else ""
    lines = [f"{number}. {step.title}{mark}"]
    lines.extend(_let_text(let, position, columns) for position, let in enumerate(step.let))
    lines.append(_relation_text(step.relation, columns, "     "))
    lines.append(_wrapped(step.reason, columns, "   "))
    return "\n\n".join(lines)


def opening(let: Let, position: int) -> str:
    """The words before an abbreviation: the first of a step begins a sentence, the others continue it."""
    word = "Assume" if let.hypothesis else "Write"
    return f"{'and ' + word.lower() if position else word}, for {let.meaning},"


def _let_text(let: Let, position: int, columns: int) -> str:
    return f"{_wrapped(opening(let, position), columns, '   ')}\n\n{_relation_text(let.shown, columns, '     ')}"


def _relation_text(relation, limit: int, indent: str) -> str:
    if width(relation) + len(indent) <= limit:
        return textwrap.indent(pretty(relation), indent)
    lines = broken(relation, limit - len(indent))
    shown = []
    for operator, expression in lines:
        rows = pretty(expression).splitlines()
        middle = baseline(expression)
        lead = f"{operator} " if operator else ""
        shown.append(
            "\n".join(f"{indent}{lead if row == middle else ' ' * len(lead)}{text}" for row, text in enumerate(rows))
        )
    return "\n\n".join(shown)


def _chunks(expression: sp.Basic, limit: int) -> list[sp.Basic]:
    """A sum in pieces no wider than the limit; what is no sum, or a single wide term, stays whole."""
    if not isinstance(expression, sp.Add | sp.MatAdd) or width(expression) <= limit:
        return [expression]
    chunks: list[list[sp.Basic]] = [[]]
    for term in ordered_terms(expression) if isinstance(expression, sp.Add) else expression.args:
        if chunks[-1] and width(expression.func(*chunks[-1], term)) > limit:
            chunks.append([])
        chunks[-1].append(term)
    return [expression.func(*chunk) for chunk in chunks]


def _wrapped(sentence: str, columns: int, bullet: str = "") -> str:
    return textwrap.fill(
        plain(sentence), columns, initial_indent=bullet, subsequent_indent=" " * len(bullet), break_long_words=False
    )


def _plain_formula(formula: str) -> str:
    for word in sorted(WORDS, key=len, reverse=True):
        formula = re.sub(re.escape(word) + ("" if word.endswith("}") else r"(?![A-Za-z])"), WORDS[word], formula)
    formula = re.sub(
        r"\^\{([^{}]*)\}|\^(\S)", lambda found: _script(found.group(1) or found.group(2), RAISED, "^"), formula
    )
    formula = re.sub(
        r"_\{([^{}]*)\}|_(\S)", lambda found: _script(found.group(1) or found.group(2), LOWERED, "_"), formula
    )
    return re.sub(r"\b(log|det)(?=[^\W\d])", r"\1 ", formula)


def _script(text: str, table: dict, mark: str) -> str:
    if all(ord(character) in table for character in text):
        return text.translate(table)
    return f"{mark}{text}" if len(text) == 1 or mark == "_" else f"{mark}({text})"
