"""What a figure's caption lacks beside what the figure draws."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.legend import Legend

from figures.kit.caption import caption_of
from tests.figures.helpers import axes_of

FEWEST, MOST = 80, 180  # words; mathematics between dollar signs is one
MATHEMATICS = re.compile(r"\$([^$]*)\$")
LETTER = re.compile(r"\\bf\{(\w)\}")  # of a panel, in its title
COMMON = {"there", "axis", "starts", "above", "below"}  # words of labels that need no explanation
NO_SYMBOLS = {r"\log", r"\to", r"\infty", r"\sqrt", r"\mathrm"}


def faults_of_caption(module, table) -> list[str]:
    """What the caption lacks or has wrong, in words: panels, words and symbols of the picture, fields, length."""
    try:
        caption = caption_of(module, table)
    except (LookupError, ValueError, TypeError) as error:
        return [f"a field that the parameters of the table do not fill: {error!r}"]
    faults = []
    if caption.count("$") % 2:
        faults.append("an odd number of dollar signs")
    plain = MATHEMATICS.sub("x", caption)
    if not FEWEST <= (count := len(plain.split())) <= MOST:
        faults.append(f"{count} words, not {FEWEST} to {MOST}")
    axes = axes_of(module)
    module.plot(table, axes)
    titles = [ax.get_title(loc="left") for ax in np.ravel(axes)]
    letters = [letter for title in titles for letter in LETTER.findall(title)]
    faults += [f"the panel ({letter})" for letter in letters if f"({letter})" not in plain]
    faults += [f"a panel ({letter})" for letter in re.findall(r"\(([a-z])\)", plain) if letter not in letters]
    texts = [text for ax in np.ravel(axes) for text in _texts(ax)]
    texts += [text.get_text() for legend in np.ravel(axes)[0].figure.legends for text in legend.get_texts()]
    words = {word for text in texts for word in re.findall(r"[a-z]{4,}", MATHEMATICS.sub("", text).lower())} - COMMON
    faults += [
        f"the word {word!r} of the picture" for word in sorted(words) if word.removesuffix("s") not in plain.lower()
    ]
    missing = _symbols([*texts, *titles]) - _symbols([caption])
    return faults + [f"the symbol {symbol} of the picture" for symbol in sorted(missing)]


def _texts(ax: Axes) -> list[str]:
    """The labels of a panel, of its legends, and what is written into it."""
    legends = [child for child in ax.get_children() if isinstance(child, Legend)]
    written = [*ax.texts, *(text for legend in legends for text in legend.get_texts())]
    return [ax.get_xlabel(), ax.get_ylabel(), *(text.get_text() for text in written)]


def _symbols(texts: Iterable[str]) -> set[str]:
    """The letters and commands in the mathematics of some texts, without the letters of panels."""
    inside = " ".join(part for text in texts for part in MATHEMATICS.findall(LETTER.sub("", text)))
    return set(re.findall(r"\\[a-z]+|[A-Za-z]", inside)) - NO_SYMBOLS
