"""One thread for linear algebra: the matrices of the tests are small, and threads waiting for each other cost more."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
