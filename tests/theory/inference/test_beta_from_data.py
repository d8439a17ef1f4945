"""The optimal beta of data with measured factors: the score of these data, searched by SciPy; its interval."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from theory import GenerativeModel, optimal_beta, optimal_beta_from_data
from theory.__main__ import main
from theory.inference.beta_from_data import _model_of
from theory.inference.criteria import CRITERIA
from theory.regression import regression

OVERLAPPING = GenerativeModel([[1.0, 0.9], [0.0, 0.436]], 0.05)
ORTHOGONAL = GenerativeModel([[1.0, 0.0], [0.0, 0.436]], 0.05)


def test_the_measured_factors_score_best_near_this_beta():
    """Minus the log score, and the squared error, of the encoder at each beta, averaged over the observations."""
    factors, data = OVERLAPPING.sample(4000, rng=1)
    found = optimal_beta_from_data(data, factors, resamples=60)
    unit, centred = (factors - factors.mean(axis=0)) / factors.std(axis=0), data - data.mean(axis=0)
    design = np.linalg.lstsq(unit, centred, rcond=None)[0].T
    noise = np.mean((centred - unit @ design.T) ** 2)

    def errors(log_beta: float) -> tuple[float, float]:
        level = noise * np.exp(log_beta)
        means = centred @ design @ np.linalg.inv(design.T @ design + level * np.eye(2))
        variances = level / (level + np.sum(design**2, axis=0))
        squares = (unit - means) ** 2
        return np.mean(np.sum(squares / variances + np.log(variances), axis=1)), np.mean(squares)

    for name, part in (("log_score", 0), ("mean_squared_error", 1)):
        best = np.exp(minimize_scalar(lambda b, part=part: errors(b)[part], bounds=(-3, 3), method="bounded").x)
        assert found.betas[name].best.beta == pytest.approx(best, rel=0.02), name
        assert found.betas[name].low < best < found.betas[name].high


def test_the_interval_covers_the_truth_as_often_as_it_says():
    """Of 40 data sets 38 are expected; with a coverage of .93 fewer than 32 has a probability of 2e-3."""
    true, covered = optimal_beta(OVERLAPPING).beta, 0
    for seed in range(40):
        factors, data = OVERLAPPING.sample(150, rng=seed)
        found = optimal_beta_from_data(data, factors, criteria=["forward_kl"], resamples=40, rng=seed)
        covered += found.betas["forward_kl"].low <= true <= found.betas["forward_kl"].high
    assert covered >= 32


def test_orthogonal_columns_are_noted():
    factors, data = ORTHOGONAL.sample(300, rng=0)
    found = optimal_beta_from_data(data, factors, criteria=["forward_kl"], resamples=20)
    assert any("from orthogonal ones" in note for note in found.notes)
    assert found.betas["forward_kl"].best.beta == pytest.approx(1, abs=0.01)
    factors, data = OVERLAPPING.sample(300, rng=0)
    assert optimal_beta_from_data(data, factors, criteria=["forward_kl"], resamples=2).notes == ()


def test_units_of_the_factors_do_not_matter():
    factors, data = OVERLAPPING.sample(200, rng=0)
    one, other = (optimal_beta_from_data(data, factors * units, resamples=10) for units in ([1, 1], [100, 0.01]))
    for name in CRITERIA:
        assert other.betas[name].best.beta == pytest.approx(one.betas[name].best.beta, rel=1e-8)
        assert other.betas[name].low == pytest.approx(one.betas[name].low, rel=1e-8)


def test_the_level_widens_the_interval_and_the_scores_share_it():
    factors, data = OVERLAPPING.sample(200, rng=0)
    wide, narrow = (optimal_beta_from_data(data, factors, resamples=40, level=level) for level in (0.95, 0.5))
    for name in CRITERIA:
        assert wide.betas[name].low <= narrow.betas[name].low <= narrow.betas[name].high <= wide.betas[name].high
    alone = optimal_beta_from_data(data, factors, criteria=["log_score"], resamples=40)
    assert alone.betas["log_score"] == wide.betas["log_score"]
    assert wide.betas["log_score"].low == wide.betas["forward_kl"].low


def test_what_has_no_noise_or_several_is_noted():
    factors = np.random.default_rng(0).standard_normal((60, 2))
    exact = optimal_beta_from_data(factors @ [[1.0, 2, 3], [4, 5, 6]], factors, resamples=2)
    assert exact.betas["forward_kl"].best.flat and "up to rounding" in exact.notes[0]
    constant = optimal_beta_from_data(np.ones((60, 3)), factors, resamples=2)
    assert "the data are constant" in constant.notes[0]
    unrelated = np.random.default_rng(1).standard_normal((60, 2)) * [1, 3]
    notes = optimal_beta_from_data(unrelated, factors, resamples=2).notes
    assert any("rescale the columns" in note for note in notes)
    assert any("in the same order?" in note for note in notes)
    copied = np.column_stack([OVERLAPPING.sample(60, rng=0)[1], factors[:, 0]])
    assert any("column 3 of the data" in note for note in optimal_beta_from_data(copied, factors, resamples=2).notes)
    alone = optimal_beta_from_data(unrelated, factors[:, :1], resamples=2)
    assert any("with one factor" in note for note in alone.notes)


@pytest.mark.parametrize("count", [27, 40, 55, 111])
def test_a_resample_without_one_factor_is_refused(count):
    """A factor that differs in one row is constant where that row is not drawn, up to the rounding of its mean."""
    rng = np.random.default_rng(count)
    factors = np.column_stack([rng.standard_normal(count), np.zeros(count)])
    factors[0, 1] = 1.0
    with pytest.raises(ValueError, match="a resample of them still determines the model"):
        optimal_beta_from_data(rng.standard_normal((count, 3)), factors, criteria=["forward_kl"], resamples=50)


@pytest.mark.parametrize(
    ("options", "words"),
    [({"level": 1.0}, "level must be between 0 and 1"), ({"resamples": 1}, "resamples"), ({"criteria": ["kl"]}, "kl")],
)
def test_misuse_is_refused(options, words):
    factors, data = OVERLAPPING.sample(20, rng=0)
    with pytest.raises(ValueError, match=words):
        optimal_beta_from_data(data, factors, **options)


def test_too_few_observations_for_a_resample_are_refused():
    factors, data = OVERLAPPING.sample(4, rng=0)
    with pytest.raises(ValueError, match="a resample of them still determines the model"):
        optimal_beta_from_data(data, factors, resamples=200)


def test_a_resample_that_fits_without_an_error_is_refused():
    """Of 7 observations a resample often has 4 different ones: three factors and the mean explain these exactly."""
    rng = np.random.default_rng(0)
    regressed = regression(rng.standard_normal((7, 5)), rng.standard_normal((7, 3)))
    with pytest.raises(ValueError, match="a resample of them still determines the model"):
        _model_of(regressed, np.array([2.0, 2, 2, 1, 0, 0, 0]))
    assert _model_of(regressed, np.array([2.0, 2, 1, 1, 1, 0, 0])).noise_variance > 0


# the command


@pytest.fixture
def table(tmp_path):
    factors, data = OVERLAPPING.sample(100, rng=0)
    path = tmp_path / "all.csv"
    np.savetxt(path, np.hstack([data, factors]), delimiter=",", header="x1,x2,age,dose", comments="")
    return path, data, factors


def test_the_command_prints_what_the_function_finds(capsys, table):
    path, data, factors = table
    options = ("--data", str(path), "--columns", "x1,x2", "--factors", str(path), "--factor-columns", "age,dose")
    assert main(("optimal-beta", *options, "--resamples", "20", "--seed", "3", "--json")) == 0
    printed = json.loads(capsys.readouterr().out)
    found = optimal_beta_from_data(data, factors, resamples=20, rng=3)
    for name in CRITERIA:
        assert printed[name] == vars(found.betas[name].best) | {
            "interval": [found.betas[name].low, found.betas[name].high]
        }
    np.testing.assert_array_equal(printed["fitted"]["loading"], found.fitted.model.loading)
    same = ("--data", str(path), "--factors", str(path), "--factor-columns", "age,dose", "--resamples", "20")
    assert main(("optimal-beta", *same, "--seed", "3", "--json")) == 0
    assert json.loads(capsys.readouterr().out) == printed  # columns that are factors are no data
    assert printed["fitted"]["relation_p_value"] == found.fitted.relation_p_value
    assert main(("optimal-beta", *same[:4])) == 2
    assert "name its columns by --factor-columns" in capsys.readouterr().err
    assert main(("optimal-beta", *options, "--resamples", "4", "--level", "0.5", "--criterion", "reverse_kl")) == 0
    assert "percentile interval of the bootstrap" in capsys.readouterr().out
    path.write_text(path.read_text().replace("x1,x2,age,dose", 'x1,x2,"age, in years",dose'))
    assert main(("optimal-beta", *same[:5], "3,4", *same[6:], "--seed", "3", "--json")) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["forward_kl"] == printed["forward_kl"] and again["fitted"]["data_dim"] == 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--factors", "f.csv"), "--data must be given too"),
        (("--data", "x.csv"), "--factors must be given too"),
        ((), "--loading must be given, or --data with --factors"),
        (("--data", "x.csv", "--factors", "f.csv", "--loading", "1"), "--loading is for a known truth"),
        (("--loading", "1", "--noise-variance", "1", "--resamples", "9"), "--resamples is for --data with --factors"),
    ],
)
def test_options_that_do_not_fit_are_refused(capsys, options, words):
    assert main(("optimal-beta", *options)) == 2
    assert words in capsys.readouterr().err
