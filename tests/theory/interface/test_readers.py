"""Readers: what is read is what was written, and every fault is named with its file, its place and a remedy."""

from __future__ import annotations

import os

import numpy as np
import pytest

from theory.interface import readers
from theory.moments import Moments


@pytest.fixture
def write(tmp_path):
    """Write text or bytes into a file with the given name and return its path."""

    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def table(rng, rows=7, columns=3):
    """Numbers with all their digits, over many magnitudes."""
    return rng.standard_normal((rows, columns)) * 10.0 ** rng.integers(-12, 12, (rows, columns))


# What is read is what was written


@pytest.mark.parametrize("header", ["", "a,b,c\n", '"a b","b","c"\n', "\n\n  \na,b,c\n\n", "# made by hand\na,b,c\n"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_csv_keeps_every_digit_whatever_header_newline_and_byte_order_mark(write, header, newline, mark):
    values = table(np.random.default_rng(0))
    lines = header + "\n".join(",".join(map(repr, map(float, row))) for row in values) + "\n"
    path = write("x.csv", mark + lines.replace("\n", newline).encode())
    np.testing.assert_array_equal(readers.read_data(path), values)


@pytest.mark.parametrize(
    "text",
    [
        "1,2\n3,4\n",
        "1,2\n3,4",
        " 1 ,\t2\n3, 4 \n",
        '"1","2"\n"3","4"\n',
        "1,2\n   \n\n3,4\n\n",
        "1,2 # first\n# between\n3,4\n",
        "1e0,2.\n+3,.4e1\n",
        "x,y\n1,2\n \n3,4\n",
    ],
)
def test_csv_spaces_quotes_blank_lines_and_comments(write, text):
    np.testing.assert_array_equal(readers.read_data(write("x.csv", text)), [[1, 2], [3, 4]])


def test_extension_in_capitals_and_path_as_text(write):
    assert readers.read_data(str(write("X.CSV", "1\n2\n"))).shape == (2, 1)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int8, np.uint64, bool, ">f8"])
def test_npy_of_any_real_type_becomes_float64(tmp_path, dtype):
    values = np.array([[0, 1], [1, 1], [1, 0]], dtype=dtype)
    np.save(tmp_path / "x.npy", values)
    read = readers.read_data(tmp_path / "x.npy")
    assert read.dtype == np.float64
    np.testing.assert_array_equal(read, values.astype(float))


def test_npy_in_fortran_order(tmp_path):
    values = np.asfortranarray(table(np.random.default_rng(1)))
    np.save(tmp_path / "x.npy", values)
    np.testing.assert_array_equal(readers.read_data(tmp_path / "x.npy"), values)


def test_npz_picks_the_only_array_the_only_table_or_the_named_one(tmp_path):
    values, labels = table(np.random.default_rng(2)), np.arange(7)
    np.savez(tmp_path / "one.npz", x=values)
    np.savez_compressed(tmp_path / "labelled.npz", x=values, y=labels)
    np.savez(tmp_path / "two.npz", a=values, b=-values)
    np.testing.assert_array_equal(readers.read_data(tmp_path / "one.npz"), values)
    np.testing.assert_array_equal(readers.read_data(tmp_path / "labelled.npz"), values)
    np.testing.assert_array_equal(readers.read_data(f"{tmp_path}/two.npz:b"), -values)
    np.testing.assert_array_equal(readers.read_vector("--eigenvalues", f"{tmp_path}/labelled.npz"), labels)


def test_npz_reads_only_the_named_array(tmp_path):
    np.savez(tmp_path / "x.npz", x=np.eye(2), names=np.array(["a", None], dtype=object))
    np.testing.assert_array_equal(readers.read_data(f"{tmp_path}/x.npz:x"), np.eye(2))


def test_a_constant_column_is_fine(write):
    moments = readers.read_moments(write("x.csv", "1,5\n2,5\n4,5\n"))
    assert moments.count == 3
    np.testing.assert_array_equal(moments.covariance[1], 0)


def test_moments_are_those_of_the_data(tmp_path):
    values = np.random.default_rng(3).standard_normal((50, 4)) @ np.diag([1.0, 2, 3, 0]) + [1, 2, 3, 4]
    np.save(tmp_path / "x.npy", values)
    moments = readers.read_moments(tmp_path / "x.npy")
    assert isinstance(moments, Moments)
    np.testing.assert_allclose(moments.mean, values.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(moments.covariance, np.cov(values, rowvar=False, bias=True), atol=1e-12)


def test_covariance(write):
    np.testing.assert_array_equal(readers.read_covariance(write("s.csv", "2,1\n1,2\n")), [[2, 1], [1, 2]])
    np.testing.assert_array_equal(readers.read_covariance(write("s.csv", "3\n")), [[3]])


def test_vector_and_matrix_from_text():
    np.testing.assert_array_equal(readers.read_vector("v", "3, 2,-1e-3"), [3, 2, -1e-3])
    np.testing.assert_array_equal(readers.read_vector("v", "3"), [3])
    np.testing.assert_array_equal(readers.read_matrix("m", "1,.9; 0,.436"), [[1, 0.9], [0, 0.436]])
    np.testing.assert_array_equal(readers.read_matrix("m", "1;2;3"), [[1], [2], [3]])
    np.testing.assert_array_equal(readers.read_matrix("m", "1,2,3"), [[1, 2, 3]])


def test_vector_and_matrix_from_files(write, tmp_path):
    np.testing.assert_array_equal(readers.read_vector("v", str(write("row.csv", "3,2,1\n"))), [3, 2, 1])
    np.testing.assert_array_equal(readers.read_vector("v", str(write("column.csv", "l\n3\n2\n1\n"))), [3, 2, 1])
    np.save(tmp_path / "v.npy", np.array([3, 2, 1]))
    np.testing.assert_array_equal(readers.read_vector("v", f"{tmp_path}/v.npy"), [3, 2, 1])
    np.testing.assert_array_equal(readers.read_matrix("m", str(write("m.csv", "1,2,3\n"))), [[1, 2, 3]])


def test_an_archive_gives_the_named_arrays_and_the_names_of_all_others(tmp_path):
    np.savez(tmp_path / "a.npz", first=np.eye(2), second=[1, 2], third=["text"])
    arrays, others = readers.read_archive(tmp_path / "a.npz", {"first": 2, "second": 1, "fourth": 2})
    assert set(arrays) == {"first", "second"} and others == ["third"]
    np.testing.assert_array_equal(arrays["first"], np.eye(2))
    np.testing.assert_array_equal(arrays["second"], [1.0, 2.0])
    with pytest.raises(ValueError, match=r"a\.npz:second: must hold rows and columns"):
        readers.read_archive(tmp_path / "a.npz", {"second": 2})
    np.save(tmp_path / "a.npy", np.eye(2))
    for name, message in (("a.npy", "must be an .npz archive"), ("none.npz", "no such file")):
        with pytest.raises(ValueError, match=message):
            readers.read_archive(tmp_path / name, {"first": 2})


def test_matrices_are_one_or_a_stack(write, tmp_path):
    stack = np.arange(24.0).reshape(2, 3, 4)
    np.savez(tmp_path / "a.npz", several=stack, one=stack[0], flat=[1, 2])
    for source, expected in (("several", stack), ("one", stack[0])):
        found = readers.read_matrices("--decoder", f"{tmp_path / 'a.npz'}:{source}")
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(readers.read_matrices("--decoder", "1,2;3,4"), [[1, 2], [3, 4]])
    np.testing.assert_array_equal(readers.read_matrices("--decoder", str(write("a.csv", "1,2\n"))), [[1, 2]])
    for source, message in (
        (f"{tmp_path / 'a.npz'}:flat", "--decoder: .*must hold rows and columns"),
        (str(tmp_path / "a.npz"), "--decoder: .*holds 2 2-d or 3-d arrays"),
        (str(tmp_path / "none.npy"), "--decoder: .*no such file"),
    ):
        with pytest.raises(ValueError, match=message):
            readers.read_matrices("--decoder", source)


def test_the_line_by_line_reader_agrees_with_the_fast_one(write):
    values = table(np.random.default_rng(4), rows=40, columns=5)
    rows = [",".join(map(repr, map(float, row))) for row in values]
    fast = readers.read_data(write("fast.csv", "\n".join(rows)))
    slow = readers.read_data(write("slow.csv", "\n \n".join(rows)))  # numpy's reader refuses a line of spaces
    np.testing.assert_array_equal(fast, values)
    np.testing.assert_array_equal(slow, values)


# Faults


def fault(function, *arguments) -> str:
    with pytest.raises(ValueError) as caught:
        function(*arguments)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,2\n3,4\n5,oops\n", ["line 3, column 2 is 'oops'", "numbers only"]),
        ("a,b\n1,2\n\n3,?\n", ["line 4, column 2 is '?'"]),
        ("a,b\nc,d\n1,2\n", ["line 2, column 1 is 'c'"]),
        ("a,1\n1,2\n", ["line 1, column 1 is 'a'", "a header without numbers"]),
        ("1;2\n3;4\n", ["line 2, column 1 is '3;4'", "commas between columns"]),
        ("1,5;2\n3,4;1\n", ["line 1, column 2 is '5;2'", "points for decimals"]),
        ("1,1_000\n2,3\n", ["line 1, column 2 is '1_000'"]),
        ("1,2\n3\n", ["line 2 has 1 columns, line 1 has 2", "same columns"]),
        ("a,b\n1,2\n3,4,5\n", ["line 3 has 3 columns, line 2 has 2"]),
        ("1,2\n3,\n", ["line 2, column 2 is ''", "fill in missing values"]),
        ("1,2\nnan,4\n", ["line 2, column 1 is 'nan'", "fill in missing values"]),
        ("1,2\n3,4\n5,-inf\ninf,1\n", ["line 3, column 2 is '-inf'"]),
        ("1,2\n3,1e999\n", ["line 2, column 2 is '1e999'"]),
        ("1,2\nNA,4\n", ["line 2, column 1 is 'NA'"]),
        (",0,1\n0,1.5,2\n1,3,4\n", ["line 1, column 1 is ''", "row index", "to_csv(index=False)"]),
        (",a,b\n0,1.5,2\n1,3,4\n", ["line 1, column 1", "row index", "to_csv(index=False)"]),
        ("a,b\n", ["a header and no rows"]),
        ("\n\n  \n", ["holds no numbers"]),
        ("1,2\n", ["at least two rows, it has one", "one observation in each row"]),
        ("a,b\n1,2\n", ["at least two rows, it has one", "one observation in each row"]),
        (b"\xff\xfe1\x00,\x002\x00", ["UTF-8"]),
        (b"1,2\n3,4\n5,\xe9\n", ["UTF-8"]),
        ("", ["is empty"]),
    ],
)
def test_faults_of_text_tables(write, text, expected):
    path = write("x.csv", text)
    message = fault(readers.read_data, path)
    assert message.startswith(f"{path}: ")
    for part in expected:
        assert part in message


def test_a_missing_file_a_folder_and_an_unknown_kind(write, tmp_path):
    assert "no such file" in fault(readers.read_data, tmp_path / "none.csv")
    assert "is a folder" in fault(readers.read_data, tmp_path)
    message = fault(readers.read_data, write("x.xlsx", "PK"))
    assert "'.xlsx'" in message and ".npy, .npz, .csv" in message


def test_a_file_that_cannot_be_opened(write, monkeypatch):
    path = write("x.csv", "1\n2\n")

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "open", refuse)
    assert "cannot be opened (Permission denied)" in fault(readers.read_data, path)


@pytest.mark.parametrize("name", ["x.npy", "x.npz"])
@pytest.mark.parametrize("content", [b"not numpy at all", b"\x80\x04K\x01.", b"PK\x03\x04broken", b"\x93NUMPY\x01\x00"])
def test_damaged_numpy_files(write, name, content):
    path = write(name, content)
    message = fault(readers.read_data, path)
    assert message.startswith(f"{path}: ") and "damaged" in message and "numpy.save" in message


def test_truncated_numpy_files(tmp_path):
    values = table(np.random.default_rng(5), rows=100)
    np.save(tmp_path / "x.npy", values)
    np.savez_compressed(tmp_path / "x.npz", x=values)
    for path in (tmp_path / "x.npy", tmp_path / "x.npz"):
        content = path.read_bytes()
        for size in (len(content) // 2, len(content) - 1):
            path.write_bytes(content[:size])
            assert "damaged" in fault(readers.read_data, path)


def test_python_objects_are_never_unpickled(tmp_path):
    np.save(tmp_path / "x.npy", np.array([[1, None]], dtype=object))
    np.savez(tmp_path / "x.npz", np.array([[1, None]], dtype=object))
    assert "Python objects, which are never read" in fault(readers.read_data, tmp_path / "x.npy")
    assert "Python objects, which are never read" in fault(readers.read_data, tmp_path / "x.npz")


def test_numpy_arrays_that_are_not_tables_of_real_numbers(tmp_path):
    path = tmp_path / "x.npy"
    for array, expected in [
        (np.zeros(3), "must hold rows and columns, its array has shape (3,)"),
        (np.zeros((2, 2, 2)), "shape (2, 2, 2)"),
        (np.array(1.0), "shape ()"),
        (np.zeros((1, 4)), "at least two rows"),
        (np.zeros((4, 0)), "holds no numbers, its array has shape (4, 0)"),
        (np.array([["a", "b"]]), "values of type <U1; save an array of real numbers"),
        (np.zeros((2, 2), dtype=complex), "complex128"),
        (np.zeros(2, dtype=[("a", float)]), "real numbers"),
        (np.array([[1, 2], [3, np.nan], [np.inf, 4]]), "row 2, column 2 (counted from 1) is nan; remove or fill in"),
    ]:
        np.save(path, array)
        message = fault(readers.read_data, path)
        assert message.startswith(f"{path}: ") and expected in message


def test_npz_with_no_array_or_several_lists_the_keys(tmp_path):
    np.savez(tmp_path / "none.npz")
    np.savez(tmp_path / "two.npz", a=np.eye(2), b=np.eye(3), c=np.ones(2))
    assert "holds 0 2-d arrays; name one as FILE.npz:KEY; its arrays: none" in fault(
        readers.read_data, tmp_path / "none.npz"
    )
    assert "holds 2 2-d arrays; name one as FILE.npz:KEY; its arrays: a, b, c" in fault(
        readers.read_data, tmp_path / "two.npz"
    )
    assert "holds no array 'd'; name one as FILE.npz:KEY; its arrays: a, b, c" in fault(
        readers.read_data, f"{tmp_path}/two.npz:d"
    )


def test_an_invalid_covariance_is_refused_with_the_name_of_its_file(write):
    for text, expected in [
        ("1,2\n3,4\n5,6\n", "must be square, got 3 x 2; pass a covariance, not the data"),
        ("1,2\n0,1\n", "must be symmetric"),
        ("1,2\n2,1\n", "no negative eigenvalue, its smallest is -1"),
    ]:
        path = write("s.csv", text)
        message = fault(readers.read_covariance, path)
        assert str(path) in message and expected in message


def test_faults_of_vectors_and_matrices_name_the_argument(write):
    assert "--eigenvalues must be numbers such as '3,2,1' or a file" in fault(
        readers.read_vector, "--eigenvalues", "3,two,1"
    )
    assert "--loading must be numbers such as '1,.9;0,.436' or a file" in fault(readers.read_matrix, "--loading", "")
    assert "--loading must have rows of one length" in fault(readers.read_matrix, "--loading", "1,2;3")
    assert "--eigenvalues must be finite" in fault(readers.read_vector, "--eigenvalues", "1,nan")
    assert "--loading: none.csv: no such file" in fault(readers.read_matrix, "--loading", "none.csv")
    path = write("m.csv", "1,2\n3,4\n")
    message = fault(readers.read_vector, "--eigenvalues", str(path))
    assert f"--eigenvalues: {path}: must hold one row or one column, its array has shape (2, 2)" in message
    assert "source must be a str, got 3" in fault(readers.read_matrix, "source", 3)
    assert "source must be a str, got None" in fault(readers.read_vector, "source", None)


def test_header_is_for_text_files(write, tmp_path):
    np.save(tmp_path / "x.npy", np.eye(2))
    npy, text = tmp_path / "x.npy", write("x.csv", "0,1\n2.5,0\n0,2.5\n")
    for read in (readers.read_data, readers.read_moments, readers.read_covariance):
        assert f"header is for the first line of a .csv file, but {npy} is not a .csv file" in fault(read, npy, True)
        assert "looks like column numbers" in fault(read, text)
        assert "header must be True or False, got 'no'" in fault(read, text, "no")
    np.testing.assert_array_equal(readers.read_covariance(text, header=True), np.diag([2.5, 2.5]))
    np.testing.assert_array_equal(readers.read_matrix("m", str(text), header=False), [[0, 1], [2.5, 0], [0, 2.5]])
    column = str(write("v.csv", "0\n2.5\n1.5\n"))
    np.testing.assert_array_equal(readers.read_vector("v", column, header=True), [2.5, 1.5])
    assert "v: " in (expected := fault(readers.read_vector, "v", column)) and "0.0 in place of 0" in expected
    assert "but v is text" in fault(readers.read_vector, "v", "1,2", False)


@pytest.mark.parametrize("path", [None, 3, True, 1j, b"x.csv", np.ones(2), ["x.csv"], object(), str, Moments])
def test_what_is_not_a_path_is_refused(path):
    for read in (readers.read_data, readers.read_moments, readers.read_covariance):
        assert "path must be a str or a PathLike, got" in fault(read, path)


def test_impossible_paths(tmp_path):
    assert "embedded null byte" in fault(readers.read_data, "a\0.csv")
    assert "cannot be found (File name too long)" in fault(readers.read_data, f"{'x' * 5000}.csv")
    (tmp_path / "x.csv").write_text("1\n2\n")
    assert "cannot be found (Not a directory)" in fault(readers.read_data, tmp_path / "x.csv" / "y.csv")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_refused_at_once(tmp_path):
    """Opening it would wait forever for a writer."""
    for name in ("x.csv", "x.npy"):
        os.mkfifo(tmp_path / name)
        assert "is a pipe or a device, not a regular file" in fault(readers.read_data, tmp_path / name)


def test_errors_of_moments_name_the_file(tmp_path):
    np.save(tmp_path / "small.npy", np.random.default_rng(0).standard_normal((5, 2)) * 1e-200)
    np.save(tmp_path / "wide.npy", np.zeros((2, 10**6)))
    assert (expected := fault(readers.read_moments, tmp_path / "small.npy")).startswith(
        f"{tmp_path}"
    ) and "too small" in expected
    wide = readers.read_moments(tmp_path / "wide.npy")  # of which only the covariance does not fit
    assert wide.data_dim == 10**6 and not wide.variances.any()
