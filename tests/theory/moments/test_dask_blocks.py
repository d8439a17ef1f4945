"""Moments of Dask collections: each block is reduced where it lies, also where all of them do not fit into memory."""

from __future__ import annotations

import os
import pickle
import tracemalloc

import numpy as np
import pytest
from scipy import sparse

from theory import Moments
from theory.moments import statistics_of_block
from theory.moments.dask_blocks import statistics_of_blocks
from theory.moments.statistics import joined

distributed = pytest.importorskip("distributed", reason="comes with the extra `cluster`")

import dask  # noqa: E402
import dask.array as da  # noqa: E402

# Dask's own warnings are no errors here.
pytestmark = pytest.mark.filterwarnings("default")

MIB = 2**20
OFFSET = 1e8
RNG = np.random.default_rng(0)
DATA = RNG.standard_normal((1000, 6)) * [1, 2, 3, 1, 2, 3] + OFFSET


@pytest.fixture(autouse=True)
def in_this_process():
    with dask.config.set(scheduler="synchronous"):
        yield


@pytest.fixture(scope="module")
def cluster():
    """Of two workers, each of 400 MiB: one that holds more is stopped, with an error; nothing goes to the disk."""
    memory = dict.fromkeys(("target", "spill", "pause"), False) | {"terminate": 0.95}
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    options |= {"memory_limit": 400 * MIB, "scheduler_kwargs": {"allowed_failures": 0}}
    with (
        dask.config.set({f"distributed.worker.memory.{key}": value for key, value in memory.items()}),
        distributed.LocalCluster(**options) as cluster,
    ):
        yield cluster


@pytest.fixture
def client(in_this_process, cluster):
    """That the test computes on the cluster."""
    with distributed.Client(cluster) as client, dask.config.set(scheduler=client):
        yield client


def assert_moments(data, expected):
    """Those of numbers near `OFFSET`, of which it can be subtracted without rounding, with a spread of up to 3."""
    moments, near_zero = Moments.of(data), expected - OFFSET
    assert moments.count == len(expected)
    np.testing.assert_allclose(moments.covariance, np.cov(near_zero, rowvar=False, bias=True), rtol=0, atol=1e-13)
    np.testing.assert_allclose(moments.mean, near_zero.mean(axis=0) + OFFSET, rtol=2.3e-16)


@pytest.mark.slow
def test_data_that_are_larger_than_the_memory_of_all_workers(client):
    """Block b has the same numbers as the others, shifted by b times a vector; all are exact in single precision."""
    blocks, rows, columns = 64, 2**16, 64
    shift = np.arange(columns) % 5 - 2.0

    def base():
        return np.random.default_rng(0).integers(-1000, 1000, (rows, columns), dtype=np.int16) / np.float32(1024)

    def block(block_id):
        return base() + (block_id[0] * shift).astype(np.float32)

    data = da.map_blocks(block, chunks=((rows,) * blocks, columns), dtype=np.float32, meta=np.empty((0, 0), np.float32))
    limits = [worker["memory_limit"] for worker in client.scheduler_info()["workers"].values()]
    assert len(limits) == 2 and sum(limits) == 800 * MIB and data.nbytes == 1024 * MIB
    processes = client.run(os.getpid)

    tracemalloc.start()
    moments = Moments.of(data)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert client.run(os.getpid) == processes
    assert most < data.blocks[0].nbytes == 16 * MIB  # of this process, which also has the scheduler
    number = np.arange(blocks)
    expected = np.cov(base().astype(float), rowvar=False, bias=True) + number.var() * np.outer(shift, shift)
    assert moments.count == rows * blocks
    np.testing.assert_allclose(moments.covariance, expected, rtol=0, atol=1e-12 * expected.max())
    np.testing.assert_allclose(moments.mean, base().mean(axis=0, dtype=float) + number.mean() * shift, atol=1e-12)


@pytest.mark.slow
def test_a_cluster_joins_columns_and_hands_errors_on(client):
    by_columns = da.from_array(DATA, chunks=(100, 2))
    assert_moments(by_columns, DATA)
    assert_moments(by_columns[by_columns[:, 0] > OFFSET], DATA[DATA[:, 0] > OFFSET])
    faulty = DATA.copy()
    faulty[537, 4] = np.nan
    with pytest.raises(ValueError, match="data must be finite, row 537, column 4"):
        Moments.of(da.from_array(faulty, chunks=(100, 6)))


@pytest.mark.parametrize(
    "chunks",
    [(100, 6), (100, 2), (1000, 1), (300, 6), (1000, 6), (7, 6), (3, 6), (1, 6), ((0, 400, 0, 599, 1, 0), 6)],
    ids=str,
)
def test_arrays_in_blocks_of_any_shape(chunks):
    """Also in blocks of fewer rows than columns, of one row and of none."""
    assert_moments(da.from_array(DATA, chunks=chunks), DATA)


@pytest.mark.parametrize("columns", [6, 2])
@pytest.mark.parametrize("least", [-10.0, 0.0, 2.0])
def test_blocks_of_unknown_lengths(columns, least):
    data = da.from_array(DATA, chunks=(25, columns))
    kept = data[:, 0] > OFFSET + least
    lengths = [len(block) for block in dask.compute(*data[kept].to_delayed()[:, 0])]
    assert np.isnan(data[kept].shape[0]) and (0 in lengths) == (least == 2.0)
    assert_moments(data[kept], DATA[kept.compute()])


def test_threads_without_a_cluster():
    with dask.config.set(scheduler="threads"):
        assert_moments(da.from_array(DATA, chunks=(100, 3)), DATA)


@pytest.mark.parametrize("dtype", [np.int64, np.int16, np.uint8, np.float16, np.float32, object])
def test_numbers_of_other_types(dtype):
    data = RNG.integers(0, 256, (200, 3)).astype(dtype)
    moments = Moments.of(da.from_array(data, chunks=(30, 3)))
    expected = np.cov(data.astype(float), rowvar=False, bias=True)
    np.testing.assert_allclose(moments.covariance, expected, rtol=0, atol=1e-12 * expected.max())


@pytest.mark.parametrize("chunks", [(10, 100), (10, 30), (1, 100)])
def test_fewer_observations_than_variables_are_kept(chunks):
    data = RNG.standard_normal((40, 100)) + OFFSET
    moments = Moments.of(da.from_array(data, chunks=chunks))
    assert moments.rows.centred.shape == (40, 100)
    assert_moments(da.from_array(data, chunks=chunks), data)


@pytest.mark.parametrize("count", [300, 40])
def test_blocks_that_are_sparse(count):
    numbers = sparse.random_array((count, 50), density=0.1, rng=np.random.default_rng(0)).toarray()
    numbers[:, 3] += 7.0
    moments = Moments.of(da.from_array(numbers, chunks=(20, 50)).map_blocks(sparse.csr_array))
    assert (moments.rows is None) == (count == 300)
    np.testing.assert_allclose(moments.covariance, np.cov(numbers, rowvar=False, bias=True), rtol=0, atol=1e-14)


def test_data_frames():
    pandas = pytest.importorskip("pandas")
    frames = pytest.importorskip("dask.dataframe")
    frame = pandas.DataFrame(DATA, columns=list("abcdef"))
    blocks = frames.from_pandas(frame, npartitions=7)
    assert_moments(blocks, DATA)
    assert_moments(blocks[blocks.a > OFFSET], DATA[DATA[:, 0] > OFFSET])
    with pytest.raises(ValueError, match=r"got a Dask Series of 1 dimensions; pass an array of two dimensions, or a d"):
        Moments.of(blocks.a)
    frame.loc[2, "c"] = np.nan
    with pytest.raises(ValueError, match=r"row 2, column 2 .* is nan.* \(in block 0, counted from 0; rows are"):
        Moments.of(frames.from_pandas(frame, npartitions=7))


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("chunks", [(100, 6), (100, 2), (3, 6)], ids=str)
def test_an_entry_that_is_not_finite_is_named_by_its_row_in_the_whole(value, chunks):
    faulty = DATA.copy()
    faulty[537, 4] = value
    with pytest.raises(ValueError, match=f"data must be finite, row 537, column 4 .* is {value}.* entries$"):
        Moments.of(da.from_array(faulty, chunks=chunks))


def test_of_unknown_lengths_it_is_named_by_its_row_in_the_block():
    faulty = DATA.copy()
    faulty[537, 4] = np.nan
    data = da.from_array(faulty, chunks=(100, 6))
    with pytest.raises(ValueError, match=r"row 37, column 4 .* \(in block 5, counted from 0; rows are counted in the "):
        Moments.of(data[data[:, 0] > 0])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (da.ones(5), "data must be a matrix, got a Dask Array of 1 dimensions; pass an array of two dimensions"),
        (da.ones((5, 2, 2)), "data must be a matrix, got a Dask Array of 3 dimensions"),
        (dask.delayed(DATA), "data must be a matrix, got a Dask Delayed"),
        (da.ones((0, 3)), "data must have at least two rows, got 0"),
        (da.ones((1, 3)), "data must have at least two rows, got 1"),
        (da.ones((5, 2))[da.zeros(5) > 0], "data must have at least two rows, got 0"),
        (da.ones((5, 0)), "data must have at least one column"),
        (da.ones((5, 0)).rechunk(((2, 3), (0, 0))), "data must have at least one column"),
        (da.ones((5, 2), dtype=complex), "data must be real"),
        (da.ones((5, 2), dtype=bool), "data must be numeric"),
        (
            da.concatenate([da.ones((5, 2)), da.from_delayed(dask.delayed(np.ones)((5, 1)), (5, 2), float)]),
            "data must have as many columns in each block, got 2 and 1",
        ),
    ],
    ids=str,
)
def test_what_is_refused(data, said):
    with pytest.raises(ValueError) as caught:
        Moments.of(data)
    assert said in str(caught.value)


@pytest.mark.parametrize("columns", [1, 3])
@pytest.mark.parametrize(("scale", "said"), [(1e-200, "too small"), (1e200, "too large"), (1.7e308, "too large")])
def test_blocks_whose_distance_has_a_square_that_is_no_float(columns, scale, said):
    """In each block nothing varies; of three columns and two rows the observations are kept."""
    data = np.zeros((2, columns))
    data[:, 0] = -scale, scale
    with pytest.raises(ValueError, match=rf"those of column 0 \(.*\) are {said}"):
        Moments.of(da.from_array(data, chunks=(1, columns)))


def test_long_parts_of_columns_are_not_joined_whole(monkeypatch):
    """An array of columns, each in one part, becomes blocks of the largest size that is summed together."""
    monkeypatch.setattr("theory.moments.dask_blocks.BLOCK_NUMBERS", 600)
    shapes = []

    def of_block(block, first_row):
        shapes.append((first_row, block.shape))
        return statistics_of_block(block, first_row)

    found = statistics_of_blocks(da.from_array(DATA, chunks=(1000, 1)), of_block)
    assert sorted(shapes) == [(first, (100, 6)) for first in range(0, 1000, 100)]
    assert found.count == 1000


def test_dask_knows_the_size_of_what_it_stores_and_moves():
    """It takes the size that the object states: without one, some 50 bytes, whatever the arrays."""
    tall, wide = RNG.standard_normal((500, 100)), RNG.standard_normal((50, 1000))
    found = [statistics_of_block(block) for block in (tall, wide, sparse.csr_array(np.where(wide > 1, wide, 0)))]
    found.append(statistics_of_block(sparse.csr_array(np.where(wide > 1, wide, 0) + np.eye(50, 1000)[0])))
    found.append(joined(found[1], found[1]))
    for statistics in found:
        assert dask.sizeof.sizeof(statistics) == pytest.approx(len(pickle.dumps(statistics)), rel=0.1)
