"""The examples of a manual page: each command, or piece of Python, that is followed by the output it prints."""

from __future__ import annotations

import doctest
import re
import shlex
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parent.parent
BLOCK = r"((?:(?!```).)*)```"
VARYING = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True)
class Example:
    """What a page shows: a command line or Python, and its output, in which `...` stands for anything."""

    language: str
    source: str
    shown: str

    def facts(self) -> dict[str, str]:
        """The values of the lines of output that hold a name, a gap and a value."""
        pairs = (re.split(r"\s{2,}", line) for line in self.shown.splitlines())
        return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}

    def table(self, first: str) -> dict[str, list[str]]:
        """The columns, by name, of the table whose first column has this name."""
        lines = [line.split() for line in self.shown.splitlines()]
        start = next(at for at, cells in enumerate(lines) if cells[:1] == [first] and len(cells) > 2)
        names, rows = lines[start], []
        for cells in lines[start + 1 :]:
            if len(cells) != len(names):
                break
            rows.append(cells)
        return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))


def examples(page: Path) -> list[Example]:
    """The examples of a page, in its order."""
    found = re.findall(rf"```(bash|python)\n{BLOCK}\n\n```text\n{BLOCK}", page.read_text(encoding="utf-8"), re.DOTALL)
    return [Example(*each) for each in found]


def check(page: Path, capsys) -> int:
    """Run the examples of a page one after another in the current folder; the number of them."""
    found = examples(page)
    capsys.readouterr()
    for example in found:
        _run(example)
        out, err = capsys.readouterr()
        assert all(line.startswith("left out column") for line in err.splitlines()), (example.source, err)
        if "..." in example.shown:
            alike = doctest.OutputChecker().check_output(example.shown, out, VARYING)
            assert alike, f"{example.source}printed\n{out}"
        else:
            assert out == example.shown, example.source
    return len(found)


def _run(example: Example) -> None:
    if example.language == "python":
        exec(compile(example.source, "example", "exec"), {})
        return
    (line,) = example.source.splitlines()
    python, option, program, *words = shlex.split(line)
    assert (python, option) == (".venv/bin/python", "-m")
    assert import_module(f"{program}.__main__").main(words) == 0, line
