"""The threads of the libraries of linear algebra: NumPy's, and SciPy's, which compiled kernels call."""

from __future__ import annotations

import scipy.linalg  # noqa: F401  loads its library, for a controller knows those that are loaded when it is made
from threadpoolctl import ThreadpoolController

__all__ = ["BLAS"]

# Many small products: threads of the linear algebra would mostly wait, and sums would depend on their number.
BLAS = ThreadpoolController()
