"""`python -m figures report` and `sweep`: what is drawn of the user's data and runs."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

import figures.__main__
import numerics.__main__
from figures import data_report, sweep_runs
from tests.figures.caption_faults import faults_of_caption
from theory import Moments
from theory.learning import data_report as report_of

RNG = np.random.default_rng(0)
DATA = RNG.standard_normal((80, 5)) * [3, 2, 1, 0.5, 0.1]


@pytest.fixture
def observations(tmp_path):
    np.savetxt(tmp_path / "x.csv", DATA, delimiter=",", header="a,b,c,d,e", comments="")
    return str(tmp_path / "x.csv")


def rows_of(file) -> list[dict]:
    with file.open(newline="") as opened:
        return list(csv.DictReader(opened))


def test_report(tmp_path, capsys, observations):
    options = ("--latent-dim", "3", "--kl-weight", "0.5", "--reconstruction", "mean", "--out", str(tmp_path / "page"))
    assert figures.__main__.main(("report", "--data", observations, *options)) == 0
    assert capsys.readouterr().out.count("wrote") == 5
    rows = rows_of(tmp_path / "page" / "report.csv")
    eigenvalues = np.sort(np.linalg.eigvalsh(np.cov(DATA, rowvar=False, bias=True)))[::-1]
    drawn = [float(row["y"]) for row in rows if row["panel"] == "spectrum" and row["source"] == "measured"]
    np.testing.assert_allclose(drawn, eigenvalues[eigenvalues > 1e-3 * eigenvalues[0]], rtol=1e-6)
    (level,) = {float(row["y"]) for row in rows if row["series"] == "water level"}
    assert level == pytest.approx(0.5 * 5 / 2)
    alive = [row for row in rows if row["panel"] == "active_count" and row["source"] == "theory"]
    for row in alive:  # beta is the water level, at noise 1
        assert float(row["y"]) == np.count_nonzero(eigenvalues[:3] > float(row["x"]))
    about = json.loads((tmp_path / "page" / "report.json").read_text())
    assert about["parameters"]["kl_weight"] == 0.5 and about["parameters"]["columns"] == list("abcde")
    caption = (tmp_path / "page" / "report.md").read_text()
    assert "`x.csv`, the VAE has 3 latents" in caption and "$" in caption
    command = "python -m figures report --data x.csv --latent-dim 3 --kl-weight 0.5 --reconstruction mean"
    assert f"Drawn by: `{command}`\n" in caption


def test_report_with_more_dots_per_inch(tmp_path, observations, capsys):
    options = (
        "report",
        "--data",
        observations,
        "--latent-dim",
        "2",
        "--format",
        "png",
        "--out",
        str(tmp_path / "page"),
    )
    assert figures.__main__.main((*options, "--dpi", "200")) == 0
    assert int.from_bytes((tmp_path / "page" / "report.png").read_bytes()[16:20]) == 1400
    assert "--dpi" not in (tmp_path / "page" / "report.md").read_text()
    assert figures.__main__.main((*options, "--dpi", "2000")) == 2
    assert "--dpi must be <= 1200, got 2000" in capsys.readouterr().err


@pytest.mark.parametrize(("noise", "beta"), [("learned", 0.5), (0.1, 1000.0)])
def test_a_noise_that_runs_to_zero_and_total_collapse_are_drawn(noise, beta):
    parameters = {"data": "x.csv", "latent_dim": 6, "beta": beta}
    table = data_report.data(report_of(Moments.of(DATA), 6, beta=beta, noise_variance=noise), parameters=parameters)
    assert faults_of_caption(data_report, table) == []
    assert table.select("active_count", "minimum").y.tolist() == [5 if noise == "learned" else 0]


def test_constant_data_have_nothing_to_draw():
    with pytest.raises(ValueError, match="data that vary"):
        data_report.data(report_of(Moments.of(np.ones((4, 2))), 1))


@pytest.fixture
def runs(tmp_path, capsys):
    sweep = ("sweep", "--eigenvalues", "3,1,.4", "--latent-dim", "2", "--betas", "0.5,1,4", "--seeds", "2")
    files = tmp_path / "runs.csv", tmp_path / "runs.jsonl"
    assert numerics.__main__.main((*sweep, "--out", str(files[0]), "--resume", str(files[1]))) == 0
    capsys.readouterr()
    return files


def test_sweep_from_either_file(tmp_path, capsys, runs):
    tables = []
    for file in runs:
        folder = tmp_path / file.suffix
        assert figures.__main__.main(("sweep", "--runs", str(file), "--out", str(folder), "--format", "svg")) == 0
        assert capsys.readouterr().out.count("wrote") == 4
        tables.append(rows_of(folder / "sweep.csv"))
        assert f"Drawn by: `python -m figures sweep --runs {file.name}`\n" in (folder / "sweep.md").read_text()
    drawn = {row["series"] for row in tables[0]}
    assert drawn == {"least loss of its beta", "other runs", "closed form"}
    places = [{(row["panel"], row["series"], row["x"]): float(row["y"]) for row in table} for table in tables]
    assert places[0].keys() == places[1].keys()
    for place, value in places[0].items():
        # two runs of one beta tie up to what training leaves, and rounding decides which of them is the least
        assert places[1][place] == pytest.approx(value, rel=1e-6, abs=1e-12), place
    columns = sweep_runs.read(runs[0])
    assert faults_of_caption(sweep_runs, sweep_runs.data(columns, parameters={"runs": "runs.csv"})) == []
    assert columns["beta"].tolist() == [0.5, 0.5, 1, 1, 4, 4] and abs(columns["excess_loss"]).max() < 1e-9


def test_runs_whose_noise_goes_to_zero_have_no_distance(runs):
    columns = sweep_runs.read(runs[0])
    columns["excess_loss"] = np.where(columns["beta"] < 1, np.inf, columns["excess_loss"])
    table = sweep_runs.data(columns)
    assert 0.5 not in table.select("excess_loss", "measured").x and 0.5 not in table.select("loss", "theory").x
    assert 0.5 in table.select("loss", "measured").x


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("x.txt", "", "must be a .csv file of"),
        ("x.csv", "a,b\n1,2\n", "it has none in beta, seed"),
        ("x.csv", "", "it has none in beta"),
        ("x.jsonl", "{}\n", "not a file of training runs"),
        ("none.csv", None, "cannot be read"),
    ],
)
def test_what_is_no_file_of_runs_is_refused(tmp_path, capsys, name, text, words):
    if text is not None:
        (tmp_path / name).write_text(text)
    assert figures.__main__.main(("sweep", "--runs", str(tmp_path / name), "--out", str(tmp_path / "out"))) == 2
    assert words in capsys.readouterr().err and not (tmp_path / "out" / "sweep.csv").exists()
