"""A resume file that is read without resuming it: the runs of the sweep that wrote it."""

from __future__ import annotations

import numpy as np
import pytest

from numerics import read_runs, sweep
from theory import elbo_terms
from theory.groups import Weights

COVARIANCE = np.diag([3.0, 1.0, 0.4]) + 0.1


@pytest.fixture
def runs_file(tmp_path):
    return tmp_path / "runs.jsonl"


@pytest.mark.parametrize("options", [{}, {"noise_variance": 0.3, "posterior": "full"}, {"prior": np.diag([1.0, 2.0])}])
def test_the_runs_of_the_sweep(runs_file, options):
    done = sweep(COVARIANCE, 2, betas=[0.5, 2.0], seeds=2, file=runs_file, **options)
    before = runs_file.read_bytes()
    runs = read_runs(runs_file)
    assert runs_file.read_bytes() == before
    assert runs.asked["latent_dim"] == 2 and runs.asked["max_steps"] == 20_000
    np.testing.assert_allclose(runs.problem.covariance, COVARIANCE, rtol=1e-12)
    assert sorted(zip(runs.betas, runs.seeds, strict=True)) == [(0.5, 0), (0.5, 1), (2.0, 0), (2.0, 1)]
    for index, (beta, seed) in enumerate(zip(runs.betas, runs.seeds, strict=True)):
        row, column = list(done.betas).index(beta), list(done.seeds).index(seed)
        assert runs.losses[index] == done.losses[row, column]
        assert (runs.steps[index], runs.stopped[index]) == (done.steps[row, column], done.stopped[row, column])
        np.testing.assert_array_equal(runs.vae(index).decoder, done.vae(row, column).decoder)
        if "prior" not in options:
            assert elbo_terms(runs.vae(index), COVARIANCE).loss(beta) == pytest.approx(runs.losses[index], abs=1e-9)


def test_unequal_weights_have_no_beta(runs_file):
    sweep(COVARIANCE, 2, betas=[Weights(1.0, 2.0, 1.0, 1.0)], file=runs_file, noise_variance=0.3)
    runs = read_runs(runs_file)
    assert np.isnan(runs.betas).all() and runs.weights.tolist() == [[1.0, 2.0, 1.0, 1.0]]


def test_damaged_lines_are_left_out_with_a_warning(runs_file):
    sweep(COVARIANCE, 1, betas=[0.5, 2.0], file=runs_file, noise_variance=0.3)
    runs_file.write_bytes(runs_file.read_bytes()[:-20])
    with pytest.warns(UserWarning, match="1 of 2 runs in it are damaged"):
        assert len(read_runs(runs_file).betas) == 1


def test_a_file_without_runs(runs_file):
    sweep(COVARIANCE, 1, betas=[0.5], file=runs_file, noise_variance=0.3)
    runs_file.write_bytes(runs_file.read_bytes().split(b"\n")[0] + b"\n")
    runs = read_runs(runs_file)
    assert runs.betas.shape == (0,) and runs.parameters.shape[0] == 0


def test_what_is_no_file_of_runs_is_refused(tmp_path, runs_file):
    with pytest.raises(ValueError, match="cannot be read"):
        read_runs(tmp_path / "none.jsonl")
    runs_file.write_text('{"a": 1}\n')
    with pytest.raises(ValueError, match="not a file of training runs"):
        read_runs(runs_file)
    sweep(COVARIANCE, 1, betas=[0.5], file=tmp_path / "x.jsonl", noise_variance=0.3)
    text = (tmp_path / "x.jsonl").read_text()
    runs_file.write_text(text.replace("VAEs, 2", "VAEs, 1"))
    with pytest.raises(ValueError, match="has format '1', and this version reads format 2"):
        read_runs(runs_file)
    runs_file.write_text(text.replace('"latent_dim": 1', '"latent_dim": 2'))
    with pytest.raises(ValueError, match="damaged first line"):
        read_runs(runs_file)
