"""Centred rows, dense and sparse, against the numbers they stand for."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sparse

from tests.theory.moments.exact import relative_errors
from theory import Moments
from theory.moments import statistics_of_block
from theory.moments.few_rows import CentredRows, SparseRows

RNG = np.random.default_rng(0)


def mostly_zero(count, data_dim, share=0.2):
    """A matrix with zeros, a column far from zero, a constant one, and one of which just half is stored."""
    data = RNG.standard_normal((count, data_dim)) * (RNG.random((count, data_dim)) < share)
    data[:, 1] = 1e8 + RNG.standard_normal(count)
    data[:, 2] = 7.0
    data[:, 3] = np.where(np.arange(count) < count // 2, 1e6, 0.0)
    return data


@pytest.fixture(params=[(12, 30), (30, 12), (8, 9)])
def both(request):
    data = mostly_zero(*request.param)
    return data, CentredRows.of(data.copy())[0], SparseRows.of(sparse.csr_array(data))[0]


def test_what_rows_are_asked_is_what_the_numbers_say(both):
    data, dense, stored = both
    centred = dense.dense()
    scale = np.abs(centred).max(axis=0) + 1e-300
    np.testing.assert_allclose(stored.dense() / scale, centred / scale, rtol=0, atol=1e-14)
    vectors, directions = RNG.standard_normal((len(data), 3)), RNG.standard_normal((data.shape[1], 2))
    for rows in (dense, stored):
        assert (len(rows), rows.data_dim) == data.shape
        np.testing.assert_allclose(rows.gram(), centred @ centred.T / len(data), rtol=1e-12)
        assert relative_errors(data, rows.covariance()) < 1e-14
        assert relative_errors(data, np.diag(rows.variances) + rows.covariance() * (1 - np.eye(len(scale)))) < 1e-14
        np.testing.assert_array_equal(rows.covariance(), rows.covariance().T)
        found = rows.transposed_times(vectors)
        np.testing.assert_allclose(found / scale[:, np.newaxis], centred.T @ vectors / scale[:, np.newaxis], atol=1e-12)
        np.testing.assert_allclose(
            rows.times(directions / scale[:, np.newaxis]), centred / scale @ directions, atol=1e-8
        )
        assert rows.variances[2] == 0
    operator = stored.operator()
    np.testing.assert_allclose(operator @ directions, dense.covariance() @ directions, rtol=1e-8)
    np.testing.assert_allclose(operator @ directions[:, 0], dense.covariance() @ directions[:, 0], rtol=1e-8)


def test_a_sparse_matrix_is_not_filled_nor_changed():
    """2,000 x 2,000,000 numbers would take 32 GB."""
    places = RNG.integers(0, 2_000_000, 20_000), RNG.integers(0, 2_000, 20_000)
    matrix = sparse.coo_array((RNG.standard_normal(20_000), places[::-1]), shape=(2_000, 2_000_000)).tocsr()
    before = matrix.copy()
    moments = Moments.of(matrix)
    np.testing.assert_allclose(
        moments.variances.sum(), (matrix.power(2).sum() - (matrix.sum(0) ** 2).sum() / 2e3) / 2e3
    )
    assert (matrix != before).nnz == 0
    with pytest.raises(ValueError, match=r"covariance of data with 2000000 columns needs 2.98e\+04 GiB"):
        _ = moments.covariance


def test_wide_moments_are_shown_without_their_covariance():
    moments = Moments.of(RNG.standard_normal((3, 1000)))
    assert "1000 variables" in repr(moments) and "covariance" not in vars(moments)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("cuts", [[5], [1, 2, 9], [10, 20], [25]])
def test_rows_are_kept_when_moments_are_added_while_they_are_few(kind, cuts):
    data = mostly_zero(30, 25)
    parts = [Moments.of_statistics(statistics_of_block(kind(part))) for part in np.array_split(data, cuts)]
    total = sum(parts[1:], parts[0])
    assert total.count == 30 and relative_errors(data, total.covariance) < 2e-14
    few = Moments.of(kind(data[:10])) + Moments.of(kind(data[10:20]))
    assert few.rows is not None and relative_errors(data[:20], few.covariance) < 2e-14


def test_moments_are_summed_by_sum():
    parts = [Moments.of(part) for part in np.array_split(mostly_zero(30, 5), 3)]
    assert sum(parts).count == 30
    np.testing.assert_array_equal(sum(parts).covariance, (parts[0] + parts[1] + parts[2]).covariance)
    with pytest.raises(TypeError):
        sum(parts, 1)


def test_standardized_sparse_moments_are_not_filled_and_add_up_with_others():
    places = RNG.integers(0, 2_000_000, 20_000), RNG.integers(0, 200, 20_000)
    matrix = sparse.coo_array((RNG.standard_normal(20_000), places[::-1]), shape=(200, 2_000_000)).tocsr()
    found = Moments.of(matrix).standardized()
    assert found.rows.nbytes < 2**26
    assert found.variances.sum() == pytest.approx(np.count_nonzero(found.variances))
    data = mostly_zero(20, 30)
    some, others = Moments.of(sparse.csr_array(data[:9])).standardized(), Moments.of(sparse.csr_array(data[9:]))
    expected = Moments.of(data[:9]).standardized() + Moments.of(data[9:])
    np.testing.assert_allclose((some + others).mean, expected.mean, rtol=1e-12)
    size = np.sqrt(expected.variances.max())
    np.testing.assert_allclose((some + others).covariance / size**2, expected.covariance / size**2, atol=1e-13)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("shape", [(30, 5), (5, 30)])
def test_standardized_moments_are_those_of_standardized_data(shape, kind):
    data = mostly_zero(*shape)
    moments = Moments.of(kind(data))
    deviations = np.sqrt(moments.variances)
    inverse = np.divide(1.0, deviations, out=np.zeros(len(deviations)), where=deviations > 0)
    expected = Moments.of((data - data.mean(axis=0)) * inverse)
    found = moments.standardized()
    np.testing.assert_allclose(found.covariance, expected.covariance, atol=1e-7)  # the mean above is rounded at 1e8
    near = np.delete(np.arange(len(deviations)), 1)
    np.testing.assert_allclose(
        found.covariance[np.ix_(near, near)], expected.covariance[np.ix_(near, near)], atol=1e-13
    )
    assert found.count == moments.count and not found.mean.any() and found.variances[2] == 0
