"""One page on a data set: each number beside its own formula, written out with numpy."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from theory import Moments, data_report, optimum
from theory.__main__ import main

RNG = np.random.default_rng(3)
DATA = RNG.standard_normal((60, 4)) * [3, 2, 1, 0] + 5  # the last column is constant


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "data.csv"
    rows = [",".join(["id", "a", "b", "c", "d"])] + [
        f"{at},{','.join(map(repr, row))}" for at, row in enumerate(DATA.tolist())
    ]
    path.write_text("\n".join(rows))
    return str(path)


def printed(capsys, *arguments: str) -> dict:
    assert main(("report", *arguments, "--json")) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(("noise", "beta"), [("learned", 1.0), ("learned", 1.5), (0.7, 2.0), (20.0, 3.0)])
def test_the_numbers_by_their_formulas(noise, beta):
    moments = Moments.of(DATA)
    found = data_report(moments, 2, beta=beta, noise_variance=noise)
    eigenvalues = np.sort(np.linalg.eigvalsh(np.cov(DATA, rowvar=False, bias=True)))[::-1].clip(0)
    np.testing.assert_allclose(found.eigenvalues, eigenvalues, atol=1e-12)
    best = optimum(moments, 2, beta=beta, noise_variance=noise)
    for name in ("rate", "distortion", "loss", "noise_variance", "noise_status", "active_count"):
        assert getattr(found, name) == getattr(best, name)
    level = beta * best.noise_variance
    assert found.water_level == level and found.rank == 3 and found.constant_columns == (3,)
    np.testing.assert_allclose(found.explained, np.cumsum(eigenvalues) / eigenvalues.sum(), rtol=1e-12)
    assert found.rate == pytest.approx(np.log(eigenvalues[:2] / level).clip(0).sum() / 2, rel=1e-12, abs=1e-14)
    learned = optimum(moments, 2, beta=beta)
    assert found.learned_noise_variance == pytest.approx(learned.noise_variance, rel=1e-12)
    assert (found.learned_active_count, found.learned_noise_status) == (learned.active_count, learned.noise_status)
    assert found.excess_rate >= 0 and (found.excess_rate > 1e-9) == (eigenvalues[2] > level)


def test_the_command_says_what_was_done(capsys, table):
    found = printed(capsys, "--data", table, "--latent-dim", "2", "--beta", "1.5")
    assert (found["observations"], found["data_dim"], found["rank"]) == (60, 4, 3)
    assert found["columns"] == ["a", "b", "c", "d"] and found["left_out"] == ["id"]
    assert found["constant_columns"] == ["d"] and not found["standardized"]
    best = optimum(Moments.of(DATA), 2, beta=1.5)
    assert found["rate"] == pytest.approx(best.rate, rel=1e-12) and found["active_count"] == best.active_count


def test_in_the_convention_of_the_user_and_in_bits(capsys, table):
    options = ("--data", table, "--latent-dim", "2", "--columns", "a,b,c", "--unit", "bits")
    found = printed(capsys, *options, "--kl-weight", "0.5", "--reconstruction", "mean")
    assert found["water_level"] == pytest.approx(0.5 * 3 / 2) and found["kl_weight"] == 0.5
    for weight, eigenvalue in zip(found["critical_kl_weights"], found["eigenvalues"], strict=False):
        assert weight * 3 / 2 == pytest.approx(eigenvalue, rel=1e-13)
    assert found["learned_noise_variance"] is None  # MSELoss has no noise that could be learned
    by_beta = printed(capsys, *options, "--beta", repr(found["beta"]), "--noise-variance", "1")
    assert by_beta["learned_noise_variance"] > 0 and by_beta["rate"] == found["rate"]
    assert found["loss_in_code"] == pytest.approx(found["distortion"] / 3 + 0.5 * found["rate"] * np.log(2), rel=1e-12)
    assert found["total_collapse_kl_weight"] == found["critical_kl_weights"][0]
    logs = np.log2(np.array(found["eigenvalues"][:2]) / found["water_level"]).clip(0)
    assert found["rate"] == pytest.approx(logs.sum() / 2, rel=1e-12) and found["unit"] == "bits"


def test_standardised_data_have_the_eigenvalues_of_the_correlations(capsys, table):
    found = printed(capsys, "--data", table, "--latent-dim", "2", "--leave-out", "d", "--standardize")
    expected = np.sort(np.linalg.eigvalsh(np.corrcoef(DATA[:, :3], rowvar=False)))[::-1]
    np.testing.assert_allclose(found["eigenvalues"], expected, rtol=1e-12)


def test_the_page_and_its_files(capsys, table, tmp_path):
    assert main(("report", "--data", table, "--latent-dim", "5", "--out", str(tmp_path / "page"))) == 0
    output = capsys.readouterr()
    assert "left out column 'id'" in output.err
    for words in ("observations N", "What these data cannot tell", "optimal-beta", "the loss falls without bound"):
        assert words in output.out
    assert sorted(file.name for file in (tmp_path / "page").iterdir()) == ["modes.csv", "report.json", "report.txt"]
    assert (tmp_path / "page" / "report.txt").read_text() == output.out
    values = json.loads((tmp_path / "page" / "report.json").read_text())
    assert values == printed(capsys, "--data", table, "--latent-dim", "5")
    with (tmp_path / "page" / "modes.csv").open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert [float(row["eigenvalue"]) for row in rows[:4]] == values["eigenvalues"] and len(rows) == 5
    assert values["noise_status"] == "zero" and values["rate"] == "inf"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--latent-dim", "0"), "latent_dim must be"),
        (("--latent-dim", "2", "--beta", "1,2"), "report serves one beta, got 2"),
        (("--latent-dim", "2", "--kl-weight", "1"), "--kl-weight needs --reconstruction"),
        (("--latent-dim", "2", "--columns", "e"), "no column 'e'"),
    ],
)
def test_what_does_not_fit_is_refused(capsys, table, options, words):
    assert main(("report", "--data", table, *options)) == 2
    assert words in capsys.readouterr().err
