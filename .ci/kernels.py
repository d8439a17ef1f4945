"""The kernels of the linear algebra that this machine takes by default, and others that it can run.

    kernels.py            the kernels that this process has loaded, such as "SkylakeX"
    kernels.py --other    the OPENBLAS_CORETYPE under which a process takes kernels of another family

A processor lacks the instructions of later families, and a process that is told to use them crashes. So a family is
offered only if the processor says that it has the instructions, and a process that multiplies by it lives.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

# Families by the flags that Linux shows for what they need; a tested pair should differ as much as it can.
FAMILIES = {
    "Haswell": {"avx2", "fma"},
    "SkylakeX": {"avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"},
    "Sandybridge": {"avx"},
    "Nehalem": {"sse4_2"},
    "Prescott": {"pni"},  # Linux's name for SSE3
}
SAME = {"Zen": "Haswell"}  # OpenBLAS's kernels for the one are those for the other


def loaded() -> set[str]:
    """Families of the OpenBLAS libraries of NumPy and SciPy in this process, after they have multiplied."""
    import numpy as np
    import scipy.linalg
    from threadpoolctl import threadpool_info

    matrix = np.random.default_rng(0).standard_normal((200, 200))
    np.linalg.svd(matrix @ matrix)
    scipy.linalg.eigh(scipy.linalg.blas.dsyrk(1.0, matrix), lower=False)
    names = {library["architecture"] for library in threadpool_info() if library["internal_api"] == "openblas"}
    return {SAME.get(name, name) for name in names}


def other() -> str:
    """The first family that this processor has the instructions for and that the default run does not take."""
    flags = set()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("flags"):
            flags = set(line.partition(":")[2].split())
            break
    default = loaded()
    for family, needs in FAMILIES.items():
        if needs <= flags and default and not default & (_under(family) or default):
            return family
    raise SystemExit(f"no kernels found that differ from the default: {', '.join(default) or 'no OpenBLAS'}")


def _under(family: str) -> set[str]:
    """What a process loads that is told to use a family; nothing if it dies of it."""
    environment = os.environ | {"OPENBLAS_CORETYPE": family}
    done = subprocess.run([sys.executable, __file__], env=environment, capture_output=True, text=True)
    return set(done.stdout.split()) if done.returncode == 0 else set()


if __name__ == "__main__":
    print(other() if sys.argv[1:] == ["--other"] else " ".join(sorted(loaded())))
