"""Writes a page of the book as a page of the web site: Markdown as MyST reads it, whose steps can be folded.

Names of pages, functions and figures are links, into the book, the API reference and the gallery of the same site. The
text holds no dates: the same bytes on every run.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from theory.derivations.book.layout import (
    Block,
    Citations,
    Formula,
    Heading,
    Items,
    Names,
    NumberedStep,
    Paragraph,
    Refused,
    Results,
    book_layout,
    page_blocks,
)
from theory.derivations.book.mathematics import displayed, map_pieces, table_cell, upright
from theory.derivations.engine.page import Derivation
from theory.derivations.registry import derivations

__all__ = ["web_contents", "web_page"]


def web_contents(pages: Sequence[Derivation]) -> str:
    """The first page of the book: what it is, its chapters, its notation and the works that it refers to."""
    book = book_layout(pages)
    parts = ["(book)=", f"# {book.title}", book.about]
    for chapter in book.chapters:
        names = [page.name for page in chapter.pages]
        parts += [f"## {chapter.heading}", "\n".join(["```{toctree}", ":maxdepth: 1", "", *names, "```"])]
    rows = [f"| ${table_cell(symbol)}$ | {_text(table_cell(meaning))} |" for symbol, meaning in book.notation]
    parts += ["## Notation", "\n".join(["| symbol | meaning |", "|---|---|", *rows])]
    works = [f"(work-{key})=\n\n- {_text(work)}" for key, work in book.works]
    return "\n\n".join([*parts, "## Sources", *works]) + "\n"


def web_page(page: Derivation) -> str:
    """One page."""
    return "\n\n".join(map(_block, page_blocks(page))) + "\n"


def _block(block: Block) -> str:
    match block:
        case Heading(name, title, chapter):
            return f"(page-{name})=\n\n# {title}\n\n*{chapter}* · `python -m theory derive {name}`"
        case Paragraph(text, lead):
            return (f"**{lead}.** " if lead else "") + _text(text)
        case Items("Statement", items):
            claims = "\n".join(f"- {_text(item)}" for item in items)
            return f":::{{admonition}} Statement\n:class: important\n\n{claims}\n:::"
        case Items(lead, items):
            return f"**{lead}.**\n\n" + "\n".join(f"- {_text(item)}" for item in items)
        case Formula(relation):
            return f"$$\n{displayed(relation)}\n$$"
        case NumberedStep():
            return _step(block)
        case Results(numbers):
            steps = ", ".join(map(str, numbers))
            return f"**Result.** Step{'s' if len(numbers) > 1 else ''} {steps}."
        case Names(lead, kind, names):
            return f"**{lead}** {', '.join(_link(kind, name) for name in names)}."
        case Citations(lead, citations):
            works = (f"- {_text(citation.work)} Here: {_text(citation.relation)}." for citation in citations)
            return "\n".join([f"**{lead}**\n", *works])
    raise TypeError(f"the writer of the site has no text for the block {block!r}")


def _step(step: NumberedStep) -> str:
    """A step that can be folded, with what its checks refuse, folded at first, at its end."""
    mark = " (result)" if step.is_result else ""
    inner = "\n\n".join(map(_block, step.blocks))
    title = f"{step.number}. {_text(step.title)}{mark}"
    refused = "" if step.refused is None else f"\n\n{_refused(step.refused)}"
    return f"::::{{dropdown}} {title}\n:open:\n:class-container: step\n\n{inner}{refused}\n::::"


def _refused(refused: Refused) -> str:
    others = f", and {refused.count - 1} more" if refused.count > 1 else ""
    return (
        ":::{dropdown} What must fail\n:class-container: refused\n\n"
        f"Checked exactly, and at rational points. The checks refuse {refused.description}{others}:\n\n"
        f"$$\n{displayed(refused.relation)}\n$$\n:::"
    )


def _link(kind: str, name: str) -> str:
    match kind:
        case "page":
            return f"{{ref}}`{name} <page-{name}>`"
        case "figure":
            return f"{{ref}}`{name} <figure-{name}>`"
    return f"{{py:obj}}`{name}`"


def _text(sentence: str) -> str:
    return map_pieces(sentence, words=str, formula=upright, code=_code)


def _code(text: str) -> str:
    """Code, or a link to the page that it names."""
    return _link("page", text) if text in _page_names() else f"`{text}`"


@cache
def _page_names() -> frozenset[str]:
    return frozenset(page.name for page in derivations())
