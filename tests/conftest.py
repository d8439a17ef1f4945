"""One thread for linear algebra: the matrices of the tests are small, and threads waiting for each other cost more."""

import os
from contextlib import contextmanager

import pytest

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def pytest_configure(config):
    """Before workers of pytest-xdist start: compile once, not in each of them."""
    if getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput"):
        from numerics.sweeps.compiled_once import compile_once

        compile_once()


@pytest.fixture(autouse=True)
def no_lines_of_progress(monkeypatch):
    """On a slow machine, which compiles for longer than the time between two lines, stderr would have some."""
    from theory.interface import progress

    monkeypatch.setattr(progress, "EVERY", 3600.0)


@pytest.fixture
def small_files():
    """As on a full disk: `with small_files(1000):` this process can write no file beyond 1000 bytes."""
    resource = pytest.importorskip("resource", reason="limits of a process are set as Unix has them")

    @contextmanager
    def limited(size):
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return limited
