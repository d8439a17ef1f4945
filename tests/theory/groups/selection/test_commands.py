"""`python -m theory granularity`: the groups and the search as a table and as JSON; misuse in one line."""

from __future__ import annotations

import json

import numpy as np
import pytest

import theory
from theory.__main__ import main
from theory.groups import choose_groups


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(0)
    truth = theory.GenerativeModel(rng.standard_normal((6, 4)), 0.1, np.kron(np.eye(2), [[1, 0.8], [0.8, 1]]))
    data = truth.sample(3000, rng)[1]
    np.save(tmp_path / "data.npy", data)
    np.savetxt(tmp_path / "decoder.csv", truth.loading, delimiter=",", fmt="%.17g")
    return data, truth.loading, ["--data", str(tmp_path / "data.npy"), "--decoder", str(tmp_path / "decoder.csv")]


@pytest.mark.parametrize("noise", ["learned", 0.1])
def test_json(files, noise, capsys):
    data, decoder, arguments = files
    assert main(["granularity", *arguments, "--noise-variance", str(noise), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    found = choose_groups(data, decoder, noise_variance=noise)  # with the fourth moments of the observations
    assert printed["groups"] == [[0, 1], [2, 3]] == [list(group) for group in found.groups]
    assert printed["decided"] is True and printed["left_out"] == found.correlation_bound == found.left_out
    assert printed["model"] == f"not rejected (p = {found.estimate.fit.p_value:.3g})"
    assert [check["name"] for check in printed["model_checks"]] == ["inside", "outside", "noise"][: 2 + (noise == 0.1)]
    assert printed["levels"]["statistic"] == [level.statistic for level in found.levels]
    np.testing.assert_array_equal(printed["factor_covariance"], found.estimate.covariance)


def test_text(files, capsys):
    assert main(["granularity", *files[2]]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["groups", "0,1;2,3"] and lines[1].split() == ["decided", "yes"]
    assert lines[3].split()[:3] == ["model", "not", "rejected"]
    assert lines[7].split()[:3] == ["groups", "total_correlation", "statistic"]
    assert [line.split()[0] for line in lines[8:]] == ["0,1,2,3", "0,1;2,3", *[line.split()[0] for line in lines[10:]]]


def test_a_model_that_is_rejected_fails(files, tmp_path, capsys):
    _, decoder, arguments = files
    np.save(tmp_path / "wrong.npy", decoder + 0.1 * np.random.default_rng(1).standard_normal(decoder.shape))
    assert main(["granularity", *arguments[:3], str(tmp_path / "wrong.npy"), "--json"]) == 1
    printed = json.loads(capsys.readouterr().out)
    assert printed["model"].startswith("rejected (p = ") and printed["decided"] is False
    assert printed["reason"].startswith("model rejected (p = ")


def test_a_square_decoder_leaves_nothing_to_test(files, tmp_path, capsys):
    np.save(tmp_path / "square.npy", np.eye(6))
    assert main(["granularity", *files[2][:3], str(tmp_path / "square.npy"), "--noise-variance", "0.1"]) == 0
    assert "model           with as many factors as data dimensions every covariance fits" in capsys.readouterr().out


def test_misuse(files, capsys):
    assert main(["granularity", *files[2], "--noise-variance", "-1"]) == 2
    assert "noise_variance must be >= 0" in capsys.readouterr().err
    assert main(["granularity", *files[2], "--noise-variance", "some"]) == 2
    assert "--noise-variance must be a number or learned" in capsys.readouterr().err
