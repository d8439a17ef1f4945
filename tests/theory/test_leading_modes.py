"""Leading eigenvectors: accurate for spectra whose eigenvectors are hard to distinguish."""

from __future__ import annotations

import numpy as np
import pytest

from tests.cases import orthogonal
from theory import leading_modes as leading
from theory.leading_modes import leading_modes, leading_pairs

SIZE = leading.LEAST_DIMENSION + 50
COUNT = int(leading.LARGEST_SHARE * SIZE)
SIZES = [(5, 1), (leading.LEAST_DIMENSION - 1, 1), (SIZE, COUNT + 1), (SIZE, 0), (SIZE, 999)]
SPECTRA = {
    "distinct": np.linspace(5, 1, SIZE),
    "isotropic": np.full(SIZE, 2.0),
    "tied_at_the_last": np.where(np.arange(SIZE) < 2 * COUNT, 3.0, 1.0),
    "rank_below_count": np.where(np.arange(SIZE) < COUNT - 5, np.linspace(5, 1, SIZE), 0.0),
    "rank_is_count": np.where(np.arange(SIZE) < COUNT, np.linspace(5, 1, SIZE), 0.0),
    "graded": np.geomspace(1e8, 1e-8, SIZE),
    "one_dominant": np.where(np.arange(SIZE) == 0, 1e6, 1.0),
    "close": 1 + 1e-14 * np.arange(SIZE)[::-1],
    "tiny": np.geomspace(1, 0.1, SIZE) * 1e-300,
    "huge": np.geomspace(1, 0.1, SIZE) * 1e300,
    "zero": np.zeros(SIZE),
}
EVERY_SPECTRUM = pytest.mark.parametrize("eigenvalues", SPECTRA.values(), ids=SPECTRA)


def in_basis(eigenvalues, basis):
    product = (basis * eigenvalues) @ basis.T
    return (product + product.T) / 2


@pytest.mark.parametrize("basis", ["random", "coordinates"])
@EVERY_SPECTRUM
def test_values_and_directions(eigenvalues, basis):
    rng = np.random.default_rng(0)
    if basis == "random":
        covariance = in_basis(eigenvalues, orthogonal(SIZE, rng))
    else:
        covariance = np.diag(rng.permutation(eigenvalues))
    values, directions = leading_modes(covariance, COUNT)
    rounding = SIZE * np.finfo(float).eps
    np.testing.assert_allclose(values[::-1], eigenvalues, rtol=0, atol=rounding * eigenvalues[0])
    kept = directions.shape[1]
    assert kept in (COUNT, SIZE)
    np.testing.assert_allclose(directions.T @ directions, np.eye(kept), atol=2 * rounding)
    residual = covariance @ directions - directions * values[SIZE - kept :]
    assert np.abs(residual).max() <= 2 * rounding * eigenvalues[0]


def test_few_directions_are_those_of_numpy():
    covariance = in_basis(SPECTRA["distinct"], orthogonal(SIZE, np.random.default_rng(1)))
    values, directions = leading_modes(covariance, 7)
    assert directions.shape == (SIZE, 7)
    all_values, all_directions = np.linalg.eigh(covariance)
    np.testing.assert_allclose(values, all_values, rtol=1e-13)
    overlap = np.abs((directions * all_directions[:, -7:]).sum(axis=0))
    np.testing.assert_allclose(overlap, 1, atol=1e-12)


@pytest.mark.parametrize(("size", "count"), SIZES)
def test_all_directions_where_leaving_some_out_saves_nothing(size, count):
    covariance = in_basis(np.linspace(2, 1, size), orthogonal(size, np.random.default_rng(2)))
    values, directions = leading_modes(covariance, count)
    for found, expected in zip((values, directions), np.linalg.eigh(covariance), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("fault", ["wrong", "not orthogonal", "failed"])
def test_inaccurate_directions_are_not_used(monkeypatch, fault):
    covariance = in_basis(SPECTRA["distinct"], orthogonal(SIZE, np.random.default_rng(3)))
    whole = leading.scipy.linalg.eigh_tridiagonal

    def faulty(*arguments, **options):
        if fault == "failed":
            raise np.linalg.LinAlgError("did not converge")
        values, vectors = whole(*arguments, **options)
        vectors = vectors.copy()
        vectors[:, 0] = vectors[:, 1] if fault == "not orthogonal" else vectors[:, 0] + 1e-9
        return values, vectors

    monkeypatch.setattr(leading.scipy.linalg, "eigh_tridiagonal", faulty)
    values, directions = leading_modes(covariance, 3)
    for found, expected in zip((values, directions), np.linalg.eigh(covariance), strict=True):
        np.testing.assert_array_equal(found, expected)


@EVERY_SPECTRUM
def test_leading_pairs(eigenvalues):
    covariance = in_basis(eigenvalues, orthogonal(SIZE, np.random.default_rng(0)))
    values, directions = leading_pairs(covariance, COUNT)
    rounding = SIZE * np.finfo(float).eps
    np.testing.assert_allclose(values[::-1], eigenvalues[:COUNT], rtol=0, atol=rounding * eigenvalues[0])
    np.testing.assert_allclose(directions.T @ directions, np.eye(COUNT), atol=2 * rounding)
    residual = covariance @ directions - directions * values
    assert np.abs(residual).max() <= 2 * rounding * eigenvalues[0]


@pytest.mark.parametrize(("ratio", "products"), [(0.05, 15), (0.25, 30), (0.5, None), (0.99, None)])
def test_products_are_given_up_where_reflections_are_cheaper(monkeypatch, ratio, products):
    """Six eigenvalues about 2, and the others about so many times as large."""
    eigenvalues = np.where(np.arange(SIZE) < 6, np.linspace(2, 1, SIZE), ratio * np.linspace(2, 1, SIZE))
    covariance = in_basis(eigenvalues, orthogonal(SIZE, np.random.default_rng(0)))
    calls, decompose = [], leading.scipy.linalg.qr
    monkeypatch.setattr(
        leading.scipy.linalg, "qr", lambda *given, **options: (calls.append(1), decompose(*given, **options))[1]
    )
    found = leading._by_products(covariance, 6)
    assert (found is not None) == (products is not None)
    assert len(calls) <= (products or leading.RATE_PRODUCTS)
    whole = leading_pairs(covariance, 6)
    np.testing.assert_allclose(whole[0], np.linalg.eigvalsh(covariance)[-6:], rtol=1e-13)


@pytest.mark.parametrize(("size", "count"), [(5, 0), (5, 2), (5, 5), (SIZE, 0), (SIZE, SIZE)])
def test_leading_pairs_of_any_number(size, count):
    covariance = in_basis(np.linspace(2, 1, size), orthogonal(size, np.random.default_rng(2)))
    values, directions = leading_pairs(covariance, count)
    assert directions.shape == (size, count)
    np.testing.assert_allclose(values, np.linalg.eigvalsh(covariance)[size - count :], rtol=1e-12)
