"""Writes a page, or the whole book, as Markdown with mathematics between dollar signs.

The text holds no dates: the same bytes on every run.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from theory.derivations.book.layout import (
    Block,
    Citation,
    Citations,
    Formula,
    Heading,
    Items,
    Names,
    NumberedStep,
    Paragraph,
    Results,
    book_layout,
    page_blocks,
)
from theory.derivations.book.mathematics import displayed, map_pieces, table_cell, upright
from theory.derivations.engine.page import Derivation

__all__ = ["markdown_book", "markdown_page"]


def markdown_book(pages: Sequence[Derivation]) -> str:
    """The whole book as one Markdown file."""
    book = book_layout(pages)
    contents, body = [], []
    for chapter in book.chapters:
        contents.append(f"- {chapter.heading}")
        contents.extend(f"  - [{page.title}](#{page.name})" for page in chapter.pages)
        body.append(f"# {chapter.heading}")
        body.extend(markdown_page(page, book.page_names) for page in chapter.pages)
    rows = [f"| ${table_cell(symbol)}$ | {_text(table_cell(meaning))} |" for symbol, meaning in book.notation]
    works = [f'- <a id="{key}"></a>{work}' for key, work in book.works]
    parts = [f"# {book.title}", book.about, "## Contents", "\n".join(contents)]
    parts += ["## Notation", "\n".join(["| symbol | meaning |", "|---|---|", *rows])]
    return "\n\n".join([*parts, *body, "## Sources", "\n".join(works)]) + "\n"


def markdown_page(page: Derivation, linked: Collection[str] = ()) -> str:
    """One page as Markdown; `linked` names the pages of the same document, which can be linked to."""
    written = (_block(block, linked) for block in page_blocks(page))
    return "\n\n".join(part for part in written if part is not None)


def _block(block: Block, linked: Collection[str]) -> str | None:
    """One block, or None if this form leaves it out."""
    match block:
        case Heading(name, title):
            return f'<a id="{name}"></a>\n\n## {title}'
        case Paragraph(text, lead):
            return (f"**{lead}.** " if lead else "") + _text(text)
        case Items(lead, items):
            return f"**{lead}.**\n\n" + "\n".join(f"- {_text(item)}" for item in items)
        case Formula(relation):
            return f"$$\n{displayed(relation)}\n$$"
        case NumberedStep(number, title, is_result, blocks):
            mark = " (result)" if is_result else ""
            inner = (_block(part, linked) for part in blocks)
            return "\n\n".join([f"**{number}. {_text(title)}**{mark}", *inner])
        case Results():  # each step carries its mark
            return None
        case Names(lead, "page", names):
            return f"**{lead}** {', '.join(f'[{name}](#{name})' if name in linked else name for name in names)}."
        case Names(lead, _, names):
            return f"**{lead}** {', '.join(f'`{name}`' for name in names)}."
        case Citations(lead, citations):
            return f"**{lead}**\n\n" + "\n".join(f"- {_cited(citation, bool(linked))}." for citation in citations)
    raise TypeError(f"the Markdown writer has no text for the block {block!r}")


def _cited(citation: Citation, linked: bool) -> str:
    """A work: a link into the list of sources of the same document, or written out if the page stands alone."""
    if linked:
        return f"[{citation.key}](#{citation.key}): {_text(citation.relation)}"
    return f"{citation.work} Here: {_text(citation.relation)}"


def _text(sentence: str) -> str:
    return map_pieces(sentence, words=str, formula=upright, code="`{}`".format)
