"""The file of finished runs: resumed to the last digit, whatever was cut short, and only for the same problem."""

from __future__ import annotations

import base64
import contextlib
import json
import sys
import zlib
from dataclasses import replace

import numpy as np
import pytest

from numerics import sweep
from numerics.kernels import descent
from numerics.sweeps import batches, run_file
from numerics.sweeps.run_file import RunFile
from numerics.training.problem import TrainingProblem, training_problem
from tests.cases import DISTINCT
from tests.numerics.sweeps.executors import BETAS, Inline, assert_same, small_batches
from theory import Moments
from theory.groups import Weights

OPTIONS = {"seeds": [7, 2], "max_steps": 300}


def count_runs(monkeypatch):
    """The sizes of the batches that are descended from here on."""
    kernels, sizes = descent, []
    whole = kernels.descend_all

    def counted(*arguments, **outcomes):
        sizes.append(len(arguments[0]))
        whole(*arguments, **outcomes)

    monkeypatch.setattr(kernels, "descend_all", counted)
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
    asked = json.loads(whole[:first])["asked"]
    for cut in [*range(first - 1, len(whole), 97), len(whole) - 1]:
        file.write_bytes(whole[:cut])
        expectation = contextlib.nullcontext()
        if whole[cut - 1 : cut + 1].count(b"\n") == 0:  # in the middle of a line: at its end only the "\n" is gone
            expectation = pytest.warns(UserWarning, match=r"1 of \d runs in it are damaged or cut short")
        with expectation:
            assert_same(sweep(DISTINCT.covariance, 2, betas=BETAS, max_steps=20, file=file), expected)
        lines = file.read_bytes().splitlines(keepends=True)
        with expectation:
            assert len(RunFile(file, expected.problem, asked).runs) == 3
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
    file, kernels = tmp_path / "runs.jsonl", descent
    whole = kernels.descend_all

    def interrupted(*arguments, **outcomes):
        whole(*arguments, **outcomes)
        raise KeyboardInterrupt

    small_batches(monkeypatch, 1)
    monkeypatch.setattr(batches, "get_num_threads", lambda: 2)
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
    sweep_module = sys.modules["numerics.sweeps.sweep"]

    def flipped(*arguments) -> TrainingProblem:
        problem = training_problem(*arguments)
        return replace(problem, axes=-problem.axes, standard_deviations=problem.standard_deviations * (1 + 1e-15))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweep_module, "training_problem", flipped)
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
    ("changes", "message"),
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
def test_another_problem_is_refused_and_the_file_kept(tmp_path, changes, message):
    file = tmp_path / "runs.jsonl"
    sweep(DISTINCT.covariance, 3, betas=[1.0], file=file)
    before = file.read_bytes()
    with pytest.raises(ValueError, match=message):
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


def test_numbers_that_differ_by_rounding_are_the_same_problem(tmp_path):
    """A noise or a decoder computed from the data has other last digits on another machine, as the covariance has."""
    file, decoder = tmp_path / "runs.jsonl", np.linspace(0.3, 1.0, 10).reshape(5, 2)
    options = {"betas": [1.0, 2.0], "max_steps": 5, "file": file}
    sweep(DISTINCT.covariance, 2, noise_variance=0.08, decoder=decoder, prior=np.diag([1.0, 0.3]), **options)
    before = file.read_bytes()
    up = 1 + 3e-16
    sweep(
        DISTINCT.covariance, 2, noise_variance=0.08 * up, decoder=decoder * up, prior=np.diag([1, 0.3 * up]), **options
    )
    assert file.read_bytes() == before
    for changes, name in [
        ({"noise_variance": 0.08 * (1 + 1e-10)}, "noise_variance"),
        ({"decoder": decoder * (1 + 1e-10)}, "decoder"),
        ({"decoder": None}, "decoder"),
        ({"prior": np.diag([1.0, 0.31])}, "prior"),
    ]:
        asked = {"noise_variance": 0.08, "decoder": decoder, "prior": np.diag([1.0, 0.3])} | changes
        with pytest.raises(ValueError, match=f"holds runs of another problem; .*{name} is .* there and .* here"):
            sweep(DISTINCT.covariance, 2, **asked, **options)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("runs.csv", None, "use runs.jsonl"),
        ("runs.jsonl", b"beta,seed\n1,2\n", "is not a file of training runs"),
        ("runs.jsonl", b"my notes", "is not a file of training runs"),
        ("runs.jsonl", b"[1, 2]\n", "is not a file of training runs"),
        ("runs.jsonl", b'{"format": "something else"}\n', "is not a file of training runs"),
        ("runs.jsonl", b"\xff\xfe\x00", "is not a file of training runs"),
    ],
)
def test_other_files_are_refused_and_kept(tmp_path, name, content, message):
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        sweep(DISTINCT.covariance, 3, betas=[1.0], file=file)
    assert (file.read_bytes() if file.exists() else None) == content


SWEPT = {"betas": BETAS, "max_steps": 20}
SIZE = 2 * 5 * 2 + 2 * 2 + 1  # parameters of a run
NAN_TEXT = base64.b64encode(np.full(SIZE, np.nan).tobytes()).decode()


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """The first line and the runs of a file, and what it holds."""
    file = tmp_path_factory.mktemp("stored") / "runs.jsonl"
    expected = sweep(DISTINCT.covariance, 2, **SWEPT, file=file)
    header, *lines = file.read_bytes().splitlines()
    return header, lines, expected


def changed(line: bytes, **changes) -> bytes:
    """A line with other values and a checksum that fits them; values of type bytes are put in as they are."""
    values = json.loads(line) | {name: f"@{name}@" if isinstance(new, bytes) else new for name, new in changes.items()}
    values.pop("check")
    body = json.dumps(values).encode()[:-1]
    for name, new in changes.items():
        body = body.replace(f'"@{name}@"'.encode(), new) if isinstance(new, bytes) else body
    return body + b', "check": "%08x"}' % zlib.crc32(body)


@pytest.mark.parametrize(
    "changes",
    [
        {"loss": float("nan")}, {"loss": None}, {"loss": "x"}, {"loss": True}, {"loss": [1.0]}, {"loss": b"1e400"},
        {"loss": 7},
        {"gradient_norm": float("inf")}, {"gradient_norm": -1.0},
        {"steps": None}, {"steps": 10**30}, {"steps": -1}, {"steps": 2.5}, {"steps": 21}, {"steps": False},
        {"stopped": "not run"}, {"stopped": "overflowed"}, {"stopped": "done"}, {"stopped": None}, {"stopped": []},
        {"stopped": "gradient"}, {"steps": 19},  # it was ended by the 20 steps that were allowed
        {"seed": [0]}, {"seed": -1}, {"seed": "0"}, {"seed": True}, {"seed": 0.0}, {"seed": {}},
        {"weights": [[1], 1]}, {"weights": 3}, {"weights": [1.0] * 5}, {"weights": [1.0, 1.0, 1.0, None]},
        {"weights": [-1.0] * 4}, {"weights": [0.0] * 4}, {"weights": [1e308] * 4},
        {"weights": {}}, {"weights": "abcd"}, {"weights": [float("nan")] * 4}, {"weights": None},
        {"parameters": NAN_TEXT}, {"parameters": "?"}, {"parameters": "AAAAAAAAAAA="}, {"parameters": 1},
        {"parameters": None}, {"parameters": ["AAAA"]}, {"parameters": "AAAA"}, {"parameters": ""},
        {"extra": 1},
        {"loss": b"[" * 100_000},
    ],
    ids=str,
)  # fmt: skip
def test_what_no_run_can_have_reached_is_made_again_whatever_its_checksum(stored, tmp_path, changes):
    header, lines, expected = stored
    file = tmp_path / "runs.jsonl"
    file.write_bytes(b"\n".join([header, changed(lines[0], **changes), *lines[1:]]) + b"\n")
    with pytest.warns(
        UserWarning, match=r"runs\.jsonl: 1 of 3 runs in it are damaged or cut short; they are made again"
    ):
        again = sweep(DISTINCT.covariance, 2, **SWEPT, file=file)
    assert_same(again, expected)


def test_a_loss_that_is_not_that_of_its_parameters_is_made_again_whatever_its_checksum(stored, tmp_path):
    header, lines, expected = stored
    start = json.loads(lines[0])
    zeros = base64.b64encode(np.zeros(SIZE)).decode()
    file = tmp_path / "runs.jsonl"
    for changes in (
        {"parameters": zeros},
        {"weights": json.loads(lines[1])["weights"]},  # those of another run
        {"loss": 1e300},
        {"loss": start["loss"] + 1e-9},
        {"gradient_norm": start["gradient_norm"] / 2},
        {"weights": [1e39, 1.0, 1.0, 1.0]},
    ):
        file.write_bytes(b"\n".join([header, changed(lines[0], **changes), *lines[1:]]) + b"\n")
        with pytest.warns(UserWarning, match=r"1 of 3 runs in it are damaged"):
            assert_same(sweep(DISTINCT.covariance, 2, **SWEPT, file=file), expected)


def test_what_is_not_learned_is_as_asked_for(tmp_path):
    """A noise that is fixed at .5 and 1 in the file, with the loss of that: no run of this problem."""
    file, other = tmp_path / "runs.jsonl", tmp_path / "other.jsonl"
    options = {"betas": [1.0], "max_steps": 5}
    expected = sweep(DISTINCT.covariance, 2, noise_variance=0.5, file=file, **options)
    sweep(DISTINCT.covariance, 2, noise_variance=1.0, file=other, **options)
    file.write_bytes(file.read_bytes().splitlines(keepends=True)[0] + other.read_bytes().splitlines(keepends=True)[1])
    with pytest.warns(UserWarning, match="1 of 1 runs in it are damaged"):
        assert_same(sweep(DISTINCT.covariance, 2, noise_variance=0.5, file=file, **options), expected)


def test_small_variances_are_compared_in_their_own_size(tmp_path):
    """The noise to be learned is 1e-5 or 2e-5: not the same problem, though 1e-13 of the largest variance apart."""
    file, options = tmp_path / "runs.jsonl", {"betas": [1.0], "max_steps": 5, "file": tmp_path / "runs.jsonl"}
    sweep(np.diag([1e8, 1.0, 1e-5]), 2, **options)
    with pytest.raises(ValueError, match="the covariance differs by up to 1e-05"):
        sweep(np.diag([1e8, 1.0, 2e-5]), 2, **options)
    sweep(np.diag([1e8 * (1 + 1e-15), 1.0, 1e-5 * (1 + 1e-13)]), 2, **options)
    assert file.read_bytes().count(b"\n") == 2


def test_a_line_without_its_checksum_or_with_another_byte_is_not_believed(stored, tmp_path):
    """Every bit of a line counts: the checksum notices any one that is flipped, also one inside itself."""
    header, lines, expected = stored
    whole, rng = changed(lines[0]), np.random.default_rng(0)
    assert whole == lines[0]
    odd = [whole[:-1], whole[: len(whole) // 2], b"[" * 100_000, b"\xff\xfe\x00", b"null", b"{}", b"[]", b"1e999"]
    for place in rng.integers(len(whole), size=40):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << int(rng.integers(8))
        odd.append(bytes(flipped).replace(b"\n", b" "))
    file = tmp_path / "runs.jsonl"
    file.write_bytes(b"\n".join([header, *odd, *lines[1:]]) + b"\n")
    with pytest.warns(UserWarning, match=rf"{len(odd)} of {len(odd) + 2} runs in it are damaged"):
        found = RunFile(file, expected.problem, json.loads(header)["asked"])
    assert list(found.runs) == [((beta,) * 4, 0) for beta in BETAS[1:]]


def test_the_same_run_twice_counts_once(stored, tmp_path, monkeypatch):
    header, lines, expected = stored
    file = tmp_path / "runs.jsonl"
    file.write_bytes(b"\n".join([header, *lines, *lines, b"", b""]))
    sizes = count_runs(monkeypatch)
    assert_same(sweep(DISTINCT.covariance, 2, **SWEPT, file=file), expected)
    assert not sizes


def coordinates(header: bytes, **changes) -> dict:
    """The coordinates of a first line with others in their place."""
    texts = {name: base64.b64encode(np.asarray(new, dtype=float).tobytes()).decode() for name, new in changes.items()}
    return {"coordinates": json.loads(header)["coordinates"] | texts}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (lambda header: {"asked": None}, "has a damaged first line"),
        (lambda header: {"asked": []}, "holds runs of another problem"),
        (lambda header: {"asked": 3}, "has a damaged first line"),
        (lambda header: {"asked": json.loads(header)["asked"] | {"tilt": 1}}, "tilt is 1 there and None here"),
        (lambda header: {"asked": json.loads(header)["asked"] | {"max_steps": 20.0}}, "max_steps is 20.0 there"),
        (lambda header: {"asked": json.loads(header)["asked"] | {"max_steps": True}}, "max_steps is True there"),
        (lambda header: {"coordinates": None}, "has a damaged first line"),
        (lambda header: {"coordinates": {}}, "has a damaged first line"),
        (lambda header: coordinates(header, axes=np.eye(4)), "has a damaged first line"),
        (lambda header: coordinates(header, axes=np.eye(5)[:4]), "the principal axes there are not a square matrix"),
        (lambda header: coordinates(header, axes=np.full((5, 5), np.nan)), "the covariance differs by up to nan"),
        (lambda header: coordinates(header, axes=2 * np.eye(5)), "axes there are not orthonormal"),
        (lambda header: coordinates(header, noise=0.0), "the noise is 0.0 there and"),
        (lambda header: coordinates(header, noise=np.nan), "the noise is nan there and"),
        (lambda header: coordinates(header, noise=[0.5, 0.5]), "has a damaged first line"),
        (lambda header: coordinates(header, unit=np.inf), "the unit is inf there and"),
        (lambda header: coordinates(header, unit=-4.0), "the unit is -4.0 there and"),
        (lambda header: coordinates(header, roots=np.full(5, np.nan)), "the covariance differs by up to nan"),
        (lambda header: coordinates(header, roots=-np.ones(5)), "the rank is 0 there and 5 here"),
        (lambda header: coordinates(header, roots=[1.0]), "the data have 1 dimensions there|damaged first line"),
        (lambda header: coordinates(header, roots=[]), "has a damaged first line"),
    ],
)  # fmt: skip
def test_all_of_the_first_line_is_compared(stored, tmp_path, changes, message):
    """Also where its checksum fits: nothing in it is believed that was not asked for."""
    header, lines, _ = stored
    file = tmp_path / "runs.jsonl"
    content = b"\n".join([changed(header, **changes(header)), *lines]) + b"\n"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        sweep(DISTINCT.covariance, 2, **SWEPT, file=file)
    assert file.read_bytes() == content


def test_a_first_line_with_another_byte_is_refused(stored, tmp_path):
    header, lines, _ = stored
    place = header.index(b'"noise_variance": "learned"')
    file = tmp_path / "runs.jsonl"
    file.write_bytes(b"\n".join([header[:place] + header[place:].replace(b"learned", b"lEarned", 1), *lines]))
    with pytest.raises(ValueError, match="has a damaged first line; name another file to start anew"):
        sweep(DISTINCT.covariance, 2, **SWEPT, file=file)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": "0123456789abcdef"}, "was made by another version of the training code"),
        ({"version": None}, "was made by another version of the training code"),
        ({"format": "training runs of linear beta-VAEs, 1"}, "has format '1', and this version writes format 2"),
        ({"format": "training runs of linear beta-VAEs, 99"}, "has format '99', and this version writes format 2"),
    ],
)
def test_the_file_of_another_version_is_set_aside_and_kept(stored, tmp_path, change, message):
    """A sweep that went on in it would mix runs of two versions."""
    header, lines, expected = stored
    file = tmp_path / "runs.jsonl"
    content = b"\n".join([changed(header, **change), *lines]) + b"\n"
    for number in (1, 2):
        file.write_bytes(content)
        with pytest.warns(UserWarning) as warned:
            assert_same(sweep(DISTINCT.covariance, 2, **SWEPT, file=file), expected)
        aside = tmp_path / f"runs.jsonl.old-{number}"
        (warning,) = warned
        assert str(warning.message) == f"{file}: {message}; it is now {aside}, and all runs are made anew"
        assert aside.read_bytes() == content
    assert file.read_bytes().splitlines()[0] == header
    assert sorted(path.name for path in tmp_path.iterdir()) == ["runs.jsonl", "runs.jsonl.old-1", "runs.jsonl.old-2"]


def test_a_file_made_with_another_perturbation_or_start_is_set_aside(stored, tmp_path, monkeypatch):
    """Neither is an argument of a sweep or part of a kernel; a run depends on both."""
    header, lines, expected = stored
    file, (name, path) = tmp_path / "runs.jsonl", next(iter(run_file.SOURCES.items()))
    source = path.read_text(encoding="utf-8")
    for number, (old, new) in enumerate([("PERTURBATION = 1e-3", "PERTURBATION = 2e-3"), ("0.3 * rng", "0.4 * rng")]):
        assert source.count(old) == 1
        changed_source = tmp_path / f"problem_{number}.py"
        changed_source.write_text(source.replace(old, new), encoding="utf-8")
        file.write_bytes(b"\n".join([header, *lines]) + b"\n")
        with monkeypatch.context() as patched:
            patched.setitem(run_file.SOURCES, name, changed_source)
            with pytest.warns(UserWarning, match="was made by another version of the training code; it is now"):
                sweep(DISTINCT.covariance, 2, **SWEPT, file=file)
        assert file.read_bytes().splitlines()[0] != header
    file.write_bytes(b"\n".join([header, *lines]) + b"\n")
    assert_same(sweep(DISTINCT.covariance, 2, **SWEPT, file=file), expected)


def test_a_run_that_overflowed_is_not_stored(tmp_path):
    """Adam with a learning rate of 1e6 leaves the range of doubles within 50 steps from these starts."""
    file = tmp_path / "runs.jsonl"
    for _ in range(2):
        found = sweep(
            DISTINCT.covariance, 2, betas=[1.0, 2.0], method="adam", learning_rate=1e6, max_steps=50, file=file
        )
        assert (found.stopped == "overflowed").all()
        assert file.read_bytes().count(b"\n") == 1


def test_a_file_that_vanishes_during_the_sweep_is_a_failure(monkeypatch, tmp_path):
    """It would come back without its first line, and could not be resumed."""
    small_batches(monkeypatch, 1)
    file, append = tmp_path / "runs.jsonl", RunFile.append

    def vanish(self, runs):
        append(self, runs)
        self.path.unlink(missing_ok=True)

    monkeypatch.setattr(RunFile, "append", vanish)
    found = sweep(DISTINCT.covariance, 2, **SWEPT, executor=Inline(), file=file)
    assert found.interrupted
    assert "No such file or directory" in found.failure and str(file) in found.failure
    assert not file.exists()
