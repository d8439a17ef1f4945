from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from figures.kit import training


def test_an_interrupt_in_training_is_passed_on(monkeypatch):
    done = training.train_each(np.diag([2.0, 1.0]), 1, [1.0])
    monkeypatch.setattr("numerics.sweeps.complete.sweep", lambda *_, **__: dataclasses.replace(done, interrupted=True))
    with pytest.raises(KeyboardInterrupt):
        training.train_each(np.diag([2.0, 1.0]), 1, [1.0])


def test_unfinished_training_is_counted():
    hasty = training.train_each(np.diag([2.0, 1.0]), 1, [1.0, 1.5], max_steps=1)
    check = training.unfinished([hasty])
    assert (check.deviation, check.points, check.passed) == (2.0, 2, False)
