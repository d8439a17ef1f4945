"""docs/large_data.md: every example prints what the page shows, but for the cluster, which has tests of its own."""

from __future__ import annotations

from tests.manual import ROOT, check, examples

PAGE = ROOT / "docs/large_data.md"


def test_the_page_shows_what_its_examples_print(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert check(PAGE, capsys) == 7
    assert not list(tmp_path.iterdir())


def test_only_the_cluster_is_not_run():
    text = PAGE.read_text(encoding="utf-8")
    assert text.count("```python") == len(examples(PAGE)) + 1
    compile(text.split("## A Dask cluster")[1].split("```python\n")[1].split("```")[0], "example", "exec")
