"""Reads one array of real numbers from a `.npy` or `.npz` file; the header is checked before the numbers are read.

Nothing is ever unpickled, and only the requested array of an archive is read.
"""

from __future__ import annotations

import math
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

from theory import validation

__all__ = ["array_names", "map_array", "read_array"]

HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0, (3, 0): npy.read_array_header_2_0}
SAVE = "save plain numbers with numpy.save or numpy.savez, or name one array as FILE.npz:KEY"


def read_array(file: Path, key: str | None, *ndims: int) -> np.ndarray:
    """The array with the name `key`; without a key the only array, or the only numeric one with `ndims` dimensions.

    Parameters
    ----------
    file : Path
    key : str, optional
        name of an array in an archive.
    *ndims : int
        numbers of dimensions by which one of several arrays is chosen; a single array may have any number.

    Returns
    -------
    float array

    Raises
    ------
    ValueError
        if the file is damaged, encrypted or compressed in an unknown way; if it holds Python objects, values that are
        not real, or more numbers than it has bytes for or than fit into memory; or if the choice is not unique.
    """
    with file.open("rb") as opened:
        if opened.read(4) in (b"PK\x03\x04", b"PK\x05\x06"):
            with _damage_reported(file):
                archive = zipfile.ZipFile(opened)
            member = _chosen(file, archive, key, ndims)
            return _read(f"{file}: {member.filename}", _unpacked(file, archive, member), member.file_size)
        if key is not None:
            raise ValueError(f"{file}: holds one array without a name; leave out ':{key}'")
        opened.seek(0)
        return _read(str(file), opened, os.fstat(opened.fileno()).st_size)


def map_array(file: Path) -> np.ndarray:
    """The array of a `.npy` file, mapped into memory: only what is used of it is read.

    Raises
    ------
    ValueError
        as for `read_array`.
    """
    with file.open("rb") as opened:
        shape, fortran, dtype = _checked_header(str(file), opened, os.fstat(opened.fileno()).st_size)
        if not math.prod(shape):  # an empty file cannot be mapped
            return np.empty(shape)
        return np.memmap(file, dtype, "r", opened.tell(), shape, order="F" if fortran else "C")


def array_names(file: Path) -> list[str]:
    """The names of the arrays in an archive.

    Raises
    ------
    ValueError
        if the file is damaged, or not an archive.
    """
    with file.open("rb") as opened, _damage_reported(file):
        return [name.removesuffix(".npy") for name in zipfile.ZipFile(opened).namelist()]


@contextmanager
def _damage_reported(where) -> Iterator[None]:
    """Report every error of numpy, zipfile and the decompressors that it calls as one: the file is damaged."""
    try:
        yield
    except Exception:
        raise ValueError(f"{where}: is damaged, or not a numpy file; {SAVE}") from None


def _chosen(file: Path, archive: zipfile.ZipFile, key: str | None, ndims: tuple[int, ...]) -> zipfile.ZipInfo:
    members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
    if key is not None:
        matching = [members[key]] if key in members else []
    elif len(members) == 1:
        matching = list(members.values())
    else:
        matching = [info for info in members.values() if info.flag_bits & 1 or _is_table(archive, info, ndims)]
    if len(matching) != 1:
        what = (
            f"{len(matching)} {' or '.join(f'{ndim}-d' for ndim in ndims)} arrays"
            if key is None
            else f"no array {key!r}"
        )
        raise ValueError(f"{file}: holds {what}; name one as FILE.npz:KEY; its arrays: {', '.join(members) or 'none'}")
    return matching[0]


def _unpacked(file: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> IO[bytes]:
    if member.flag_bits & 1:
        raise ValueError(f"{file}: {member.filename} is encrypted; save it without a password")
    with _damage_reported(file):
        try:
            return archive.open(member)
        except NotImplementedError as error:
            reason = str(error)
    raise ValueError(f"{file}: {member.filename} cannot be unpacked ({reason}); save it with numpy.savez")


def _is_table(archive: zipfile.ZipFile, info: zipfile.ZipInfo, ndims: tuple[int, ...]) -> bool:
    """Whether a member of an archive is, by its header, an array of numbers with one of `ndims` dimensions."""
    try:
        with archive.open(info) as opened:
            shape, _, dtype = _header(opened)
    except Exception:  # not an array, or damaged: never the default choice
        return False
    return len(shape) in ndims and dtype.kind in "biuf"


def _header(opened: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, whether in Fortran's order, and type."""
    return HEADERS[npy.read_magic(opened)](opened)


def _read(where: str, opened: IO[bytes], size: int) -> np.ndarray:
    """The array of an open file of `size` bytes, whose header is read and checked first."""
    with opened:
        shape, _, _ = _checked_header(where, opened, size)
        validation.fits_into_memory(
            f"{where}: the array of shape {shape}", 8 * math.prod(shape), "save fewer rows or columns"
        )
        with _damage_reported(where):
            opened.seek(0)
            array = npy.read_array(opened, allow_pickle=False)
    with np.errstate(over="ignore"):  # an integer or a long double may be out of the range of a float
        return array.astype(float, copy=False)


def _checked_header(where: str, opened: IO[bytes], size: int) -> tuple[tuple[int, ...], bool, np.dtype]:
    """`_header` of a file of `size` bytes that holds one array of numbers, whose first byte is the next to be read."""
    with _damage_reported(where):
        shape, fortran, dtype = _header(opened)
        rest = size - opened.tell()
    if dtype.hasobject:
        raise ValueError(f"{where}: holds Python objects, which are never read; {SAVE}")
    if dtype.kind not in "biuf":
        raise ValueError(f"{where}: holds values of type {dtype}; save an array of real numbers")
    numbers = math.prod(shape)
    if numbers * dtype.itemsize > rest or min(shape, default=0) < 0:
        raise ValueError(
            f"{where}: is damaged or incomplete: its header says {' x '.join(map(str, shape))} numbers, that is "
            f"{numbers * dtype.itemsize} bytes, and {rest} follow; save it again with numpy.save or numpy.savez"
        )
    if numbers * dtype.itemsize < rest:
        raise ValueError(
            f"{where}: is damaged, or holds more than one array: its header says {' x '.join(map(str, shape))} "
            f"numbers, that is {numbers * dtype.itemsize} bytes, and {rest} follow; save one array with numpy.save"
        )
    return shape, fortran, dtype
