"""Eigenvalues and eigenvectors of covariances whose variables differ in size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory import spectrum as spectrum_module
from theory.spectrum import Spectrum


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
