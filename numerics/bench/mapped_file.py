"""A file of observations that is mapped into memory, and how much memory its moments take in a process of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from theory import Moments

__all__ = ["mapped_file", "peak_memory"]

STATUS = Path("/proc/self/status")  # of Linux
MEASURE = "import sys; from numerics.bench.mapped_file import print_growth; print_growth(sys.argv[1])"


@contextmanager
def mapped_file(rows: np.ndarray) -> Iterator[Path]:
    """Observations as a file of float32 in a temporary folder, which is removed at the end, also of an interrupt."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.npy"
        np.save(path, rows.astype(np.float32))
        yield path


def peak_memory(path: Path) -> float | None:
    """MiB of memory that `Moments.of` of a mapped file takes at most, beyond its modules; None where it is not known.

    It is known on Linux. Pages of the file count as long as they are mapped, and so do the block and the result.
    """
    if not STATUS.is_file():
        return None
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    line = [sys.executable, "-c", MEASURE, str(path)]
    return float(subprocess.run(line, env=environment, capture_output=True, text=True, check=True).stdout)


def print_growth(path: str) -> None:
    """What the process of `peak_memory` does."""
    Moments.of(np.eye(2))  # loads what is loaded at the first call
    rows, before = np.load(path, mmap_mode="r"), _resident("VmRSS")
    Moments.of(rows)
    print(_resident("VmHWM") - before)


def _resident(entry: str) -> float:
    """Memory of this process in MiB: of now (VmRSS), or the largest since it began (VmHWM).

    Not `ru_maxrss`, which counts the memory of the process that started this one.
    """
    line = next(line for line in STATUS.read_text(encoding="ascii").splitlines() if line.startswith(f"{entry}:"))
    return int(line.split()[1]) / 1024
