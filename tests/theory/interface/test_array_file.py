"""Files of numpy: only the requested array is read, and a damaged or unusual file is refused with the reason."""

from __future__ import annotations

import io
import os
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from theory.interface import array_file

VALUES = np.array([[0.5, 1.5], [2.5, 3.5], [4.5, 5.5]])


def npy(array) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asarray(array))
    return file.getvalue()


def with_header(header: str, body: bytes = b"\0" * 80) -> bytes:
    text = header.encode()
    text += b" " * (-(11 + len(text)) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + body


def claiming(shape: str, body: bytes = b"\0" * 80) -> bytes:
    return with_header(f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({shape}), }}", body)


def archive(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as opened:
        for name, content in members.items():
            opened.writestr(name, content)
    return file.getvalue()


def patched(content: bytes, local: int, central: int, value: int) -> bytes:
    """An archive with one byte of each member's two headers replaced."""
    content = bytearray(content)
    for mark, offset in ((b"PK\x03\x04", local), (b"PK\x01\x02", central)):
        at = content.find(mark)
        while at >= 0:
            content[at + offset] = value
            at = content.find(mark, at + 1)
    return bytes(content)


@pytest.fixture
def read(tmp_path):
    def read(content, key=None, ndim=2):
        file = tmp_path / "x.npz"
        file.write_bytes(content)
        return array_file.read_array(file, key, ndim)

    return read


@pytest.fixture
def fault(read):
    def fault(*arguments) -> str:
        with pytest.raises(ValueError) as caught:
            read(*arguments)
        return str(caught.value)

    return fault


def test_an_archive_with_members_that_are_not_arrays(read, fault):
    mixed = archive({"notes.txt": b"hi", "d/": b"", "x.npy": npy(VALUES), "y.npy": npy(VALUES[0])})
    np.testing.assert_array_equal(read(mixed), VALUES)
    np.testing.assert_array_equal(read(mixed, None, 1), VALUES[0])
    np.testing.assert_array_equal(read(mixed, "x"), VALUES)
    assert "x.npz: notes.txt: is damaged, or not a numpy file" in fault(mixed, "notes.txt")
    assert "notes.txt: is damaged, or not a numpy file" in fault(archive({"notes.txt": b"hi"}))


def test_archives_that_cannot_be_unpacked(read, fault):
    one, two = archive({"x.npy": npy(VALUES)}), archive({"x.npy": npy(VALUES), "y.npy": npy(VALUES)})
    encrypted = patched(one, 6, 8, 1)
    assert "x.npz: x.npy is encrypted; save it without a password" in fault(encrypted)
    assert "y.npy is encrypted" in fault(patched(two, 6, 8, 1), "y")
    assert "x.npy cannot be unpacked (That compression method is not supported)" in fault(patched(one, 8, 10, 97))
    for wrong in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):  # not what it is compressed by
        assert "x.npy: is damaged" in fault(patched(one, 8, 10, wrong))
        np.testing.assert_array_equal(read(archive({"x.npy": npy(VALUES)}, wrong)), VALUES)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (with_header("{'descr': '<f8', 'fortran_order': False, 'shape': (3, "), "is damaged, or not a numpy file"),
        (with_header("(" * 5000), "is damaged"),
        (with_header("__import__('os')"), "is damaged"),
        (
            claiming("1000000000000, 10"),
            "its header says 1000000000000 x 10 numbers, that is 80000000000000 bytes, and 80",
        ),
        (claiming("10" * 40 + ", 1"), "is damaged or incomplete"),
        (claiming("-2, -2"), "its header says -2 x -2 numbers"),
        (claiming("0, 1" + "0" * 30), "is damaged"),
        (claiming("5, 2", b"\0" * 79), "that is 80 bytes, and 79 follow"),
        (
            claiming("4, 2", b"\0" * 80),
            "more than one array: its header says 4 x 2 numbers, that is 64 bytes, and 80",
        ),
        (npy(VALUES) + npy(VALUES), "is damaged, or holds more than one array"),  # saved one behind the other
        (npy(np.array([["2020", "2021"]], dtype="M8[D]")), "values of type datetime64[D]"),
        (npy(np.zeros(2, dtype=[("a", float)])), "values of type [('a', '<f8')]"),
    ],
)
def test_headers_are_checked_before_anything_is_read(fault, content, expected):
    assert expected in fault(content)
    assert expected in fault(archive({"x.npy": content}))


def test_the_header_is_compared_with_the_memory_too(fault, monkeypatch):
    monkeypatch.setattr("theory.validation._memory", lambda: 47)
    assert "the array of shape (3, 2) needs 4.47e-08 GiB" in fault(npy(VALUES))


def test_longer_and_shorter_numbers(read):
    np.testing.assert_array_equal(read(npy(VALUES.astype(np.longdouble))), VALUES)
    np.testing.assert_array_equal(read(npy(np.array([[np.longdouble(10) ** 400, 1]]))), [[np.inf, 1]])
    np.testing.assert_array_equal(read(npy(VALUES.astype(np.float16))), VALUES)


def test_a_key_of_a_file_without_names(fault):
    assert "holds one array without a name; leave out ':x'" in fault(npy(VALUES), "x")


def test_flipped_bytes_give_numbers_or_one_kind_of_error(read):
    rng = np.random.default_rng(0)
    whole = [npy(VALUES), archive({"x.npy": npy(VALUES), "y.npy": npy(np.arange(3))})]
    for number in range(200):
        content = bytearray(whole[number % 2])
        for _ in range(rng.integers(1, 4)):
            content[rng.integers(len(content))] = rng.integers(256)
        try:
            assert read(bytes(content)).dtype == np.float64
        except ValueError as error:
            assert "x.npz: " in str(error)


def test_memory_holds_the_array_once_and_no_other_array(tmp_path):
    """Twice would be a size of 2; an archive is unpacked in pieces."""
    large = np.ones((100_000, 10))
    np.save(tmp_path / "x.npy", large)
    np.savez_compressed(tmp_path / "x.npz", large=large, small=VALUES, vector=np.ones(3))
    for name, key, most in (("x.npy", None, 1.1), ("x.npz", "large", 1.1), ("x.npz", "small", 0.05)):
        tracemalloc.start()
        array_file.read_array(tmp_path / name, key, 2)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < most * large.nbytes + 100_000, (name, key)


def test_no_file_is_left_open(read, fault):
    """Warnings are errors here, and an open file that is deleted warns."""
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else None
    read(archive({"x.npy": npy(VALUES)}))
    fault(b"PK\x03\x04broken")
    fault(claiming("9, 9"))
    if before is not None:
        assert len(os.listdir("/proc/self/fd")) == before
