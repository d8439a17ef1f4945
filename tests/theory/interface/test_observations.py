"""Observations of a file: columns by name, delimiters, columns that number the rows, and standardised columns."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import pytest

from theory.interface import observations
from theory.interface.observations import read_observations
from theory.moments import Moments

TABLE = """PassengerId,name,age,fare
7,"Smith, J",22,7.25
8,Bob,38,71.3
9,Eve,26,7.9
"""
NUMBERS = np.array([[22, 7.25], [38, 71.3], [26, 7.9]])


@pytest.fixture
def write(tmp_path):
    def write(name: str, text: str) -> str:
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return write


@pytest.mark.parametrize(
    "options",
    [
        {"leave_out": ["name"]},
        {"leave_out": ["name", "PassengerId"]},
        {"columns": ["age", "fare"]},
        {"columns": ["3", "4"]},
        {"columns": ["PassengerId", "age", "fare"], "leave_out": ["1"]},
    ],
)
def test_columns_by_name_or_number(write, options):
    found = read_observations(write("x.csv", TABLE), **options)
    np.testing.assert_array_equal(found.values, NUMBERS)
    assert found.names == ("age", "fare") and found.left_out == ("PassengerId", "name")


def test_a_column_that_numbers_the_rows_is_left_out_unless_it_is_named(write):
    path = write("x.csv", "id,a,b\n1,2,3\n2,3,5\n3,1,4\n")
    found = read_observations(path)
    assert (found.names, found.left_out, found.numbering) == (("a", "b"), ("id",), ("id",))
    named = read_observations(path, leave_out=["id"])
    assert named.left_out == ("id",) and named.numbering == ()
    assert read_observations(path, leave_out=["1"]).numbering == ()
    assert read_observations(path, columns=["id", "a"]).names == ("id", "a")


@pytest.mark.parametrize(
    ("header", "numbering"),
    [
        ("sample_id", True),
        ("ID", True),
        ("CustomerID", True),
        ("index", True),
        ("grid", False),
        ("humid", False),
        ("a.id", True),
    ],
)
def test_which_names_number_rows(write, header, numbering):
    path = write("x.csv", f"{header},a\n5,2\n9,3\n7,1\n")
    assert read_observations(path).numbering == ((header,) if numbering else ())


def test_measurements_number_no_rows(write):
    assert read_observations(write("x.csv", "OD,ID\n10.2,8.1\n11.3,8.4\n9.7,7.9\n")).names == ("OD", "ID")


def test_a_column_whose_values_repeat_numbers_no_rows(write):
    assert read_observations(write("x.csv", "class_id,a\n1,2\n1,3\n2,1\n")).numbering == ()
    assert read_observations(write("y.csv", "id\n1\n2\n3\n")).names == ("id",)  # nothing would be left


@pytest.mark.parametrize(
    ("name", "delimiter", "character"),
    [
        ("x.csv", ";", ";"),
        ("x.tsv", None, "\t"),
        ("x.csv", "tab", "\t"),
        ("x.csv", "|", "|"),
        ("x.csv", "space", "  "),
        ("x.csv", "semicolon", ";"),
    ],
)
def test_delimiters(write, name, delimiter, character):
    text = "\n".join(character.join(row) for row in [("a", "b", "c"), ("1", "-2.5", "3"), ("4", "5e-1", "6")])
    found = read_observations(write(name, f"# made by hand\n{text}\n"), delimiter=delimiter)
    np.testing.assert_array_equal(found.values, [[1, -2.5, 3], [4, 0.5, 6]])
    assert found.names == ("a", "b", "c")


def test_a_delimiter_inside_quotes_separates_nothing(write):
    text = TABLE.replace(",", ";").replace("Smith; J", "Smith; J")
    np.testing.assert_array_equal(
        read_observations(write("x.csv", text), delimiter=";", columns=["age", "fare"]).values, NUMBERS
    )


def test_a_row_of_another_length_is_refused_though_its_wanted_cells_are_there(write):
    with pytest.raises(ValueError, match="line 3 has 4 columns, line 2 has 3"):
        read_observations(write("x.csv", "a,b,c\n1,2,3\n4,5,6,7\n"), columns=["a", "b"])


def test_columns_without_names(write, tmp_path):
    path = write("x.csv", "p1,2,3\np2,4,6\np3,5,1\n")
    np.testing.assert_array_equal(read_observations(path, leave_out=["1"]).values, [[2, 3], [4, 6], [5, 1]])
    np.save(tmp_path / "x.npy", NUMBERS)
    found = read_observations(tmp_path / "x.npy", columns=["2"])
    np.testing.assert_array_equal(found.values, NUMBERS[:, [1]])
    assert found.names == ("2",) and found.left_out == ("1",)


def test_standardised_columns(write):
    path = write("x.csv", "a,b,c\n1,5,10\n2,5,40\n3,5,20\n6,5,30\n")
    values = read_observations(path, standardize=True).values
    np.testing.assert_allclose(values.mean(axis=0), 0, atol=1e-15)
    np.testing.assert_allclose(values.std(axis=0), [1, 0, 1], rtol=1e-14)


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        (TABLE, {}, "line 2, column 2 is 'Smith, J', not a finite number"),
        (TABLE, {"columns": ["aeg"]}, "no column 'aeg'; its columns are PassengerId, name, age, fare"),
        (TABLE, {"columns": ["5"]}, "no column '5'"),
        (TABLE, {"columns": ["age", "3"]}, "columns must name each column once"),
        (TABLE, {"columns": ["age"], "leave_out": ["age"]}, "no column is left"),
        (TABLE, {"delimiter": "ab"}, "delimiter must be one character"),
        (TABLE, {"delimiter": "."}, "delimiter must be one character that no number has"),
        ("a,a\n1,2\n3,4\n", {"columns": ["a"]}, "several columns 'a'"),
        ("a;b\n1;2\n3;4\n", {}, "seems to be separated by ';'; pass it as --delimiter"),
        ("1;2\n3;4\n", {}, "separated by ';'"),
        ("a;b\n1,5;2\n", {"delimiter": ";"}, "is '1,5', not a finite number; save the table with points for decimals"),
        ("a;b\nx;2\n", {"delimiter": ";"}, r"names those to omit\), points for decimals"),
        ("sep=;\n1;2\n3;4\n", {}, "declares ';' as separator"),
    ],
)
def test_faults_are_named(write, text, options, words):
    with pytest.raises(ValueError, match=words):
        read_observations(write("x.csv", text), **options)


def test_a_file_of_arrays_has_no_delimiter(tmp_path):
    np.save(tmp_path / "x.npy", NUMBERS)
    with pytest.raises(ValueError, match="delimiter is for text"):
        read_observations(tmp_path / "x.npy", delimiter=";")


@pytest.mark.parametrize("columns", [None, ["3", "1"]])
@pytest.mark.parametrize("standardize", [False, True])
def test_a_npy_file_is_mapped_and_read_in_blocks(tmp_path, monkeypatch, columns, standardize):
    data = np.random.default_rng(0).standard_normal((50, 3)).astype(np.float32) * np.float32(3) + 100
    data[:, 1] = 2.0
    np.save(tmp_path / "x.npy", data)
    monkeypatch.setattr("theory.moments.reading.SLICE_NUMBERS", 21)
    found = read_observations(tmp_path / "x.npy", columns=columns, standardize=standardize)
    assert isinstance(found.array, np.memmap)
    moments = found.moments()
    assert "values" not in vars(found)
    expected = Moments.of(found.values)
    assert found.values.dtype == float and moments.count == 50
    np.testing.assert_allclose(moments.covariance, expected.covariance, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(moments.mean, expected.mean, rtol=1e-14, atol=1e-13)


def test_what_is_not_finite_counts_only_in_the_columns_that_are_used(tmp_path):
    data = np.arange(12.0).reshape(4, 3)
    data[2, 1] = np.nan
    np.save(tmp_path / "x.npy", data)
    found = read_observations(tmp_path / "x.npy", leave_out=["2"])
    np.testing.assert_array_equal(found.values, data[:, [0, 2]])
    np.testing.assert_array_equal(found.moments().mean, [4.5, 6.5])
    for options in ({}, {"columns": ["3", "2"]}):
        found = read_observations(tmp_path / "x.npy", **options)
        for read in (found.moments, lambda found=found: found.values):
            with pytest.raises(ValueError, match=r"x.npy: row 3, column 2 \(counted from 1\) is nan; remove"):
                read()


@pytest.mark.parametrize(("large", "progress"), [(100, None), (10**6, False)])
def test_the_progress_of_a_large_file_is_shown(tmp_path, monkeypatch, large, progress):
    np.save(tmp_path / "x.npy", np.arange(40.0).reshape(20, 2) ** 2)
    seen = []

    class Bar(nullcontext):
        def update(self, count):
            seen.append(count)

    monkeypatch.setattr(observations, "progress_bar", lambda **options: seen.append(options) or Bar())
    monkeypatch.setattr(Bar, "__enter__", lambda bar: bar)
    monkeypatch.setattr(observations, "LARGE", large)
    monkeypatch.setattr("theory.moments.reading.SLICE_NUMBERS", 10)
    read_observations(tmp_path / "x.npy").moments()
    assert (seen[0]["progress"], seen[0]["total"], seen[1:]) == (progress, 20, [5, 5, 5, 5])
