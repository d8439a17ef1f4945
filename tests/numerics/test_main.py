from __future__ import annotations

import csv
import json
import re
import subprocess
import sys

import numpy as np
import pytest

from numerics.__main__ import main
from numerics.sweeps import batches
from numerics.sweeps import commands as sweep_commands
from numerics.sweeps import sweep as sweep_module
from theory import LinearVAE, elbo_terms, inference, optimum, validation
from theory.__main__ import main as theory_main
from theory.interface import report

SPECTRUM = "4,2.5,1.2,.6,.3"
COVARIANCE = np.diag([4.0, 2.5, 1.2, 0.6, 0.3])


def run(capsys, *argv):
    code = main(argv)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def run_json(capsys, *argv):
    code, out, _ = run(capsys, *argv, "--json")
    assert code == 0
    return json.loads(out)


def test_verify_prints_a_verdict_for_every_comparison(capsys):
    code, out, _ = run(capsys, "verify", "--quick", "--only", "two_factors", "--only", "slope_at_one")
    assert code == 0
    lines = out.splitlines()
    columns = "result quantity closed_form trained monte_carlo standard_error deviation tolerance verdict"
    assert lines[0].split() == columns.split()
    assert lines[-1] == "5 of 5 comparisons agree"
    assert all(line.endswith("ok") for line in lines[1:6])


def test_only_takes_commas_and_repetition(capsys):
    found = run_json(capsys, "verify", "--quick", "--only", "two_factors, slope_at_one", "--only", "two_factors")
    assert list(dict.fromkeys(row["result"] for row in found["rows"])) == ["two_factors", "slope_at_one"]
    assert len(found["rows"]) == 5


def test_verify_fails_with_exit_code_1(capsys, monkeypatch):
    right = inference.two_factor_optimal_beta
    monkeypatch.setattr("theory.inference.two_factor_optimal_beta", lambda a, r: right(a, r) + 1e-3)
    code, out, _ = run(capsys, "verify", "--quick", "--only", "two_factors", "--only", "slope_at_one")
    assert code == 1
    assert "FAIL" in out
    assert out.splitlines()[-1] == "2 of 5 comparisons agree; these results do not: two_factors"
    code, out, _ = run(capsys, "verify", "--quick", "--only", "two_factors", "--json")
    assert code == 1
    assert json.loads(out)["passed"] is False


def test_verify_json(capsys):
    found = run_json(capsys, "verify", "--quick", "--only", "slope_at_one")
    assert found["passed"] is True
    (row,) = found["rows"]
    assert (row["result"], row["passed"], row["monte_carlo"]) == ("slope_at_one", True, None)
    assert row["closed_form"] == pytest.approx(row["trained"], abs=1e-5)


def test_train_reports_the_closed_form_beside(capsys):
    found = run_json(capsys, "train", "--eigenvalues", SPECTRUM, "--latent-dim", "3", "--beta", "1.3")
    best = optimum(COVARIANCE, 3, beta=1.3)
    assert found["stopped"] == "gradient"
    for name in ("loss", "distortion", "rate", "noise_variance", "active_count"):
        assert found["closed_form"][name] == pytest.approx(getattr(best, name), abs=1e-12)
        assert found["trained"][name] == pytest.approx(getattr(best, name), abs=1e-6)
    vae = LinearVAE(**found["vae"])
    assert elbo_terms(vae, COVARIANCE).loss(1.3) == pytest.approx(found["trained"]["loss"], abs=1e-12)
    assert found["curvature"] > 0


def test_train_text_and_options(capsys):
    options = ["--noise-variance", ".4", "--posterior", "0,1;2", "--method", "adam", "--max-steps", "50", "--seed", "3"]
    code, out, _ = run(capsys, "train", "--eigenvalues", SPECTRUM, "--latent-dim", "3", *options)
    assert code == 0
    assert out.splitlines()[0].split() == ["quantity", "closed_form", "trained", "deviation"]
    assert "max_steps" in out


def test_train_by_other_methods(capsys):
    for method in ("lbfgs", "em", "rotated_em", "accelerated_em", "auto"):
        found = run_json(capsys, "train", "--eigenvalues", SPECTRUM, "--latent-dim", "3", "--method", method)
        assert found["trained"]["loss"] == pytest.approx(found["closed_form"]["loss"], abs=1e-10)
    arguments = ["--eigenvalues", SPECTRUM, "--latent-dim", "3", "--betas", "1", "--method", "em"]
    code, out, error = run(capsys, "sweep", *arguments)
    assert (code, out) == (2, "") and "--method: invalid choice: 'em' (choose from" in error


def test_train_where_the_noise_has_no_optimum(capsys):
    found = run_json(capsys, "train", "--eigenvalues", "3,1", "--latent-dim", "2", "--beta", ".5")
    assert (found["closed_form"]["loss"], found["closed_form_noise"]) == ("-inf", "zero")
    assert found["stopped"] == "diverged"


def test_train_saves_the_model(capsys, tmp_path):
    file = tmp_path / "vae.npz"
    np.save(tmp_path / "S.npy", COVARIANCE)
    found = run_json(
        capsys, "train", "--covariance", str(tmp_path / "S.npy"), "--latent-dim", "2", "--save", str(file)
    )  # fmt: skip
    with np.load(file) as saved:
        assert np.array_equal(saved["decoder"], found["vae"]["decoder"])
        assert len(saved["history"]) == found["steps"] + 1
        assert set(saved) == {"decoder", "encoder", "posterior_covariance", "noise_variance", "history", "format"}
        assert saved["format"] == report.FORMAT


def test_train_on_data(capsys, tmp_path):
    data = np.random.default_rng(0).standard_normal((50, 3)) * [3, 2, 1] + 5
    np.savetxt(tmp_path / "data.csv", data, delimiter=",")
    found = run_json(capsys, "train", "--data", str(tmp_path / "data.csv"), "--latent-dim", "1")
    assert found["trained"]["loss"] == pytest.approx(found["closed_form"]["loss"], abs=1e-9)
    assert found["vae"]["mean"] == pytest.approx(data.mean(axis=0))


def test_digits_are_the_default(capsys):
    found = run_json(capsys, "train", "--latent-dim", "1", "--beta", "5")
    assert len(found["vae"]["mean"]) == 64
    assert found["trained"]["loss"] == pytest.approx(found["closed_form"]["loss"], abs=1e-9)


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


COUNTS = ["1" + "0" * zeros for zeros in (12, 20, 30)] + ["2147483648", "9223372036854775808"]


@pytest.mark.parametrize(
    ("argv", "named"),
    [
        (f"{command} --eigenvalues 3,2,1 {options} {option} {value}".split(), named)
        for value in COUNTS
        for command, options, option, named in [
            ("sweep", "--betas 1", "--latent-dim", "latent_dim"),
            ("sweep", "--betas 1 --latent-dim 1", "--seeds", "seeds"),
            ("sweep", "--betas 1 --latent-dim 1", "--processes", "processes"),
            ("train", "", "--latent-dim", "latent_dim"),
            ("train", "--latent-dim 1", "--max-steps", "max_steps"),
        ]
    ],
)
def test_counts_beyond_reason_are_one_line_before_any_work(capsys, monkeypatch, argv, named):
    monkeypatch.setattr(validation, "_memory", lambda: 2**33)
    code, out, err = run(capsys, *argv)
    assert (code, out) == (2, "")
    assert re.match(rf"python -m numerics: error: (--)?{named} ", err) and err.count("\n") == 1


@pytest.mark.parametrize("size", ["1e308", "1e-320"])
@pytest.mark.parametrize(
    "options",
    [
        "train --latent-dim 1 --eigenvalues {},1",
        "train --latent-dim 1 --eigenvalues 4,2 --beta {}",
        "train --latent-dim 1 --eigenvalues 4,2 --noise-variance {}",
        "sweep --latent-dim 1 --betas 1 --eigenvalues {},{}",
        "sweep --latent-dim 1 --betas {} --eigenvalues 4,2",
        "sweep --latent-dim 1 --betas 1 --eigenvalues 4,2 --noise-variance {}",
        "sweep --latent-dim 1 --betas 1 --eigenvalues 4,2 --method adam --max-steps 9 --learning-rate {}",
    ],
)
def test_at_the_ends_of_the_floats_there_is_a_result_or_one_line(capsys, options, size):
    code, out, err = run(capsys, *options.format(size, size).split())
    if code == 2:
        assert out == "" and err.startswith("python -m numerics: error: ") and err.count("\n") == 1
    else:
        assert err == "" and ("overflowed" in out if code else "nan" not in out)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["verify", "--only", "nothing"], "--only must be one of"),
        (["verify", "--only", "two_factors,"], "--only must be one of"),
        (["train"], "--latent-dim"),
        (["train", "--latent-dim", "-1"], "latent_dim must be >= 0"),
        (["train", "--latent-dim", "2", "--beta", "0"], "beta must be > 0"),
        (["train", "--latent-dim", "2", "--data", "nowhere.csv"], "no such file"),
        (["train", "--latent-dim", "2", "--noise-variance", "some"], "--noise-variance must be a number or learned"),
        (["train", "--latent-dim", "2", "--posterior", "0"], "misses latents [1]"),
        (["train", "--latent-dim", "2", "--seed", "-1"], "--seed must be >= 0"),
        (["train", "--latent-dim", "2", "--save", "vae.csv"], "use vae.npz"),
        (["train", "--latent-dim", "2", "--eigenvalues", "1,-1"], "no negative eigenvalue"),
        (["train", "--latent-dim", "2", "--data", "digits", "--eigenvalues", "2,1"], "not allowed with"),
        (["sweep", "--latent-dim", "2"], "--betas"),
        (["sweep", "--latent-dim", "2", "--betas", "0,1"], "--betas must be > 0"),
        (["sweep", "--latent-dim", "2", "--betas", "1", "--seeds", "0"], "--seeds must be >= 1, got 0"),
        (["sweep", "--latent-dim", "2", "--betas", "1", "--out", "runs.npz"], "use runs.csv"),
        (["sweep", "--latent-dim", "2", "--betas", "1", "--resume", "runs.csv"], "use runs.jsonl"),
        (["sweep", "--latent-dim", "2", "--betas", "1", "--processes", "0"], "--processes must be >= 1, got 0"),
        (["dance"], "invalid choice"),
    ],
)
def test_bad_usage_is_one_line_and_exit_code_2(capsys, argv, message):
    code, out, err = run(capsys, *argv)
    assert (code, out) == (2, "")
    assert err.startswith("python -m numerics: error: ")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("command", [[], ["verify"], ["train"], ["sweep"]])
def test_help(capsys, command):
    with pytest.raises(SystemExit) as end:
        main([*command, "--help"])
    assert end.value.code == 0
    out = capsys.readouterr().out
    assert not command or "examples:\n  python -m numerics" in out


def test_the_door_opens_from_outside():
    command = [sys.executable, "-m", "numerics", "verify", "--quick", "--only", "two_factors"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stdout.endswith("comparisons agree\n")
    assert done.stderr == ""


def test_sprites(capsys):
    options = ["--size", "12", "--count", "300", "--latent-dim", "3", "--betas", "1,2"]
    assert main(["sprites", *options, "--seeds", "3", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["scores"]["beta"] == [1.0, 2.0]
    assert len(found["axes"]["x"]) == 3
    scores, first = found["scores"], found["draws"]["gap_of_means"]
    assert (scores["gap_of_means_least"][0], scores["gap_of_means_most"][0]) == (min(first), max(first))
    assert len(set(first)) == 3 and scores["gap_of_means"][0] == pytest.approx(np.mean(first))
    assert main(["sprites", *options, "--seeds", "1"]) == 0
    assert "the two largest eigenvalues nearly tie" in capsys.readouterr().out
    assert main(["sprites", "--dsprites", "missing.npz"]) == 2
    assert "missing.npz" in capsys.readouterr().err


def test_train_on_batches(capsys):
    options = ["--latent-dim", "2", "--noise-variance", "5", "--batch-size", "128", "--learning-rate", "0.003"]
    assert main(["train", *options, "--max-steps", "3000", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["stopped"] == "max_steps" and found["steps"] == 3000
    assert 0 < found["trained"]["loss"] - found["closed_form"]["loss"] < 1  # of 150 nats
    assert main(["train", *options, "--eigenvalues", "3,2,1"]) == 2
    assert "--batch-size needs observations, got a covariance" in capsys.readouterr().err
    assert main(["train", *options, "--method", "em"]) == 2
    assert "--method must be adam with --batch-size, got em" in capsys.readouterr().err


@pytest.mark.parametrize("command", [theory_main, main])
def test_eigenvalues_are_taken_as_they_are_written(capsys, command):
    """1e-8 beside 1e8 is no rounding: the noise that two latents leave is 1e-8, and was 0, with a loss of -inf."""
    name = "train" if command is main else "optimum"
    assert command([name, "--eigenvalues", "1e8,1,1e-8", "--latent-dim", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    found = found["closed_form"] if command is main else found
    assert found["noise_variance"] == pytest.approx(1e-8, rel=1e-12)
    assert found["loss"] == pytest.approx(1.5 * (1 + np.log(2 * np.pi)), abs=1e-9)  # the product of the three is 1
