"""The README's Python blocks run, and what it names exists."""

import re
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"


def test_python_blocks_run_in_order(capsys):
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(blocks) == 3
    names = {}
    for block in blocks:
        exec(compile(block, str(README), "exec"), names)
    printed = capsys.readouterr().out
    assert "2 active latents" in printed
    assert "gradient" in printed
    assert abs(names["run"].loss - names["learned"].loss) < 1e-10
    assert abs(names["trained"].loss - names["solved"].loss) < 1e-10
    assert "((0, 1), (2, 3))" in printed


def test_every_path_it_names_exists():
    text = README.read_text(encoding="utf-8")
    folders = [
        README.parent,
        *(README.parent / "theory" / room for room in ("inference", "groups")),
    ]  # the table names neighbours by their file name
    paths = set(re.findall(r"`([\w/]+\.(?:py|cff))`", text)) | set(re.findall(r"\((docs/[^)]+)\)", text))
    assert len(paths) > 10
    missing = [path for path in paths if not any((folder / path).is_file() for folder in folders)]
    assert not missing
