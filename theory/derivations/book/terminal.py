"""Writes a page for a terminal: unicode text, formulas in two dimensions."""

from __future__ import annotations

import re
import textwrap

from theory.derivations.book.layout import (
    Block,
    Citations,
    Formula,
    Heading,
    Items,
    Names,
    NumberedStep,
    Paragraph,
    Results,
    page_blocks,
)
from theory.derivations.book.mathematics import broken
from theory.derivations.engine.page import Derivation
from theory.derivations.engine.printers import baseline, pretty, width

__all__ = ["plain", "terminal_page"]

COLUMNS = 96
UNICODE = {
    r"\beta": "β", r"\sigma": "σ", r"\tau": "τ", r"\lambda": "λ", r"\Lambda": "Λ", r"\Gamma": "Γ", r"\gamma": "γ",
    r"\mu": "μ", r"\theta": "θ", r"\pi": "π", r"\Pi": "Π", r"\alpha": "α", r"\nu": "ν", r"\kappa": "κ",
    r"\Sigma": "Σ", r"\log\det": "log det", r"\infty": "∞", r"\ge": "≥", r"\le": "≤", r"\ne": "≠",
    r"\to": "→", r"\phi": "φ", r"\psi": "ψ", r"\rho": "ρ", r"\eta": "η", r"\xi": "ξ", r"\zeta": "ζ", r"\Psi": "Ψ",
    r"\Omega": "Ω", r"\Theta": "Θ", r"\Xi": "Ξ", r"\Delta": "Δ", r"\Phi": "Φ",
    r"\in": "∈", r"\sim": "~", r"\propto": "∝", r"\circ": "∘", r"\cdot": "·", r"\dots": "…", r"\sum": "Σ",
    r"\epsilon": "ε", r"\int": "∫", r"\log": "log", r"\det": "det", r"\sin": "sin", r"\cos": "cos", r"\mathbf{R}": "ℝ",
    r"\mathrm{E}": "E", r"\omega": "ω", r"\delta": "δ", r"\ell": "ℓ", r"\sqrt": "√", r"\partial": "∂",
    r"\times": "×", r"\quad": "  ", r"\max": "max", r"\min": "min", r"\pm": "±", r"\chi": "χ", r"\prod": "Π",
}  # fmt: skip
RAISED = str.maketrans("0123456789+-T*", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ᵀ*")
LOWERED = str.maketrans("0123456789ij", "₀₁₂₃₄₅₆₇₈₉ᵢⱼ")


def terminal_page(page: Derivation, columns: int = COLUMNS) -> str:
    """A page for the terminal, in unicode."""
    return "\n\n".join(_block(block, columns) for block in page_blocks(page)) + "\n"


def plain(sentence: str) -> str:
    """A sentence whose mathematics is unicode text."""
    return re.sub(r"\$([^$]*)\$", lambda match: _plain_formula(match.group(1)), sentence).replace("`", "")


def _block(block: Block, columns: int, indent: str = "") -> str:
    match block:
        case Heading(name, title, chapter):
            return f"{title}\n{'=' * len(title)}\n\n{name}   chapter: {chapter}"
        case Paragraph(text, ""):
            return _wrapped(text, columns, indent)
        case Paragraph(text, lead):
            return f"{lead}\n{_wrapped(text, columns, '  ')}"
        case Items(lead, items):
            return "\n".join([lead, *(_wrapped(item, columns, "  - ") for item in items)])
        case Formula(relation):
            return _relation(relation, columns, indent + "  ")
        case NumberedStep(number, title, is_result, blocks):
            mark = "   [result]" if is_result else ""
            inner = (_block(part, columns, "   ") for part in blocks)
            return "\n\n".join([f"{number}. {title}{mark}", *inner])
        case Results(numbers):
            return f"Result: step{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"
        case Names(lead, "page", names):
            return f"{lead}: {', '.join(names)}"
        case Names(lead, "function", names):
            return "\n".join([lead, *(f"  {name}" for name in names)])
        case Names(lead, "figure", names):
            return "\n".join([lead, *(f"  python -m figures --only {name}" for name in names)])
        case Citations(lead, citations):
            works = (f"{citation.work} Here: {citation.relation}." for citation in citations)
            return "\n".join([lead, *(_wrapped(work, columns, "  - ") for work in works)])
    raise TypeError(f"the terminal writer has no text for the block {block!r}")


def _relation(relation, limit: int, indent: str) -> str:
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


def _wrapped(sentence: str, columns: int, bullet: str = "") -> str:
    return textwrap.fill(
        plain(sentence), columns, initial_indent=bullet, subsequent_indent=" " * len(bullet), break_long_words=False
    )


def _plain_formula(formula: str) -> str:
    formula = re.sub(r"\\sqrt\{([^{}]*)\}", lambda match: rf"\sqrt{_in_brackets(match.group(1))}", formula)
    for word in sorted(UNICODE, key=len, reverse=True):
        formula = re.sub(re.escape(word) + ("" if word.endswith("}") else r"(?![A-Za-z])"), UNICODE[word], formula)
    formula = re.sub(
        r"\^\{([^{}]*)\}|\^(\S)", lambda match: _script(match.group(1) or match.group(2), RAISED, "^"), formula
    )
    formula = re.sub(
        r"_\{([^{}]*)\}|_(\S)", lambda match: _script(match.group(1) or match.group(2), LOWERED, "_"), formula
    )
    return re.sub(r"\b(log|det)(?=[^\W\d])", r"\1 ", formula)


def _script(text: str, table: dict, mark: str) -> str:
    if all(ord(character) in table for character in text):
        return text.translate(table)
    return f"{mark}({text})" if mark == "^" and len(text) > 1 else f"{mark}{_in_brackets(text)}"


def _in_brackets(text: str) -> str:
    """What is more than a name or a number, in brackets."""
    return text if text.isalnum() else f"({text})"
