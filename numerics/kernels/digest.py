"""A digest that distinguishes versions of the compiled kernels.

Only the same kernels, compiled by the same compiler, repeat a run to the last digit. What outlives a process (compiled
code, finished runs) therefore carries this digest and is not mixed with that of another version.
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
