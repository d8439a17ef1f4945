from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from numerics.sampling.gaussian import draw_gaussian, log_density, square_root, triangle

COVARIANCE = np.array([[2.0, 0.6, 0.1], [0.6, 1.0, -0.2], [0.1, -0.2, 0.5]])


def test_log_density_is_scipys_along_the_last_axis():
    differences = np.random.default_rng(0).standard_normal((4, 5, 3))
    found = log_density(differences, np.linalg.cholesky(COVARIANCE))
    np.testing.assert_allclose(found, multivariate_normal(np.zeros(3), COVARIANCE).logpdf(differences), atol=1e-12)


def test_no_dimension_has_density_one():
    np.testing.assert_array_equal(log_density(np.zeros((4, 0)), np.zeros((0, 0))), np.zeros(4))


@pytest.mark.parametrize("covariance", [COVARIANCE, np.diag([2.0, 0.0]), np.ones((2, 2)), np.zeros((2, 2))], ids=str)
def test_square_root_of_a_matrix_that_may_be_singular(covariance):
    root = square_root(covariance)
    np.testing.assert_allclose(root @ root.T, covariance, atol=1e-14)


def test_draws_have_the_covariance():
    draws = draw_gaussian(100_000, square_root(COVARIANCE), np.random.default_rng(1))
    assert draws.shape == (100_000, 3)
    # The standard error of an entry is at most sqrt(2) times the largest variance over sqrt(N).
    np.testing.assert_allclose(draws.T @ draws / len(draws), COVARIANCE, atol=5 * np.sqrt(2 / 1e5) * 2)


def test_draws_of_any_shape_are_the_same_numbers():
    root = np.random.default_rng(2).standard_normal((2, 5))
    flat = draw_gaussian(12, root, np.random.default_rng(3))
    np.testing.assert_array_equal(draw_gaussian((3, 4), root, np.random.default_rng(3)), flat.reshape(3, 4, 2))


def test_a_triangle_keeps_small_parts_of_a_sum():
    first, second = np.array([[1.0], [1.0]]), 1e-12 * np.eye(2)
    root = triangle(first, second)
    np.testing.assert_array_equal(root, np.tril(root))
    # det (F F^T + a^2 I) = 2 a^2 + a^4, which the sum, formed in double precision, has as zero.
    assert np.prod(np.diagonal(root)) ** 2 == pytest.approx(2e-24, rel=1e-3)
    assert np.linalg.det(first @ first.T + second @ second.T) == 0
