"""One controller for every library of linear algebra that training calls."""

from __future__ import annotations

import subprocess
import sys

LIBRARIES = """
from numerics.training.threads import BLAS
known = {library["filepath"] for library in BLAS.info()}
import numerics.training.minibatch, scipy.optimize
from threadpoolctl import threadpool_info
print(sorted({library["filepath"] for library in threadpool_info() if library["user_api"] == "blas"} - known))
"""


def test_the_controller_knows_every_library_wherever_it_is_imported_first():
    done = subprocess.run([sys.executable, "-c", LIBRARIES], check=True, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[]"
