"""Sweeps on a Dask cluster of real processes on this machine."""

from __future__ import annotations

import os
import threading

import numpy as np
import pytest

from numerics import sweep
from tests.cases import DISTINCT
from tests.numerics.sweeps.executors import BETAS, KILL, LONG, LONG_BETAS, assert_same, small_batches, wait_for_runs

distributed = pytest.importorskip("distributed", reason="comes with the extra `cluster`")

# Dask's own warnings are no errors here.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]


def cluster(**options):
    return distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, **options
    )


def sweep_and_kill(client, file, betas):
    """A sweep during which a worker process is killed once some runs are in the file."""

    def kill():
        wait_for_runs(file, 2)
        os.kill(next(iter(pids.values())), KILL)

    pids = client.run(os.getpid)
    killer = threading.Thread(target=kill)
    killer.start()
    found = sweep(DISTINCT.covariance, 3, betas=betas, executor=client.get_executor(), file=file, **LONG)
    killer.join()
    assert client.run(os.getpid) != pids
    return found


def test_the_same_runs_also_when_a_worker_is_killed(monkeypatch, tmp_path):
    """Dask gives the batches of a dead worker to another one."""
    small_batches(monkeypatch, 1)
    options = {"betas": BETAS, "seeds": [7, 2]}
    with cluster() as local, distributed.Client(local) as client:
        found = sweep(DISTINCT.covariance, 3, executor=client.get_executor(), **options)
        assert_same(found, sweep(DISTINCT.covariance, 3, **options))
        betas = LONG_BETAS[:60]
        found = sweep_and_kill(client, tmp_path / "runs.jsonl", betas)
        assert (found.interrupted, found.failure) == (False, None)
        assert_same(found, sweep(DISTINCT.covariance, 3, betas=betas, **LONG))


def test_batches_that_dask_gives_up_lose_nothing_finished(monkeypatch, tmp_path):
    small_batches(monkeypatch, 1)
    with cluster(scheduler_kwargs={"allowed_failures": 0}) as local, distributed.Client(local) as client:
        found = sweep_and_kill(client, tmp_path / "runs.jsonl", LONG_BETAS[:60])
    assert found.interrupted
    assert "KilledWorker" in found.failure
    finished = found.stopped[:, 0] != "not run"
    assert 2 <= np.count_nonzero(finished) < 60
    assert_same(found, sweep(DISTINCT.covariance, 3, betas=LONG_BETAS[:60][finished], **LONG), finished)
