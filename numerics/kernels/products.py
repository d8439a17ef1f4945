"""Compiled products of small matrices, and the few operations on vectors that a step of training needs.

Products go over four rows at a time, since a call of a library would cost as much as a small step. Where it pays, sums
may be taken in any order and a product rounded together with its sum (`reassoc`, `contract`), as libraries do; the bits
of a run depend on the machine. `forceinline` marks functions whose call would cost as much as their work.
"""

from __future__ import annotations

import math

import numpy as np
from numba import prange

from numerics.kernels.cache import compiled

__all__ = ["add_large_product", "add_lower", "add_product", "copy", "dot", "invert", "mirror", "move", "zeros"]


THREAD_WORK = 2**21  # fewest multiplications worth the start of a second thread
LINE = 8  # floats in a cache line


@compiled()
def invert(matrix):
    """Replace a positive definite matrix by its inverse (Gauss-Jordan) and return the logarithm of its determinant."""
    size, log_det = len(matrix), 0.0
    for k in range(size):
        pivot = matrix[k, k]
        log_det += math.log(pivot)
        matrix[k, k] = 1.0
        for j in range(size):
            matrix[k, j] /= pivot
        for i in range(size):
            if i != k:
                share = matrix[i, k]
                matrix[i, k] = 0.0
                for j in range(size):
                    matrix[i, j] -= share * matrix[k, j]
    return log_det


@compiled(fastmath={"reassoc", "contract"})
def dot(x, y):
    total = 0.0
    for p in range(len(x)):
        total += x[p] * y[p]
    return total


@compiled(fastmath={"contract"})
def four_across(matrix, j, k):
    """Four neighbours in a row, from entry (j, k) on."""
    return matrix[j, k], matrix[j, k + 1], matrix[j, k + 2], matrix[j, k + 3]


@compiled(fastmath={"contract"})
def four_down(matrix, k, i):
    """Four neighbours in a column, from entry (k, i) on."""
    return matrix[k, i], matrix[k + 1, i], matrix[k + 2, i], matrix[k + 3, i]


@compiled(fastmath={"contract"})
def combine(shares, x):
    """The sum of four numbers, each times its share."""
    return shares[0] * x[0] + shares[1] * x[1] + shares[2] * x[2] + shares[3] * x[3]


@compiled(fastmath={"reassoc", "contract"})
def add_share(totals, share, x):
    """Four totals, each plus a share of a number."""
    return totals[0] + share * x[0], totals[1] + share * x[1], totals[2] + share * x[2], totals[3] + share * x[3]


@compiled(forceinline=True, fastmath={"reassoc", "contract"})
def add_row_products(left, j, right, k, out):
    """Add the products of two rows of `left`, from j on, and four of `right`, from k on, to as many of `out`."""
    upper = lower = (0.0, 0.0, 0.0, 0.0)
    for i in range(left.shape[1]):
        x = four_down(right, k, i)
        upper = add_share(upper, left[j, i], x)
        lower = add_share(lower, left[j + 1, i], x)
    for m in range(4):
        out[j, k + m] += upper[m]
        out[j + 1, k + m] += lower[m]


@compiled()
def add_lower(left, right, out):
    """out += left right^T, on and below the diagonal; what is above it may change."""
    rows = len(left)
    whole = rows - rows % 4
    for j in range(0, whole, 2):
        for k in range(0, j + 1, 4):
            add_row_products(left, j, right, k, out)
    for j in range(whole, rows):
        for k in range(j + 1):
            out[j, k] += dot(left[j], right[k])


@compiled(forceinline=True)
def mirror(matrix):
    """Write what is below the diagonal above it."""
    for j in range(len(matrix)):
        for k in range(j):
            matrix[k, j] = matrix[j, k]


@compiled(fastmath={"contract"})
def add_product(left, right, out):
    """out += left right, by loops over four rows of each at a time, so that rows are read less often."""
    (inner, columns), rows = right.shape, len(left)
    whole_rows, whole_inner = rows - rows % 4, inner - inner % 4
    for j in range(0, whole_rows, 4):
        for k in range(0, whole_inner, 4):
            a, b = four_across(left, j, k), four_across(left, j + 1, k)
            c, d = four_across(left, j + 2, k), four_across(left, j + 3, k)
            for i in range(columns):
                x = four_down(right, k, i)
                out[j, i] += combine(a, x)
                out[j + 1, i] += combine(b, x)
                out[j + 2, i] += combine(c, x)
                out[j + 3, i] += combine(d, x)
        for k in range(whole_inner, inner):
            shares = four_down(left, j, k)
            for i in range(columns):
                out[j, i] += shares[0] * right[k, i]
                out[j + 1, i] += shares[1] * right[k, i]
                out[j + 2, i] += shares[2] * right[k, i]
                out[j + 3, i] += shares[3] * right[k, i]
    for j in range(whole_rows, rows):
        for k in range(inner):
            share = left[j, k]
            for i in range(columns):
                out[j, i] += share * right[k, i]


@compiled()
def zeros(size):
    """A vector of zeros that begins at a cache line, where processors read and write fastest."""
    padded = np.zeros(size + LINE - 1)
    first = -(padded.ctypes.data // padded.itemsize) % LINE
    return padded[first : first + size]


@compiled()
def move(x, length, direction, out):
    """out = x + length * direction."""
    for p in range(len(x)):
        out[p] = x[p] + length * direction[p]


@compiled()
def copy(x, out):
    """out = x. (The assignment `out[:] = x` would take longer to compile, for its error message.)"""
    for p in range(len(x)):
        out[p] = x[p]


@compiled(parallel=True)
def add_product_in_halves(left, right, out):
    """`add_product`, the upper and lower half of the rows in parallel; one thread or two give the same numbers."""
    half = len(left) // 8 * 4
    for part in prange(2):
        first, last = part * half, half + part * (len(left) - half)
        add_product(left[first:last], right, out[first:last])


@compiled()
def add_large_product(left, right, out):
    """`add_product`, with two threads if that is faster."""
    if len(left) * right.size < THREAD_WORK:
        add_product(left, right, out)
    else:
        add_product_in_halves(left, right, out)
