"""The file of finished runs: resumed to the last digit, whatever was cut short, and only for the same problem."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import numpy as np
import pytest

from numerics import sweep
from numerics.problem import Problem
from numerics.run_file import RunFile
from tests.cases import DISTINCT
from tests.numerics.executors import BETAS, Inline, assert_same, small_batches
from theory import Moments
from theory.groups import Weights

OPTIONS = {"seeds": [7, 2], "max_steps": 300}


def count_runs(monkeypatch):
    """The sizes of the batches that are descended from here on."""
    kernels, sizes = sys.modules["numerics.kernels_training"], []
    whole = kernels.descend_all
    monkeypatch.setattr(kernels, "descend_all", lambda *args: sizes.append(len(args[0])) or whole(*args))
    return sizes


def test_what_is_in_the_file_is_not_run_again(monkeypatch, tmp_path):
    file, expected = tmp_path / "runs.jsonl", sweep(DISTINCT.covariance, 3, betas=BETAS, **OPTIONS)
    sizes = count_runs(monkeypatch)
    assert_same(sweep(DISTINCT.covariance, 3, betas=BETAS, file=file, **OPTIONS), expected)
    assert sum(sizes) == 6
    again = sweep(DISTINCT.covariance, 3, betas=BETAS, file=file, **OPTIONS)
    assert sum(sizes) == 6
    assert_same(again, expected)
    np.testing.assert_array_equal(again.vae(1, 0).decoder, expected.vae(1, 0).decoder)


def test_more_betas_and_seeds_later_and_in_another_order(monkeypatch, tmp_path):
    file = tmp_path / "runs.jsonl"
    sweep(DISTINCT.covariance, 3, betas=[2.0], seeds=[7], max_steps=300, file=file)
    sizes = count_runs(monkeypatch)
    found = sweep(DISTINCT.covariance, 3, betas=BETAS, file=file, executor=Inline(), **OPTIONS)
    assert not sizes  # the executor made the other five
    assert file.read_bytes().count(b"\n") == 1 + 6
    assert_same(found, sweep(DISTINCT.covariance, 3, betas=BETAS, **OPTIONS))
    sizes.clear()
    weights = [Weights.uniform(beta) for beta in BETAS]  # the same as a number
    assert_same(sweep(DISTINCT.covariance, 3, betas=weights, file=file, **OPTIONS), found)
    assert not sizes


def test_a_run_asked_for_twice_is_made_once(monkeypatch):
    sizes = count_runs(monkeypatch)
    found = sweep(DISTINCT.covariance, 3, betas=[1.0, 1.0], seeds=[3, 3])
    assert sum(sizes) == 1
    assert len(set(found.losses.ravel())) == 1


def test_any_cut_of_the_file_is_survived(tmp_path):
    """Wherever a kill cuts the file off, beyond its first line, the sweep is resumed to the same result."""
    file, expected = tmp_path / "runs.jsonl", sweep(DISTINCT.covariance, 2, betas=BETAS, max_steps=20)
    sweep(DISTINCT.covariance, 2, betas=BETAS, max_steps=20, file=file)
    whole = file.read_bytes()
    first = whole.index(b"\n") + 1
    assert whole.count(b"\n") == 4
    for cut in [*range(first - 1, len(whole), 97), len(whole) - 1]:
        file.write_bytes(whole[:cut])
        assert_same(sweep(DISTINCT.covariance, 2, betas=BETAS, max_steps=20, file=file), expected)
        lines = file.read_bytes().splitlines(keepends=True)
        assert len(RunFile(file, expected.problem, {}).runs) == 3
        assert all(line.endswith(b"\n") for line in lines)
        assert sum(line in whole.splitlines(keepends=True) for line in lines) == 4  # all is there, besides the cut line


@pytest.mark.parametrize("content", [None, b""], ids=["missing", "empty"])
def test_a_new_file(tmp_path, content):
    file = tmp_path / "runs.jsonl"
    if content is not None:
        file.write_bytes(content)
    sweep(DISTINCT.covariance, 2, betas=[1.0], max_steps=5, file=file)
    assert file.read_bytes().count(b"\n") == 2


def test_an_interrupt_in_a_batch_of_threads_leaves_the_batch_in_the_file(monkeypatch, tmp_path):
    """The signal is handled when the kernel returns, after the runs and before they are kept."""
    file, kernels = tmp_path / "runs.jsonl", sys.modules["numerics.kernels_training"]
    whole = kernels.descend_all

    def interrupted(*arguments):
        whole(*arguments)
        raise KeyboardInterrupt

    small_batches(monkeypatch, 1)
    monkeypatch.setattr(sys.modules["numerics.sweep"], "get_num_threads", lambda: 2)
    monkeypatch.setattr(kernels, "descend_all", interrupted)
    found = sweep(DISTINCT.covariance, 3, betas=BETAS, file=file, **OPTIONS)
    assert found.interrupted
    assert (found.stopped != "not run").sum() == 2
    assert file.read_bytes().count(b"\n") == 1 + 2


def test_a_file_that_cannot_be_written_any_more_loses_nothing_in_memory(monkeypatch, tmp_path):
    append, calls = RunFile.append, []

    def full(self, runs):
        calls.append(len(runs))
        if len(calls) > 1:
            raise OSError(28, "No space left on device")
        append(self, runs)

    small_batches(monkeypatch, 1)
    monkeypatch.setattr(RunFile, "append", full)
    found = sweep(DISTINCT.covariance, 3, betas=BETAS, executor=Inline(), file=tmp_path / "runs.jsonl", **OPTIONS)
    assert found.interrupted
    assert "No space left" in found.failure
    assert_same(found, sweep(DISTINCT.covariance, 3, betas=BETAS, **OPTIONS))


def test_the_coordinates_are_those_of_the_file(tmp_path):
    """Other axes for the same covariance, as another machine may find them, change nothing."""
    file, expected = tmp_path / "runs.jsonl", sweep(DISTINCT.covariance, 2, betas=[1.0])
    sweep(DISTINCT.covariance, 2, betas=[1.0], file=file)
    sweep_module, pose = sys.modules["numerics.sweep"], sys.modules["numerics.training"].pose

    def flipped(*arguments) -> Problem:
        problem = pose(*arguments)
        return replace(problem, axes=-problem.axes, roots=problem.roots * (1 + 1e-15))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweep_module, "pose", flipped)
        found = sweep(DISTINCT.covariance, 2, betas=[1.0, 2.0], file=file)
        other = sweep(DISTINCT.covariance, 2, betas=[1.0])
    assert not np.array_equal(other.parameters, expected.parameters)
    assert_same(found, expected, slice(0, 1))
    np.testing.assert_array_equal(found.vae(0, 0).decoder, expected.vae(0, 0).decoder)
    assert_same(found, sweep(DISTINCT.covariance, 2, betas=[2.0]), slice(1, 2))


def test_the_mean_is_the_one_given(tmp_path):
    file, moments = tmp_path / "runs.jsonl", Moments(10, np.ones(5), DISTINCT.covariance)
    sweep(DISTINCT.covariance, 2, betas=[1.0], file=file)
    np.testing.assert_array_equal(sweep(moments, 2, betas=[1.0], file=file).vae(0, 0).mean, np.ones(5))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"covariance": DISTINCT.covariance + 1e-9 * np.eye(5)}, "the covariance differs by up to 1e-09"),
        ({"covariance": np.eye(4)}, "the data have 5 dimensions there and 4 here"),
        ({"latent_dim": 2}, "latent_dim is 3 there and 2 here"),
        ({"noise_variance": 0.5}, "noise_variance is 'learned' there and 0.5 here"),
        ({"decoder": np.ones((5, 3))}, r"decoder is None there and \[\[1.0"),
        ({"posterior": "full"}, r"posterior is \[\[0\], \[1\], \[2\]\] there and \[\[0, 1, 2\]\] here"),
        ({"groups": "full"}, "groups is"),
        ({"prior": 2 * np.eye(3)}, "prior is"),
        ({"method": "adam"}, "method is 'accelerated' there and 'adam' here"),
        ({"learning_rate": 0.1}, "learning_rate is 0.01 there and 0.1 here"),
        ({"gradient_tolerance": 1e-6}, "gradient_tolerance is 1e-08 there and 1e-06 here"),
        (
            {"max_steps": 7, "method": "adam"},
            "here; max_steps is 20000 there and 7 here; name another",
        ),
    ],
)
def test_another_problem_is_refused_and_the_file_kept(tmp_path, changes, told):
    file = tmp_path / "runs.jsonl"
    sweep(DISTINCT.covariance, 3, betas=[1.0], file=file)
    before = file.read_bytes()
    with pytest.raises(ValueError, match=told):
        sweep(**({"covariance": DISTINCT.covariance, "latent_dim": 3, "betas": [1.0], "file": file} | changes))
    assert file.read_bytes() == before


def test_the_same_problem_in_other_words(tmp_path):
    file = tmp_path / "runs.jsonl"
    sweep(DISTINCT.covariance, 3, betas=[1.0], max_steps=5, posterior=[[0, 2], [1]], file=file)
    found = sweep(
        DISTINCT.covariance.tolist(), 3, betas=[1], max_steps=5, posterior=[(1,), (2, 0)], prior=np.eye(3), file=file
    )
    assert found.stopped[0, 0] == "max_steps"
    assert file.read_bytes().count(b"\n") == 2


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("runs.csv", None, "name it runs.jsonl"),
        ("runs.jsonl", b"beta,seed\n1,2\n", "is not a file of training runs"),
        ("runs.jsonl", b"my notes", "is not a file of training runs"),
        ("runs.jsonl", b"[1, 2]\n", "is not a file of training runs"),
        ("runs.jsonl", b'{"format": "something else"}\n', "is not a file of training runs"),
        ("runs.jsonl", b"\xff\xfe\x00", "is not a file of training runs"),
    ],
)
def test_other_files_are_refused_and_kept(tmp_path, name, content, told):
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ValueError, match=told):
        sweep(DISTINCT.covariance, 3, betas=[1.0], file=file)
    assert (file.read_bytes() if file.exists() else None) == content


def test_damaged_lines_are_made_again_and_a_damaged_header_is_refused(tmp_path):
    file, expected = tmp_path / "runs.jsonl", sweep(DISTINCT.covariance, 2, betas=BETAS, max_steps=20)
    sweep(DISTINCT.covariance, 2, betas=BETAS, max_steps=20, file=file)
    header, *lines = file.read_bytes().splitlines()
    run = json.loads(lines[0])
    damaged = [
        {"weights": [1, 1, 1, 1]},
        run | {"parameters": "?"},
        run | {"parameters": "AAAAAAAAAAA="},
        run | {"weights": 3},
    ]
    file.write_bytes(b"\n".join([header, *(json.dumps(line).encode() for line in damaged)]) + b"\n")
    again = sweep(DISTINCT.covariance, 2, betas=BETAS, max_steps=20, file=file)
    np.testing.assert_array_equal(again.parameters, expected.parameters)
    file.write_text(json.dumps({"format": json.loads(header)["format"]}) + "\n")
    with pytest.raises(ValueError, match="has a damaged first line"):
        sweep(DISTINCT.covariance, 2, betas=BETAS, max_steps=20, file=file)
