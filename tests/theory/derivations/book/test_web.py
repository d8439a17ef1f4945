"""The pages of the site: every formula, every step with what must fail, and links for all that has a place."""

from __future__ import annotations

import re

import pytest

from theory.derivations.book import web
from theory.derivations.book.mathematics import displayed
from theory.derivations.engine.check import wrong_formulas
from theory.derivations.registry import derivations
from theory.results import RESULTS

PAGES = {page.name: page for page in derivations()}


@pytest.mark.parametrize("name", ["gaussian-kl", "slope-at-one", "rotation"])
def test_a_page(name):
    page = PAGES[name]
    text = web.web_page(page)
    assert text == web.web_page(page) and text.startswith(f"(page-{name})=\n\n# {page.title}\n")
    assert text.count(":class-container: step") == text.count(":class-container: refused") == len(page.steps)
    for step in page.steps:
        assert f"$$\n{displayed(step.relation)}\n$$" in text
        assert f"$$\n{displayed(wrong_formulas(page, step)[-1][1])}\n$$" in text
    for other in page.builds_on:
        assert f"{{ref}}`{other} <page-{other}>`" in text
    for result in (result for result in RESULTS if result.page == name):
        assert all(f"{{py:obj}}`{function}`" in text for function in result.functions)
        assert all(f"{{ref}}`{figure} <figure-{figure}>`" in text for figure in result.figures)


def test_directives_are_closed():
    """Fences of four colons hold fences of three, and each is closed before the next of its kind."""
    for fences in (re.findall(r"^(:::+)(\{?)", web.web_page(page), re.MULTILINE) for page in PAGES.values()):
        opened = []
        for colons, brace in fences:
            if brace:
                assert not opened or len(opened[-1]) > len(colons)
                opened.append(colons)
            else:
                assert opened.pop() == colons
        assert not opened


def test_contents_lead_to_every_page_and_work():
    text = web.web_contents(list(PAGES.values()))
    listed = re.findall(r"```{toctree}\n:maxdepth: 1\n\n(.*?)\n```", text, re.DOTALL)
    assert [name for block in listed for name in block.split("\n")] == list(PAGES)
    assert "## Notation" in text and "(work-sikka2019)=" in text
