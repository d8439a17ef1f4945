"""Products of small matrices by loops, against numpy's."""

from __future__ import annotations

import numpy as np
import pytest

from numerics.kernels import products
from tests.numerics.kernels.helpers import compiled_and_plain


@pytest.mark.parametrize("function", compiled_and_plain(products.invert), ids=["compiled", "python"])
@pytest.mark.parametrize("size", [0, 1, 6])
def test_inverse_of_a_positive_definite_matrix(function, size):
    root = np.random.default_rng(size).standard_normal((size, size + 2))
    matrix = root @ root.T
    inverse = matrix.copy()
    assert function(inverse) == pytest.approx(np.linalg.slogdet(matrix)[1], abs=1e-12)
    np.testing.assert_allclose(inverse @ matrix, np.eye(size), atol=1e-11)


SHAPES = [(0, 3, 5), (1, 1, 1), (3, 3, 4), (4, 4, 8), (6, 9, 3), (7, 2, 11), (16, 16, 64), (5, 0, 2)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_products_by_loops(shape):
    """Sizes with and without rows and columns beyond the last block of four."""
    (rows, inner, columns), rng = shape, np.random.default_rng(0)
    left, right = rng.standard_normal((rows, inner)), rng.standard_normal((inner, columns))
    base, others = rng.standard_normal((rows, columns)), rng.standard_normal((rows, inner))
    for function in compiled_and_plain(products.add_product):
        out = base.copy()
        function(left, right, out)
        np.testing.assert_allclose(out, base + left @ right, rtol=0, atol=1e-12)
    square = rng.standard_normal((rows, rows))
    for function in compiled_and_plain(products.add_lower):
        out = square.copy()
        function(left, others, out)
        np.testing.assert_allclose(np.tril(out), np.tril(square + left @ others.T), rtol=0, atol=1e-12)
    for function in compiled_and_plain(products.mirror):
        out = square.copy()
        function(out)
        np.testing.assert_array_equal(out, np.tril(square) + np.tril(square, -1).T)


@pytest.mark.parametrize("size", [0, 1, 7, 8, 1000])
def test_vectors_that_begin_with_a_line_of_the_cache(size):
    for function in compiled_and_plain(products.zeros):
        vector = function(size)
        assert vector.shape == (size,)
        assert not vector.any()
        assert vector.flags.c_contiguous
        assert size == 0 or vector.ctypes.data % 64 == 0


def test_vector_helpers_in_plain_python():
    x, y = np.array([1.0, -2.0, 0.5]), np.array([0.25, 3.0, 4.0])
    for function in compiled_and_plain(products.dot):
        assert function(x, y) == x @ y
    for function in compiled_and_plain(products.move):
        out = np.empty(3)
        function(x, 2.0, y, out)
        np.testing.assert_array_equal(out, x + 2 * y)


@pytest.mark.parametrize("shape", [(0, 3, 4), (1, 3, 4), (4, 0, 2), (61, 200, 256)], ids=str)
def test_products_of_the_library(shape):
    rows, inner, columns = shape
    rng = np.random.default_rng(0)
    left, right = rng.standard_normal((rows, inner)), rng.standard_normal((columns, inner)).T
    for function in compiled_and_plain(products.product):
        out = np.full((rows, columns), np.nan)
        function(left, right, out)
        np.testing.assert_allclose(out, left @ right, rtol=0, atol=1e-12)
