"""Whole commands here and in another tree."""

from __future__ import annotations

import json

import pytest

from figures.registry import FIGURES
from numerics.__main__ import main
from numerics.bench import against
from numerics.bench.against import COMMANDS, HERE, Command, compare


def test_the_main_job_is_all_figures_of_results():
    assert against.FIGURES.split(",") == list(FIGURES)


SLOW = "import time\nend = time.process_time() + 0.5\nwhile time.process_time() < end: pass\n"
ONCE = (
    "import os, pathlib, sys\n"
    "mark = pathlib.Path(os.environ['NUMBA_CACHE_DIR'], 'mark')\n"
    "sys.exit(mark.exists() or mark.parent.mkdir(parents=True) or mark.touch())\n"
)


def test_a_tree_that_works_longer_has_the_larger_times(tmp_path, monkeypatch):
    """Both run their own sources: the other tree burns processor time when it is imported."""
    (tmp_path / "theory").mkdir()
    (tmp_path / "theory" / "__init__.py").write_text(SLOW)
    monkeypatch.setattr(against, "COMMANDS", (Command("import_theory", ("-c", "import theory"), rounds=2),))
    (pair,) = compare(tmp_path, ["import_theory"], progress=False)
    assert pair.processor[1] > pair.processor[0] + 0.4 and pair.wall[1] > pair.wall[0] + 0.3


@pytest.mark.parametrize("fresh", [True, False])
def test_fresh_commands_find_nothing_compiled(tmp_path, monkeypatch, fresh):
    (tmp_path / "theory").mkdir()
    monkeypatch.setattr(against, "COMMANDS", (Command("once", ("-c", ONCE), fresh=fresh, rounds=2),))
    if fresh:
        assert len(list(compare(tmp_path, ["once"], progress=False))) == 1
    else:
        with pytest.raises(ValueError, match="'once' failed"):
            list(compare(tmp_path, ["once"], progress=False))


def test_what_fails_is_named(tmp_path, monkeypatch, capsys):
    with pytest.raises(ValueError, match="which has no folder theory"):
        list(compare(tmp_path, ["import_theory"]))
    (tmp_path / "theory").mkdir()
    (tmp_path / "theory" / "__init__.py").write_text("raise RuntimeError('broken')")
    with pytest.raises(ValueError, match=r"'import_theory' failed in .*RuntimeError: broken"):
        list(compare(tmp_path, ["import_theory"], progress=False))
    assert main(["bench", "--against", str(tmp_path / "none")]) == 2
    assert "must be a checkout" in capsys.readouterr().err
    assert main(["bench", "--against", str(tmp_path), "--threads", "1"]) == 2
    assert "--threads is not for --against" in capsys.readouterr().err
    assert main(["bench", "--against", str(tmp_path), "--only", "sweep"]) == 2
    assert "import_theory" in capsys.readouterr().err


def test_the_command_states_ratios(monkeypatch, capsys):
    monkeypatch.setattr(against, "COMMANDS", tuple(one for one in COMMANDS if one.name == "import_theory"))
    assert main(["bench", "--against", str(HERE), "--only", "import_theory", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["against"]
    assert found["command"] == ["import_theory"] and 0.3 < found["processor_ratio"][0] < 3
