"""The number of threads of every library, and the machine that the benchmark ran on."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numba
from threadpoolctl import threadpool_info, threadpool_limits

from theory.interface.processors import usable_processors

__all__ = ["cores", "limited_threads", "machine"]


def cores() -> int:
    """The number of cores that this process may use and numba has threads for."""
    return min(usable_processors(), numba.config.NUMBA_NUM_THREADS)


@contextmanager
def limited_threads(threads: int, peers: Iterable) -> Iterator[None]:
    """Give linear algebra, numba and every peer this many threads; those of the first two are restored at the end.

    PyTorch keeps the number, and XLA (the compiler of JAX) reads it once, before its first computation.
    """
    before = numba.get_num_threads()
    for peer in peers:
        if hasattr(peer, "pin"):
            peer.pin(threads)
    numba.set_num_threads(threads)
    try:
        with threadpool_limits(threads):
            yield
    finally:
        numba.set_num_threads(before)


def machine(threads: int, libraries: Iterable[str]) -> dict[str, object]:
    """Processor, threads and versions, to be printed above the tables; inside `limited_threads`."""
    pools = {
        f"{pool['internal_api']} {pool['version'] or ''}".strip(): pool["num_threads"] for pool in threadpool_info()
    }
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": f"{threads} each for numba, XLA and PyTorch; "
        + ", ".join(f"{count} for {name}" for name, count in pools.items()),
        "python": platform.python_version(),
        "versions": ", ".join(f"{name} {importlib.metadata.version(name)}" for name in libraries),
    }


def _processor() -> str:
    """The model of the processor, from Linux, or else from Python."""
    file = Path("/proc/cpuinfo")
    if file.is_file():
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
