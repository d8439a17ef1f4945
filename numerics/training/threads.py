"""The threads of the library of linear algebra."""

from __future__ import annotations

from threadpoolctl import ThreadpoolController

__all__ = ["BLAS"]

# Many small products: threads of the linear algebra would mostly wait, and sums would depend on their number.
BLAS = ThreadpoolController()
