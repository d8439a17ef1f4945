"""The one walk over a page, and over the whole book, that every form of output is written from.

`page_blocks` yields the blocks of a page in reading order and holds all words that the forms share. A writer
(`terminal`, `markdown`, `latex`) turns each kind of block into text; another form is one more such module. Sentences
carry mathematics between dollar signs and code between backticks (see `mathematics`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import sympy as sp

from theory.derivations.engine.assumptions import page_assumptions, step_conditions
from theory.derivations.engine.check import wrong_formulas
from theory.derivations.engine.notation import NOTATION, REFERENCES
from theory.derivations.engine.page import Claim, Derivation, Let, Status, Step, Use
from theory.derivations.engine.printers import inline, latex
from theory.derivations.registry import chapter_of
from theory.results import ROOMS, named_by_results

__all__ = [
    "Block",
    "Book",
    "Chapter",
    "Citation",
    "Citations",
    "Formula",
    "Heading",
    "Items",
    "Names",
    "NumberedStep",
    "Paragraph",
    "Refused",
    "Results",
    "book_layout",
    "chapters",
    "citations",
    "page_blocks",
]

TITLE = "The linear-Gaussian beta-VAE: a book of checked derivations"
ABOUT = (
    "Each page derives a result that the package `theory` computes. After each sentence of a statement stands what "
    "proves it: steps, steps at given sizes, a citation, or an argument in words. Every numbered relation has been "
    "checked by a computer algebra system in three ways: exactly, at rational points where derivatives, integrals and "
    "limits are computed by numbers alone, and by wrong formulas that it must refuse. The checks assume of the symbols "
    "what the head of a page says, and of a step the conditions after its formula; a step without sizes holds for all. "
    "Repeat them with `python -m theory derive --check`, which also compares formulas with the functions of `theory`."
)


@dataclass(frozen=True)
class Heading:
    """The title of a page, with the name by which others link to it and the heading of its chapter."""

    name: str
    title: str
    chapter: str


@dataclass(frozen=True)
class Paragraph:
    """A sentence or more, after a bold lead unless that is empty."""

    text: str
    lead: str = ""


@dataclass(frozen=True)
class Items:
    """A list of sentences under a bold lead."""

    lead: str
    items: tuple[str, ...]


@dataclass(frozen=True)
class Formula:
    """A displayed relation."""

    relation: sp.Basic


@dataclass(frozen=True)
class Refused:
    """The most telling of the wrong formulas that the checks of a step refuse, what is wrong in it, their number."""

    relation: sp.Basic
    description: str
    count: int


@dataclass(frozen=True)
class NumberedStep:
    """One step of the derivation; its blocks are paragraphs and formulas."""

    number: int
    title: str
    is_result: bool
    blocks: tuple[Paragraph | Formula, ...]
    refused: Refused | None


@dataclass(frozen=True)
class Results:
    """The numbers of the steps that are results, for forms in which the mark at the step is easily missed."""

    numbers: tuple[int, ...]


@dataclass(frozen=True)
class Names:
    """Names of pages, functions or figures after a bold lead."""

    lead: str
    kind: Literal["page", "function", "figure"]
    names: tuple[str, ...]


@dataclass(frozen=True)
class Citation:
    """A work that a page refers to, and how the page relates to it."""

    key: str
    work: str
    relation: str


@dataclass(frozen=True)
class Citations:
    """The works that a page refers to, under a bold lead."""

    lead: str
    citations: tuple[Citation, ...]


Block = Heading | Paragraph | Items | Formula | NumberedStep | Results | Names | Citations


@dataclass(frozen=True)
class Chapter:
    """The pages of one folder, under its heading."""

    name: str
    heading: str
    pages: tuple[Derivation, ...]


@dataclass(frozen=True)
class Book:
    """The whole book: what it is, its notation, its chapters, and the works that it refers to."""

    title: str
    about: str
    notation: tuple[tuple[str, str], ...]
    chapters: tuple[Chapter, ...]
    works: tuple[tuple[str, str], ...]

    @property
    def page_names(self) -> frozenset[str]:
        return frozenset(page.name for chapter in self.chapters for page in chapter.pages)


def page_blocks(page: Derivation) -> Iterator[Block]:
    """The blocks of a page in reading order."""
    yield Heading(page.name, page.title, ROOMS[chapter_of(page)])
    yield Items("Statement", tuple(f"{claim.text} [{_support(page, claim)}]" for claim in page.statement))
    yield Items("Assumptions", page.assumptions)
    yield Items("What the checks assume", page_assumptions(page))
    yield Paragraph(page.scope, lead="What is checked")
    if page.builds_on:
        yield Names("Builds on", "page", page.builds_on)
    steps = [_numbered_step(page, step, number) for number, step in enumerate(page.steps, 1)]
    yield from steps
    yield Results(tuple(step.number for step in steps if step.is_result))
    if functions := named_by_results(page.name, "functions"):
        yield Names("Computed by", "function", functions)
    if figures := named_by_results(page.name, "figures"):
        yield Names("Seen in the figures", "figure", figures)
    if page.sources:
        yield Citations("Sources", citations(page))


def _support(page: Derivation, claim: Claim) -> str:
    """What proves a sentence of a statement, in a few words."""
    steps = _named_steps(page, claim.by)
    match page.status(claim):
        case Status.PROVED:
            return steps
        case Status.CHECKED:
            return f"{steps}, at the sizes given there"
        case Status.CITED:
            return "cited" + (f", and {steps}" if steps else "")
    return "argued" + (f" from {steps}" if steps else "")


def _named_steps(page: Derivation, names: Sequence[str]) -> str:
    """Steps by their numbers, those of other pages after the names of their pages."""
    numbers: dict[str, list[int]] = {}
    for name in names:
        other, step = page.fact(name)
        numbers.setdefault(other.name, []).append(other.steps.index(step) + 1)
    return "; ".join(
        f"{'' if name == page.name else f'`{name}`, '}{'steps' if len(of_page) > 1 else 'step'} "
        f"{', '.join(map(str, of_page))}"
        for name, of_page in numbers.items()
    )


def citations(page: Derivation) -> tuple[Citation, ...]:
    """The works that a page refers to, in its order."""
    return tuple(Citation(source.key, REFERENCES[source.key], source.relation) for source in page.sources)


def chapters(pages: Sequence[Derivation]) -> tuple[Chapter, ...]:
    """The pages by chapter, in the order of the book; chapters without a page are left out."""
    grouped = (
        Chapter(name, heading, tuple(page for page in pages if chapter_of(page) == name))
        for name, heading in ROOMS.items()
    )
    return tuple(chapter for chapter in grouped if chapter.pages)


def book_layout(pages: Sequence[Derivation]) -> Book:
    """The whole book of the given pages."""
    cited = {source.key for page in pages for source in page.sources}
    works = tuple((key, work) for key, work in REFERENCES.items() if key in cited)
    return Book(TITLE, ABOUT, NOTATION, chapters(pages), works)


def _numbered_step(page: Derivation, step: Step, number: int) -> NumberedStep:
    blocks: list[Paragraph | Formula] = []
    for position, let in enumerate(step.let):
        blocks += [Paragraph(_opening(let, position)), Formula(let.shown)]
    blocks.append(Formula(step.relation))
    if conditions := step_conditions(step):
        blocks.append(Paragraph(f"for {', '.join(conditions)}."))
    if step.least_at is not None:
        blocks.append(Paragraph(_least(page, step)))
    if step.uses:
        blocks.append(Paragraph(f"Uses {', and '.join(_use(page, use) for use in step.uses)}."))
    blocks.append(Paragraph(step.reason))
    return NumberedStep(number, step.title, step.title in page.results, tuple(blocks), _refused(page, step))


def _refused(page: Derivation, step: Step) -> Refused | None:
    wrong = wrong_formulas(page, step)
    if not wrong:  # the checks of such a step fail
        return None
    description, relation = wrong[-1]
    return Refused(relation, description, len(wrong))


def _least(page: Derivation, step: Step) -> str:
    """Why a difference is least at a place, and positive elsewhere, or there, too."""
    symbol, place = map(sp.sympify, step.least_at)
    elsewhere = any(isinstance(one, sp.Ne) and {one.lhs, one.rhs} == {symbol, place} for one in page.conditions(step))
    convex = "strictly convex" if elsewhere else "convex"
    positive = ", where it is positive" if isinstance(step.relation, sp.Gt) and not elsewhere else ""
    where = f"${latex(symbol)} = {latex(place)}$"
    return f"The difference of the sides is {convex} in ${latex(symbol)}$ and stationary at {where}{positive}."


def _use(page: Derivation, use: Use) -> str:
    """An earlier relation, and what stands for its symbols."""
    values = ", ".join(f"${inline(symbol)} = {inline(value)}$" for symbol, value in use.put.items() if value != symbol)
    match use.over:
        case None:
            summed = ""
        case sp.Symbol():
            summed = f", integrated over ${latex(use.over)}$"
        case index, first, last:
            summed = f", summed over ${latex(index)}$ from ${latex(sp.sympify(first))}$ to ${latex(last)}$"
    times = "" if use.times == 1 else f", times ${inline(use.times)}$"
    return f"{_named_steps(page, (use.step,))}{f' with {values}' if values else ''}{times}{summed}"


def _opening(let: Let, position: int) -> str:
    """The words before an abbreviation: the first of a step begins a sentence, the next ones continue it."""
    word = "Assume" if let.hypothesis else "Write"
    return f"{'and ' + word.lower() if position else word}, for {let.meaning},"
