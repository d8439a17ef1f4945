"""Singular values keep their digits, and ranks are decided, in any units of rows and columns."""

from __future__ import annotations

import mpmath as mp
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.singular_values import principal_axes


def graded(seed, core):
    """A matrix between two diagonals of sixteen decades each: what units of data and latents do to it."""
    rng = np.random.default_rng(seed)
    rows, columns = core.shape
    return 2.0 ** rng.integers(-26, 27, (rows, 1)) * core * 2.0 ** rng.integers(-26, 27, columns)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), rows=st.integers(1, 5), columns=st.integers(1, 5))
def test_singular_values_keep_their_digits_in_any_units(seed, rows, columns):
    matrix = graded(seed, np.random.default_rng(seed).standard_normal((rows, columns)))
    left, singular, axes = principal_axes(matrix)
    with mp.workdps(60):
        exact = sorted((float(value) for value in mp.svd_r(mp.matrix(matrix.tolist()), compute_uv=False)), reverse=True)
    rank = min(rows, columns)
    np.testing.assert_allclose(singular[:rank], exact, rtol=1e-10)
    np.testing.assert_allclose(axes.T @ axes, np.eye(columns), atol=1e-13)
    np.testing.assert_allclose(left[:, :rank].T @ left[:, :rank], np.eye(rank), atol=1e-13)
    np.testing.assert_allclose((left * singular) @ axes.T, matrix, rtol=0, atol=1e-13 * np.abs(matrix).max())


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), rows=st.integers(1, 5), columns=st.integers(1, 5), inner=st.integers(1, 4))
def test_rank_does_not_depend_on_units(seed, rows, columns, inner):
    """Products of small integers depend exactly, and so do they between powers of two."""
    rng = np.random.default_rng(seed)
    core = rng.integers(-3, 4, (rows, inner)) @ rng.integers(-3, 4, (inner, columns))
    rank = np.linalg.matrix_rank(core)  # of integers of one size
    assert np.count_nonzero(principal_axes(graded(seed, core.astype(float)))[1]) == rank
    noisy = core * (1 + 1e-16 * rng.standard_normal(core.shape))
    assert np.count_nonzero(principal_axes(noisy)[1]) == rank
