"""What tells compiled kernels of one version from those of another.

A run is repeated to the last digit by the same kernels, compiled by the same compiler, only. So what outlives a process
(compiled code, finished runs) carries this digest and is not mixed with what another version made.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import numba

__all__ = ["kernel_digest"]


@cache
def kernel_digest() -> str:
    """A text of 16 hexadecimal digits made from the sources of this folder and the version of numba."""
    digest = hashlib.sha256(numba.__version__.encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        # Without carriage returns, which a version control system may add to the same source.
        digest.update(path.name.encode() + path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()[:16]
