"""Sweeps on executors: the same runs to the last digit, and nothing finished is lost."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from numerics import sweep
from numerics.__main__ import main
from numerics.kernels import descent
from numerics.kernels.digest import kernel_digest
from numerics.kernels.objective import Objective
from numerics.sweeps import workers
from numerics.training.problem import training_problem
from tests.cases import DISTINCT
from tests.numerics.sweeps.executors import (
    BETAS,
    KILL,
    LONG,
    LONG_BETAS,
    Inline,
    assert_same,
    small_batches,
    wait_for_runs,
)
from theory.groups import Weights


def processes(count):
    return ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn"))


def test_weights_groups_and_prior_reach_the_workers():
    betas = [Weights(1.0, 4.0, 1.0, 1.0), Weights.uniform(2.0)]
    options = {"betas": betas, "groups": [[0, 1], [2]], "prior": np.diag([1.0, 2.0, 0.5]), "noise_variance": 0.3}
    expected = sweep(DISTINCT.covariance, 3, **options)
    assert len(set(expected.losses.ravel())) == 2
    assert_same(sweep(DISTINCT.covariance, 3, executor=Inline(), **options), expected)


def test_a_batch_takes_write_protected_arrays_and_one_compiled_version_does():
    before = len(descent.accelerated.signatures)
    thetas, weights, mask, deviations = np.full((2, 6), 0.1), np.ones((2, 4)), np.ones(6), np.array([1.0, 0.5])
    loss = Objective(deviations, np.ones(4), np.zeros((3, 1), dtype=np.int64), np.eye(1), mask)
    perturbation = 1e-3 * mask
    limits = descent.Limits(0.01, 1e-8, 100)
    arguments = kernel_digest(), thetas, weights, loss, perturbation, descent.ACCELERATED, limits
    ends, expected = workers.descend_batch(*arguments)
    for array in (thetas, weights, perturbation, *loss):
        array.flags.writeable = False
    ends_again, again = workers.descend_batch(*arguments)
    np.testing.assert_array_equal(ends_again, ends)
    for name, wanted in expected._asdict().items():
        np.testing.assert_array_equal(getattr(again, name), wanted)
    assert (expected.steps == 100).all() and (expected.codes == descent.MAX_STEPS).all()
    assert (thetas == 0.1).all()
    assert len(descent.accelerated.signatures) <= max(before, 1)


def test_a_worker_with_other_kernels_is_refused(monkeypatch):
    """Its runs would be those of another version, mixed with ours."""
    monkeypatch.setattr(workers, "kernel_digest", lambda: "0123456789abcdef")  # the batch carries ours
    message = f"worker have the digest 0123456789abcdef, those of the sweep have {kernel_digest()}; install the same"
    with pytest.raises(RuntimeError, match=message):
        sweep(DISTINCT.covariance, 3, betas=BETAS, executor=Inline())


@pytest.mark.parametrize("how", ["raises", "fails"])
def test_a_worker_that_dies_loses_nothing_finished(monkeypatch, how):
    small_batches(monkeypatch, 2)
    monkeypatch.setattr(workers, "IN_FLIGHT", 1)
    expected = sweep(DISTINCT.covariance, 3, betas=BETAS[:1], seeds=2)
    executor = Inline(at=2, **{how: BrokenExecutor("a worker died")})
    found = sweep(DISTINCT.covariance, 3, betas=BETAS, seeds=2, executor=executor)
    assert found.interrupted
    assert found.failure == "BrokenExecutor: a worker died"
    assert executor.count == 2  # and nothing more is sent to it
    assert_same(found, expected, slice(0, 1))
    assert np.isnan(found.losses[1:]).all()
    assert (found.stopped[1:] == "not run").all()
    with pytest.raises(ValueError, match=r"the run of beta 1\.0 and seed 0 did not finish"):
        found.vae(1, 0)


def test_what_was_under_way_when_a_worker_died_is_awaited(monkeypatch):
    small_batches(monkeypatch, 1)
    found = sweep(DISTINCT.covariance, 3, betas=BETAS, executor=Inline(at=2, fails=BrokenExecutor("gone")))
    assert list(found.stopped[:, 0] == "not run") == [False, True, False]


@pytest.mark.parametrize("how", ["raises", "fails"])
def test_an_interrupt_loses_nothing_finished(monkeypatch, how):
    small_batches(monkeypatch, 1)
    found = sweep(DISTINCT.covariance, 3, betas=BETAS, executor=Inline(at=3, **{how: KeyboardInterrupt()}))
    assert found.interrupted
    assert found.failure is None
    assert list(found.stopped[:, 0] == "not run") == [False, False, True]


def test_an_interrupt_cancels_what_waits():
    started, go_on = threading.Event(), threading.Event()

    def task(number):
        started.set()
        go_on.wait()

    def batches():
        yield from ((slice(number), (number,)) for number in range(5))
        started.wait()
        raise KeyboardInterrupt

    with ThreadPoolExecutor(1) as executor:
        submitted, submit = [], executor.submit
        executor.submit = lambda *arguments: submitted.append(submit(*arguments)) or submitted[-1]
        with pytest.raises(KeyboardInterrupt):
            list(workers.collect(executor, task, batches(), lambda part, result: None))
        assert [future.cancelled() for future in submitted] == [False, True, True, True, True]
        go_on.set()


@pytest.mark.parametrize("where", ["submits", "waits"])
def test_an_interrupt_comes_between_steps_of_the_executor(where):
    """One that came inside left its locks taken, and the executor, and with it the command, never ended."""
    whole = []

    class Interrupted(ThreadPoolExecutor):
        def submit(self, *arguments):
            if where == "submits":
                signal.raise_signal(signal.SIGINT)
            whole.append(super().submit(*arguments))
            return whole[-1]

    def task():
        if where == "waits":
            os.kill(os.getpid(), signal.SIGINT)  # from another thread, while this one waits for the result
            time.sleep(0.2)

    batches = ((slice(number), ()) for number in range(3))
    before = signal.getsignal(signal.SIGINT)
    with Interrupted(1) as executor, pytest.raises(KeyboardInterrupt):
        list(workers.collect(executor, task, batches, lambda part, result: None))
    assert whole and not whole[0].cancelled()
    assert all(future.cancelled() for future in whole[1:])
    assert signal.getsignal(signal.SIGINT) is before


def test_no_more_batches_in_flight_than_allowed(monkeypatch):
    monkeypatch.setattr(workers, "IN_FLIGHT", 3)
    under_way, most, taken = 0, 0, {}

    def batches():
        nonlocal under_way, most
        for number in range(20):
            under_way += 1
            most = max(most, under_way)
            yield slice(number), (number,)

    def keep(part):
        nonlocal under_way
        under_way -= 1
        assert taken.pop(part.stop) == part.stop

    with ThreadPoolExecutor(2) as executor:
        for part in workers.collect(executor, int, batches(), lambda part, result: taken.update({part.stop: result})):
            keep(part)
    assert (under_way, most) == (0, 3)


def test_an_executor_that_does_not_work_is_an_error():
    with pytest.raises(BrokenExecutor, match="gone"):
        sweep(DISTINCT.covariance, 3, betas=BETAS, executor=Inline(at=1, fails=BrokenExecutor("gone")))
    with ThreadPoolExecutor(1) as executor:
        pass
    with pytest.raises(RuntimeError, match="shutdown"):
        sweep(DISTINCT.covariance, 3, betas=BETAS, executor=executor)
    with pytest.raises(ValueError, match=r"executor must be a concurrent\.futures\.Executor, got 4; pass"):
        sweep(DISTINCT.covariance, 3, betas=BETAS, executor=4)


@pytest.mark.slow
def test_processes_and_a_killed_one(monkeypatch, tmp_path):
    """Real processes: the same to the last digit; one of them killed; the file resumed by this process alone."""
    options = {"betas": BETAS, "seeds": [7, 2]}
    small_batches(monkeypatch, 1)
    with processes(2) as executor:
        assert_same(
            sweep(DISTINCT.covariance, 3, executor=executor, **options), sweep(DISTINCT.covariance, 3, **options)
        )
        file, worker = tmp_path / "runs.jsonl", executor.submit(os.getpid).result()

        def kill():
            wait_for_runs(file, 2)
            os.kill(worker, KILL)

        killer = threading.Thread(target=kill)
        killer.start()
        found = sweep(DISTINCT.covariance, 3, betas=LONG_BETAS, executor=executor, file=file, **LONG)
        killer.join()
    assert found.interrupted
    assert "BrokenProcessPool" in found.failure
    finished = np.flatnonzero(found.stopped[:, 0] != "not run")
    assert 2 <= len(finished) < len(LONG_BETAS)
    expected = sweep(DISTINCT.covariance, 3, betas=LONG_BETAS[finished], **LONG)
    assert_same(found, expected, finished)
    some = [*finished, next(row for row in range(len(LONG_BETAS)) if row not in finished)]
    resumed = sweep(DISTINCT.covariance, 3, betas=LONG_BETAS[some], file=file, **LONG)
    assert_same(resumed, expected, slice(0, len(finished)))
    assert resumed.stopped[-1, 0] == "max_steps"


@pytest.mark.slow
def test_the_command_tells_in_one_line_that_a_process_ended_before_any_run(monkeypatch, capfd):
    """As when the system kills it for want of memory."""
    monkeypatch.setattr(
        "numerics.sweeps.sweep.sweep", lambda *_, executor, **__: executor.submit(os._exit, 1).result(timeout=100)
    )
    assert main(["sweep", "--eigenvalues", "2,1", "--latent-dim", "1", "--betas", "1", "--processes", "1"]) == 2
    printed, errors = capfd.readouterr()
    assert not printed
    assert errors.startswith("python -m numerics: error: a process of --processes ended before its first run did")
    assert errors.count("\n") == 1


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="another process is interrupted by a signal")
@pytest.mark.parametrize("how", ["interrupted", "terminated"])
def test_the_command_interrupted_and_resumed(tmp_path, how):
    file, table = tmp_path / "runs.jsonl", tmp_path / "runs.csv"
    command = [sys.executable, "-m", "numerics", "sweep", "--eigenvalues", "4,2.5,1.2,.6,.3", "--latent-dim", "3"]
    command += ["--method", "adam", "--gradient-tolerance", "1e-300", "--max-steps", "50000", "--resume", str(file)]
    running = subprocess.Popen(
        [*command, "--betas", "0.5:2:400", "--processes", "2", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    wait_for_runs(file, 1)
    if how == "interrupted":
        os.killpg(running.pid, signal.SIGINT)  # as a terminal does: to this process and to its workers
    else:
        running.terminate()  # this process only; its workers must not live on, or the pipes would not close
    out, err = running.communicate(timeout=60)
    assert running.returncode == 130, err.decode()
    assert b"Traceback" not in err
    found = json.loads(out)
    assert (found["interrupted"], found["failure"]) == (True, None)
    finished = len(found["runs"]["beta"])
    assert 1 <= finished < 400
    lines = file.read_bytes().count(b"\n")
    assert lines == finished + 1
    betas = ",".join(map(repr, found["runs"]["beta"]))
    again = subprocess.run([*command, "--betas", betas, "--out", str(table)], capture_output=True, check=True)
    assert b"of each beta the run of least loss" in again.stdout
    assert file.read_bytes().count(b"\n") == lines  # all were there
    assert len(table.read_text().splitlines()) == finished + 1


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="the workers are found in /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_interrupted_while_its_workers_start(number):
    """Workers ignore the signals of their parent from their first moment, and the parent ends with one line."""
    command = [sys.executable, "-m", "numerics", "sweep", "--eigenvalues", "4,2,1", "--latent-dim", "2"]
    command += ["--method", "adam", "--gradient-tolerance", "1e-300", "--betas", "0.5:2:400", "--processes", "2"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    started, children, deadline = Path(f"/proc/{running.pid}/task/{running.pid}/children"), [], time.monotonic() + 30
    while len(children) < 3:  # two workers, and what looks after their semaphores
        assert time.monotonic() < deadline
        children = started.read_text().split()
    for _ in range(3):
        os.killpg(running.pid, number)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 130, err.decode()
    assert not err
    assert b"interrupted after" in out
    wait_until_ended(children)


def test_a_signal_that_is_let_pass_changes_nothing():
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    taken = []
    try:
        with ThreadPoolExecutor(1) as executor:
            batches = ((slice(number), (signal.SIGTERM,)) for number in range(3))
            list(workers.collect(executor, signal.raise_signal, batches, lambda *_: taken.append(True)))
    finally:
        signal.signal(signal.SIGTERM, before)
    assert len(taken) == 3


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="the workers are found in /proc")
def test_the_workers_of_a_killed_command_end(tmp_path):
    """A killed parent sends nothing: the workers notice by themselves that it is gone."""
    file = tmp_path / "runs.jsonl"
    command = [sys.executable, "-m", "numerics", "sweep", "--eigenvalues", "4,2.5,1.2,.6,.3", "--latent-dim", "3"]
    command += ["--method", "adam", "--gradient-tolerance", "1e-300", "--max-steps", "50000", "--resume", str(file)]
    command += ["--betas", "0.5:2:4000", "--processes", "2"]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for_runs(file, 1)
        children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
    finally:
        running.kill()
        running.wait()
    assert len(children) >= 2  # two workers, and what looks after their semaphores
    wait_until_ended(children)


def wait_until_ended(children: list[str]) -> None:
    deadline = time.monotonic() + 30
    while any(is_running(child) for child in children):
        assert time.monotonic() < deadline, "a worker lives on"
        time.sleep(0.05)


def is_running(process: str) -> bool:
    """Whether a process has not ended; one that ended may wait for ever to be asked for its exit code."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_run_leaves_room_for_other_threads():
    """Else a worker would notice only after its run, which may take an hour, that its parent has ended."""
    problem = training_problem(DISTINCT.covariance, 3, "learned", None, "diagonal")
    arguments = problem.objective(Weights.uniform(1.0)), problem.perturbation, descent.ADAM

    def run_for(steps):
        start, limits = problem.start(np.random.default_rng(0)), descent.Limits(0.01, 1e-300, steps)
        return descent.descend(start, *arguments, limits, np.empty(0))

    run_for(1)  # is compiled
    run = threading.Thread(target=run_for, args=(300_000,))
    looked = 0
    run.start()
    while run.is_alive():
        time.sleep(0.001)
        looked += 1
    assert looked > 10


TRAINED = """
import numpy as np
import zlib
from numerics import train, train_minibatch
from numerics.kernels import descent
found = []
for method in ("accelerated", "adam"):
    for size in (8, 20):
        run = train(np.diag(np.geomspace(1.0, 0.01, size)), size // 4, beta=1.3, method=method, max_steps=200)
        found += [run.history, run.vae.decoder]
found.append(train_minibatch(np.cos(np.arange(600)).reshape(50, 12), 4, beta=1.0, steps=20).history)
print(zlib.crc32(np.concatenate(found, axis=None)), sum(descent.accelerated.stats.cache_hits.values()))
"""
OTHERS_FIRST = """
from numerics import sweep
train_minibatch(np.eye(3), 2, beta=1.0, steps=2)
sweep(np.eye(3), 2, betas=[1.0], max_steps=2)
"""


@pytest.mark.slow
def test_compiled_in_any_order_or_by_two_processes_at_once_or_from_the_cache_the_bits_are_the_same(tmp_path):
    """A caller is compiled with a copy of what it calls, and the copies are optimised anew."""
    other = TRAINED.replace("found = []", OTHERS_FIRST + "found = []")

    def start(code, cache):
        return subprocess.Popen(
            [sys.executable, "-W", "error", "-c", code],
            env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / cache)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(process):
        out, err = process.communicate()
        assert process.returncode == 0, err
        return out.split()

    together = [start(TRAINED, "one"), start(TRAINED, "one")]
    first, *others = [finish(process) for process in [*together, start(other, "two")]]
    later = [finish(start(TRAINED, cache)) for cache in ("one", "two")]
    assert {found[0] for found in [*others, *later]} == {first[0]}
    assert [found[1] for found in later] == ["1", "1"]
