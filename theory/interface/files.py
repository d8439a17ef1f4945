"""Output files: their paths are checked before the work is done, and each is written completely or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
import zlib
from argparse import Namespace
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
    "refuse_inputs",
    "set_aside",
    "write_atomically",
    "write_together",
]

# Options that name a file which a command reads.
INPUTS = (
    *("data", "covariance", "eigenvalues", "factors", "loading", "factor_covariance", "decoder", "codes", "runs"),
    "dsprites",
)
OUTPUTS = ("out", "save", "markdown", "latex")  # options that name a file, or a folder, which a command writes


def output_folder(path) -> Path:
    """Create a folder if it does not exist, and make sure that files can be written into it.

    Raises
    ------
    ValueError
        if the path is a file, or the folder cannot be created or written into.
    """
    folder = Path(validation.instance("path", path, (str, os.PathLike), "pass the path of a folder"))
    if not os.fspath(path):  # such as an unset variable of the shell; Path would read it as "."
        raise ValueError("the name of the output folder is empty; name a folder, or . for the current one")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise ValueError(f"{folder}: is a file, or lies below one; name a folder") from None
    except (OSError, ValueError) as error:
        raise ValueError(f"{folder}: cannot be created ({_reason(error)}); name another folder") from None
    _check_writable(folder)
    return folder


def refuse_inputs(arguments: Namespace, outputs: Iterable | None = None) -> None:
    """Refuse to write a file that the same command reads: its content would be lost.

    Parameters
    ----------
    arguments : argparse.Namespace
    outputs : paths, optional
        by default the `OUTPUTS` that the command line names, which are known before any work is done.

    Raises
    ------
    ValueError
        if a file in `outputs` is that of one of the `INPUTS` of a command line.
    """
    if outputs is None:
        outputs = [path for name in OUTPUTS if isinstance(path := getattr(arguments, name, None), str)]
    for name in INPUTS:
        text = getattr(arguments, name, None)
        if not isinstance(text, str):
            continue
        for path in {text, text.rpartition(":")[0]}:  # FILE.npz:KEY
            for output in outputs:
                if path and os.path.realpath(path) == os.path.realpath(output) and os.path.isfile(path):
                    option = name.replace("_", "-")
                    raise ValueError(f"{output}: is read by --{option}, and would be replaced; name another output")


def output_file(path, extension: str) -> Path:
    """Make sure, before any work is done, that a file with this extension can be written; nothing is written.

    Raises
    ------
    ValueError
        if the extension is another one; if the system refuses the name (too long, for example); if the path is a
        folder, a device or a write-protected file; or if its folder does not exist or cannot be written into.
    """
    file = Path(validation.instance("path", path, (str, os.PathLike), "pass the path of a file"))
    if file.suffix.lower() != extension:
        remedy = f"use {file.with_suffix(extension).name}" if file.name else "name a file"
        raise ValueError(f"{file}: the output format is {extension}; {remedy}")
    try:
        target = Path(os.path.realpath(file))  # links are followed, as when it is written
        mode = target.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        if not target.parent.is_dir():
            folder = target.parent if file.is_symlink() else file.parent
            raise ValueError(f"{file}: there is no folder {folder}; create it first") from None
    except (OSError, ValueError) as error:
        raise ValueError(f"{_short(file)}: cannot be written ({_reason(error)}); name another file") from None
    else:
        if stat.S_ISDIR(mode):
            raise ValueError(f"{file}: is a folder; name a file in it")
        if not stat.S_ISREG(mode):
            raise ValueError(f"{file}: is a device or a pipe; name a file")
        if not os.access(target, os.W_OK):
            raise ValueError(f"{file}: is write-protected; name another file, or allow writing")
    _check_writable(target.parent)
    return file


def refuse_folders(paths: Iterable) -> None:
    """Make sure that none of these output paths is a folder.

    Raises
    ------
    ValueError
        that names the first folder.
    """
    for path in paths:
        if Path(validation.instance("path", path, (str, os.PathLike), "pass the path of a file")).is_dir():
            raise ValueError(f"{path}: is a folder; remove it or choose another path")


def write_atomically(path, write: Callable[[IO[bytes]], object]) -> None:
    """Write a file completely or not at all: `write` fills a temporary file, which then replaces it."""
    write_together({Path(validation.instance("path", path, (str, os.PathLike), "pass the path of a file")): write})


def write_together(writers: Mapping[object, Callable[[IO[bytes]], object]]) -> None:
    """Write several files, all or none: each is first a temporary file, and these are renamed once all are complete.

    Parameters
    ----------
    writers : mapping from paths to functions that write to an opened file

    Raises
    ------
    ValueError
        if a path is a folder.
    OSError
        that names the file which cannot be written (a full disk, for example).
    """
    refuse_folders(writers)
    unfinished: dict[Path, Path] = {}
    try:
        for path, write in writers.items():
            file = Path(os.path.realpath(path))  # links are followed, so that they stay
            # not made from the file's name, which may be the longest that the system allows
            temporary = file.with_name(f".{zlib.crc32(os.fsencode(file.name)):08x}.{os.getpid()}.tmp")
            unfinished[temporary] = file
            with naming(file), temporary.open("wb") as opened:
                write(opened)
        for temporary, file in unfinished.items():
            with naming(file):
                temporary.replace(file)
    finally:
        for temporary in unfinished:
            temporary.unlink(missing_ok=True)


@contextmanager
def naming(file: Path) -> Iterator[None]:
    """Add the name of the file to an `OSError`: the system does not say which file did not fit on a full disk."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, _reason(error), str(file)) from error


def set_aside(file: Path) -> Path:
    """Rename a file to FILE.old-1, or to the first of .old-2, .old-3 ... that is free; returns the new path."""
    source = Path(os.path.realpath(file))
    number = 1
    while os.path.lexists(renamed := source.with_name(f"{source.name}.old-{number}")):
        number += 1
    with naming(renamed):
        source.rename(renamed)
    return renamed


def _check_writable(folder: Path) -> None:
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ValueError(f"{folder}: cannot be written ({_reason(error)}); name another folder") from None


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _short(file: Path) -> str:
    """A path for an error message, without the middle of a very long name."""
    text = str(file)
    return text if len(text) <= 200 else f"{text[:100]}...{text[-20:]}"
