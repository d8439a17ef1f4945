"""Every command that help, a derivation page, the README or a message prints can be typed as it stands."""

from __future__ import annotations

import argparse
import importlib
import re
import shlex
from pathlib import Path

import pytest

import figures.commands
from theory.derivations.book.terminal import terminal_page
from theory.derivations.registry import derivations, find
from theory.interface.run import Parser

PROGRAMS = {name: importlib.import_module(f"{name}.__main__") for name in ("theory", "numerics", "figures")}
README = Path(__file__).parent.parent / "README.md"


def commands_in(text):
    """The commands of a text, one a line, without the remark that may follow after a gap or #."""
    for line in text.splitlines():
        found = re.match(r"\s*(?:\.venv/bin/)?(python -m (?:theory|numerics|figures)\b.*)", line)
        if found:
            yield re.split(r"\s{3,}|\s#", found.group(1))[0].strip()


def helps():
    """The help of each program and of each of its commands."""
    for program in PROGRAMS.values():
        waiting = [program._parser()]
        while waiting:
            parser = waiting.pop()
            yield parser.format_help()
            for action in parser._actions:
                if isinstance(action, argparse._SubParsersAction):
                    waiting += action.choices.values()


def manual_blocks():
    texts = [page.read_text(encoding="utf-8") for page in (README, *README.parent.glob("docs/*.md"))]
    return "\n".join(block for text in texts for block in re.findall(r"```bash\n(.*?)```", text, flags=re.DOTALL))


PRINTED = sorted(
    {
        command
        for text in (*helps(), *(terminal_page(page) for page in derivations()), manual_blocks())
        for command in commands_in(text)
    }
)


def test_commands_are_found():
    assert len(PRINTED) > 40
    assert {shlex.split(command)[2] for command in PRINTED} == set(PROGRAMS)
    assert "python -m figures --only learned_noise" in PRINTED


@pytest.mark.parametrize("command", PRINTED)
def test_a_printed_command_is_understood(command):
    _, _, name, *words = shlex.split(command)
    program = PROGRAMS[name]
    parser: Parser = program._parser()
    if words[-1] == "--help":
        with pytest.raises(SystemExit, match="0"):
            parser.parse_args(words)
        return
    if name == "figures" and words[0].startswith("-"):
        words = ["draw", *words]  # as the program does
    arguments = parser.parse_args(words)  # raises a ValueError for what is unknown or missing
    if name == "figures" and "only" in arguments:
        assert figures.commands._chosen(arguments.only)
    if name == "theory" and words[:1] == ["derive"]:
        assert find(arguments.names)
