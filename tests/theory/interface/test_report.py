"""What a command reports: aligned text, JSON and archives."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from pathlib import Path

import numpy as np
import pytest

from theory.interface import report


def test_an_archive_has_its_format_and_omits_none(tmp_path):
    with (tmp_path / "x.npz").open("wb") as opened:
        report.npz_archive({"a": np.ones(2), "b": None, "c": "text"})(opened)
    with np.load(tmp_path / "x.npz") as saved:
        assert {name: saved[name].tolist() for name in saved} == {"format": report.FORMAT, "a": [1.0, 1.0], "c": "text"}


def test_csv_quotes_only_what_must_be_and_keeps_digits():
    columns = {"name": ["a, b", 'a "b"', "plain"], "x, y": [1 / 3, np.float64(0.1), None]}
    text = report.csv_text(columns)
    assert text == 'name,"x, y"\n"a, b",0.3333333333333333\n"a ""b""",0.1\nplain,\n'
    read = list(csv.DictReader(io.StringIO(text)))
    assert [row["name"] for row in read] == columns["name"] and float(read[0]["x, y"]) == 1 / 3
    assert report.csv_text({"a": [], "b": []}) == "a,b\n"


def test_table_aligns_numbers_right_and_text_left():
    text = report.aligned_table(
        {"name": ["a", "long name"], "x": [1.0, -1 / 3], "n": (12, None), "ok": np.array([True, False])}
    )
    assert text.split("\n") == [
        "name               x   n   ok",
        "a                  1  12  yes",
        "long name  -0.333333   -   no",
    ]
    assert report.aligned_table({"x": [-0.0, np.inf, np.nan]}).split() == ["x", "0", "inf", "nan"]


def test_facts_are_aligned():
    assert (
        report.aligned_facts({"beta": 1.0, "latent_dim": 2, "none": None})
        == "beta        1\nlatent_dim  2\nnone        -"
    )


def test_json_is_valid_keeps_digits_and_writes_infinities_and_nan_as_strings():
    @dataclasses.dataclass
    class Record:
        value: float
        values: np.ndarray

    third = 1 / 3
    text = report.to_json(
        {
            "record": Record(np.float64(third), np.array([[third, -np.inf], [np.nan, 0]])),
            "numpy": [np.int64(3), np.bool_(True), np.str_("s"), np.array(["a"])],
            "plain": (1, None, True, "x", np.inf, Path("out")),
            2: {},
        }
    )
    assert json.loads(text, parse_constant=pytest.fail) == {
        "record": {"value": third, "values": [[third, "-inf"], ["nan", 0.0]]},
        "numpy": [3, True, "s", ["a"]],
        "plain": [1, None, True, "x", "inf", "out"],
        "2": {},
    }
    with pytest.raises(TypeError):
        report.to_json({"function": print})
