"""Where compiled kernels are kept between processes, and the decorators that compile them.

numba compares a cached function with its own source file only, so a function whose callee changed in another file would
be taken from the cache as it was. Each version of the sources therefore has a folder of its own, named by their digest:
beside the sources, or else in the user's home, or else in a temporary folder. Folders of older versions beside it are
removed; a process that still runs an older version creates its own again. `NUMBA_CACHE_DIR` sets another place.
Where nothing can be written (a read-only installation, for a user without a home, as in containers and for service
accounts), kernels are compiled for the one process.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from numba import config, njit
from numba.extending import register_jitable

from numerics.kernels.digest import kernel_digest

__all__ = ["compiled", "inner", "nothing_compiled"]

DIVISION = "numpy"  # by zero gives infinity, and no exception to check for
PREFIX = "linear-beta-vae-"  # of the name of a folder; the digest follows


def compiled(**options) -> Callable:
    """Compile a function that Python calls, as `numba.njit` does, and keep it in this version's folder.

    Parameters
    ----------
    **options
        of `numba.njit`, such as `fastmath`.
    """

    def decorate(function):
        folder, before = _folder(), config.CACHE_DIR
        if folder is not None:
            config.CACHE_DIR = str(folder)  # numba reads it here, when the function is defined
        try:
            return njit(cache=folder is not None, error_model=DIVISION, no_cfunc_wrapper=True, **options)(function)
        finally:
            config.CACHE_DIR = before

    return decorate


def inner(**options) -> Callable:
    """Let kernels call a function, which is compiled into them; called from Python it stays plain Python.

    Without an entry from Python and a file in the cache of its own, a small function compiles twice as fast.

    Parameters
    ----------
    **options
        as for `compiled`.
    """
    return register_jitable(error_model=DIVISION, no_cfunc_wrapper=True, **options)


def nothing_compiled() -> bool:
    """Whether no kernel of this version is kept, and one will be, so that it is better compiled once before."""
    folder = _folder()
    return folder is not None and not any(folder.rglob("*.nbi"))


@cache
def _folder() -> Path | None:
    """The folder of this version, created if missing; None if none can be created."""
    for parent in _parents():
        folder = parent / f"{PREFIX}{kernel_digest()}"
        if _can_be_written(folder):
            _remove_older(folder)
            return folder
    folder = _temporary_folder()
    if multiprocessing.parent_process() is None and sys.stderr is not None:  # not repeated by workers
        where = f"in {folder}" if folder is not None else "in memory, for this process only"
        print(f"numerics: no folder of its own can be written; kernels are compiled {where}", file=sys.stderr)
    return folder


def _parents() -> list[Path]:
    """Where this user's folders may be, the best place first."""
    if config.CACHE_DIR:
        return [Path(config.CACHE_DIR)]
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return [Path(__file__).parent / "__pycache__", *([Path(home)] if os.path.isabs(home) else [])]


def _can_be_written(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _remove_older(folder: Path) -> None:
    for other in folder.parent.glob(f"{PREFIX}*"):
        if other != folder:
            shutil.rmtree(other, ignore_errors=True)


def _temporary_folder() -> Path | None:
    """A folder that belongs to this user only, the same for later processes with the same kernels; None if there is
    none.

    What is compiled is later executed, so a folder that another user made or may write is not taken.
    """
    user = os.getuid() if hasattr(os, "getuid") else "user"
    try:
        folder = Path(tempfile.gettempdir()) / f"{PREFIX}{user}-{kernel_digest()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
        if user == "user" or (stat.S_ISDIR(status.st_mode) and status.st_uid == user and not status.st_mode & 0o077):
            return folder
        return Path(tempfile.mkdtemp(prefix=PREFIX))
    except OSError:
        return None
