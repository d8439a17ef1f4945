"""The command `audit`: the manual's example, its numbers for machines, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

import numerics
from tests.manual import ROOT, check
from tests.numerics.command_line import run, run_json
from theory import convention, optimum
from theory.moments import Moments

MANUAL, CODES = ROOT / "docs/audit.md", ROOT / "docs/examples/digits_vae.npz"
EXAMPLE = ("audit", "--codes", str(CODES), "--data", "digits", "--kl-weight", "2", "--reconstruction", "mean")
RNG = np.random.default_rng(0)
DATA = RNG.standard_normal((40, 3)) * [2.0, 1.0, 0.3]
ARRAYS = {"mean": DATA[:, :2] * [0.45, 0.6], "log_variance": np.tile([-1.8, -0.6], (40, 1))}


@pytest.fixture
def file(tmp_path):
    def write(**arrays):
        np.savez(tmp_path / "codes.npz", **arrays)
        return str(tmp_path / "codes.npz")

    return write


def test_the_example_of_the_manual_prints_what_stands_below_it(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert check(MANUAL, capsys) == 1
    assert CODES.stat().st_size < 100_000


def test_the_manual_names_the_keys_and_the_script_writes_the_arrays(capsys):
    text = MANUAL.read_text(encoding="utf-8")
    found = run_json(capsys, *EXAMPLE)
    assert all(
        f"`{key}`" in text
        for key in found.keys() - {"format", "count", "latent_dim", "rate_standard_error", "other_arrays"}
    )
    script = (CODES.parent / "digits_vae.py").read_text(encoding="utf-8")
    with np.load(CODES) as arrays:
        assert all(f"{name}={name}" in script and f"{name}={name}" in text for name in arrays)
        assert arrays["mean"].shape == (1797, 6)


def test_numbers_for_machines_are_those_of_the_function(capsys):
    found = run_json(capsys, *EXAMPLE)
    level = convention(2.0, reconstruction="mean", data_dim=64).water_level
    with np.load(CODES) as arrays:
        expected = numerics.audit(numerics.Codes(**arrays), data=numerics.digits(), water_level=level)
    assert (found["rate"], found["active_count"]) == (expected.rate, expected.active_count)
    assert found["linear_optimum"]["excess_nats"] == expected.linear_optimum.excess_nats
    best = optimum(Moments.of(numerics.digits()), 6, noise_variance=level)
    for name in ("rate", "distortion", "active_count"):
        assert found["linear_optimum"][name] == getattr(best, name)
    assert found["latents"]["regime"].count("passive") == 2
    assert found["scores"] is None and found["missing"] == {"scores": "--factors", "orthogonality": "--decoder"}


@pytest.mark.parametrize(
    ("loss", "level"),
    [
        ("--beta 4 --noise-variance 0.1", 0.4),
        ("--kl-weight 0.2 --reconstruction mean", 0.3),
        ("--kl-weight 0.2 --reconstruction sum --kl mean", 0.05),
        ("--kl-weight 2 --reconstruction nll --noise-variance 0.1", 0.2),
    ],
)
def test_every_name_of_the_loss_is_a_water_level(capsys, file, loss, level):
    name = file(**ARRAYS, images=DATA)
    found = run_json(capsys, "audit", "--codes", name, "--data", f"{name}:images", *loss.split())
    assert found["linear_optimum"]["water_level"] == pytest.approx(level, rel=1e-14)
    assert found["linear_optimum"]["excess_nats"] is None
    assert found["other_arrays"] == ["images"]
    assert "reconstruction (N, D) or squared_error (N)" in found["missing"]["distortion"]


def test_codes_alone_say_which_option_gives_the_rest(capsys, file):
    code, out, _ = run(capsys, "audit", "--codes", file(mean=ARRAYS["mean"], variance=np.exp(ARRAYS["log_variance"])))
    assert code == 0
    assert "--data and the loss, which codes do not tell: --beta with --noise-variance" in out
    assert "linear  " not in out.split("part  ")[0]  # no column of what there is not
    for word in ("--factors", "--decoder", "squared_error (N)"):
        assert word in out.split("not told")[1]


def test_all_that_can_be_given(capsys, file, tmp_path):
    np.savetxt(tmp_path / "factors.csv", DATA[:, :2], delimiter=",", header="a,b", comments="")
    name = file(**ARRAYS, reconstruction=0.8 * DATA, images=DATA, jacobians=RNG.standard_normal((5, 3, 2)))
    options = ("--data", f"{name}:images", "--factors", str(tmp_path / "factors.csv"), "--header")
    options += ("--decoder", f"{name}:jacobians", "--beta", "1", "--noise-variance", "0.1")
    found = run_json(capsys, "audit", "--codes", name, *options)
    assert found["missing"] == {}
    assert found["distortion"] == pytest.approx(0.04 * np.sum(DATA**2) / 40)
    assert found["scores"]["mean"]["mean_correlation"] > found["scores"]["sampled"]["mean_correlation"]
    assert 0 < found["orthogonality"]["distance"] < 1.1
    code, out, _ = run(capsys, "audit", "--codes", name, *options)
    assert code == 0 and "by chance" in out and "mutual_information_gap" in out
    assert "the network " in out and "not told" not in out and "of the codes: images, jacobians" in out


@pytest.mark.parametrize(("error", "verdict"), [(0.0, "won"), (9.0, "lost")])
def test_the_verdict(capsys, file, error, verdict):
    name = file(**ARRAYS, squared_error=np.full(40, error), images=DATA)
    options = ("--codes", name, "--data", f"{name}:images", "--beta", "1", "--noise-variance", "0.5")
    nats = run_json(capsys, "audit", *options)["linear_optimum"]["excess_nats"]
    assert (nats > 0) == (verdict == "lost")
    assert f"the network {verdict} {abs(nats):.4g} nats" in run(capsys, "audit", *options)[1]


def test_the_seed_is_that_of_the_draws(capsys, file):
    name = file(**ARRAYS)
    first, again, other = (
        run_json(capsys, "audit", "--codes", name, "--seed", seed)["mutual_information"] for seed in ("0", "0", "1")
    )
    assert first == again != other


def test_many_latents_are_cut_unless_all_are_asked_for(capsys, file):
    name = file(mean=RNG.standard_normal((30, 25)), variance=np.full((30, 25), 0.5))
    assert "5 more latents: pass --all" in run(capsys, "audit", "--codes", name)[1]
    assert "more latents" not in run(capsys, "audit", "--codes", name, "--all")[1]


@pytest.mark.parametrize(
    ("arrays", "options", "message"),
    [
        ({"mu": DATA, "logvar": DATA}, "", "must hold arrays mean and variance or log_variance, it holds mu, logvar;"),
        ({"mean": DATA}, "", "must hold arrays mean and variance or log_variance, it holds mean;"),
        (ARRAYS | {"variance": np.ones((40, 2))}, "", "variance or log_variance must be given, got both"),
        (ARRAYS | {"mean": DATA[:, 0]}, "", "must hold rows and columns, its array has shape (40,); reshape it"),
        (ARRAYS | {"mean": np.full((40, 2), np.nan)}, "", "codes.npz:mean: row 1, column 1 (counted from 1) is nan"),
        (ARRAYS | {"mean": ARRAYS["mean"][:9]}, "", "log_variance must be 9 x 2, got 40 x 2"),
        ({"mean": ARRAYS["mean"], "variance": -np.ones((40, 2))}, "", "variance must be > 0 everywhere"),
        (ARRAYS | {"mean": np.array(["a"])}, "", "holds values of type <U1"),
        (ARRAYS, "--data digits", "data must have one row for each of the 40 codes, got 1797"),
        (ARRAYS, "--beta 1 --noise-variance 1", "--data must be given with --beta"),
        (ARRAYS, "--data {}:mean --beta 1", "--noise-variance must be given with --beta"),
        (ARRAYS, "--data {}:mean --beta 0 --noise-variance 1", "--beta must be > 0"),
        (ARRAYS, "--data {}:mean --kl-weight 1", "--kl-weight needs --reconstruction"),
        (ARRAYS, "--data {}:mean --kl-weight 1 --reconstruction nll", "--noise-variance must be given"),
        (ARRAYS, "--data {}:mean --noise-variance 1", "--noise-variance needs the weight of the KL"),
        (ARRAYS, "--data {}:mean --reconstruction sum", "--reconstruction needs the weight of the KL"),
        (ARRAYS, "--data {}:mean --beta 1 --noise-variance learned", "pass the value at which training ended"),
        (ARRAYS, "--data {}:mean --beta 1 --kl-weight 1", "not allowed with"),
        (
            ARRAYS,
            "--data {}:mean --beta 1 --noise-variance 1 --reconstruction sum",
            "--reconstruction is about the loss in your code",
        ),
        (ARRAYS, "--data {}:mean --beta 1 --noise-variance 1 --kl sum", "--kl is about the loss in your code"),
        (ARRAYS, "--data {}:mean --kl mean", "--kl needs the weight of the KL"),
        (ARRAYS, "--factors nowhere.csv", "no such file"),
        (ARRAYS, "--data {}:log_variance --decoder {}:mean", "decoder must be 2 x 2"),
        (ARRAYS, "--decoder one", "--decoder must be numbers such as"),
        (ARRAYS, "--header", "header is for the first line of a .csv file"),
        (ARRAYS, "--threshold -1", "threshold must be >= 0"),
        (ARRAYS, "--seed -1", "--seed must be >= 0"),
    ],
)
def test_what_is_refused_in_one_line(capsys, file, arrays, options, message):
    name = file(**arrays)
    code, out, err = run(capsys, "audit", "--codes", name, *options.replace("{}", name).split())
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("codes.npy", "must be an .npz archive of named arrays"),
        ("codes.csv", "must be an .npz archive of named arrays"),
        ("codes.pt", "cannot read files of kind '.pt'"),
        ("nowhere.npz", "no such file"),
        ("text.npz", "is damaged, or not a numpy file"),
        ("empty.npz", "is empty"),
    ],
)
def test_other_files_are_refused(capsys, tmp_path, name, message):
    np.save(tmp_path / "codes.npy", ARRAYS["mean"])
    np.savetxt(tmp_path / "codes.csv", ARRAYS["mean"], delimiter=",")
    for other, text in (("codes.pt", "pickle"), ("text.npz", "text"), ("empty.npz", "")):
        (tmp_path / other).write_text(text)
    code, out, err = run(capsys, "audit", "--codes", str(tmp_path / name))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err
