"""The command `train`."""

from __future__ import annotations

import json

import numpy as np
import pytest

from numerics.__main__ import main
from tests.numerics.command_line import COVARIANCE, SPECTRUM, run, run_json
from theory import LinearVAE, elbo_terms, optimum
from theory.interface import report


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


def test_a_file_is_read_once_for_batches(capsys, tmp_path):
    rows = np.random.default_rng(0).standard_normal((30, 2))
    table = np.column_stack([range(30), rows])
    np.savetxt(tmp_path / "x.csv", table, delimiter=",", header="id,a,b", comments="")
    options = ["--data", str(tmp_path / "x.csv"), "--latent-dim", "1", "--batch-size", "10", "--max-steps", "5"]
    assert main(["train", *options]) == 0
    assert capsys.readouterr().err.count("left out column 'id'") == 1
