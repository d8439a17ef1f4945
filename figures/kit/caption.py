"""The text beside a picture: the caption of a figure, the command that draws it, and what it stands for.

A figure's `CAPTION` is plain text in paragraphs, with mathematics between dollar signs and the numbers that options
change as fields of `str.format`, filled in from the parameters of its table: `{draws:,}`, `{noise_variance:.3g}`.

A panel that is drawn alone has a part of it. A paragraph without letters of panels, such as the message at the start
and the setting at the end, belongs to every panel. Another paragraph is cut at its letters, `(a)`, `(b), (c)` or `(b)
to (d)`, each at the start of a clause: the clauses up to the next letters are of these panels, and what is before the
first letters belongs to every panel of the paragraph.
"""

from __future__ import annotations

import argparse
import re
import shlex
import string
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

import numpy as np

from figures.kit.table import Table

__all__ = ["caption_of", "caption_page", "shown_command"]

LETTERS_OF_CLAUSE = re.compile(r"(?:^|(?<=[.:;] ))(\(\w\)(?:(?:, | to )\(\w\))*) ")
FILES = ("data", "runs")  # options whose files are shown without their folder, so that the page is the same anywhere


def caption_of(module: ModuleType, table: Table, panel: str | None = None) -> str:
    """The caption of a figure module, or of a panel alone, with the numbers of a table, a line for each paragraph.

    Raises
    ------
    KeyError
        for a field that is no parameter of the table.
    """
    paragraphs = [" ".join(text.split()) for text in module.CAPTION.strip().split("\n\n")]
    if panel is not None:
        paragraphs = [part for text in paragraphs if (part := _part_of(panel, text))]
    return "\n\n".join(_Numbers().vformat(text, (), table.parameters) for text in paragraphs)


def caption_page(name: str, caption: str, command: str, stands_for: str) -> str:
    """The page NAME.md: title, caption, the command that draws the figure, and the figure or paper it stands for."""
    return f"# {name}\n\n{caption}\n\nDrawn by: `{command}`\n\nStands for: {stands_for}\n"


def _part_of(panel: str, paragraph: str) -> str:
    """What a paragraph says of a panel, without letters; empty if it is about other panels."""
    lead, *pieces = LETTERS_OF_CLAUSE.split(paragraph)
    if not pieces:
        return paragraph
    clauses = [
        text.strip() for letters, text in zip(pieces[::2], pieces[1::2], strict=True) if panel in _named(letters)
    ]
    if not clauses:
        return ""
    # Clauses that a semicolon separated from those of another panel are sentences of their own.
    sentences = [f"{text.rstrip('.;')}." for text in clauses]
    within = lead.rstrip().endswith(":")
    sentences = [text if within and not number else _capitalised(text) for number, text in enumerate(sentences)]
    return f"{lead}{' '.join(sentences)}"


def _named(letters: str) -> set[str]:
    """The panels that "(a)", "(a), (b)" or "(b) to (d)" name."""
    found = re.findall(r"\((\w)\)", letters)
    return {chr(code) for code in range(ord(found[0]), ord(found[-1]) + 1)} if " to " in letters else set(found)


def _capitalised(text: str) -> str:
    return text[0].upper() + text[1:]


def shown_command(start: str, arguments: argparse.Namespace, names: Iterable[str]) -> str:
    """A command line with those of the named options that were given."""
    words = [start]
    for name in names:
        value, option = getattr(arguments, name), name.replace("_", "-")
        if value is True:
            words.append(f"--{option}")
        elif value is False and name == "header":  # the only option that is on unless it is refused
            words.append(f"--no-{option}")
        elif value is not None and value is not False:
            text = Path(value).name if name in FILES else str(value)
            words.append(f"--{option} {shlex.quote(text)}")
    return " ".join(words)


class _Numbers(string.Formatter):
    """Numbers with few digits, and lists of numbers with commas; a format applies to each number of a list."""

    def format_field(self, value, format_spec: str) -> str:
        if isinstance(value, (list, tuple, np.ndarray)):
            return ", ".join(self.format_field(one, format_spec) for one in value)
        return super().format_field(value, format_spec or ("g" if isinstance(value, float) else ""))
