"""The command `sweep`."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from numerics.sweeps import batches
from numerics.sweeps import commands as sweep_commands
from numerics.sweeps import sweep as sweep_module
from tests.numerics.command_line import SPECTRUM, run, run_json


def test_sweep_writes_one_row_for_every_run(capsys, tmp_path):
    file = tmp_path / "runs.csv"
    arguments = ["--eigenvalues", SPECTRUM, "--latent-dim", "3", "--betas", "1,3,9", "--seeds", "2", "--out", str(file)]
    found = run_json(capsys, "sweep", *arguments)
    assert found["interrupted"] is False
    assert found["runs"]["beta"] == [1, 1, 3, 3, 9, 9]
    assert found["runs"]["seed"] == [0, 1] * 3
    assert max(map(abs, found["runs"]["excess_loss"])) < 1e-9
    assert sum(found["runs"]["least"]) == 3
    with file.open() as opened:
        rows = list(csv.DictReader(opened))
    assert [float(row["loss"]) for row in rows] == found["runs"]["loss"]
    assert [int(row["active_count"]) for row in rows] == found["runs"]["active_count"]


def test_sweep_text_shows_the_best_run_of_each_beta(capsys):
    code, out, _ = run(
        capsys, "sweep", "--eigenvalues", SPECTRUM, "--latent-dim", "2", "--betas", "0.5:5:4", "--seeds", "3"
    )
    assert code == 0
    lines = out.splitlines()
    assert [float(line.split()[0]) for line in lines[1:5]] == pytest.approx(np.geomspace(0.5, 5, 4), rel=1e-5)
    assert lines[-1] == "of each beta the run of least loss"


def test_a_sweep_whose_worker_died_is_a_failure(capsys, monkeypatch):
    whole = sweep_module.sweep

    def broken(*args, **kwargs):
        return sweep_module.Sweep(
            **{**vars(whole(*args, **kwargs)), "interrupted": True, "failure": "BrokenExecutor: a worker"}
        )

    monkeypatch.setattr(sweep_module, "sweep", broken)
    arguments = ["sweep", "--eigenvalues", SPECTRUM, "--latent-dim", "2", "--betas", "1"]
    code, out, _ = run(capsys, *arguments)
    assert code == 1
    assert out.rstrip().endswith("interrupted after 1 of 1 runs by BrokenExecutor: a worker")
    code, out, _ = run(capsys, *arguments, "--json")
    assert (code, json.loads(out)["failure"]) == (1, "BrokenExecutor: a worker")


@pytest.mark.parametrize("finished", [0, 1, 3])
def test_an_interrupted_sweep_keeps_what_finished(capsys, monkeypatch, tmp_path, finished):
    whole = sweep_module.sweep

    def interrupted(*args, **kwargs):
        found = whole(*args, **kwargs)
        losses = found.losses.copy()
        losses.ravel()[finished:] = np.nan
        return sweep_module.Sweep(**{**vars(found), "losses": losses, "interrupted": True})

    monkeypatch.setattr(sweep_module, "sweep", interrupted)
    file = tmp_path / "runs.csv"
    arguments = ["--eigenvalues", SPECTRUM, "--latent-dim", "2", "--betas", "1,2", "--seeds", "2", "--out", str(file)]
    code, out, _ = run(capsys, "sweep", *arguments)
    assert code == 130
    assert f"interrupted after {finished} of 4 runs" in out
    assert out.startswith("no run finished") == (finished == 0)
    header, *rows = file.read_text().splitlines()
    assert len(rows) == finished and header.split(",") == list(sweep_commands.COLUMNS)
    code, out, _ = run(capsys, "sweep", *arguments, "--json")
    assert code == 130
    found = json.loads(out)
    assert found["interrupted"] is True
    assert {name: len(values) for name, values in found["runs"].items()} == dict.fromkeys(
        sweep_commands.COLUMNS, finished
    )


@pytest.mark.parametrize(("rate", "overflowed"), [("1e3", 6), ("1e6", 6), ("100", None)])
def test_a_sweep_whose_runs_overflow_says_so_and_fails(capsys, tmp_path, rate, overflowed):
    """Every run has its row; nothing that overflowed is kept for a later sweep to believe."""
    table, file = tmp_path / "runs.csv", tmp_path / "runs.jsonl"
    arguments = ["sweep", "--eigenvalues", "4,2,1,.5", "--latent-dim", "2", "--betas", "1,2", "--seeds", "3"]
    arguments += ["--max-steps", "50", "--method", "adam", "--learning-rate", rate]
    for _ in range(2):
        code, out, err = run(capsys, *arguments, "--out", str(table), "--resume", str(file))
        assert (code, err) == (1, "")
        rows = list(csv.DictReader(table.read_text().splitlines()))
        failed = [row for row in rows if row["stopped"] == "overflowed"]
        assert len(rows) == 6
        assert 0 < len(failed) < 6 if overflowed is None else len(failed) == overflowed
        assert out.endswith(f"; {len(failed)} of 6 runs overflowed: pass a smaller --learning-rate\n")
        assert out.startswith("no run finished") == (len(failed) == 6)
        assert all(row["loss"] == "nan" and row["least"] == "False" for row in failed)
        assert all(np.isfinite(float(row["loss"])) for row in rows if row not in failed)
        assert file.read_bytes().count(b"\n") == 1 + 6 - len(failed)
    code, out, _ = run(capsys, *arguments, "--json")
    found = json.loads(out, parse_constant=pytest.fail)
    assert (code, found["overflowed"], len(found["runs"]["loss"])) == (1, len(failed), 6)
    assert found["runs"]["loss"].count("nan") == len(failed)


def test_an_interrupt_before_any_run_keeps_an_older_table(capsys, monkeypatch, tmp_path):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(sweep_module, "finished_batches", interrupted)
    file = tmp_path / "runs.csv"
    arguments = ["sweep", "--eigenvalues", SPECTRUM, "--latent-dim", "2", "--betas", "1", "--out", str(file)]
    for content in (f"{','.join(sweep_commands.COLUMNS)}\n", "older\n"):
        code, out, _ = run(capsys, *arguments)
        assert (code, out) == (130, "no run finished; interrupted after 0 of 1 runs\n")
        assert file.read_text() == content
        file.write_text("older\n")


def test_a_sweep_is_reported_where_its_table_cannot_be_written(capsys, tmp_path, small_files):
    table = tmp_path / "runs.csv"
    table.write_text("older\n")
    arguments = ["sweep", "--eigenvalues", SPECTRUM, "--latent-dim", "2", "--betas", "1,2,4,8,16", "--out", str(table)]
    code, expected, _ = run(capsys, *arguments[:-2])
    with small_files(300):
        code, out, err = run(capsys, *arguments)
    assert (code, out, err) == (2, expected, f"python -m numerics: error: {table}: File too large\n")
    assert table.read_text() == "older\n"
    assert list(tmp_path.iterdir()) == [table]


def test_a_sweep_is_reported_where_its_runs_cannot_be_kept_and_goes_on_later(
    capsys, tmp_path, small_files, monkeypatch
):
    """The failure names the file; what was cut short on the full disk is made again when there is room."""
    file = tmp_path / "runs.jsonl"
    monkeypatch.setattr(batches, "RUNS_PER_THREAD", 1)
    arguments = ["sweep", "--eigenvalues", SPECTRUM, "--latent-dim", "2", "--betas", "1:2:30", "--resume", str(file)]
    with small_files(4000):
        code, out, err = run(capsys, *arguments)
    assert (code, err) == (1, "")
    assert out.endswith(f"of 30 runs by OSError: [Errno 27] File too large: '{file}'\n")
    assert 1 < file.read_bytes().count(b"\n") < 30
    code, out, err = run(capsys, *arguments)
    assert (code, out.count("\n")) == (0, 33)
    assert err.startswith(f"python -m numerics: warning: {file}: 1 of ") and err.count("\n") == 1
    assert (code, out) == run(capsys, *arguments[:-2])[:2]


def test_an_older_file_of_runs_is_set_aside_with_one_line(capsys, tmp_path):
    file = tmp_path / "runs.jsonl"
    older = '{"format": "training runs of linear beta-VAEs, 1", "asked": {}, "coordinates": {}}\n'
    file.write_text(older)
    code, _, err = run(
        capsys, "sweep", "--eigenvalues", SPECTRUM, "--latent-dim", "2", "--betas", "1", "--resume", str(file)
    )
    assert code == 0
    assert err == (
        f"python -m numerics: warning: {file}: has format '1', and this version writes format 2; it is now "
        f"{file}.old-1, and all runs are made anew\n"
    )
    assert (tmp_path / "runs.jsonl.old-1").read_text() == older
