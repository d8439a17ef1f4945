"""The spectra of the explorer, and the words that name them in a command line."""

from __future__ import annotations

import shlex

import numpy as np
import pytest

from figures.explorer.settings import chosen_spectrum, digits_spectrum, rounded, uploaded_spectrum
from numerics.data.observations import digits

CSV = b"id,a,b\n1,1.0,2.0\n2,-1.0,0.5\n3,0.0,1.0\n4,0.5,-1.0\n"


def eigenvalues_in(words: str) -> np.ndarray:
    option, values = shlex.split(words)
    assert option == "--eigenvalues"
    return np.array(values.split(","), dtype=float)


@pytest.mark.parametrize(("kind", "decay"), [("geometric", 0.7), ("geometric", 0.99), ("flat", 0.5)])
def test_the_words_name_a_chosen_spectrum_exactly(kind, decay):
    source = chosen_spectrum(kind, 30, decay)
    expected = decay ** np.arange(30) if kind == "geometric" else np.ones(30)
    assert source.eigenvalues == pytest.approx(expected, rel=1e-5)
    assert np.array_equal(eigenvalues_in(source.words), source.eigenvalues)


def test_digits():
    source = digits_spectrum()
    assert source.eigenvalues == pytest.approx(np.linalg.eigvalsh(np.cov(digits().T, bias=True))[::-1], abs=1e-9)
    assert np.array_equal(eigenvalues_in(source.words), source.eigenvalues)


@pytest.mark.parametrize("arguments", [("round", 3, 0.5), ("flat", 0, 0.5), ("geometric", 3, 1.5), ("geometric", 3, 0)])
def test_a_spectrum_that_is_none(arguments):
    with pytest.raises(ValueError, match=r"kind|data_dim|decay"):
        chosen_spectrum(*arguments)


def test_a_file_from_the_browser(tmp_path):
    rows = np.array([[1.0, 2.0], [-1.0, 0.5], [0.0, 1.0], [0.5, -1.0]])
    expected = np.linalg.eigvalsh(np.cov(rows.T, bias=True))[::-1]
    source = uploaded_spectrum("my data.csv", CSV)
    assert source.eigenvalues == pytest.approx(expected)
    assert (source.about, source.words) == ("my data.csv: 4 × 2, without id", "--data 'my data.csv'")
    np.save(tmp_path / "x.npy", rows)
    assert uploaded_spectrum("x.npy", (tmp_path / "x.npy").read_bytes()).eigenvalues == pytest.approx(expected)


def test_a_name_with_a_folder_leaves_the_folder_alone(tmp_path):
    for name in (f"{tmp_path}/a.csv", "../../a.csv", r"C:\data\a.csv"):
        assert uploaded_spectrum(name, CSV).words == "--data a.csv"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.csv", b"a,b\n1,x\n"), ("a.csv", b""), ("a.txt", CSV), ("a.npy", b"PK"), ("a.csv", b"1,2\n1,2\n"), ("..", CSV)],
)
def test_a_file_that_cannot_be_used_is_named_without_a_folder(name, content):
    with pytest.raises(ValueError) as refused:
        uploaded_spectrum(name, content)
    assert name in str(refused.value) or name == ".."
    assert "/tmp" not in str(refused.value)


def test_rounded():
    assert [rounded(10**power) for power in (0.3, -1.0, 2.0)] == [2.0, 0.1, 100.0]
