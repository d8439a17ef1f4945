"""`rate-distortion` at a rate, a distortion or a beta, `critical-betas`, and tables in files."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from theory import beta_for_rate, convention, critical_betas, rate_distortion
from theory.__main__ import main

SOURCE = ("--eigenvalues", "4,2,.9,.45,.2")
SPECTRUM = np.array([4.0, 2.0, 0.9, 0.45, 0.2])


def printed(capsys, *arguments: str) -> dict:
    assert main((*arguments, "--json")) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("noise", ["learned", "0.3"])
def test_a_rate_in_bits(capsys, noise):
    found = printed(
        capsys,
        *("rate-distortion", *SOURCE, "--latent-dim", "3", "--rate", "1,2", "--unit", "bits"),
        *("--noise-variance", noise),
    )
    points = beta_for_rate(SPECTRUM, 3, np.log(2) * np.array([1, 2]), noise if noise == "learned" else float(noise))
    assert found["unit"] == "bits"
    np.testing.assert_allclose(found["rate"], [1, 2], rtol=1e-15)
    for name in ("beta", "noise_variance", "water_level", "distortion"):
        np.testing.assert_array_equal(found[name], getattr(points, name))


def test_rate_distortion_and_beta_ask_for_the_same_point(capsys):
    at_rate = printed(capsys, "rate-distortion", *SOURCE, "--latent-dim", "3", "--rate", "1.5")
    for name in ("distortion", "beta"):
        option = (f"--{name}", repr(at_rate[name][0]))
        point = printed(capsys, "rate-distortion", *SOURCE, "--latent-dim", "3", *option)
        for key in ("beta", "rate", "distortion", "noise_variance", "water_level"):
            assert point[key] == pytest.approx(at_rate[key], rel=1e-9), (name, key)


def test_the_weight_in_code_that_holds_a_rate(capsys):
    loss = ("--reconstruction", "mean", "--kl", "mean")
    found = printed(capsys, "rate-distortion", *SOURCE, "--latent-dim", "3", "--rate", "1.5", *loss)
    weight = found["kl_weight"][0]
    level = convention(weight, reconstruction="mean", data_dim=5, kl="mean", latent_dim=3).water_level
    assert np.log(SPECTRUM[:3] / level).clip(0).sum() / 2 == pytest.approx(1.5, rel=1e-12)


def test_without_latents_shannons_curve(capsys):
    for name in ("rate", "distortion"):
        found = printed(capsys, "rate-distortion", *SOURCE, f"--{name}", "1.5")
        point = rate_distortion(SPECTRUM, found["water_level"])
        assert found[name] == pytest.approx([1.5], rel=1e-12) and "beta" not in found
        np.testing.assert_allclose(found["rate"], point.rate)


def test_an_undetermined_noise_is_said(capsys):
    assert main(("rate-distortion", "--eigenvalues", "3,2,1", "--latent-dim", "3", "--rate", "2")) == 0
    assert "every noise up to a largest one is as good" in capsys.readouterr().out


def test_critical_betas_and_weights(capsys):
    found = printed(capsys, "critical-betas", *SOURCE)
    np.testing.assert_array_equal(found["critical_betas"], critical_betas(SPECTRUM, 5))
    found = printed(capsys, "critical-betas", *SOURCE, "--latent-dim", "7", "--reconstruction", "half-mean")
    np.testing.assert_allclose(found["critical_kl_weights"], np.append(SPECTRUM, [0, 0]) / 5, rtol=1e-14)
    assert found["eigenvalues"][5:] == [0, 0] and found["noise_variance"] == 1


@pytest.mark.parametrize(
    "command",
    [
        ("optimum", *SOURCE, "--latent-dim", "2"),
        ("optimum", *SOURCE, "--latent-dim", "2", "--beta", "0.5,1,2"),
        ("rate-distortion", *SOURCE),
        ("rate-distortion", *SOURCE, "--latent-dim", "2", "--rate", "1,2"),
        ("critical-betas", *SOURCE),
        ("inference", "--loading", "1,.9;0,.436", "--noise-variance", "0.05", "--beta", "0.5,1,2"),
    ],
)
def test_the_table_goes_into_a_file(capsys, tmp_path, command):
    path = tmp_path / "table.csv"
    assert main((*command, "--out", str(path))) == 0
    table = [line for line in capsys.readouterr().out.split("\n\n")[-1].splitlines() if line]
    with path.open(newline="") as opened:
        rows = list(csv.reader(opened))
    assert rows[0] == table[0].split() and len(rows) == len(table)
    numbers = [float(cell) for cell in rows[1] if cell not in ("", "learned", "True", "False")]
    shown = [float(cell) for cell in table[1].split() if cell not in ("learned", "yes", "no", "-")]
    np.testing.assert_allclose(shown, numbers, rtol=1e-5)


def test_a_curve_is_saved(capsys, tmp_path):
    path = tmp_path / "curve.npz"
    assert main(("optimum", *SOURCE, "--latent-dim", "2", "--beta", "0.5,1,2", "--save", str(path))) == 0
    with np.load(path) as saved:
        assert saved["betas"].tolist() == [0.5, 1, 2] and saved["loss"].shape == (3,)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("rate-distortion", *SOURCE, "--beta", "1"), "--beta is for the optimal VAE"),
        (("rate-distortion", *SOURCE, "--rate", "1", "--noise-variance", "1"), "--noise-variance is for"),
        (("rate-distortion", *SOURCE, "--latent-dim", "2", "--reconstruction", "mean"), "--reconstruction is for"),
        (("rate-distortion", *SOURCE, "--latent-dim", "2", "--rate", "1", "--beta", "1"), "not allowed with"),
        (("rate-distortion", *SOURCE, "--latent-dim", "2", "--distortion", "1.5"), "distortion must be above 1.55"),
        (("critical-betas", *SOURCE, "--kl", "mean"), "--kl is about the loss in your code"),
        (("critical-betas", *SOURCE, "--out", "betas.txt"), "the output format is .csv"),
    ],
)
def test_what_does_not_fit_is_refused(capsys, command, words):
    assert main(command) == 2
    assert words in capsys.readouterr().err


def test_a_weight_needs_the_number_of_latents_by_which_its_kl_is_averaged(capsys):
    assert main(("critical-betas", *SOURCE, "--reconstruction", "mean", "--kl", "mean")) == 2
    assert "latent_dim must be given for kl 'mean'" in capsys.readouterr().err
    assert main(("rate-distortion", *SOURCE, "--distortion", "0.1,9")) == 2
    assert "--distortion must be at most 7.55" in capsys.readouterr().err


def test_a_file_that_is_read_is_not_replaced(capsys, tmp_path):
    file = tmp_path / "d.csv"
    file.write_text("a,b\n1,2\n3,5\n2,1\n")
    for command in (("optimum", "--data", str(file), "--latent-dim", "1", "--out", str(file)),):
        assert main(command) == 2
        assert "is read by --data, and would be replaced" in capsys.readouterr().err
    assert file.read_text() == "a,b\n1,2\n3,5\n2,1\n"
    (tmp_path / "modes.csv").write_text("a,b\n1,2\n3,5\n2,1\n")
    page = ("report", "--data", str(tmp_path / "modes.csv"), "--latent-dim", "1", "--out", str(tmp_path))
    assert main(page) == 2 and not (tmp_path / "report.txt").exists()
