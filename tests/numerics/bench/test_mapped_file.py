"""The table of moments: its rows, its file, which is removed, and the memory of a process that reads it."""

from __future__ import annotations

import json
import sys
import tempfile

import numpy as np
import pytest

from numerics.__main__ import main
from numerics.bench import mapped_file, numpy_peer, tables
from numerics.bench.mapped_file import peak_memory
from theory import Moments

ONCE = {"rounds": 1, "budget": 0.0, "pause": lambda seconds: None, "progress": False}
WHOLE = (
    "import sys, numpy; from theory import Moments; Moments.of = staticmethod(lambda rows: numpy.array(rows, float))\n"
    "from numerics.bench.mapped_file import print_growth; print_growth(sys.argv[1])"
)  # reads all of the file into memory

on_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")


@pytest.fixture(autouse=True)
def small(monkeypatch, tmp_path):
    monkeypatch.setattr(tables, "MOMENTS", (400, 20))
    monkeypatch.setattr(tables, "QUICK_MOMENTS", (300, 20))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_the_table(tmp_path):
    for quick, count in ((True, 300), (False, 400)):
        rows = tables.moments({"numpy": numpy_peer, "torch": None}, quick, **ONCE)
        assert all(tuple(row) == (*tables.COLUMNS, "rows", "peak_mib") for row in rows)
        assert [row["contestant"] for row in rows] == ["ours", "ours in memory", "numpy cov", "torch"]
        assert [row["status"] for row in rows] == ["agrees"] * 3 + ["not installed"]
        assert {(row["D"], row["K"], row["rows"]) for row in rows} == {(20, None, count)}
        assert all(row["of_product"] > 0 for row in rows[:3])
        assert [row["peak_mib"] for row in rows[1:]] == [None] * 3
        assert not list(tmp_path.iterdir())


def test_ours_reads_a_mapped_file_and_others_memory(monkeypatch):
    seen = []
    monkeypatch.setattr(Moments, "of", classmethod(lambda cls, data: seen.append(data) or Moments(9, [0.0], [[1.0]])))
    tables.moments({}, True, **ONCE)
    kinds = {(type(data), data.dtype.name) for data in seen}
    assert kinds == {(np.memmap, "float32"), (np.ndarray, "float64")}


def test_wrong_moments_differ(monkeypatch):
    monkeypatch.setattr(np, "cov", lambda data, **options: data.T @ data / len(data))
    rows = tables.moments({"numpy": numpy_peer}, True, **ONCE)
    assert [row["status"] for row in rows] == ["agrees", "agrees", "differs"]


def test_an_interrupt_removes_the_file(monkeypatch, tmp_path):
    def interrupted(*arguments, **options):
        (folder,) = tmp_path.iterdir()
        assert [file.name for file in folder.iterdir()] == ["rows.npy"]
        raise KeyboardInterrupt

    monkeypatch.setattr(tables, "compare", interrupted)
    with pytest.raises(KeyboardInterrupt):
        tables.moments({}, True, **ONCE)
    assert not list(tmp_path.iterdir())


@on_linux
def test_memory_is_that_of_a_block_not_of_the_file(monkeypatch, tmp_path):
    """Of a file of 122 MiB; in float64 it is twice as large. This process holds more, which does not count."""
    held = np.ones(2**25)
    np.save(tmp_path / "x.npy", np.ones((40_000, 800), dtype=np.float32))
    assert 16 < peak_memory(tmp_path / "x.npy") < 80
    monkeypatch.setattr(mapped_file, "MEASURE", WHOLE)
    assert peak_memory(tmp_path / "x.npy") > 240
    assert held[-1] == 1


def test_where_memory_is_not_known_there_is_no_number(monkeypatch, tmp_path):
    monkeypatch.setattr(mapped_file, "STATUS", tmp_path / "none")
    assert peak_memory(tmp_path / "x.npy") is None


def test_the_command(capsys):
    assert main(["bench", "--quick", "--only", "moments", "--peers", "numpy", "--json"]) == 0
    table = json.loads(capsys.readouterr().out)["tables"]["moments"]
    assert table["contestant"] == ["ours", "ours in memory", "numpy cov"] and table["rows"] == [300] * 3
    assert main(["bench", "--quick", "--only", "moments", "--peers", "numpy"]) == 0
    assert "peak_mib" in capsys.readouterr().out
