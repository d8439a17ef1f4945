"""Observations in every form: the same moments, exact at any offset; and what is refused, with the reason."""

from __future__ import annotations

import itertools
import mmap
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
import scipy.sparse as sparse

from tests.theory.moments.exact import relative_errors
from theory import Moments, optimum
from theory.interface.observations import read_observations
from theory.moments import slices_of, statistics_of_block

RNG = np.random.default_rng(0)
FAR = RNG.standard_normal((40, 3)) * [1, 2, 3] + 1e8 * np.array([1, -1, 0.3])


def assert_same(found: Moments, data) -> None:
    """Equal to those of the array; the covariance to rounding, relative to the spread."""
    whole = Moments.of(np.asarray(data))
    assert found.count == whole.count
    assert relative_errors(data, found.covariance) < 1e-14
    np.testing.assert_allclose(found.mean, whole.mean, rtol=1e-15, atol=1e-15)
    shift = (found.mean - whole.mean) + (found._remainder - whole._remainder)
    assert np.all(np.abs(shift) <= 1e-15 * np.sqrt(whole.variances))


class Stored:
    """What can only be sliced, as a data set of h5py or zarr."""

    def __init__(self, data):
        self._data, self.shape, self.dtype, self.largest = data, data.shape, data.dtype, 0

    def __getitem__(self, rows):
        found = self._data[rows]
        self.largest = max(self.largest, len(found))
        return found


class Loader:
    """What can only be iterated, as a loader of batches."""

    def __init__(self, data):
        self._data = data

    def __len__(self):
        return 2

    def __iter__(self):
        return iter(np.array_split(self._data, 2))


FORMS = {
    "list of chunks": lambda data: np.array_split(data, [1, 2, 30]),
    "tuple of chunks": lambda data: (data[:3], data[3:3], data[3:]),
    "iterator of chunks": lambda data: iter(np.array_split(data, 7)),
    "generator that uses its memory again": lambda data: reused(data),
    "iterator of rows": lambda data: iter(data),
    "iterator of lists": lambda data: iter(data.tolist()),
    "rows and chunks": lambda data: iter([data[0], data[1:]]),
    "loader": Loader,
    "slices": Stored,
    "sparse": sparse.csr_array,
    "sparse matrix": sparse.csc_matrix,
    "coordinates": sparse.coo_array,
    "sparse chunks": lambda data: [sparse.csr_array(part) for part in np.array_split(data, 3)],
    "many sparse chunks": lambda data: [sparse.csr_array(row[np.newaxis]) for row in data],
    "mixed chunks": lambda data: [data[:9], sparse.csr_array(data[9:20]), data[20:]],
}


def reused(data):
    buffer = np.empty((4, data.shape[1]))
    for first in range(0, len(data), 4):
        part = data[first : first + 4]
        buffer[: len(part)] = part
        yield buffer[: len(part)]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("data", [FAR, FAR.T[:, :24].copy()], ids=["tall", "wide"])
def test_every_form_gives_the_moments_of_the_array(form, data):
    assert_same(Moments.of(FORMS[form](data)), data)


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.longdouble, np.int8, np.uint64, ">f8"])
def test_numbers_of_every_type(dtype):
    data = np.round(RNG.standard_normal((50, 4)) * 10 + 20).astype(dtype)
    numbers = data.astype(float)
    assert_same(Moments.of(data), numbers)
    assert_same(Moments.of(iter(np.array_split(data, 3))), numbers)
    assert_same(Moments.of(np.asfortranarray(data)[::-1]), numbers[::-1])


@pytest.mark.parametrize("rows", [1, 3, 7, 64])
def test_blocks_that_drift_are_as_exact_as_those_that_do_not(monkeypatch, rows):
    """A random walk: the means of blocks lie further apart than the observations of one; and steps of one column."""
    monkeypatch.setattr("theory.moments.sums.block_rows", lambda data_dim: rows)
    walk = np.cumsum(RNG.standard_normal((200, 3)), axis=0) * [1, 1e3, 1e-6] + 1e6
    walk[100:, 1] += 1e7
    walk[:, 2] = 5.0
    walk[-1, 2] = 5.1
    assert relative_errors(walk, Moments.of(walk).covariance) < 1e-14


@pytest.mark.parametrize(("rows", "strip"), [(7, 1), (7, 3), (64, 5), (300, 64)])
def test_strips_of_any_length_add_up_to_blocks(monkeypatch, rows, strip):
    """However the rows come: also in parts that end within strips."""
    monkeypatch.setattr("theory.moments.sums.block_rows", lambda data_dim: rows)
    monkeypatch.setattr("theory.moments.sums.strip_rows", lambda data_dim: strip)
    walk = np.cumsum(RNG.standard_normal((200, 3)), axis=0) + 1e6
    for data in (walk, list(walk), np.array_split(walk, 9)):
        assert_same(Moments.of(iter(data)), walk)


def test_many_blocks_need_no_list_of_their_means(monkeypatch):
    monkeypatch.setattr("theory.moments.sums.block_rows", lambda data_dim: 2)
    data = np.concatenate([FAR] * 9)
    assert relative_errors(data, Moments.of(data).covariance) < 1e-14


def test_a_mapped_file_is_read_in_slices(tmp_path, monkeypatch):
    monkeypatch.setattr("theory.moments.reading.SLICE_NUMBERS", 9)
    np.save(tmp_path / "x.npy", FAR)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert [len(part) for part in slices_of(mapped)] == [3] * 13 + [1]
    assert_same(Moments.of(mapped), FAR)
    assert_same(Moments.of(mapped[5:]), FAR[5:])
    changed = np.load(tmp_path / "x.npy", mmap_mode="c")  # what is changed is in no file, and must not be lost
    changed[:, 0] *= 2
    assert_same(Moments.of(changed), FAR * [2, 1, 1])
    assert_same(Moments.of(np.asarray(changed)), FAR * [2, 1, 1])
    np.testing.assert_array_equal(changed, FAR * [2, 1, 1])
    private = np.frombuffer(mmap.mmap(-1, FAR.nbytes, flags=mmap.MAP_PRIVATE), dtype=float).reshape(FAR.shape)
    private[...] = FAR
    assert_same(Moments.of(private), FAR)
    np.testing.assert_array_equal(private, FAR)
    stored = Stored(FAR)
    Moments.of(stored)
    assert stored.largest == 3


class MaskedWhenSliced(Stored):
    """As a variable of netCDF4, whose slices are masked arrays."""

    def __getitem__(self, rows):
        return np.ma.masked_invalid(self._data[rows])


def test_what_is_sliced_may_give_masked_arrays():
    assert_same(Moments.of(MaskedWhenSliced(FAR)), FAR)
    missing = np.where(np.arange(40)[:, np.newaxis] == 7, np.nan, FAR)
    with pytest.raises(ValueError, match="data must have no masked entries"):
        Moments.of(MaskedWhenSliced(missing))


def test_an_iterator_may_give_what_can_be_sliced():
    assert_same(Moments.of(iter([Stored(FAR[:9]), Stored(FAR[9:])])), FAR)


class Frame:
    """What has named columns, as a data frame."""

    ndim = 2

    def __init__(self, data, columns):
        self._data, self.columns = data, columns

    def __array__(self, dtype=None, copy=None):
        return np.array(self._data, dtype=dtype)


def test_data_frames_in_chunks_have_the_same_columns():
    assert_same(Moments.of([Frame(FAR[:9], list("abc")), Frame(FAR[9:], list("abc"))]), FAR)
    with pytest.raises(ValueError, match=r"same order: chunk 1 \(counted from 0\) has \['a', 'c', 'b'\], the first"):
        Moments.of(iter([Frame(FAR[:9], list("abc")), Frame(FAR[9:], list("acb"))]))


@pytest.mark.parametrize("form", ["array", "list of chunks", "iterator of chunks", "iterator of rows", "slices"])
def test_few_observations_are_held_once(form):
    wide = RNG.standard_normal((60, 20_000))
    data = FORMS.get(form, np.asarray)(wide)
    tracemalloc.start()
    moments = Moments.of(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert moments.count == 60 and moments.rows.nbytes == wide.nbytes
    assert peak < (1.4 if form.startswith("iterator") else 1.2) * wide.nbytes


@pytest.mark.parametrize("form", ["array", "list of chunks", "iterator of chunks", "iterator of rows", "slices"])
def test_what_does_not_fit_is_refused_before_it_is_read(form, monkeypatch):
    wide = np.broadcast_to(1.0, (300, 20_000))
    monkeypatch.setattr("theory.validation._memory", lambda: 2**25)
    with pytest.raises(ValueError, match=r"data of \d+( or more)? x 20000 needs 0\.\d+ GiB, this machine"):
        Moments.of(FORMS.get(form, np.asarray)(wide))


def test_a_file_that_does_not_fit_is_refused_before_it_is_read(tmp_path, monkeypatch):
    np.lib.format.open_memmap(tmp_path / "x.npy", mode="w+", dtype=np.float32, shape=(300, 20_000)).flush()
    monkeypatch.setattr("theory.validation._memory", lambda: 2**25)
    monkeypatch.setattr("theory.interface.observations.slices_of", lambda array: pytest.fail("it was read"))
    with pytest.raises(ValueError, match=r"x.npy, 300 x 20000, needs 0.0447 GiB, this machine has 0.0312 GiB"):
        read_observations(tmp_path / "x.npy").moments()


def test_other_things_that_do_not_fit_are_refused_with_their_size(monkeypatch):
    stored = sparse.csr_array(np.eye(30, 20_000))
    few, many = Moments.of(stored), Moments.of(RNG.standard_normal((300, 20_000)))
    dense = Moments.of(RNG.standard_normal((3, 20_000)))
    monkeypatch.setattr("theory.validation._memory", lambda: 2**22)
    with pytest.raises(ValueError, match=r"data of 33 x 20000 needs 0.00492 GiB"):
        few + dense
    with pytest.raises(ValueError, match=r"data of 303 x 20000 needs 0.0452 GiB"):
        many + dense
    with pytest.raises(ValueError, match=r"a covariance of 2000 variables needs 0.0298 GiB"):
        optimum(np.linspace(1, 2, 2000), 3)
    assert few.standardized().rows.nbytes < 2**22


MEMORY = """
import sys
import numpy as np
from theory import Moments
from theory.moments.sums import block_rows
def largest():  # resident memory; ru_maxrss would count that of the process that started this one
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
kind, file = sys.argv[1:]
Moments.of(np.ones((3, 2)))
before = largest()
if kind == "mapped":
    moments = Moments.of(np.load(file, mmap_mode="r"))
else:
    from theory.interface.observations import read_observations
    moments = read_observations(file, columns=None if kind == "file" else ["2", "1"]).moments()
print((largest() - before) / 1024, block_rows(moments.data_dim) * moments.data_dim * 8 / 2**20, moments.count)
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the largest memory of a process is read from /proc")
@pytest.mark.parametrize("kind", ["mapped", "file", "columns"])
def test_a_file_needs_the_memory_of_a_block(tmp_path, kind):
    """400 MiB of float32, which would take 800 as float64."""
    rows = np.lib.format.open_memmap(tmp_path / "x.npy", mode="w+", dtype=np.float32, shape=(400_000, 262))
    for first in range(0, len(rows), 10_000):
        rows[first : first + 10_000] = RNG.standard_normal((10_000, 262), dtype=np.float32)
    del rows
    command = [sys.executable, "-c", MEMORY, kind, str(tmp_path / "x.npy")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    needed, block, count = map(float, done.stdout.split())
    assert count == 400_000
    assert needed < block + 60  # MiB


@pytest.mark.parametrize("rows", [1, 3, 40])
def test_a_block_may_have_a_single_row(rows):
    statistics = statistics_of_block(FAR[:rows])
    assert statistics.count == rows
    moments = Moments.of_statistics(statistics)
    assert_same(moments + Moments.of(FAR[rows:]), FAR) if rows < 39 else assert_same(moments, FAR)
    assert statistics_of_block(FAR[:0]) is None


class SlicedToOneRow(Stored):
    """What is not sliced as an array is."""

    def __getitem__(self, rows):
        return self._data[:1]


def numbers_to_the_end():
    yield from FAR
    raise ValueError("the disk is gone")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (iter([]), "data must have at least two rows, got 0"),
        (iter([FAR[:1]]), "data must have at least two rows, got 1"),
        (iter([FAR[:0], FAR[:1]]), "data must have at least two rows, got 1"),
        (iter([np.empty((0, 3))]), "data must have at least two rows, got 0"),
        (iter([np.empty((0, 20_000))]), "data must have at least two rows, got 0"),
        ([np.empty((0, 3))], "data must have at least two rows, got 0"),
        ([FAR, FAR[:, :2]], "chunk 1 (counted from 0) has 2, the first 3"),
        (iter([FAR[:, :0]]), "at least one: chunk 0 (counted from 0) has 0"),
        ([FAR, FAR.astype(complex)], "data must be real"),
        ([FAR, None], "data must be numeric, got None"),
        (iter([FAR, FAR[np.newaxis]]), "chunk 1 (counted from 0) has shape (1, 40, 3)"),
        (itertools.repeat(1.0), "chunk 0 (counted from 0) has shape ()"),
        (iter(["1", "2"]), "data must be numeric"),
        (iter([[FAR], FAR]), "chunk 0 (counted from 0) has shape (1, 40, 3)"),
        (
            [FAR, np.where(np.arange(3) == 2, np.nan, FAR)],
            "data must be finite, row 40, column 2 (counted from 0) is nan",
        ),
        (iter([FAR[:1], np.full((1, 3), np.inf)]), "data must be finite, row 1, column 0 (counted from 0) is inf"),
        ([FAR, np.ma.masked_greater(FAR, 0)], "data must have no masked entries"),
        (numbers_to_the_end(), "the disk is gone"),
        ({"a": FAR}, "data must be numeric"),
        ({1.0, 2.0}, "data must be numeric"),
        (sparse.csr_array(FAR > 0), "got a sparse bool"),
        (sparse.csr_array(FAR * 1j), "got a sparse complex128"),
        (sparse.csr_array((5, 0)), "at least one column"),
        (sparse.csr_array((1, 3)), "data must have at least two rows, got 1"),
        (sparse.csr_array([[0.0, 1.0], [np.nan, 0.0]]), "must be finite, row 1, column 0 (counted from 0) is nan"),
        (sparse.csr_array([[0.0, 1e200], [1e200, 0.0], [0, 0]]), "those of column 0 (counted from 0"),
        (Stored(FAR[:1]), "data must have at least two rows"),
        (Stored(FAR.astype("M8[s]")), "data must be numeric"),
        (SlicedToOneRow(FAR), "data must give (40, 3) numbers for [0:349525], got (1, 3)"),
    ],
)
def test_what_is_refused(data, said):
    with pytest.raises(ValueError) as caught:
        Moments.of(data)
    assert said in str(caught.value)


def test_entries_that_are_not_finite_are_found_in_every_chunk(monkeypatch):
    monkeypatch.setattr("theory.moments.sums.block_rows", lambda data_dim: 3)
    for row, value in itertools.product((0, 1, 17, 39), (np.nan, np.inf, -np.inf)):
        data = FAR.copy()
        data[row, 1] = value
        with pytest.raises(ValueError, match=rf"row {row}, column 1 \(counted from 0\) is {value}"):
            Moments.of(iter(np.array_split(data, 6)))
