"""PyTorch and JAX against NumPy and training here, where they are installed; scikit-learn against ours."""

from __future__ import annotations

import numpy as np
import pytest

from numerics.bench import numpy_peer, ours, tables
from numerics.bench.problem import ClosedForm, DataMoments


def results(contestants):
    return {contestant.name: contestant.read(contestant.run()) for contestant in contestants}


def check(found, wanted):
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-8)


TASKS = {
    "one run": ("descent", lambda: tables.descent(5, 3, 20, (1.7,))),
    "sweep": ("descent", lambda: tables.descent(5, 3, 20, (0.5, 2.0), (1, 4, 2))),
    "minibatch": ("minibatch", lambda: tables.minibatch_descent(5, 3, 20)),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")  # of the compilers
@pytest.mark.parametrize("library", ["torch", "jax"])
@pytest.mark.parametrize("name", TASKS)
def test_automatic_gradients_take_the_same_path(library, name):
    pytest.importorskip(library)
    peer = pytest.importorskip(f"numerics.bench.{library}_peer")
    kind, make = TASKS[name]
    task = make()
    (wanted,) = results(getattr(numpy_peer, kind)(task)).values()
    found = results(getattr(peer, kind)(task))
    assert found
    for result in found.values():
        check(result, wanted)


def test_pca_is_the_optimum_at_beta_1():
    peer = pytest.importorskip("numerics.bench.sklearn_peer")
    task = ClosedForm(tables.spiked_data(12, 3, count=200), 3)
    (wanted,) = results(ours.closed_form(task)).values()
    found = results(peer.closed_form(task))
    assert list(found) == ["sklearn covariance_eigh", "sklearn full", "sklearn randomized"]
    check(found["sklearn covariance_eigh"], wanted)
    check(found["sklearn full"], wanted)
    for one, other in zip(found["sklearn randomized"], wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=0.1)


def test_moments_of_all_are_the_same():
    peer = pytest.importorskip("numerics.bench.sklearn_peer")
    data = tables.spiked_data(12, 3, count=200).astype(np.float32)
    task = DataMoments(data, data.astype(float))
    found = {}
    for contestants in (ours, numpy_peer, peer):
        found |= results(contestants.moments(task))
    assert list(found) == ["ours", "ours in memory", "numpy cov", "sklearn empirical_covariance"]
    for (covariance,) in found.values():
        np.testing.assert_allclose(covariance, np.cov(task.data.T, bias=True), rtol=0, atol=1e-11)
