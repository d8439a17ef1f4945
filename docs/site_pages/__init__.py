"""Makes pages of the site from the project itself: the book, the API reference, the table of results, the gallery.

They are written into `docs/_generated` before Sphinx reads its sources; a page that has not changed is not written, so
that Sphinx does not read it again. Whatever is added to the book, the index of results, the figures or the facades of
the packages appears here.
"""

from __future__ import annotations

from pathlib import Path

from site_pages import api, book, examples, gallery, links, results

PAGES = (api.pages, book.pages, gallery.pages, results.pages)


def setup(app) -> dict:
    app.add_role("name", links.name_role)
    app.add_config_value("executed_pages", (), "env")
    app.connect("builder-inited", write_pages)
    app.connect("source-read", examples.check_examples)
    app.connect("missing-reference", links.resolved)
    app.connect("autodoc-process-docstring", links.escaped, priority=900)  # after numpydoc
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": False}


def write_pages(app) -> None:
    """Write what has changed, and remove what is no longer made."""
    folder = Path(app.srcdir) / "_generated"
    made = {}
    for pages in PAGES:
        made |= pages(folder)
    for name, text in made.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
    for file in (*folder.rglob("*.md"), *folder.rglob("*.rst")):
        if file.relative_to(folder).as_posix() not in made and "figures" not in file.parts:
            file.unlink()
