"""Writing files: where to, checked before the work is done; and as a whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import IO

__all__ = ["output_file", "output_folder", "refuse_folders", "write_atomically", "write_together"]


def output_folder(path) -> Path:
    """Make a folder, if it is not there, and make sure that files can be written into it.

    Raises
    ------
    ValueError
        if the path is a file, or the folder cannot be made or written.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise ValueError(f"{folder}: is a file, or lies below one; name a folder") from None
    except OSError as error:
        raise ValueError(f"{folder}: cannot be made ({error.strerror}); name another folder") from None
    _check_writable(folder)
    return folder


def output_file(path, extension: str) -> Path:
    """Make sure, before any work is done, that a file with this extension can be written; nothing is written yet.

    Raises
    ------
    ValueError
        for another extension, a folder in the file's place, or a folder above it that is missing or cannot be written.
    """
    file = Path(path)
    if file.suffix.lower() != extension:
        raise ValueError(f"{file}: is written as {extension}; name it {file.with_suffix(extension).name}")
    if file.is_dir():
        raise ValueError(f"{file}: is a folder; name a file in it")
    if not file.parent.is_dir():
        raise ValueError(f"{file}: there is no folder {file.parent}; make it first")
    _check_writable(file.parent)
    return file


def refuse_folders(paths: Iterable) -> None:
    """Make sure that no folder is where a file is to be written.

    Raises
    ------
    ValueError
        that names the first one.
    """
    for path in map(Path, paths):
        if path.is_dir():
            raise ValueError(f"{path}: is a folder, and a file is to be written there; remove it, or write elsewhere")


def write_atomically(path, write: Callable[[IO[bytes]], object]) -> None:
    """Write a file as a whole or not at all: `write` fills another file beside it, which then takes its place."""
    write_together({path: write})


def write_together(writers: Mapping[object, Callable[[IO[bytes]], object]]) -> None:
    """Write several files as a whole: each is filled beside its place, and none is put there before all are filled.

    Parameters
    ----------
    writers : mapping from paths to functions that fill an opened file

    Raises
    ------
    ValueError
        if a folder is in the place of a file.
    """
    refuse_folders(writers)
    unfinished: dict[Path, Path] = {}
    try:
        for path, write in writers.items():
            file = Path(os.path.realpath(path))  # through a link, so that the link stays
            beside = file.with_name(f".{file.name}.{os.getpid()}.tmp")
            unfinished[beside] = file
            with beside.open("wb") as opened:
                write(opened)
        for beside, file in unfinished.items():
            beside.replace(file)
    finally:
        for beside in unfinished:
            beside.unlink(missing_ok=True)


def _check_writable(folder: Path) -> None:
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ValueError(f"{folder}: cannot be written ({error.strerror}); name another folder") from None
