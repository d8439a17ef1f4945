"""The book in Markdown: complete, the same on every run, plain enough for code-hosting sites."""

import re

import pytest

from theory.derivations.book import markdown
from theory.derivations.registry import derivations

PAGES = derivations()
MARKDOWN = markdown.markdown_book(PAGES)


def test_every_page_and_every_step_is_in_it():
    assert len(re.findall(r"^## ", MARKDOWN, flags=re.MULTILINE)) == len(PAGES) + 3  # contents, notation, sources
    steps = sum(len(page.steps) for page in PAGES)
    assert len(re.findall(r"^\*\*\d+\. ", MARKDOWN, flags=re.MULTILINE)) == steps


def test_the_same_bytes_on_every_run():
    assert markdown.markdown_book(PAGES) == MARKDOWN


def test_the_markdown_renders_on_code_hosting_sites():
    assert r"\operatorname" not in MARKDOWN
    assert MARKDOWN.count("$$") % 2 == 0
    inline = re.sub(r"\$\$.*?\$\$", "", MARKDOWN, flags=re.DOTALL)
    assert not [line for line in inline.splitlines() if line.count("$") % 2]
    # Markdown takes a backslash before punctuation for itself.
    formulas = re.findall(r"\$\$(.*?)\$\$", MARKDOWN, flags=re.DOTALL) + re.findall(r"\$([^$\n]+)\$", inline)
    assert not [formula for formula in formulas if re.search(r"(?<!\\)\\[,;:!|{}#]", formula)]
    anchors = set(re.findall(r'<a id="([\w-]+)">', MARKDOWN))
    assert set(re.findall(r"\]\(#([\w-]+)\)", MARKDOWN)) <= anchors


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_on_its_own(page):
    assert markdown.markdown_page(page).count("$$") % 2 == 0
