"""Writing files: where to, checked before the work is done; and as a whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

__all__ = ["output_file", "output_folder", "write_atomically"]


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


def write_atomically(path, write: Callable[[IO[bytes]], object]) -> None:
    """Write a file as a whole or not at all: `write` fills another file beside it, which then takes its place."""
    file = Path(os.path.realpath(path))  # through a link, so that the link stays
    unfinished = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        with unfinished.open("wb") as opened:
            write(opened)
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)


def _check_writable(folder: Path) -> None:
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ValueError(f"{folder}: cannot be written ({error.strerror}); name another folder") from None
