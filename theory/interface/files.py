"""Writing files: where to, checked before the work is done; and as a whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from theory import validation

__all__ = [
    "naming",
    "output_file",
    "output_folder",
    "refuse_folders",
    "set_aside",
    "write_atomically",
    "write_together",
]


def output_folder(path) -> Path:
    """Make a folder, if it is not there, and make sure that files can be written into it.

    Raises
    ------
    ValueError
        if the path is a file, or the folder cannot be made or written.
    """
    folder = Path(validation.instance("path", path, (str, os.PathLike), "pass the path of a folder"))
    if not os.fspath(path):  # as of a variable of the shell that is not set; Path would take it for "."
        raise ValueError("the name of the folder to write into is empty; name one, or . for this folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise ValueError(f"{folder}: is a file, or lies below one; name a folder") from None
    except (OSError, ValueError) as error:
        raise ValueError(f"{folder}: cannot be made ({_reason(error)}); name another folder") from None
    _check_writable(folder)
    return folder


def output_file(path, extension: str) -> Path:
    """Make sure, before any work is done, that a file with this extension can be written; nothing is written yet.

    Raises
    ------
    ValueError
        for another extension; a name that the system does not take (too long, for example); a folder, a device or a
        write-protected file in the file's place; or a folder above it that is missing or cannot be written.
    """
    file = Path(validation.instance("path", path, (str, os.PathLike), "pass the path of a file"))
    if file.suffix.lower() != extension:
        remedy = f"name it {file.with_suffix(extension).name}" if file.name else "name a file"
        raise ValueError(f"{file}: is written as {extension}; {remedy}")
    try:
        place = Path(os.path.realpath(file))  # through a link, as it will be written
        mode = place.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        if not place.parent.is_dir():
            folder = place.parent if file.is_symlink() else file.parent
            raise ValueError(f"{file}: there is no folder {folder}; make it first") from None
    except (OSError, ValueError) as error:
        raise ValueError(f"{_short(file)}: cannot be written ({_reason(error)}); name another file") from None
    else:
        if stat.S_ISDIR(mode):
            raise ValueError(f"{file}: is a folder; name a file in it")
        if not stat.S_ISREG(mode):
            raise ValueError(f"{file}: is a device or a pipe; name a file")
        if not os.access(place, os.W_OK):
            raise ValueError(f"{file}: is write-protected; name another file, or allow writing")
    _check_writable(place.parent)
    return file


def refuse_folders(paths: Iterable) -> None:
    """Make sure that no folder is where a file is to be written.

    Raises
    ------
    ValueError
        that names the first one.
    """
    for path in paths:
        if Path(validation.instance("path", path, (str, os.PathLike), "pass the path of a file")).is_dir():
            raise ValueError(f"{path}: is a folder, and a file is to be written there; remove it, or write elsewhere")


def write_atomically(path, write: Callable[[IO[bytes]], object]) -> None:
    """Write a file as a whole or not at all: `write` fills another file beside it, which then takes its place."""
    write_together({Path(validation.instance("path", path, (str, os.PathLike), "pass the path of a file")): write})


def write_together(writers: Mapping[object, Callable[[IO[bytes]], object]]) -> None:
    """Write several files as a whole: each is filled beside its place, and none is put there before all are filled.

    Parameters
    ----------
    writers : mapping from paths to functions that fill an opened file

    Raises
    ------
    ValueError
        if a folder is in the place of a file.
    OSError
        that names the file, if one cannot be written (a full disk, for example).
    """
    refuse_folders(writers)
    unfinished: dict[Path, Path] = {}
    try:
        for path, write in writers.items():
            file = Path(os.path.realpath(path))  # through a link, so that the link stays
            # of a length of its own, since that of the file may be the longest that the system takes
            beside = file.with_name(f".{zlib.crc32(os.fsencode(file.name)):08x}.{os.getpid()}.tmp")
            unfinished[beside] = file
            with naming(file), beside.open("wb") as opened:
                write(opened)
        for beside, file in unfinished.items():
            with naming(file):
                beside.replace(file)
    finally:
        for beside in unfinished:
            beside.unlink(missing_ok=True)


@contextmanager
def naming(file: Path) -> Iterator[None]:
    """Let an `OSError` of writing a file name that file: the system does not say which one a full disk stopped."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, _reason(error), str(file)) from error


def set_aside(file: Path) -> Path:
    """Rename a file to FILE.old-1, or the first of .old-2, .old-3 ... that is free; returns its new path."""
    place = Path(os.path.realpath(file))
    number = 1
    while os.path.lexists(aside := place.with_name(f"{place.name}.old-{number}")):
        number += 1
    with naming(aside):
        place.rename(aside)
    return aside


def _check_writable(folder: Path) -> None:
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ValueError(f"{folder}: cannot be written ({_reason(error)}); name another folder") from None


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _short(file: Path) -> str:
    """A path as errors show it, without the middle of a name that is too long for a line."""
    text = str(file)
    return text if len(text) <= 200 else f"{text[:100]}...{text[-20:]}"
