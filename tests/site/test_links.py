"""Every link of the site from a page to itself, or to another file, leads somewhere."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

pytest.importorskip("site_pages", reason="comes with the extra `docs`")

LEADS = {("a", "href"), ("img", "src"), ("link", "href"), ("script", "src"), ("use", "href")}


class Page(HTMLParser):
    """What a page leads to, and the places in it to which others may lead."""

    def __init__(self, file: Path):
        super().__init__()
        self.links: list[str] = []
        self.places: set[str] = {""}
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        self.links += [value for name, value in attrs if (tag, name) in LEADS and value is not None]
        self.places |= {value for name, value in attrs if name == "id"}


def broken(folder: Path) -> list[str]:
    """The links of the pages of a folder that lead to no file or to no place in it, each after its page."""
    pages = {file: Page(file) for file in sorted(folder.rglob("*.html"))}
    found = []
    for file, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            there = unquote(parts.fragment) in pages[target].places if target in pages else target.is_file()
            if not there:
                found.append(f"{file.relative_to(folder)}: {link}")
    return found


@pytest.mark.slow
def test_every_link_leads_somewhere(site):
    assert len(list(site.rglob("*.html"))) > 100
    assert broken(site.resolve()) == []


def test_a_broken_link_is_found(tmp_path):
    (tmp_path / "a.html").write_text(
        '<h1 id="top"></h1><a href="#top"></a><a href="#end"></a><a href="b.html#here"></a><a href="b.html#there"></a>'
        '<a href="c.html"></a><img src="c.png"><a href="https://example.org/nothing"></a>'
    )
    (tmp_path / "b.html").write_text('<p id="here"></p><a href="a.html"></a>')
    assert broken(tmp_path) == ["a.html: #end", "a.html: b.html#there", "a.html: c.html", "a.html: c.png"]
