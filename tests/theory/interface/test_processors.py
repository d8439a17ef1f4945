"""The number of processors is that of the process, where the system knows it."""

import os

from theory.interface.processors import usable_processors


def test_usable_processors(monkeypatch):
    assert 1 <= usable_processors() <= (os.cpu_count() or 1)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert usable_processors() == 1
