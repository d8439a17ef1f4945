"""Leading eigenvectors: accurate for spectra whose eigenvectors are hard to distinguish."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from tests.cases import orthogonal
from theory import leading_modes as leading
from theory.leading_modes import leading_modes, leading_modes_and_mean

SIZE = leading.LEAST_DIMENSION + 50
COUNT = SIZE // 8
FEW = int(leading.SMALL_SHARE * SIZE)
MANY = leading.DIMENSIONS_PER_PRODUCT * leading.PRODUCTS[0]  # data dimensions from which products are tried
SIZES = [
    (5, 0),
    (5, 1),
    (5, 5),
    (leading.LEAST_DIMENSION - 1, 1),
    (SIZE, 0),
    (SIZE, FEW),
    (SIZE, FEW + 1),
    (SIZE, COUNT),
]
SIZES += [(SIZE, COUNT + 1), (SIZE, SIZE), (SIZE, 999)]
SPECTRA = {
    "distinct": np.linspace(5, 1, SIZE),
    "power_law": 1 / np.arange(1, SIZE + 1),
    "steep_power_law": np.arange(1, SIZE + 1) ** -6.0,
    "spiked": np.where(np.arange(SIZE) < FEW, np.linspace(100, 16, SIZE), np.linspace(1.2, 0.8, SIZE)),
    "three_values": np.repeat([3.0, 2.0, 1.0], [SIZE // 3, SIZE // 3, SIZE - 2 * (SIZE // 3)]),
    "isotropic": np.full(SIZE, 2.0),
    "tied_at_the_last": np.where(np.arange(SIZE) < 2 * COUNT, 3.0, 1.0),
    "rank_below_count": np.where(np.arange(SIZE) < COUNT - 5, np.linspace(5, 1, SIZE), 0.0),
    "rank_above_count": np.where(np.arange(SIZE) < COUNT + 3, np.linspace(5, 1, SIZE), 0.0),
    "rank_is_few": np.where(np.arange(SIZE) < FEW, np.linspace(5, 1, SIZE), 0.0),
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


@pytest.fixture
def calls(monkeypatch):
    """How often each routine of LAPACK that matters is called: reductions, and methods for the tridiagonal matrix."""
    counted = Counter()

    def count(where, name, label):
        routine = getattr(where, name)

        def counting(*given, **options):
            counted[label(options)] += 1
            return routine(*given, **options)

        monkeypatch.setattr(where, name, counting)

    count(leading, "dsytrd", lambda options: "reduction")
    count(leading.scipy.linalg, "eigh_tridiagonal", lambda options: options["lapack_driver"])
    count(leading, "dstein", lambda options: "stein")
    count(leading.scipy.linalg, "eigvalsh_tridiagonal", lambda options: "values")
    count(leading.scipy.linalg, "qr", lambda options: "product")
    count(np.linalg, "eigh", lambda options: "numpy")
    return counted


def check(covariance, eigenvalues, values, directions):
    """Values with rounding errors of the largest; directions orthonormal, and eigenvectors, up to rounding."""
    size, count = directions.shape
    rounding = size * np.finfo(float).eps
    np.testing.assert_allclose(values[::-1], eigenvalues, rtol=0, atol=rounding * eigenvalues[0])
    np.testing.assert_allclose(directions.T @ directions, np.eye(count), atol=2 * rounding)
    residual = covariance @ directions - directions * values[size - count :]
    assert np.abs(residual).max(initial=0.0) <= 2 * rounding * eigenvalues[0]


@pytest.mark.parametrize("count", [FEW, COUNT])
@pytest.mark.parametrize("basis", ["random", "coordinates"])
@EVERY_SPECTRUM
def test_values_and_directions(eigenvalues, basis, count, calls):
    rng = np.random.default_rng(0)
    if basis == "random":
        covariance = in_basis(eigenvalues, orthogonal(SIZE, rng))
    else:
        covariance = np.diag(rng.permutation(eigenvalues))
    values, directions = leading_modes(covariance, count)
    assert directions.shape == (SIZE, count)
    check(covariance, eigenvalues, values, directions)
    assert calls in ({"reduction": 1, "values": 1, "stein": 1}, {"reduction": 1, "stevd": 1})


@pytest.mark.parametrize("name", ["white_noise", "integers", "blocks", "near_identity", "dependent_columns"])
@pytest.mark.parametrize("count", [2, FEW, COUNT])
def test_covariances_without_a_known_spectrum(name, count, calls):
    rng = np.random.default_rng(4)
    noise = rng.standard_normal((2 * SIZE, SIZE))
    covariance = {
        "white_noise": noise.T @ noise / (2 * SIZE),
        "integers": np.round(3 * noise).T @ np.round(3 * noise),
        "blocks": np.kron(np.eye(5), noise[:100, : SIZE // 5].T @ noise[:100, : SIZE // 5]),
        "near_identity": np.eye(SIZE) + 1e-12 * (noise[:SIZE] + noise[:SIZE].T),
        "dependent_columns": noise[: SIZE // 2].T @ noise[: SIZE // 2],
    }[name]
    expected = np.linalg.eigvalsh(covariance)[::-1]
    for modes in (leading_modes, leading_modes_and_mean):
        calls.clear()
        values, directions = modes(covariance, count)
        assert directions.shape == (SIZE, count)
        known = SIZE if modes is leading_modes or count > FEW else count
        check(covariance, np.concatenate([expected[:known], values[::-1][known:]]), values, directions)
        assert calls["reduction"] == 1
        assert "numpy" not in calls


def test_few_directions_are_those_of_numpy():
    covariance = in_basis(SPECTRA["distinct"], orthogonal(SIZE, np.random.default_rng(1)))
    values, directions = leading_modes(covariance, 7)
    assert directions.shape == (SIZE, 7)
    all_values, all_directions = np.linalg.eigh(covariance)
    np.testing.assert_allclose(values, all_values, rtol=1e-13)
    overlap = np.abs((directions * all_directions[:, -7:]).sum(axis=0))
    np.testing.assert_allclose(overlap, 1, atol=1e-12)


@pytest.mark.parametrize("modes", [leading_modes, leading_modes_and_mean])
@pytest.mark.parametrize(("size", "count"), SIZES)
def test_any_size_and_any_number_of_directions(size, count, modes):
    covariance = in_basis(np.linspace(2, 1, size), orthogonal(size, np.random.default_rng(2)))
    values, directions = modes(covariance, count)
    kept = min(size, count)
    assert directions.shape == (size, kept)
    all_values, all_directions = np.linalg.eigh(covariance)
    if size < leading.LEAST_DIMENSION:
        np.testing.assert_array_equal(values, all_values)
        np.testing.assert_array_equal(directions, all_directions[:, size - kept :])
    known = size if modes is leading_modes or count != FEW else count
    np.testing.assert_allclose(values[size - known :], all_values[size - known :], rtol=1e-12)
    overlap = np.abs((directions * all_directions[:, size - kept :]).sum(axis=0))
    np.testing.assert_allclose(overlap, 1, atol=1e-10)  # eigenvalues are 1 / SIZE apart


@pytest.mark.parametrize("modes", [leading_modes, leading_modes_and_mean])
@pytest.mark.parametrize("fault", ["wrong", "not orthogonal", "failed"])
def test_inaccurate_directions_are_not_used(monkeypatch, calls, fault, modes):
    """Divide and conquer on the same tridiagonal matrix replaces them; the reduction is not made again."""
    covariance = in_basis(SPECTRA["distinct"], orthogonal(SIZE, np.random.default_rng(3)))
    inverse_iteration, whole = leading.dstein, leading.scipy.linalg.eigh_tridiagonal

    def spoilt(vectors):
        vectors = vectors.copy()
        vectors[:, 0] = vectors[:, 1] if fault == "not orthogonal" else vectors[:, 0] + 1e-9
        return vectors

    def faulty_vectors(*arguments):
        vectors, failed = inverse_iteration(*arguments)
        return (vectors, 1) if fault == "failed" else (spoilt(vectors), failed)

    def faulty_pairs(*arguments, **options):
        values, vectors = whole(*arguments, **options)
        if options["lapack_driver"] == "stevd":
            return values, vectors
        if fault == "failed":
            raise np.linalg.LinAlgError("did not converge")
        return values, spoilt(vectors)

    monkeypatch.setattr(leading, "dstein", faulty_vectors)
    monkeypatch.setattr(leading.scipy.linalg, "eigh_tridiagonal", faulty_pairs)
    values, directions = modes(covariance, 3)
    known = SIZE if modes is leading_modes else 3
    check(covariance, np.concatenate([SPECTRA["distinct"][:known], values[::-1][known:]]), values, directions)
    tried = {} if modes is leading_modes else {"stebz": 1}
    assert calls == {"reduction": 1, "values": 1, "stein": 1, "stevd": 1} | tried


@pytest.mark.parametrize("count", [FEW, COUNT])
@EVERY_SPECTRUM
def test_leading_modes_and_mean(eigenvalues, count, calls):
    """The leading ones as `leading_modes` has them, and the same sum; at most one reduction, and no second attempt."""
    covariance = in_basis(eigenvalues, orthogonal(SIZE, np.random.default_rng(0)))
    values, directions = leading_modes_and_mean(covariance, count)
    assert directions.shape == (SIZE, count)
    expected = np.concatenate([eigenvalues[:count], values[::-1][count:]])
    check(covariance, expected, values, directions)
    assert np.all(np.diff(values) >= 0)
    rounding = SIZE * np.finfo(float).eps
    np.testing.assert_allclose(values.sum(), eigenvalues.sum(), rtol=0, atol=SIZE * rounding * eigenvalues[0])
    assert calls["reduction"] == 1
    assert calls["stebz"] + calls["stein"] + calls["stevd"] == 1


def test_eigenvalues_beyond_are_computed_where_their_sum_has_lost_its_digits(calls):
    """A sum of others of 1e-9 is left of a trace; one of rounding is zero."""
    rng = np.random.default_rng(0)
    for small, all_of_them in [(1e-9, True), (0.0, False)]:
        eigenvalues = np.where(np.arange(SIZE) < FEW, 1.0, small * np.linspace(2, 1, SIZE))
        calls.clear()
        values, _ = leading_modes_and_mean(in_basis(eigenvalues, orthogonal(SIZE, rng)), FEW)
        np.testing.assert_allclose(values[::-1], eigenvalues, rtol=0, atol=SIZE * np.finfo(float).eps)
        assert calls == {"reduction": 1, "stebz": 1} | ({"values": 1} if all_of_them else {})
        assert all_of_them == (values[0] > 0)


@pytest.mark.parametrize(
    ("ratio", "products"),
    [(0.0, 2), (1e-9, 2), (0.01, 8), (0.06, 12), (0.5, -3), (0.9, -2), (1.0, -2)],
)
def test_products_are_given_up_where_a_reduction_is_cheaper(calls, ratio, products):
    """Six eigenvalues about 2, and the others about so many times as large; a negative number is given up."""
    eigenvalues = np.where(np.arange(MANY) < 6, np.linspace(2, 1, MANY), ratio * np.linspace(2, 1, MANY))
    covariance = in_basis(eigenvalues, orthogonal(MANY, np.random.default_rng(0)))
    values, directions = leading_modes_and_mean(covariance, 6)
    check(covariance, np.concatenate([eigenvalues[:6], values[::-1][6:]]), values, directions)
    np.testing.assert_allclose(values.sum(), eigenvalues.sum(), rtol=1e-10)
    needed = calls["product"] + 1  # the first is of random directions
    if products > 0 and ratio != 1e-9:
        assert needed <= products
        assert calls["reduction"] == 0
    else:
        assert needed <= abs(products)
        assert calls["reduction"] == calls["stebz"] == 1
        assert calls["values"] == (ratio == 1e-9)


def test_products_are_not_tried_where_they_cannot_be_worth_it(calls):
    for size, count in [(MANY - 1, 2), (MANY, int(leading.SMALL_SHARE * MANY) + 1)]:
        leading_modes_and_mean(np.diag(np.geomspace(1, 1e-4, size)), count)
        assert calls["product"] == 0


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_indefinite_matrices_end_with_a_reduction(sign):
    """They are no covariances; where that is not noticed, the eigenvalues are right all the same."""
    eigenvalues = sign * np.where(np.arange(MANY) % 2, -1.0, 0.5)
    covariance = in_basis(eigenvalues, orthogonal(MANY, np.random.default_rng(0)))
    values, _ = leading_modes_and_mean(covariance, 3)
    np.testing.assert_allclose(values[-3:], max(eigenvalues), atol=1e-12)
