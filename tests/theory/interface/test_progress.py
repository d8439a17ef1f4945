"""Progress: plain lines with what is done and left where stderr is no terminal, and nothing for short work."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import time

import numpy as np
import pytest
from tqdm import tqdm

from theory.interface.progress import Lines, progress_bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_in_a_terminal_and_lines_elsewhere(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with progress_bar(total=3, desc="a", unit="b") as bar:
        assert isinstance(bar, tqdm) and not bar.disable
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with progress_bar(total=3, desc="a", unit="b") as bar:
        assert isinstance(bar, Lines)
    for asked, disabled in ((True, False), (False, True)):
        with progress_bar(total=3, desc="a", unit="b", progress=asked) as bar:
            assert isinstance(bar, tqdm) and bar.disable is disabled
    with pytest.raises(ValueError, match="progress must be"):
        progress_bar(total=3, desc="a", unit="b", progress=1)


def test_lines_say_what_is_done_and_left(monkeypatch):
    monkeypatch.setattr(sys, "stderr", written := io.StringIO())
    seen = []
    bar = Lines(range(4), desc="verify", unit="result", every=0.05)
    for entry in bar:
        bar.set_postfix_str(f"part {entry}")
        seen.append(entry)
        time.sleep(0.12)
    assert seen == [0, 1, 2, 3]
    lines = written.getvalue().splitlines()
    assert 4 <= len(lines) <= 12
    for line in lines:
        assert re.fullmatch(r"verify: \d of 4 results, \d+ s(, about \d+ s left)? \(part \d\)", line)
    time.sleep(0.15)
    assert written.getvalue().splitlines() == lines  # nothing follows the end


def test_the_time_that_is_left():
    with Lines(total=44, desc="verify", unit="result") as bar:
        assert bar.line(5.0) == "verify: 0 of 44 results, 5 s"
        bar.update(12)
        assert bar.line(31.0) == "verify: 12 of 44 results, 31 s, about 83 s left"
        bar.update(32)
        assert bar.line(90.0) == "verify: 44 of 44 results, 90 s"
    with Lines(desc="train", unit="run") as bar:
        bar.update()
        assert bar.line(3.0) == "train: 1 runs, 3 s"


def test_short_work_writes_nothing(capsys):
    for _ in progress_bar(range(3), desc="a", unit="b"):
        pass
    assert capsys.readouterr().err == ""


def test_an_error_ends_the_lines(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    bar = Lines(range(3), desc="a", unit="b", every=0.02)
    with pytest.raises(KeyboardInterrupt), bar:
        raise KeyboardInterrupt
    assert bar.ended.is_set()


def test_in_a_log_file(tmp_path):
    """A command whose work takes longer than the time between two lines; here that time is shortened."""
    code = (
        "import theory.interface.progress as p; p.EVERY = .2\n"
        "from theory.__main__ import main\n"
        "import sys; sys.exit(main(['optimal-beta', '--data', sys.argv[1], '--columns', 'a,b', '--factors', "
        "sys.argv[1], '--factor-columns', 'c', '--resamples', '600']))"
    )
    file = tmp_path / "x.csv"
    table = np.random.default_rng(0).standard_normal((40, 3))
    np.savetxt(file, table, delimiter=",", header="a,b,c", comments="")
    ended = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=False)
    assert ended.returncode == 0
    lines = [line for line in ended.stderr.splitlines() if line.startswith("bootstrap: ")]
    assert lines and re.fullmatch(r"bootstrap: \d+ of 600 resamples, \d+ s(, about \d+ s left)?", lines[-1])


def test_ten_seconds():
    written = "from theory.interface import progress; print(progress.EVERY)"  # the tests have another number
    ended = subprocess.run([sys.executable, "-c", written], capture_output=True, text=True, check=True)
    assert ended.stdout == "10.0\n"
