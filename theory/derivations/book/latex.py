"""Writes a page, or the whole book, as a LaTeX document (article and amsmath, nothing else).

The text holds no dates: the same bytes on every run.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

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
    book_layout,
    citations,
    page_blocks,
)
from theory.derivations.book.mathematics import displayed, map_pieces, upright
from theory.derivations.engine.page import Derivation

__all__ = ["latex_book", "latex_page"]

PREAMBLE = r"""\documentclass[11pt,a4paper]{article}
\usepackage{amsmath}
\setlength{\textwidth}{165mm}
\setlength{\oddsidemargin}{-3mm}
\setlength{\textheight}{235mm}
\setlength{\topmargin}{-12mm}
\setlength{\parindent}{0pt}
\setlength{\parskip}{4pt plus 2pt}
\setlength{\emergencystretch}{3em}
\renewcommand{\labelitemi}{$\bullet$}
\allowdisplaybreaks
"""


def latex_book(pages: Sequence[Derivation]) -> str:
    """The whole book as a LaTeX document."""
    book = book_layout(pages)
    parts = [
        PREAMBLE,
        rf"\title{{{_text(book.title)}}}",
        r"\author{}",
        r"\date{}",
        r"\begin{document}",
        r"\maketitle",
        _text(book.about),
        r"\tableofcontents",
        r"\section*{Notation}",
        r"\begin{tabular}{ll}",
        *(rf"${symbol}$ & {_text(meaning)} \\" for symbol, meaning in book.notation),
        r"\end{tabular}",
    ]
    for chapter in book.chapters:
        parts.append(rf"\clearpage\section{{{_text(chapter.heading)}}}")
        parts.extend(_section(page, book.page_names) for page in chapter.pages)
    parts += [*_bibliography(book.works), r"\end{document}"]
    return "\n".join(parts) + "\n"


def latex_page(page: Derivation) -> str:
    """One page as a LaTeX document of its own."""
    works = [(citation.key, citation.work) for citation in citations(page)]
    bibliography = _bibliography(works) if works else []
    parts = [PREAMBLE + r"\begin{document}", _section(page, {page.name}), *bibliography, r"\end{document}"]
    return "\n".join(parts) + "\n"


def _bibliography(works: Iterable[tuple[str, str]]) -> list[str]:
    items = [rf"\bibitem{{{key}}} {_text(work)}" for key, work in works]
    return [r"\begin{thebibliography}{9}", *items, r"\end{thebibliography}"]


def _section(page: Derivation, linked: Collection[str]) -> str:
    """A page as a subsection; `linked` names the pages of the same document, whose sections can be referred to."""
    written = (_block(block, linked) for block in page_blocks(page))
    return "\n".join(part for part in written if part is not None) + "\n"


def _block(block: Block, linked: Collection[str]) -> str | None:
    """One block, or None if this form leaves it out. A paragraph ends with an empty line."""
    match block:
        case Heading(name, title):
            return rf"\subsection{{{_text(title)}}}\label{{{name}}}"
        case Paragraph(text, lead):
            return (rf"\textbf{{{lead}.}} " if lead else "") + _text(text) + "\n"
        case Items(lead, items):
            listed = [rf"\item {_text(item)}" for item in items]
            begin = r"\begin{itemize}\setlength{\itemsep}{0pt}"
            return "\n".join([rf"\textbf{{{lead}.}}", begin, *listed, r"\end{itemize}"])
        case Formula(relation):
            return rf"\[{displayed(relation)}\]"
        case NumberedStep():
            return _step(block)
        case Results():  # each step carries its mark
            return None
        case Names():
            return _names(block, linked)
        case Citations(lead, cited):
            works = [rf"\cite{{{citation.key}}} ({_text(citation.relation)})" for citation in cited]
            return "\n" + rf"\textbf{{{lead}}} {'; '.join(works)}."
    raise TypeError(f"the LaTeX writer has no text for the block {block!r}")


def _step(step: NumberedStep) -> str:
    mark = r" \emph{(result)}" if step.is_result else ""
    parts = [rf"\medskip\textbf{{{step.number}. {_text(step.title)}}}{mark}\nopagebreak", ""]
    for block in step.blocks:  # a formula follows its opening words without an empty line
        parts.append(_text(block.text) if isinstance(block, Paragraph) else rf"\[{displayed(block.relation)}\]")
    return "\n".join([*parts, ""])


def _names(block: Names, linked: Collection[str]) -> str:
    if block.kind == "page":
        names = [
            rf"\texttt{{{name}}}" + (rf" (section~\ref{{{name}}})" if name in linked else "") for name in block.names
        ]
        return rf"\textbf{{{block.lead}}} {', '.join(names)}." + "\n"
    sentence = rf"\textbf{{{block.lead}}} {', '.join(_code(name) for name in block.names)}."
    if block.kind == "function":  # dotted names are long: ragged lines, and the steps end here
        return r"\medskip" + "\n" + rf"{{\raggedright{sentence}\par}}"
    return "\n" + sentence


def _text(sentence: str) -> str:
    return map_pieces(sentence, words=lambda words: re.sub(r"([%#&_{}])", r"\\\1", words), formula=upright, code=_code)


def _code(name: str) -> str:
    return rf"\texttt{{{name}}}".replace("_", r"\_\allowbreak{}").replace(".", r".\allowbreak{}")
