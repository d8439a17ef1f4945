"""The layout: each page and each step once, in order, and the same blocks for every form."""

import pytest

from theory.derivations.book import latex, layout, markdown, terminal
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
    (results,) = (block for block in blocks if isinstance(block, layout.Results))
    assert results.numbers == tuple(step.number for step in steps if step.title in page.results)


def test_the_book_holds_every_page_once():
    book = layout.book_layout(PAGES)
    assert [page for chapter in book.chapters for page in chapter.pages] == list(PAGES)
    assert book.page_names == {page.name for page in PAGES}
    assert {key for key, _ in book.works} == {source.key for page in PAGES for source in page.sources}


def test_chapters_without_a_page_are_left_out():
    assert [chapter.name for chapter in layout.chapters(PAGES[:1])] == ["foundations"]


@pytest.mark.parametrize("writer", [terminal, markdown, latex], ids=lambda writer: writer.__name__.split(".")[-1])
def test_an_unknown_block_is_refused(writer):
    with pytest.raises(TypeError, match="no text for the block"):
        writer._block("not a block", 80)
