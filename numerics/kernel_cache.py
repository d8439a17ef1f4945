"""Where compiled kernels are kept: beside their source, in the home of the user, or else in a temporary folder.

numba knows the first two (and what `NUMBA_CACHE_DIR` says), and refuses to import where it can write to none: an
installation that is read-only, for a user without a home, as in containers and for service accounts.
"""

from __future__ import annotations

import multiprocessing
import os
import stat
import sys
import tempfile
from pathlib import Path

from numba import config, njit

from numerics.kernel_digest import kernel_digest

__all__ = ["prepare"]


def prepare() -> bool:
    """Find a folder for the compiled kernels, before any is defined; whether there is one."""
    if _somewhere():
        return True
    folder = _temporary_folder()
    if folder is not None:
        config.CACHE_DIR = str(folder)
    kept = folder is not None and _somewhere()
    if multiprocessing.parent_process() is None and sys.stderr is not None:  # its workers need not repeat it
        where = f"in {folder}" if kept else "in memory, for this process only"
        print(f"numerics: no folder of its own can be written; kernels are compiled {where}", file=sys.stderr)
    return kept


def _somewhere() -> bool:
    """Whether numba finds a folder for a function of this package."""
    try:
        njit(cache=True)(_probe)
    except RuntimeError:
        return False
    return True


def _probe():
    """A function to be cached; it is never compiled."""


def _temporary_folder() -> Path | None:
    """A folder that is this user's alone, the same for later processes with the same kernels; None if there is none.

    What is compiled is later executed, so a folder that another user made or may write is not taken.
    """
    user = os.getuid() if hasattr(os, "getuid") else "user"
    try:
        folder = Path(tempfile.gettempdir()) / f"linear-beta-vae-{user}-{kernel_digest()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if user == "user" or (stat.S_ISDIR(found.st_mode) and found.st_uid == user and not found.st_mode & 0o077):
            return folder
        return Path(tempfile.mkdtemp(prefix="linear-beta-vae-"))
    except OSError:
        return None
