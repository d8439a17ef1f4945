"""Identities of Gaussians against quadrature, scipy and one another."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import multivariate_normal, norm

from theory.gaussian import (
    cholesky,
    entropy,
    hadamard_gap,
    kl_divergence,
    log_determinant,
    solve_lower,
    total_correlation,
)


def random_covariance(size: int, seed: int) -> np.ndarray:
    root = np.random.default_rng(seed).standard_normal((size, size + 2))
    return root @ root.T


def test_log_determinant_and_its_limit():
    matrix = random_covariance(4, 0)
    assert log_determinant(matrix) == pytest.approx(np.log(np.linalg.eigvalsh(matrix)).sum(), abs=1e-10)
    assert log_determinant(np.diag([1.0, 0.0])) == -np.inf
    assert log_determinant(np.zeros((0, 0))) == 0


@pytest.mark.parametrize("columns", [0, 1, 3])
@pytest.mark.parametrize("rows", [0, 1, 5])
def test_a_lower_triangle_is_solved(rows, columns):
    root = np.linalg.cholesky(random_covariance(rows, 2)) if rows else np.zeros((0, 0))
    right = np.random.default_rng(3).standard_normal((rows, columns))
    kept = root.copy(), right.copy()
    found = solve_lower(root, right)
    assert found.shape == right.shape
    np.testing.assert_allclose(root @ found, right, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(root, kept[0])
    np.testing.assert_array_equal(right, kept[1])


@pytest.mark.parametrize("units", [1.0, 2.0**-500, 2.0**500])
@pytest.mark.parametrize("ratio", [1.0, 1e-6, 1e-12])
def test_the_factor_of_a_nearly_singular_covariance_against_sixty_digits(ratio, units):
    basis = np.linalg.qr(np.random.default_rng(0).standard_normal((4, 4)))[0]
    covariance = (basis * [1.0, 3.0, ratio, 2 * ratio]) @ basis.T
    covariance = (covariance + covariance.T) / 2
    with mp.workdps(60):
        exact = np.array(mp.cholesky(mp.matrix(covariance.tolist())).tolist(), dtype=float)
    factor = cholesky(units * covariance) / np.sqrt(units)
    # LAPACK's last pivot is off by up to 1e-16 / ratio.
    np.testing.assert_allclose(np.diagonal(factor), np.diagonal(exact), rtol=1e-15 / np.sqrt(ratio))
    np.testing.assert_allclose(factor, exact, rtol=1e-15 / np.sqrt(ratio), atol=0)
    assert cholesky(np.zeros((0, 0))).shape == (0, 0)


@pytest.mark.parametrize("seed", range(6))
def test_nearly_singular_covariances_against_eighty_digits(seed):
    """Variances over twelve decades, in any units: least eigenvalues have four digits in LAPACK's decomposition."""
    rng, size = np.random.default_rng(seed), 4

    def nearly_singular():
        basis, units = np.linalg.qr(rng.standard_normal((size, size)))[0], 10.0 ** rng.uniform(-5, 5, size)
        matrix = (basis * 10.0 ** np.array([0, -1, -11.5, -12])) @ basis.T * np.outer(units, units)
        return (matrix + matrix.T) / 2

    first, second, mean = nearly_singular(), nearly_singular(), rng.standard_normal(size)
    with mp.workdps(80):
        a, b, m = (mp.matrix(array.tolist()) for array in (first, second, mean))
        whole = mp.log(mp.det(a))
        mixed = b**-1 * (a + m * m.T)
        divergence = (sum(mixed[i, i] for i in range(size)) - size + mp.log(mp.det(b)) - whole) / 2
        alone = sum(mp.log(a[i, i]) for i in range(size))
        pairs = sum(mp.log(mp.det(a[i : i + 2, i : i + 2])) for i in (0, 2))
    assert log_determinant(first) == pytest.approx(float(whole), abs=1e-8)
    assert kl_divergence(mean, first, np.zeros(size), second) == pytest.approx(float(divergence), rel=1e-8)
    assert total_correlation(first) == pytest.approx(float(alone - whole) / 2, abs=1e-8)
    assert hadamard_gap(first, [[0, 1], [2, 3]]) == pytest.approx(float(pairs - whole), abs=1e-8)


def test_entropy():
    matrix = random_covariance(3, 1)
    assert entropy(matrix) == pytest.approx(multivariate_normal(cov=matrix).entropy(), abs=1e-10)
    assert entropy(np.diag([1.0, 0.0])) == -np.inf


def test_divergence_in_one_dimension_by_quadrature():
    q, p = norm(0.3, 0.7), norm(-0.2, 1.4)
    integral, _ = quad(lambda x: q.pdf(x) * (q.logpdf(x) - p.logpdf(x)), -8, 8, epsabs=1e-12)
    assert kl_divergence([0.3], [[0.49]], [-0.2], [[1.96]]) == pytest.approx(integral, abs=1e-10)


def test_divergence_adds_over_independent_coordinates_in_any_basis():
    rng = np.random.default_rng(2)
    basis = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    means, variances = rng.standard_normal((2, 3)), rng.uniform(0.5, 2, (2, 3))
    apart = sum(kl_divergence([means[0, i]], [[variances[0, i]]], [means[1, i]], [[variances[1, i]]]) for i in range(3))
    covariances = [(basis * row) @ basis.T for row in variances]
    together = kl_divergence(basis @ means[0], covariances[0], basis @ means[1], covariances[1])
    assert together == pytest.approx(apart, abs=1e-12)
    assert together > 0


def test_divergence_is_zero_from_itself_and_infinite_from_a_singular_one():
    matrix = random_covariance(3, 3)
    assert kl_divergence(np.ones(3), matrix, np.ones(3), matrix) == pytest.approx(0, abs=1e-12)
    assert kl_divergence(np.zeros(2), np.diag([1.0, 0.0]), np.zeros(2), np.eye(2)) == np.inf
    with pytest.raises(ValueError, match="covariance_p must be positive definite"):
        kl_divergence(np.zeros(2), np.eye(2), np.zeros(2), np.diag([1.0, 0.0]))


@pytest.mark.parametrize("posterior", ["diagonal", [[0, 2], [1, 3]], [[3], [0, 1, 2]]], ids=str)
def test_gap_by_its_definition(posterior):
    matrix = random_covariance(4, 4)
    groups = [[0], [1], [2], [3]] if posterior == "diagonal" else posterior
    blocks = sum(np.linalg.slogdet(matrix[np.ix_(group, group)])[1] for group in groups)
    gap = blocks - np.linalg.slogdet(matrix)[1]
    assert hadamard_gap(matrix, posterior) == pytest.approx(gap, abs=1e-12)
    assert total_correlation(matrix, posterior) == pytest.approx(gap / 2, abs=1e-12)
    scales = np.diag([1e-3, 1.0, 7.0, 1e4])
    assert hadamard_gap(scales @ matrix @ scales, posterior) == pytest.approx(gap, abs=1e-10)


@settings(deadline=None, max_examples=50, derandomize=True)
@given(size=st.integers(1, 6), seed=st.integers(0, 1000))
def test_gap_is_positive_and_falls_as_groups_merge(size, seed):
    matrix = random_covariance(size, seed)
    merged = [[0, *range(2, size)], [1]] if size > 1 else [[0]]
    assert hadamard_gap(matrix) >= hadamard_gap(matrix, merged) - 1e-12
    assert hadamard_gap(matrix, merged) >= hadamard_gap(matrix, "full") == 0


def test_gap_is_zero_for_block_diagonal_matrices_only():
    matrix = np.diag([2.0, 0.5, 3.0])
    assert hadamard_gap(matrix) == pytest.approx(0, abs=1e-15)
    matrix[0, 2] = matrix[2, 0] = 1.0
    assert hadamard_gap(matrix, [[0, 2], [1]]) == pytest.approx(0, abs=1e-15)
    assert hadamard_gap(matrix) == pytest.approx(-np.log(1 - 1 / 6), abs=1e-12)


def test_total_correlation_is_the_divergence_from_independence():
    matrix = random_covariance(4, 5)
    zero, independent = np.zeros(4), np.diag(np.diagonal(matrix))
    assert total_correlation(matrix) == pytest.approx(kl_divergence(zero, matrix, zero, independent), abs=1e-12)


def test_singular_matrices():
    assert hadamard_gap(np.ones((2, 2))) == np.inf
    with pytest.raises(ValueError, match="matrix must have positive definite diagonal blocks"):
        hadamard_gap(np.diag([1.0, 0.0]))
    with pytest.raises(ValueError, match="misses latents"):
        hadamard_gap(np.eye(2), [[0]])


@settings(deadline=None, max_examples=40, derandomize=True)
@given(seed=st.integers(0, 10_000), latents=st.integers(2, 8))
def test_a_code_of_more_latents_than_its_rank_is_singular_in_any_units(seed, latents):
    """V S V^T of rank r < K: the sign of its computed determinant is rounding, its rank is not."""
    rng = np.random.default_rng(seed)
    rank = rng.integers(1, latents)
    encoder = rng.standard_normal((latents, rank)) @ rng.standard_normal((rank, 9))
    encoder *= 10.0 ** rng.uniform(-8, 8, (latents, 1))
    code = encoder @ random_covariance(9, seed) @ encoder.T
    assert log_determinant(code) == entropy(code) == -np.inf
    assert total_correlation(code) == np.inf


@pytest.mark.parametrize("scales", [(1.0, 1.0), (1e-8, 1e8), (1e-70, 1e70), (1e-8, 1e-8)], ids=str)
def test_a_regular_matrix_is_regular_in_any_units(scales):
    """det = (1 - r^2) a^2 b^2; 1 - r^2 is known to rounding over itself."""
    for shortfall, tolerance in ((0.5, 1e-12), (1e-6, 1e-9), (1e-12, 1e-3)):
        correlation = 1 - shortfall
        matrix = np.array([[1.0, correlation], [correlation, 1.0]]) * np.outer(scales, scales)
        expected = np.log((1 - correlation) * (1 + correlation))
        assert total_correlation(matrix) == pytest.approx(-expected / 2, abs=tolerance)
        assert log_determinant(matrix) == pytest.approx(expected + 2 * np.log(scales).sum(), abs=tolerance)
        zero, independent = np.zeros(2), np.diag(np.diagonal(matrix))
        assert kl_divergence(zero, matrix, zero, independent) == pytest.approx(-expected / 2, abs=tolerance)


def test_close_to_singular_blocks_do_not_hide_a_singular_matrix():
    """Three variables whose last is the sum of the others, the first two nearly equal."""
    root = np.array([[1.0, 0.0], [1.0, 1e-5], [2.0, 1e-5]])
    assert hadamard_gap(root @ root.T, [[0, 1], [2]]) == np.inf


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: log_determinant([[1.0, 2.0]]), "matrix must be square"),
        (lambda: log_determinant(np.diag([1.0, -1.0])), "matrix must have no negative eigenvalue"),
        (lambda: entropy(None), "covariance must be numeric"),
        (lambda: hadamard_gap("text"), "matrix must be numeric"),
        (lambda: total_correlation([[np.nan]]), "covariance must be finite"),
        (lambda: total_correlation(np.eye(2), [[0]]), "groups must hold each latent"),
        (lambda: kl_divergence([0.0, 1.0], [[1.0]], [0.0], [[1.0]]), "mean_q must have length 1"),
        (lambda: kl_divergence([0.0], [[1.0]], None, [[1.0]]), "mean_p must be numeric"),
        (lambda: kl_divergence([0.0], np.eye(2), [0.0], [[1.0]]), "covariance_q must be 1 x 1"),
        (lambda: kl_divergence([1e300], [[1.0]], [0.0], [[1e-300]]), "covariance_q and mean_q - mean_p"),
    ],
)
def test_misuse_is_refused(call, named):
    with pytest.raises(ValueError, match=named):
        call()


@pytest.mark.parametrize("r", [1e-2, 1e-4, 1e-6, 1e-8, 1e-12])
@pytest.mark.parametrize("groups", ["diagonal", [[0], [1, 2]]])
def test_a_small_gap_keeps_its_digits(r, groups):
    """det = 1 - 3 r^2 + 2 r^3 for three equal correlations; eigenvalues 1 + x would know the gap to 1e-16 only."""
    units = np.array([1e-8, 0.7, 3e5])
    matrix = np.full((3, 3), r) + (1 - r) * np.eye(3)
    inside = 0.0 if groups == "diagonal" else np.log1p(-(r**2))
    found = hadamard_gap(matrix * units * units[:, np.newaxis], groups)
    assert found == pytest.approx(inside - np.log1p(-3 * r**2 + 2 * r**3), rel=1e-11, abs=0)
