"""docs/questions.md: every command prints what the page shows, and its data are those that its script writes."""

from __future__ import annotations

import runpy
import shutil

from tests.manual import ROOT, check, examples

PAGE = ROOT / "docs/questions.md"
DATA = ("plants.csv", "plants_factors.csv", "plants_lab.csv")


def test_the_page_shows_what_its_commands_print(tmp_path, monkeypatch, capsys):
    """In a folder with nothing but the files that the page may read, as the root of a clone has them."""
    shutil.copytree(ROOT / "docs/examples", tmp_path / "docs/examples")
    monkeypatch.chdir(tmp_path)
    assert check(PAGE, capsys) > 20
    assert sorted(path.name for path in tmp_path.iterdir()) == ["docs", "out", "runs.jsonl"]


def test_every_question_has_one_answer():
    text = PAGE.read_text(encoding="utf-8")
    questions = text.split("\n### ")[1:]
    assert 14 <= len(questions) <= 20
    assert all("```text\n" in question for question in questions)
    assert text.count("```text\n") == len(examples(PAGE))


def test_the_script_writes_the_data(tmp_path):
    runpy.run_path(str(ROOT / "docs/examples/plants.py"))["main"](str(tmp_path))
    for name in DATA:
        written = (tmp_path / name).read_text(encoding="utf-8")
        assert written == (ROOT / "docs/examples" / name).read_text(encoding="utf-8")
        assert len(written) < 15_000
