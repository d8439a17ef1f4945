from __future__ import annotations

import numpy as np
import pytest

from numerics.data.observations import digits, load


def test_digits():
    data = digits()
    assert data.shape == (1797, 64)
    assert data.dtype == float
    assert (data.min(), data.max()) == (0, 16)
    assert np.linalg.matrix_rank(np.cov(data, rowvar=False)) == 61
    assert np.count_nonzero(data.std(axis=0) == 0) == 3


def test_load_by_name_and_from_a_file(tmp_path):
    assert np.array_equal(load("digits"), digits())
    data = np.arange(6.0).reshape(3, 2)
    np.save(tmp_path / "digits.npy", data)
    assert np.array_equal(load(tmp_path / "digits.npy"), data)
    assert np.array_equal(load(str(tmp_path / "digits.npy")), data)


def test_what_is_neither_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no such file"):
        load("digit")
    np.save(tmp_path / "one.npy", np.ones((1, 2)))
    with pytest.raises(ValueError, match="at least two rows"):
        load(tmp_path / "one.npy")


def test_header_is_for_text_files(tmp_path):
    (tmp_path / "x.csv").write_text("0,1\n2.5,3\n4,5.5\n")
    with pytest.raises(ValueError, match="looks like column numbers"):
        load(tmp_path / "x.csv")
    assert np.array_equal(load(tmp_path / "x.csv", header=True), [[2.5, 3], [4, 5.5]])
    assert np.array_equal(load(tmp_path / "x.csv", header=False), [[0, 1], [2.5, 3], [4, 5.5]])
    with pytest.raises(
        ValueError, match=r"header is for the first line of a \.csv file, but 'digits' is a built-in data set"
    ):
        load("digits", header=False)


@pytest.mark.parametrize("source", [None, 3, True, np.ones((3, 2)), b"digits", ["digits"], object(), str])
def test_what_is_no_name_and_no_path_is_refused(source):
    with pytest.raises(ValueError, match=r"source must be a str or a PathLike, got .*; pass the name of a data set"):
        load(source)
