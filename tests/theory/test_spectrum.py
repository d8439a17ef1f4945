"""Singular values keep their digits, and ranks are decided, in any units of rows and columns."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory import spectrum as spectrum_module
from theory.singular_values import principal_axes
from theory.spectrum import Spectrum


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


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), size=st.integers(1, 12), rank=st.integers(1, 12), count=st.integers(0, 14))
def test_directions_of_graded_covariances_are_orthonormal_and_as_many_as_asked_for(seed, size, rank, count):
    """Also those beyond the rank, which no eigenvalue determines."""
    weights = np.random.default_rng(seed).standard_normal((size, rank))
    weights *= np.random.default_rng(seed + 1).choice([1.0, 1e-4, 1e-8], (size, 1))
    covariance = weights @ weights.T
    spectrum = Spectrum.leading(covariance, count)
    kept = min(size, count)
    assert spectrum.directions.shape == (size, kept)
    np.testing.assert_allclose(spectrum.directions.T @ spectrum.directions, np.eye(kept), rtol=0, atol=1e-13)
    residual = covariance @ spectrum.directions - spectrum.directions * spectrum.eigenvalues[:kept]
    assert np.abs(residual).max(initial=0.0) <= 1e-13 * spectrum.eigenvalues[0]


def test_what_rounding_hides_is_the_same_by_one_decomposition_and_variable_by_variable(monkeypatch):
    """The smallest variables independent (as almost always), or one of them without a part in what is singular."""
    rng = np.random.default_rng(0)
    weights = rng.standard_normal((9, 4)) * np.geomspace(1e-6, 1, 9)[:, np.newaxis]
    found = Spectrum.of(weights @ weights.T, 4).resolution
    decompose = np.linalg.qr

    def zero(matrix, mode="reduced"):
        return np.zeros((5, 5)) if mode == "r" else decompose(matrix, mode)

    monkeypatch.setattr(np.linalg, "qr", zero)  # no part: one variable after the other
    assert Spectrum.of(weights @ weights.T, 4).resolution == pytest.approx(found, rel=1e-6, abs=0)


def test_a_covariance_of_low_rank_with_small_variables_is_not_decomposed_whole(monkeypatch):
    """Only the columns of its rank go into the slow decomposition that keeps the digits of small singular values."""
    shapes, whole = [], spectrum_module.principal_axes
    monkeypatch.setattr(
        spectrum_module, "principal_axes", lambda matrix: (shapes.append(matrix.shape), whole(matrix))[1]
    )
    weights = np.geomspace(1e-8, 1, 300)[:, np.newaxis]
    assert Spectrum.leading(weights @ weights.T, 2).rank == 1
    assert shapes == [(300, 1)]
