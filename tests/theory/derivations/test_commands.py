"""`derive` and `book`: what they print, write and return."""

import json
import subprocess
import sys

import pytest

from theory.derivations import commands
from theory.derivations.engine import check
from theory.interface.run import Parser, run_command


def run(*argv):
    parser = Parser(prog="python -m theory")
    commands.add_commands(parser.add_subparsers(required=True))
    return run_command(parser, argv)


def test_registering_does_not_import_sympy():
    code = "import sys, theory.derivations.commands; print('sympy' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "False"


def test_the_list(capsys):
    assert run("derive") == 0
    shown = capsys.readouterr().out
    assert "optimal-encoder" in shown and "[inference]" in shown
    assert run("derive", "--json") == 0
    listed = json.loads(capsys.readouterr().out)["derivations"]
    assert {"name", "title", "chapter", "steps", "implements"} <= set(listed[0])


def test_a_page(capsys):
    assert run("derive", "optimal-encoder") == 0
    shown = capsys.readouterr().out
    assert "The best encoder of a fixed decoder" in shown and "‖" in shown


def test_check_prints_a_table(capsys):
    assert run("derive", "--check", "hadamard-gap", "ppca-equivalence") == 0
    shown = capsys.readouterr().out
    assert "hadamard-gap" in shown and "verdict" in shown and "0 failed" in shown


def test_check_json(capsys):
    assert run("derive", "--check", "water-filling", "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert result["passed"] is True
    assert {check["step"] for check in result["checks"]} >= {"Rate of an active mode"}


def test_a_failed_check_exits_with_one(capsys, monkeypatch):
    def failing(page, step):
        return check.StepCheck(page.name, step.title, False, 0, 0, 0.0, "not proved")

    monkeypatch.setattr(check, "check_step", failing)
    assert run("derive", "--check", "water-filling") == 1
    shown = capsys.readouterr().out
    assert "FAILED" in shown and "water-filling, Rate of an active mode: not proved" in shown


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["nonsense"], "no derivation 'nonsense'"),
        (["--latex", "a.tex"], "needs the name of one derivation"),
        (["axes", "--latex", "a.tex"], "--latex takes one derivation, got"),
        (["rotation", "--latex", "a.txt"], "the output format is .tex"),
        (["rotation", "--check", "--markdown", "a.md"], "pass one of them"),
    ],
)
def test_misuse_exits_with_two(argv, message, capsys):
    assert run("derive", *argv) == 2
    assert message in capsys.readouterr().err


def test_files(tmp_path, capsys):
    tex, markdown = tmp_path / "page.tex", tmp_path / "page.md"
    assert run("derive", "rotation", "--latex", str(tex), "--markdown", str(markdown)) == 0
    assert tex.read_text().endswith("\\end{document}\n")
    assert "## Rotations of the latents" in markdown.read_text()
    assert str(tex) in capsys.readouterr().out


def test_the_book(tmp_path, capsys):
    assert run("book", "--out", str(tmp_path / "new")) == 0
    first = {file.name: file.read_bytes() for file in (tmp_path / "new").iterdir()}
    assert set(first) == {"book.tex", "book.md"}
    assert run("book", "--out", str(tmp_path / "new")) == 0
    assert {file.name: file.read_bytes() for file in (tmp_path / "new").iterdir()} == first
    capsys.readouterr()
