from __future__ import annotations

import numpy as np
import pytest

from numerics.sweeps.lines import checked, decode, encode, line, parse


def test_a_line_is_read_as_it_was_written():
    values = {"seed": 3, "loss": 0.1, "weights": [1.0, 2.0]}
    text = line(values)
    assert text.endswith(b"}\n") and text.count(b"\n") == 1
    assert checked(text[:-1]) == values


@pytest.mark.parametrize("place", [0, 5, -9, -3])
def test_another_byte_is_noticed(place):
    text = bytearray(line({"seed": 3})[:-1])
    text[place] ^= 1
    assert checked(bytes(text)) is None


@pytest.mark.parametrize("text", [b"", b"[1]", b"3", b"{", b"[" * 100_000])
def test_what_is_not_an_object_is_none(text):
    assert parse(text) is None


def test_a_number_that_json_lacks_is_refused():
    with pytest.raises(ValueError, match="JSON"):
        line({"loss": np.nan})


def test_arrays_keep_all_their_bits():
    values = np.array([0.1, -0.0, np.inf, np.nan, 5e-324])
    np.testing.assert_array_equal(decode(encode(values)).view(np.int64), values.view(np.int64))
