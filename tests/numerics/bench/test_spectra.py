"""The spectra are what their names say; contestants work in processes of their own and agree."""

from __future__ import annotations

import os

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from numerics.bench import spectra, tables

ONCE = {"rounds": 1, "budget": 0.0, "pause": lambda seconds: None, "progress": False}


@pytest.mark.parametrize("spectrum", spectra.SPECTRA)
def test_covariances_are_symmetric_and_always_the_same(spectrum):
    covariance = spectra.covariance(spectrum, 48, 4)
    assert covariance.shape == (48, 48)
    np.testing.assert_array_equal(covariance, covariance.T)
    np.testing.assert_array_equal(covariance, spectra.covariance(spectrum, 48, 4))
    assert np.linalg.eigvalsh(covariance)[0] > -1e-13


@pytest.mark.parametrize("spectrum", spectra.EIGENVALUES)
def test_eigenvalues_are_descending(spectrum):
    values = spectra.EIGENVALUES[spectrum](48, 4)
    assert np.all(np.diff(values) <= 0)
    found = np.linalg.eigvalsh(spectra.covariance(spectrum, 48, 4))[::-1]
    np.testing.assert_allclose(found, values, rtol=0, atol=1e-13 * values[0])


def test_ranks_and_gaps():
    ranks = {"rank K/2": 2, "rank K + 20": 24, "three values": 48}
    assert {name: np.count_nonzero(spectra.EIGENVALUES[name](48, 4)) for name in ranks} == ranks
    spiked = spectra.EIGENVALUES["spiked"](48, 4)
    assert spiked[3] > 16 * spiked[4]


def test_every_contestant_has_a_process_and_the_threads_of_this_one(monkeypatch):
    with threadpool_limits(1), spectra.processes() as pools:
        assert list(pools) == list(spectra.SOLVERS)
        assert len({os.getpid(), *(pool.submit(os.getpid).result() for pool in pools.values())}) == 4
        for pool in pools.values():
            limited = [entry["num_threads"] for entry in pool.submit(threadpool_info).result()]
            assert set(limited) == {1}


def test_the_table(monkeypatch):
    monkeypatch.setattr(tables, "SPECTRA", [(24, 2, 3), (501, 2, 1)])
    rows = tables.spectra({}, True, **ONCE)
    assert len(rows) == len(spectra.SPECTRA) * len(spectra.SOLVERS)
    assert all(tuple(row) == tables.COLUMNS for row in rows)
    assert {row["status"] for row in rows} == {"agrees"}
    assert {(row["D"], row["K"], row["steps"]) for row in rows} == {(24, 2, 3)}
    assert [row["contestant"] for row in rows[:3]] == [f"{name}, white noise" for name in spectra.SOLVERS]
    assert [row["ratio"] for row in rows[::3]] == [1.0] * len(spectra.SPECTRA)
