"""docs/figures_of_your_own.md: every example prints what the page shows."""

from __future__ import annotations

from tests.manual import ROOT, check

PAGE = ROOT / "docs/figures_of_your_own.md"


def test_the_page_shows_what_its_examples_print(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert check(PAGE, capsys) == 6
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
