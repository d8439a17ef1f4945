"""The text beside a picture: the caption of a figure, the command that draws it, and what it stands for.

A figure's `CAPTION` is plain text in paragraphs, with mathematics between dollar signs and the numbers that options
change as fields of `str.format`, filled in from the parameters of its table: `{draws:,}`, `{noise_variance:.3g}`.
"""

from __future__ import annotations

import argparse
import shlex
import string
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

import numpy as np

from figures.kit.table import Table

__all__ = ["caption_of", "caption_page", "shown_command"]

FILES = ("data", "runs")  # options whose files are shown without their folder, so that the page is the same anywhere


def caption_of(module: ModuleType, table: Table) -> str:
    """The caption of a figure module with the numbers of a table, a line for each paragraph.

    Raises
    ------
    KeyError
        for a field that is no parameter of the table.
    """
    paragraphs = module.CAPTION.strip().split("\n\n")
    filled = (_Numbers().vformat(" ".join(text.split()), (), table.parameters) for text in paragraphs)
    return "\n\n".join(filled)


def caption_page(name: str, module: ModuleType, table: Table, command: str, stands_for: str) -> str:
    """The page NAME.md: title, caption, the command that draws the figure, and the figure or paper it stands for."""
    return f"# {name}\n\n{caption_of(module, table)}\n\nDrawn by: `{command}`\n\nStands for: {stands_for}\n"


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
