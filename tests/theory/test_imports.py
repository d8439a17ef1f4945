"""`import theory` is light: it loads nothing that it can do without, and takes little time beside NumPy and SciPy."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

HEAVY = ["numba", "sympy", "matplotlib", "sklearn", "scipy.stats"]


def output_of(code: str, folder: Path = ROOT, **options) -> str:
    program = [sys.executable, "-c", code]
    return subprocess.run(program, capture_output=True, text=True, check=True, cwd=folder, **options).stdout


@pytest.mark.parametrize("module", ["theory", "theory.__main__"])
def test_nothing_heavy_is_loaded(module):
    loaded = output_of(f"import sys, {module}; print(*sys.modules)").split()
    assert module in loaded
    assert [heavy for heavy in HEAVY if heavy in loaded] == []


@pytest.mark.slow
def test_import_takes_at_most_a_fifth_longer_than_numpy_and_scipy_linalg(tmp_path):
    """Processor seconds, the least of interleaved runs (other load only adds); ends as soon as it is shown.

    On a copy, whose bytecode may be cached as an installed package's is, whatever the environment forbids here.
    """
    shutil.copytree(ROOT / "theory", tmp_path / "theory", ignore=shutil.ignore_patterns("__pycache__"))
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    clock = "import time; start = time.process_time(); import {}; print(time.process_time() - start)"
    libraries = "numpy, scipy.linalg"
    least = {"theory": float("inf"), libraries: float("inf")}
    for repeat in range(15):
        for module in least:
            seconds = float(output_of(clock.format(module), tmp_path, env=environment))
            least[module] = min(least[module], seconds)
        if repeat >= 4 and least["theory"] <= 1.2 * least[libraries]:
            break
    assert least["theory"] <= 1.2 * least[libraries]
