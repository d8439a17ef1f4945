"""What the tables say: ratios, agreement, and who is missing."""

from __future__ import annotations

import importlib
import math

import numpy as np
import pytest

from numerics.bench import numpy_peer, peers, roofline, tables
from numerics.bench.commands import TABLES
from numerics.bench.problem import DataMoments
from numerics.bench.timing import Contestant, Timing

ONCE = {"rounds": 1, "budget": 0.0, "pause": lambda seconds: None, "progress": False}


def missing(monkeypatch, *libraries, of=None):
    """Act as if some libraries were not installed; `of` names what is missing instead of the library itself."""
    real = importlib.import_module

    def import_module(name, package=None):
        if name in libraries:
            raise ModuleNotFoundError(f"No module named {name!r}", name=of or name)
        return real(name, package)

    monkeypatch.setattr(importlib, "import_module", import_module)


def test_library_that_is_not_installed(monkeypatch):
    missing(monkeypatch, "torch", "jax")
    assert peers.load(["numpy", "torch", "jax"]) == {"numpy": numpy_peer, "torch": None, "jax": None}


def test_library_that_is_broken_is_an_error(monkeypatch):
    missing(monkeypatch, "torch", of="something it needs")
    with pytest.raises(ModuleNotFoundError, match="torch"):
        peers.load(["torch"])


def test_times_are_per_step_and_ratios_to_ours(monkeypatch):
    seconds = {"ours": [0.2, 0.4, 0.3], "peer": [1.2, 1.5, 9.0]}
    monkeypatch.setattr(
        tables,
        "interleave",
        lambda contestants: [Timing(7.0, np.array(seconds[one.name]), [np.zeros(2)]) for one in contestants],
    )
    rows = tables.compare([Contestant("ours", None), Contestant("peer", None)], 100)
    assert [row["median_ms"] for row in rows] == pytest.approx([3.0, 15.0], abs=1e-12)
    assert [row["lower_ms"] for row in rows] == pytest.approx([2.5, 13.5], abs=1e-12)
    assert [row["upper_ms"] for row in rows] == pytest.approx([3.5, 52.5], abs=1e-12)
    assert [row["ratio"] for row in rows] == pytest.approx([1.0, 5.0], abs=1e-12)
    assert [row["first_s"] for row in rows] == [7.0, 7.0]
    (alone,) = tables.compare([Contestant("peer", None)], 100)
    assert alone["ratio"] is None and alone["of_product"] is None
    seconds["products"] = [0.001, 0.009, 0.0015]  # of one step
    seconds["other products"] = [0.002, 0.0016, 0.004]
    ways = [Contestant("other products", None), Contestant("products", None)]
    for products in (ways[1:], ways):  # the fastest counts
        rows = tables.compare([Contestant("ours", None), Contestant("peer", None)], 100, products)
        assert [row["contestant"] for row in rows] == ["ours", "peer"]
        assert [row["of_product"] for row in rows] == pytest.approx([0.5, 0.1], abs=1e-12)


def test_the_products_of_a_step_are_those_of_its_gradient(monkeypatch):
    """Their number of multiplications, by the shapes that NumPy is asked to multiply."""
    counts, matmul = [], np.matmul

    def counted(left, right, out):
        counts.append(left.size * right.shape[-1])
        return matmul(left, right, out=out)

    for task, expected in (
        (tables.descent(20, 5, 10), [20 * 5 * 5] * 4),
        (tables.descent(20, 5, 10, (0.5, 2.0), (0, 1, 2)), [6 * 20 * 5 * 5] * 4),
        (tables.minibatch_descent(20, 5, 10), [tables.BATCH_SIZE * 20 * 5] * 5),
    ):
        multiply = roofline.products_of_a_step(task)
        with monkeypatch.context() as patched:
            patched.setattr(np, "matmul", counted)
            multiply()
        assert counts == expected
        counts.clear()


def test_the_products_of_moments_are_of_all_rows(monkeypatch):
    monkeypatch.setattr(roofline, "block_rows", lambda data_dim: 7)
    data = np.random.default_rng(0).standard_normal((30, 4))
    ways = roofline.products_of_moments(DataMoments(None, data))
    assert len(ways) == 2
    for multiply in ways:
        np.testing.assert_allclose(np.tril(multiply()), np.tril(data.T @ data), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("off", "exact", "status"),
    [(0.9e-8, True, "agrees"), (-1.1e-8, True, "differs"), (math.nan, True, "differs"), (1.0, False, "approximate")],
)
def test_agreement_is_to_1e_8_in_every_parameter(off, exact, status):
    here = Contestant("ours", lambda: [np.zeros(()), np.zeros(3)])
    there = Contestant("peer", lambda: [np.zeros(()), np.array([0.0, off, 0.0])], exact=exact)
    rows = tables.compare([here, there], 1, **ONCE)
    assert [row["status"] for row in rows] == ["agrees", status]
    assert rows[1]["difference"] == pytest.approx(abs(off), nan_ok=True)


@pytest.mark.parametrize(
    ("name", "contestants"),
    [
        ("full_batch", ["ours", "numpy"]),
        ("sweep", ["ours", "numpy"]),
        ("minibatch", ["ours", "numpy"]),
        ("closed_form", ["ours"]),
    ],
)
def test_every_table_with_numpy_alone(monkeypatch, name, contestants):
    for sizes in ("FULL_BATCH", "SWEEP", "MINIBATCH"):
        monkeypatch.setattr(tables, sizes, [(4, 2, 10), (501, 2, 10)])
    monkeypatch.setattr(tables, "CLOSED_FORM", [20, 501])
    monkeypatch.setattr(tables, "ROWS", 200)
    monkeypatch.setattr(tables, "SWEPT", ((0.5, 2.0), (0, 1, 2)))
    rows = getattr(tables, TABLES[name])({"numpy": numpy_peer, "torch": None}, True, **ONCE)
    assert all(tuple(row) == tables.COLUMNS for row in rows)
    assert [row["contestant"] for row in rows if row["status"] == "agrees"] == contestants
    assert [row["status"] for row in rows if row["contestant"] == "torch"] == ["not installed"]
    assert all((row["of_product"] is None) == (name == "closed_form") for row in rows if row["status"] == "agrees")
    assert {row["D"] for row in rows} == {20 if name == "closed_form" else 4}
    assert {row["runs"] for row in rows} == {6 if name == "sweep" else 1}
