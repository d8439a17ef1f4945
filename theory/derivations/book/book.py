"""The derivation book as one LaTeX document (article and amsmath, nothing else) and one Markdown file.

Both are written from the same pages in the same order and hold no dates: the same bytes on every run.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from theory.derivations.book.terminal import broken, opening
from theory.derivations.engine.notation import NOTATION, REFERENCES
from theory.derivations.engine.page import Derivation, Step
from theory.derivations.engine.printers import latex, width
from theory.derivations.registry import CHAPTERS, chapter_of

__all__ = ["latex_book", "latex_page", "markdown_book", "markdown_page"]

TITLE = "The linear-Gaussian beta-VAE: a book of checked derivations"
ABOUT = (
    "Each page derives a result that the package `theory` computes. Every numbered relation has been checked by a "
    "computer algebra system in three ways: exactly, at random rational points, and by wrong formulas that it must "
    "refuse. What is proved for every size and what for given sizes stands at the head of each page. Repeat the "
    "checks with `python -m theory derive --check`."
)
LINE = 88  # characters of the two-dimensional text form that fit on a line of the book
NARROW = 10  # a left side of so many characters is not put on a line of its own

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
    parts = [
        PREAMBLE,
        rf"\title{{{_latex_text(TITLE)}}}",
        r"\author{}",
        r"\date{}",
        r"\begin{document}",
        r"\maketitle",
        _latex_text(ABOUT),
        r"\tableofcontents",
        r"\section*{Notation}",
        r"\begin{tabular}{ll}",
        *(rf"${symbol}$ & {_latex_text(meaning)} \\" for symbol, meaning in NOTATION),
        r"\end{tabular}",
    ]
    for chapter, heading in CHAPTERS.items():
        chosen = [page for page in pages if chapter_of(page) == chapter]
        if chosen:
            parts.append(rf"\clearpage\section{{{_latex_text(heading)}}}")
            parts.extend(_latex_section(page, {other.name for other in pages}) for page in chosen)
    parts.append(r"\begin{thebibliography}{9}")
    cited = {source.key for page in pages for source in page.sources}
    parts.extend(rf"\bibitem{{{key}}} {_latex_text(work)}" for key, work in REFERENCES.items() if key in cited)
    parts.extend([r"\end{thebibliography}", r"\end{document}"])
    return "\n".join(parts) + "\n"


def latex_page(page: Derivation) -> str:
    """One page as a LaTeX document of its own."""
    works = [rf"\bibitem{{{source.key}}} {_latex_text(REFERENCES[source.key])}" for source in page.sources]
    bibliography = [r"\begin{thebibliography}{9}", *works, r"\end{thebibliography}"] if works else []
    return "\n".join(
        [PREAMBLE + r"\begin{document}", _latex_section(page, {page.name}), *bibliography, r"\end{document}", ""]
    )


def markdown_book(pages: Sequence[Derivation]) -> str:
    """The whole book as Markdown, with mathematics between dollar signs."""
    parts = [f"# {TITLE}", ABOUT, "## Contents"]
    contents, body = [], []
    for chapter, heading in CHAPTERS.items():
        chosen = [page for page in pages if chapter_of(page) == chapter]
        if chosen:
            contents.append(f"- {heading}")
            contents.extend(f"  - [{page.title}](#{page.name})" for page in chosen)
            body.append(f"# {heading}")
            body.extend(markdown_page(page, {other.name for other in pages}) for page in chosen)
    rows = [f"| ${_table_cell(symbol)}$ | {_markdown_text(_table_cell(meaning))} |" for symbol, meaning in NOTATION]
    cited = {source.key for page in pages for source in page.sources}
    works = [f'- <a id="{key}"></a>{work}' for key, work in REFERENCES.items() if key in cited]
    parts += ["\n".join(contents), "## Notation", "\n".join(["| symbol | meaning |", "|---|---|", *rows])]
    return "\n\n".join([*parts, *body, "## Sources", "\n".join(works)]) + "\n"


def markdown_page(page: Derivation, linked: set[str] | None = None) -> str:
    """One page as Markdown; `linked` names the pages of the same document, which can be linked to."""
    linked = linked or set()
    parts = [
        f'<a id="{page.name}"></a>\n\n## {page.title}',
        _markdown_text(page.statement),
        "**Assumptions.**\n\n" + "\n".join(f"- {_markdown_text(item)}" for item in page.assumptions),
        f"**What is checked.** {_markdown_text(page.scope)}",
    ]
    if page.builds_on:
        names = [f"[{name}](#{name})" if name in linked else name for name in page.builds_on]
        parts.append(f"**Builds on** {', '.join(names)}.")
    for number, step in enumerate(page.steps, 1):
        mark = " (result)" if step.title in page.results else ""
        parts.append(f"**{number}. {_markdown_text(step.title)}**{mark}")
        for position, let in enumerate(step.let):
            parts.extend([_markdown_text(opening(let, position)), f"$$\n{_display(let.shown)}\n$$"])
        parts.extend([f"$$\n{_display(step.relation)}\n$$", _markdown_text(step.reason)])
    parts.append("**Computed by** " + ", ".join(f"`{name}`" for name in page.implements) + ".")
    if page.figures:
        parts.append("**Seen in the figures** " + ", ".join(f"`{name}`" for name in page.figures) + ".")
    if page.sources:
        if linked:
            works = [f"[{source.key}](#{source.key}): {_markdown_text(source.relation)}" for source in page.sources]
        else:
            works = [f"{REFERENCES[source.key]} Here: {_markdown_text(source.relation)}" for source in page.sources]
        parts.append("**Sources**\n\n" + "\n".join(f"- {work}." for work in works))
    return "\n\n".join(parts)


def _latex_section(page: Derivation, linked: set[str]) -> str:
    parts = [
        rf"\subsection{{{_latex_text(page.title)}}}\label{{{page.name}}}",
        rf"\emph{{{_latex_text(page.statement)}}}",
        "",
        r"\textbf{Assumptions.}",
        r"\begin{itemize}\setlength{\itemsep}{0pt}",
        *(rf"\item {_latex_text(item)}" for item in page.assumptions),
        r"\end{itemize}",
        rf"\textbf{{What is checked.}} {_latex_text(page.scope)}",
        "",
    ]
    if page.builds_on:
        names = [
            rf"\texttt{{{name}}} (section~\ref{{{name}}})" if name in linked else rf"\texttt{{{name}}}"
            for name in page.builds_on
        ]
        parts += [rf"\textbf{{Builds on}} {', '.join(names)}.", ""]
    parts.extend(_latex_step(page, step, number) for number, step in enumerate(page.steps, 1))
    ending = [rf"{{\raggedright\textbf{{Computed by}} {', '.join(_code(name) for name in page.implements)}.\par}}"]
    if page.figures:
        ending.append(rf"\textbf{{Seen in the figures}} {', '.join(_code(name) for name in page.figures)}.")
    if page.sources:
        works = [rf"\cite{{{source.key}}} ({_latex_text(source.relation)})" for source in page.sources]
        ending.append(rf"\textbf{{Sources}} {'; '.join(works)}.")
    return "\n".join([*parts, r"\medskip", "\n\n".join(ending), ""])


def _latex_step(page: Derivation, step: Step, number: int) -> str:
    mark = r" \emph{(result)}" if step.title in page.results else ""
    parts = [rf"\medskip\textbf{{{number}. {_latex_text(step.title)}}}{mark}\nopagebreak", ""]
    for position, let in enumerate(step.let):
        parts.extend([_latex_text(opening(let, position)), rf"\[{_display(let.shown)}\]"])
    parts.extend([rf"\[{_display(step.relation)}\]", _latex_text(step.reason), ""])
    return "\n".join(parts)


def _display(relation) -> str:
    """A relation as displayed LaTeX, broken into aligned lines where it is too wide."""
    operators = {"≥": r"\ge", "≤": r"\le"}
    if width(relation) <= LINE:
        return latex(relation)
    lines = broken(relation, LINE - NARROW)
    rows = [latex(lines[0][1])]
    for operator, expression in lines[1:]:
        written = latex(expression)
        if operator == "+":
            rows.append(rf"\quad {written}" if written.startswith("-") else rf"\quad + {written}")
        else:
            rows.append(rf"{operators.get(operator, operator)} {written}")
    if width(lines[0][1]) <= NARROW:  # a short left side shares its line
        rows[:2] = [" ".join(rows[:2])]
    if len(rows) == 1:
        return rows[0]
    inner = " \\\\\n".join(f"&{row}" for row in rows)
    return f"\\begin{{aligned}}\n{inner}\n\\end{{aligned}}"


def _formulas(sentence: str, formula, words) -> str:
    pieces = re.split(r"(\$[^$]*\$|`[^`]*`)", sentence)
    return "".join(formula(piece) if piece[:1] in ("$", "`") else words(piece) for piece in pieces)


def _latex_text(sentence: str) -> str:
    return _formulas(sentence, _latex_formula, lambda words: re.sub(r"([%#&_{}])", r"\\\1", words))


def _latex_formula(piece: str) -> str:
    return _code(piece[1:-1]) if piece[0] == "`" else _upright(piece)


def _code(name: str) -> str:
    return rf"\texttt{{{name}}}".replace("_", r"\_\allowbreak{}").replace(".", r".\allowbreak{}")


def _markdown_text(sentence: str) -> str:
    return _formulas(sentence, lambda piece: piece if piece[0] == "`" else _upright(piece), str)


def _upright(formula: str) -> str:
    """Names of more than one letter upright; the bars of a divergence without the commands that Markdown swallows."""
    formula = re.sub(r"(?<![\\A-Za-z{])(KL|tr|gap|diag|TC|MSE|Bayes)(?![A-Za-z])", r"\\mathrm{\1}", formula)
    return formula.replace("||", r"\Vert ")


def _table_cell(text: str) -> str:
    return text.replace("|", r"\mid ")
