"""The layout: each page and each step once, in order, and the same blocks for every form."""

import dataclasses

import pytest
import sympy as sp

from tests.theory.derivations.engine.pages import page_with
from theory.derivations.book import latex, layout, markdown, terminal, web
from theory.derivations.engine.page import Step, Use
from theory.derivations.registry import derivations

PAGES = derivations()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_blocks_of_a_page(page):
    blocks = list(layout.page_blocks(page))
    assert [type(block) for block in blocks[:2]] == [layout.Heading, layout.Items]
    steps = [block for block in blocks if isinstance(block, layout.NumberedStep)]
    assert [(step.number, step.title) for step in steps] == list(enumerate((step.title for step in page.steps), 1))
    for shown, step in zip(steps, page.steps, strict=True):
        relations = [block.relation for block in shown.blocks if isinstance(block, layout.Formula)]
        assert relations == [*(let.shown for let in step.let), step.relation]
        assert shown.blocks[-1] == layout.Paragraph(step.reason)
        if step.wrong_form is not None:
            assert shown.refused.relation.rhs == step.wrong_form and shown.refused.description == "the wrong form"
        assert shown.refused.count >= 1 and shown.refused.relation != step.relation
    (results,) = (block for block in blocks if isinstance(block, layout.Results))
    assert results.numbers == tuple(step.number for step in steps if step.title in page.results)


def test_the_book_holds_every_page_once():
    book = layout.book_layout(PAGES)
    assert [page for chapter in book.chapters for page in chapter.pages] == list(PAGES)
    assert book.page_names == {page.name for page in PAGES}
    assert {key for key, _ in book.works} == {source.key for page in PAGES for source in page.sources}


def test_chapters_without_a_page_are_left_out():
    assert [chapter.name for chapter in layout.chapters(PAGES[:1])] == ["foundations"]


@pytest.mark.parametrize("writer", [terminal, markdown, latex, web], ids=lambda writer: writer.__name__.split(".")[-1])
def test_an_unknown_block_is_refused(writer):
    with pytest.raises(TypeError, match="no text for the block"):
        writer._block(*["not a block", 80][: 1 if writer is web else 2])


def steps_shown(*steps):
    page = dataclasses.replace(page_with(*steps), name=PAGES[0].name)  # a name that has a chapter
    return [block for block in layout.page_blocks(page) if isinstance(block, layout.NumberedStep)]


def test_strict_convexity_is_claimed_only_away_from_the_least_value():
    r, h = sp.Symbol("r", real=True), sp.Symbol("h", positive=True)

    def words(relation, **options):
        step = Step("A", relation, "why", least_at=(r, sp.Integer(1)), **options)
        (shown,) = steps_shown(step)
        return shown.blocks[-2].text

    square = h * (r - 1) ** 2
    assert words(sp.Ge(square, 0, evaluate=False)).endswith("is convex in $r$ and stationary at $r = 1$.")
    positive = words(sp.Gt(square + h, 0, evaluate=False))
    assert positive.endswith("is convex in $r$ and stationary at $r = 1$, where it is positive.")
    assert "strictly convex" in words(sp.Gt(square, 0, evaluate=False), where=(sp.Ne(r, 1),))


def test_a_sum_of_a_relation_is_told_with_both_ends():
    a, x, n, i = sp.Symbol("a", positive=True), sp.IndexedBase("x"), sp.Symbol("n", positive=True), sp.Symbol("i")
    first = Step("A", sp.Ge(a, 0, evaluate=False), "why")
    second = Step("B", sp.Ge(a, 0, evaluate=False), "why", uses=(Use("A", {a: x[i]}, over=(i, 2, n)),))
    assert "summed over $i$ from $2$ to $n$" in steps_shown(first, second)[1].blocks[-2].text
