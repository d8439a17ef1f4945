"""Compiled products of small matrices, and the few operations on vectors that a step of training needs.

Products that add go over four rows at a time, since a call of a library would cost as much as a small step on a
covariance; `product`, for batches, is that of the library. Where it pays, sums may be taken in any order and a product
rounded together with its sum (`reassoc`, `contract`), as libraries do; the bits of a run depend on the machine.
`forceinline` marks functions whose call would cost as much as their work.
"""

from __future__ import annotations

import math

import numpy as np

from numerics.kernels.cache import inner

__all__ = ["add_lower", "add_product", "copy", "dot", "invert", "mirror", "move", "product", "zeros"]


LINE = 8  # floats in a cache line


@inner()
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


@inner(fastmath={"reassoc", "contract"})
def dot(x, y):
    total = 0.0
    for p in range(len(x)):
        total += x[p] * y[p]
    return total


@inner(fastmath={"reassoc", "contract"})
def add_lower(left, right, out):
    """out += left right^T, on and below the diagonal, in blocks of two rows by four; what is above may change."""
    rows = len(left)
    whole = rows - rows % 4
    for j in range(0, whole, 2):
        for k in range(0, j + 1, 4):
            a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = 0.0
            for i in range(left.shape[1]):
                a, b = left[j, i], left[j + 1, i]
                x0, x1, x2, x3 = right[k, i], right[k + 1, i], right[k + 2, i], right[k + 3, i]
                a0, a1, a2, a3 = a0 + a * x0, a1 + a * x1, a2 + a * x2, a3 + a * x3
                b0, b1, b2, b3 = b0 + b * x0, b1 + b * x1, b2 + b * x2, b3 + b * x3
            upper, lower = (a0, a1, a2, a3), (b0, b1, b2, b3)
            for m in range(4):
                out[j, k + m] += upper[m]
                out[j + 1, k + m] += lower[m]
    for j in range(whole, rows):
        for k in range(j + 1):
            out[j, k] += dot(left[j], right[k])


@inner(forceinline=True)
def mirror(matrix):
    """Write what is below the diagonal above it."""
    for j in range(len(matrix)):
        for k in range(j):
            matrix[k, j] = matrix[j, k]


@inner(fastmath={"contract"})
def add_product(left, right, out):
    """out += left right, by loops over four rows of each at a time, so that rows are read less often."""
    (inner, columns), rows = right.shape, len(left)
    whole_rows, whole_inner = rows - rows % 4, inner - inner % 4
    for j in range(0, whole_rows, 4):
        for k in range(0, whole_inner, 4):
            a0, a1, a2, a3 = left[j, k], left[j, k + 1], left[j, k + 2], left[j, k + 3]
            b0, b1, b2, b3 = left[j + 1, k], left[j + 1, k + 1], left[j + 1, k + 2], left[j + 1, k + 3]
            c0, c1, c2, c3 = left[j + 2, k], left[j + 2, k + 1], left[j + 2, k + 2], left[j + 2, k + 3]
            d0, d1, d2, d3 = left[j + 3, k], left[j + 3, k + 1], left[j + 3, k + 2], left[j + 3, k + 3]
            for i in range(columns):
                x0, x1, x2, x3 = right[k, i], right[k + 1, i], right[k + 2, i], right[k + 3, i]
                out[j, i] += a0 * x0 + a1 * x1 + a2 * x2 + a3 * x3
                out[j + 1, i] += b0 * x0 + b1 * x1 + b2 * x2 + b3 * x3
                out[j + 2, i] += c0 * x0 + c1 * x1 + c2 * x2 + c3 * x3
                out[j + 3, i] += d0 * x0 + d1 * x1 + d2 * x2 + d3 * x3
        for k in range(whole_inner, inner):
            a, b, c, d = left[j, k], left[j + 1, k], left[j + 2, k], left[j + 3, k]
            for i in range(columns):
                out[j, i] += a * right[k, i]
                out[j + 1, i] += b * right[k, i]
                out[j + 2, i] += c * right[k, i]
                out[j + 3, i] += d * right[k, i]
    for j in range(whole_rows, rows):
        for k in range(inner):
            share = left[j, k]
            for i in range(columns):
                out[j, i] += share * right[k, i]


@inner()
def zeros(size):
    """A vector of zeros that begins at a cache line, where processors read and write fastest."""
    padded = np.zeros(size + LINE - 1)
    first = -(padded.ctypes.data // padded.itemsize) % LINE
    return padded[first : first + size]


@inner()
def move(x, length, direction, out):
    """out = x + length * direction."""
    for p in range(len(x)):
        out[p] = x[p] + length * direction[p]


@inner()
def copy(x, out):
    """out = x. (The assignment `out[:] = x` would take longer to compile, for its error message.)"""
    for p in range(len(x)):
        out[p] = x[p]


@inner(_nrt=True)  # which `np.dot` needs, also in a caller that counts no references
def product(left, right, out):
    """out = left right, by the linear algebra library."""
    np.dot(left, right, out)
