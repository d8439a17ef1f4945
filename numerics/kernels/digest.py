"""A digest that distinguishes versions of the compiled kernels.

Only the same kernels, compiled by the same compiler, repeat a run to the last digit. What outlives a process (compiled
code, finished runs) therefore carries this digest and is not mixed with that of another version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import llvmlite
import numba

__all__ = ["kernel_digest", "source_digest"]


@cache
def kernel_digest() -> str:
    """The digest of the sources of this folder and its subfolders, and of the versions of numba and llvmlite."""
    folder = Path(__file__).parent
    sources = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.py")}
    return source_digest([numba.__version__, llvmlite.__version__], sources)


def source_digest(versions: Iterable[str], sources: Mapping[str, Path]) -> str:
    """A text of 16 hexadecimal digits made from versions, and from source files and their names."""
    digest = hashlib.sha256("\n".join(versions).encode())
    for name, path in sorted(sources.items()):
        # Without carriage returns, which a version control system may add to the same source.
        digest.update(name.encode() + path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()[:16]
