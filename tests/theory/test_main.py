"""`python -m theory`: the numbers of the functions, as JSON and as tables; misuse in one line that names the fault."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import theory
from theory.__main__ import main
from theory.inference.errors_along_beta import CRITERIA
from theory.learning import capacity_penalty, vae_rate_distortion

LOADING = np.array([[1, 0.9], [0, 0.436]])
TRUTH = ["--loading", "1,.9;0,.436", "--noise-variance", "0.05"]


@pytest.fixture
def command(capsys):
    """Run a command in this process and return what it prints."""

    def command(*argv: str) -> str:
        assert main(argv) == 0
        output, errors = capsys.readouterr()
        assert errors == ""
        return output

    return command


@pytest.fixture
def json_of(command):
    return lambda *argv: json.loads(command(*argv, "--json"), parse_constant=pytest.fail)


@pytest.fixture
def refused(capsys):
    """Run a command that must be refused and return its one line of error."""

    def refused(*argv: str) -> str:
        assert main(argv) == 2
        output, errors = capsys.readouterr()
        assert output == "" and errors.count("\n") == 1 and errors.startswith("python -m theory: error: ")
        return errors

    return refused


@pytest.fixture
def data(tmp_path):
    """Observations in a file, with their path."""
    values = np.random.default_rng(0).standard_normal((200, 4)) * [3, 2, 1, 0.5] + [1, 2, 3, 4]
    np.save(tmp_path / "data.npy", values)
    return values, str(tmp_path / "data.npy")


def numbers(values) -> np.ndarray:
    """Arrays from JSON, where infinities are strings."""
    return np.asarray(values, dtype=float)


def rows(text: str) -> list[list[str]]:
    return [line.split() for line in text.strip().split("\n")]


# optimum


@pytest.mark.parametrize("noise", ["learned", 0.25])
def test_optimum_of_data(json_of, data, noise):
    values, path = data
    printed = json_of("optimum", "--data", path, "--latent-dim", "3", "--beta", "1.25", "--noise-variance", str(noise))
    best = theory.optimum(theory.Moments.of(values), 3, beta=1.25, noise_variance=noise)
    assert (printed["beta"], printed["latent_dim"]) == (1.25, 3)
    for name in ("noise_variance", "noise_status", "active_count", "distortion", "rate", "loss"):
        assert printed[name] == getattr(best, name)
    for name in ("eigenvalues", "critical_betas", "active"):
        np.testing.assert_array_equal(printed[name], getattr(best, name))


def test_optimum_of_a_covariance_file_and_of_its_eigenvalues(json_of, tmp_path):
    np.savetxt(tmp_path / "s.csv", np.diag([1.0, 3, 2]), delimiter=",")
    of_file = json_of("optimum", "--covariance", f"{tmp_path}/s.csv", "--latent-dim", "2", "--noise-variance", ".5")
    of_text = json_of("optimum", "--eigenvalues", "2,1,3", "--latent-dim", "2", "--noise-variance", ".5")
    assert of_file == of_text
    assert of_text["eigenvalues"] == [3, 2, 1]


def test_optimum_of_leading_eigenvalues_and_the_trace(json_of, command):
    arguments = ("optimum", "--eigenvalues", "3,2,1,.5", "--latent-dim", "2", "--beta", "1.2")
    whole, leading = json_of(*arguments), json_of(*arguments, "--leading-only")
    assert leading["eigenvalues"] == pytest.approx([3.0, 2.0])
    assert leading["loss"] == pytest.approx(whole["loss"], abs=1e-12)
    assert leading["critical_betas"] == pytest.approx(whole["critical_betas"])


def test_optimum_reports_what_each_latent_does(json_of):
    """At water level t: weight sqrt(l - t), encoder gain weight / l, posterior variance t / l; collapsed at 1.5 < t."""
    printed = json_of("optimum", "--eigenvalues", "3,2,1", "--latent-dim", "3", "--noise-variance", ".5", "--beta", "3")
    powers, level = np.array([3.0, 2]), 1.5
    weights = np.sqrt(powers - level)
    np.testing.assert_allclose(printed["weight_norms"], [*weights, 0], atol=1e-12)
    np.testing.assert_allclose(printed["encoder_gains"], [*(weights / powers), 0], atol=1e-12)
    np.testing.assert_allclose(printed["posterior_variances"], [*(level / powers), 1], atol=1e-12)
    assert printed["active"] == [True, True, False]
    np.testing.assert_allclose(printed["critical_betas"], [6, 4, 2], atol=1e-12)
    assert printed["distortion"] == pytest.approx(2 * level + 1, abs=1e-12)
    assert printed["rate"] == pytest.approx(np.log(powers / level).sum() / 2, abs=1e-12)


def test_optimum_table(command):
    text = command("optimum", "--eigenvalues", "3,2,1", "--latent-dim", "2", "--noise-variance", "1", "--beta", "2")
    facts, modes = text.split("\n\n")
    assert ["beta", "2"] in rows(facts) and ["active_count", "1"] in rows(facts) and ["latent_dim", "2"] in rows(facts)
    assert rows(modes) == [
        ["mode", "eigenvalue", "critical_beta", "active", "weight_norm", "encoder_gain", "posterior_variance"],
        ["1", "3", "3", "yes", "1", "0.333333", "0.666667"],
        ["2", "2", "2", "no", "0", "0", "1"],
        ["3", "1", "-", "-", "-", "-", "-"],
    ]


def test_optimum_with_more_latents_than_dimensions(command):
    text = command("optimum", "--eigenvalues", "3", "--latent-dim", "2", "--noise-variance", "1")
    assert rows(text)[-1] == ["2", "-", "0", "no", "0", "0", "1"]


def test_optimum_without_latents(json_of):
    assert json_of("optimum", "--eigenvalues", "3,1", "--latent-dim", "0")["noise_variance"] == 2


def test_optimum_shows_twenty_rows_or_all(command):
    argv = ["optimum", "--eigenvalues", ",".join(map(str, range(25, 0, -1))), "--latent-dim", "3"]
    text = command(*argv)
    assert rows(text)[-2][:2] == ["20", "6"]
    assert text.endswith("5 more rows: pass --all\n")
    assert rows(command(*argv, "--all"))[-1][:2] == ["25", "1"]


def test_optimum_whose_noise_runs_to_zero_is_a_result(json_of, command):
    argv = ["optimum", "--eigenvalues", "3,2", "--latent-dim", "2", "--beta", ".5"]
    printed = json_of(*argv)
    assert (printed["noise_status"], printed["noise_variance"]) == ("zero", 0)
    assert (printed["rate"], printed["loss"], printed["weight_norms"]) == ("inf", "-inf", None)
    assert ["loss", "-inf"] in rows(command(*argv))


def test_optimum_curve(json_of, command):
    argv = ["optimum", "--eigenvalues", "3,2,1", "--latent-dim", "2", "--beta", "0.1:10:7"]
    printed = json_of(*argv)
    curve = theory.optimum_curve(np.diag([3.0, 2, 1]), 2, np.geomspace(0.1, 10, 7))
    for name, values in vars(curve).items():
        assert printed[name] == np.asarray(values).tolist()
    table = rows(command(*argv))
    assert table[0] == ["beta", "noise_variance", "noise_status", "active_count", "distortion", "rate", "loss"]
    assert len(table) == 8
    assert float(table[4][5]) == pytest.approx(curve.rate[3], rel=1e-5)


def test_optimum_saves_the_solution(command, data, tmp_path):
    values, path = data
    command("optimum", "--data", path, "--latent-dim", "2", "--save", f"{tmp_path}/vae.npz")
    best = theory.optimum(theory.Moments.of(values), 2)
    with np.load(tmp_path / "vae.npz") as saved:
        vae = theory.LinearVAE(
            *(saved[name] for name in ("decoder", "encoder", "posterior_covariance", "noise_variance", "mean"))
        )
        np.testing.assert_array_equal(saved["eigenvalues"], best.eigenvalues)
        assert saved["noise_status"] == "learned"
        assert saved["loss"] == best.loss
    np.testing.assert_array_equal(vae.decoder, best.vae.decoder)
    np.testing.assert_allclose(vae.mean, values.mean(axis=0), atol=1e-12)
    assert theory.elbo_terms(vae, theory.Moments.of(values)).loss(1) == pytest.approx(best.loss, abs=1e-10)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["data.npy", "vae.npz"]


def test_optimum_saves_what_there_is_when_the_noise_runs_to_zero(command, tmp_path):
    command("optimum", "--eigenvalues", "3,2", "--latent-dim", "2", "--beta", ".5", "--save", f"{tmp_path}/x.npz")
    with np.load(tmp_path / "x.npz") as saved:
        assert "decoder" not in saved.files and saved["noise_status"] == "zero" and saved["loss"] == -np.inf


# inference and optimal beta


def test_inference(json_of, command):
    argv = ["inference", *TRUTH, "--beta", "0.5,1,2"]
    printed = json_of(*argv)
    errors = theory.inference_error_curve(theory.GenerativeModel(LOADING, 0.05), [0.5, 1, 2])
    assert printed == {"format": theory.interface.report.FORMAT, "beta": [0.5, 1, 2]} | {
        name: getattr(errors, name).tolist() for name in CRITERIA
    }
    table = rows(command(*argv))
    assert table[0] == ["beta", *CRITERIA] and len(table) == 4
    np.testing.assert_allclose(numbers(table[2]), [1, *(getattr(errors, name)[1] for name in CRITERIA)], rtol=1e-5)


def test_inference_with_every_option(json_of, tmp_path):
    gamma, decoder = np.array([[1, 0.5, 0], [0.5, 1, 0], [0, 0, 2]]), np.array([[1, 0, 1], [0, 1, 1], [0, 0, 1.0]])
    loading = np.array([[1, 0.5, 0], [0, 1, 0.5], [-0.5, 0, 1]])
    np.savez(tmp_path / "model.npz", loading=loading, gamma=gamma, decoder=decoder)
    printed = json_of(
        *("inference", "--loading", f"{tmp_path}/model.npz:loading", "--noise-variance", "0.3"),
        *("--factor-covariance", f"{tmp_path}/model.npz:gamma", "--decoder", f"{tmp_path}/model.npz:decoder"),
        *("--decoder-noise", "0.7", "--posterior", "0,2;1", "--beta", "2"),
    )
    truth = theory.GenerativeModel(loading, 0.3, gamma)
    vae = theory.optimal_encoder(decoder, 0.7, 2.0, posterior=[[0, 2], [1]])
    errors = theory.inference_error(truth, vae)
    for name in CRITERIA:
        assert printed[name][0] == pytest.approx(getattr(errors, name), abs=1e-10)


def test_learned_decoder_noise_is_not_the_true_one(json_of):
    learned = json_of("inference", *TRUTH, "--beta", "3", "--decoder-noise", "learned")
    errors = theory.inference_error_curve(theory.GenerativeModel(LOADING, 0.05), [3.0], noise_variance="learned")
    assert learned["log_score"] == errors.log_score.tolist()
    assert learned != json_of("inference", *TRUTH, "--beta", "3")


def test_loading_that_begins_with_a_minus_sign(json_of):
    negative = json_of("inference", "--loading", "-1,-.9;0,-.436", "--noise-variance", ".05")
    positive = json_of("inference", *TRUTH)
    for name, values in positive.items():
        np.testing.assert_allclose(negative[name], values, rtol=1e-10)


def test_data_without_noise_have_infinite_divergences_in_valid_json(json_of):
    printed = json_of("inference", "--loading", "1,.9;0,.436", "--noise-variance", "0", "--decoder-noise", "0.1")
    assert printed["forward_kl"] == printed["reverse_kl"] == ["inf"]
    assert isinstance(printed["log_score"][0], float)


def test_optimal_beta_of_every_criterion(json_of, command):
    printed = json_of("optimal-beta", *TRUTH)
    truth = theory.GenerativeModel(LOADING, 0.05)
    assert list(printed) == ["format", *CRITERIA]
    for criterion in CRITERIA:
        best, found = theory.optimal_beta(truth, criterion), printed[criterion]
        assert found == {"beta": best.beta, "error": best.error, "flat": best.flat, "attained": True}
    assert printed["forward_kl"]["beta"] == pytest.approx(2.73787, abs=1e-5)
    assert printed["mean_squared_error"]["beta"] == pytest.approx(1, abs=1e-8)
    table = rows(command("optimal-beta", *TRUTH))
    assert table[0] == ["criterion", "beta", "error", "flat", "attained"]
    assert table[2][:2] == ["forward_kl", "2.73787"] and table[2][3:] == ["no", "yes"]


def test_optimal_beta_that_is_a_limit(json_of, command):
    """README's loading with a learned noise, which runs to zero below beta = 1: there the squared error is least."""
    argv = ["optimal-beta", *TRUTH, "--criterion", "mean_squared_error", "--decoder-noise", "learned"]
    found = json_of(*argv)["mean_squared_error"]
    # At level zero the encoder inverts the square loading: tau2 tr (A^T A)^-1 = tau2 sum A_ij^2 / det(A)^2.
    assert found["error"] == pytest.approx(0.05 * np.sum(np.square(LOADING)) / 0.436**2, rel=1e-10)
    assert (found["beta"], found["flat"], found["attained"]) == (0.0, False, False)
    assert rows(command(*argv))[1] == ["mean_squared_error", "0", "0.526075", "no", "no"]


def test_optimal_beta_of_one_criterion_with_options(json_of):
    printed = json_of(
        "optimal-beta", *TRUTH, "--criterion", "log_score", "--posterior", "full", "--decoder-noise", ".1"
    )
    assert list(printed) == ["format", "log_score"]
    assert printed["log_score"]["beta"] == pytest.approx(0.5, rel=1e-6)  # the full family: beta s2 = tau2


# rate-distortion


def test_rate_distortion(json_of, command):
    argv = ["rate-distortion", "--eigenvalues", "3,2,1", "--water-level", "0.5,1.5,4"]
    printed = json_of(*argv)
    assert printed["water_level"] == [0.5, 1.5, 4]
    np.testing.assert_allclose(printed["distortion"], [1.5, 4, 6], atol=1e-12)
    np.testing.assert_allclose(printed["rate"], [np.log(6 * 4 * 2) / 2, np.log(2 * 4 / 3) / 2, 0], atol=1e-12)
    assert rows(command(*argv))[0] == ["water_level", "rate", "distortion"]


def test_rate_distortion_of_the_vae(json_of, data):
    values, path = data
    printed = json_of("rate-distortion", "--data", path, "--latent-dim", "2", "--water-level", "0.1:20:9")
    eigenvalues = np.linalg.eigvalsh(np.cov(values, rowvar=False, bias=True))
    levels = np.geomspace(0.1, 20, 9)
    for prefix, point in [
        ("", theory.rate_distortion(eigenvalues, levels)),
        ("vae_", vae_rate_distortion(eigenvalues, 2, levels)),
        ("excess_", capacity_penalty(eigenvalues, 2, levels)),
    ]:
        np.testing.assert_allclose(printed[f"{prefix}rate"], point.rate, atol=1e-10)
        np.testing.assert_allclose(printed[f"{prefix}distortion"], point.distortion, atol=1e-10)


def test_rate_distortion_levels_by_default(json_of):
    levels = json_of("rate-distortion", "--eigenvalues", "4,1")["water_level"]
    assert len(levels) == 11
    assert (levels[0], levels[-1]) == pytest.approx((0.04, 4))
    constant = json_of("rate-distortion", "--eigenvalues", "0,0", "--latent-dim", "1")
    assert constant.pop("format") == theory.interface.report.FORMAT
    assert constant == {name: [0] for name in constant}  # a source without variance needs no rate


def test_header_decides_where_the_first_line_could_be_either(command, json_of, refused, tmp_path):
    rng = np.random.default_rng(0)
    values = np.vstack([[0.0, 1.0, 2.0], rng.standard_normal((6, 3))])
    path = str(tmp_path / "x.csv")
    (tmp_path / "x.csv").write_text("0,1,2\n" + "\n".join(",".join(map(repr, row)) for row in values[1:].tolist()))
    optimum = ("optimum", "--data", path, "--latent-dim", "1")
    assert "line 1 looks like column numbers (0, 1, 2)" in refused(*optimum)
    for option, data in (("--header", values[1:]), ("--no-header", values)):
        expected = theory.optimum(theory.Moments.of(data), 1).loss
        assert json_of(*optimum, option)["loss"] == pytest.approx(expected, abs=1e-12)
    (tmp_path / "s.csv").write_text("0,1\n2.5,0.5\n0.5,1.5\n")
    covariance = ("rate-distortion", "--covariance", str(tmp_path / "s.csv"), "--water-level", "0.1")
    assert "looks like column numbers (0, 1)" in refused(*covariance)
    assert json_of(*covariance, "--header")["rate"] == pytest.approx([np.log(3.5 / 0.01) / 2])  # 2.5 x 1.5 - 0.25
    granularity = ("granularity", "--data", path, "--decoder", "1,0;0,1;1,1", "--noise-variance", ".1")
    assert "looks like column numbers" in refused(*granularity)
    command(*granularity, "--header")
    command("optimum", "--eigenvalues", "3,2", "--latent-dim", "1")
    assert "header is for the first line of a .csv file, but --eigenvalues is text" in refused(
        "optimum", "--eigenvalues", "3,2", "--latent-dim", "1", "--no-header"
    )


# misuse


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ("optimum --latent-dim 2", "one of the arguments --data --covariance --eigenvalues is required"),
        ("optimum --eigenvalues 3,2,1", "--latent-dim"),
        ("optimum --eigenvalues 1 --data x.csv --latent-dim 2", "--data: not allowed with argument --eigenvalues"),
        ("optimum --eigenvalues 3,2 --latent-dim 1.5", "--latent-dim: invalid int value: '1.5'"),
        ("optimum --eigenvalues 3,2 --latent-dim -1", "latent_dim must be >= 0, got -1"),
        ("optimum --eigenvalues 3,-2 --latent-dim 1", "--eigenvalues must have no negative eigenvalue"),
        ("optimum --eigenvalues 3,b --latent-dim 1", "--eigenvalues must be numbers such as '3,2,1' or a file"),
        ("optimum --data none.csv --latent-dim 1", "none.csv: no such file; check the path"),
        ("optimum --eigenvalues 3 --latent-dim 1 --beta 0", "--beta must be > 0"),
        ("optimum --eigenvalues 3 --latent-dim 1 --beta 1:2", "--beta must be a number, a list such as"),
        ("optimum --eigenvalues 3 --latent-dim 1 --noise-variance 0", "noise_variance must be > 0"),
        ("optimum --eigenvalues 3 --latent-dim 1 --noise-variance nan", "noise_variance must be finite"),
        (
            "optimum --eigenvalues 3 --latent-dim 1 --noise-variance lots",
            "--noise-variance must be a number or learned",
        ),
        (
            "optimum --eigenvalues 3 --latent-dim 1 --leading-only --out x.csv",
            "--out writes every mode, which --leading-only does not compute",
        ),
        ("optimum --eigenvalues 3 --latent-dim 1 --save x.csv", "x.csv: the output format is .npz; use x.npz"),
        ("optimum --eigenvalues 3 --latent-dim 1 --save none/x.npz", "there is no folder none; create it first"),
        ("inference --loading 1", "--noise-variance"),
        ("inference --loading 1,2;3 --noise-variance 1", "--loading must have rows of one length"),
        ("inference --loading 1 --noise-variance x", "--noise-variance: invalid float value: 'x'"),
        ("inference --loading 1 --noise-variance -1", "noise_variance must be >= 0, got -1.0"),
        (
            "inference --loading 1,0 --noise-variance 1 --factor-covariance 1",
            "factor_covariance must be 2 x 2, got 1 x 1",
        ),
        ("inference --loading 1,0 --noise-variance 1 --decoder 1", "decoder must be 1 x 2, got 1 x 1"),
        (
            "inference --loading 1 --noise-variance 1 --decoder-noise x",
            "--decoder-noise must be a number or true or learned",
        ),
        ("inference --loading 1 --noise-variance 1 --decoder-noise 0", "--decoder-noise must be > 0"),
        ("inference --loading 1 --noise-variance 1 --posterior x", "--posterior must be diagonal, full, or groups"),
        (
            "inference --loading 1,0 --noise-variance 1 --posterior 0",
            "posterior must hold each latent 0..1 exactly once",
        ),
        ("optimal-beta --loading 1 --noise-variance 1 --criterion x", "--criterion: invalid choice: 'x'"),
        ("rate-distortion --eigenvalues 1 --water-level -1", "--water-level must be > 0"),
        ("rate-distortion --eigenvalues 1 --latent-dim -1", "latent_dim must be >= 0"),
    ],
)
def test_misuse_is_named(refused, argv, message):
    assert message in refused(*argv.split())


def test_misuse_writes_nothing(refused, tmp_path):
    refused("optimum", "--eigenvalues", "3", "--latent-dim", "-1", "--save", f"{tmp_path}/x.npz")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["optimum", "inference", "optimal-beta", "rate-distortion", "critical-betas", "report", "convention"]
)
def test_the_examples_of_each_help_parse(capsys, monkeypatch, tmp_path, name):
    """Run every example as it is printed, on files of the names that it uses."""
    rng = np.random.default_rng(1)
    np.savetxt(tmp_path / "observations.csv", rng.standard_normal((30, 3)), delimiter=",", header="a,b,c", comments="")
    for file, values in [("S.npy", np.diag([3.0, 2, 1])), ("A.npy", rng.standard_normal((4, 3))), ("G.npy", np.eye(3))]:
        np.save(tmp_path / file, values)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main([name, "--help"])
    _, _, examples = capsys.readouterr().out.partition("examples:\n")
    lines = examples.strip().split("\n")
    assert len(lines) >= 2
    for line in lines:
        program, argv = line.split(f" {name} ")
        assert program.strip() == "python -m theory"
        assert main([name, *(part.strip('"') for part in argv.split())]) == 0
        assert capsys.readouterr().out


def test_as_a_process():
    """The module runs as a program: result to stdout, exit codes, and no traceback."""
    program = [sys.executable, "-m", "theory"]
    root = Path(__file__).parents[2]
    good = subprocess.run(
        [*program, "rate-distortion", "--eigenvalues", "1", "--json"], cwd=root, capture_output=True, check=False
    )
    assert (good.returncode, good.stderr) == (0, b"") and json.loads(good.stdout)["water_level"][-1] == 1
    bad = subprocess.run([*program, "optimum"], cwd=root, capture_output=True, text=True, check=False)
    assert (bad.returncode, bad.stdout) == (2, "")
    assert "Traceback" not in bad.stderr and bad.stderr.count("\n") == 1
