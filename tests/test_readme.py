"""The README's example prints what it says, and what it and the pages of docs name exists."""

import re

import pytest

from tests.manual import ROOT, check

README = ROOT / "README.md"


def test_the_first_example_prints_what_stands_below_it(capsys):
    assert check(README, capsys) == 1


def test_it_is_short():
    assert len(README.read_text(encoding="utf-8").splitlines()) < 200


@pytest.mark.parametrize("page", [README, *sorted(README.parent.glob("docs/*.md"))], ids=lambda page: page.name)
def test_every_path_that_a_page_names_exists(page):
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:theory|numerics|figures|tests|docs)/[\w/]*(?:\.\w+)?)`", text))
    linked = {link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link}
    places = [README.parent / path for path in named] + [page.parent / path for path in linked if path]
    assert [str(place) for place in places if not place.exists()] == []
