"""The pages of the derivation book."""

from __future__ import annotations

from pathlib import Path

from theory.derivations.book.web import web_contents, web_page
from theory.derivations.registry import derivations

__all__ = ["pages"]


def pages(folder: Path) -> dict[str, str]:
    """Each page of the book by its file."""
    book = derivations()
    made = {f"book/{page.name}.md": web_page(page) for page in book}
    return {"book/index.md": web_contents(book), **made}
