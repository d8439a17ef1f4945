"""The model of data with measured factors: numpy's least squares, and standard errors against repeated data sets."""

from __future__ import annotations

import numpy as np
import pytest

from theory import GenerativeModel

TRUTH = GenerativeModel([[1.0, 0.9], [0.0, 0.4], [0.3, 0.2]], 0.05, [[1.0, 0.3], [0.3, 2.0]], mean=[5.0, 6.0, 7.0])
ORTHOGONAL = GenerativeModel([[1.0, 0.0], [0.0, 0.4], [0.0, 0.0]], 0.05)


def test_least_squares_with_an_intercept():
    factors, data = TRUTH.sample(50, rng=0)
    fitted = GenerativeModel.from_data(data, factors)
    design = np.column_stack([np.ones(50), factors])
    found, squares, *_ = np.linalg.lstsq(design, data, rcond=None)
    np.testing.assert_allclose(fitted.model.loading, found[1:].T, rtol=1e-12)
    np.testing.assert_allclose(fitted.model.mean, found[0], rtol=1e-12)
    np.testing.assert_allclose(fitted.residual_variances, squares / (50 - 3), rtol=1e-12)
    assert fitted.model.noise_variance == pytest.approx(squares.sum() / (3 * 47), rel=1e-12)
    np.testing.assert_allclose(fitted.model.factor_covariance, np.cov(factors, rowvar=False, bias=True), rtol=1e-12)


def test_standardised_factors_change_units_only():
    factors, data = TRUTH.sample(50, rng=0)
    raw, unit = (GenerativeModel.from_data(data, factors, standardize=flag) for flag in (False, True))
    scales = factors.std(axis=0)
    np.testing.assert_allclose(unit.model.loading, raw.model.loading * scales, rtol=1e-12)
    np.testing.assert_allclose(np.diagonal(unit.model.factor_covariance), 1, rtol=1e-14)
    assert unit.orthogonality_p_value == pytest.approx(raw.orthogonality_p_value, rel=1e-9)
    np.testing.assert_allclose(unit.model.mean, raw.model.mean)


def test_standard_errors_are_the_spread_over_data_sets():
    """Of 400 data sets of 200 observations: deviations in standard errors have variance 1 within sampling error."""
    sizes = {"loading": [], "noise": [], "factors": []}
    for seed in range(400):
        factors, data = TRUTH.sample(200, rng=seed)
        fitted = GenerativeModel.from_data(data, factors)
        sizes["loading"].append((fitted.model.loading - TRUTH.loading) / fitted.loading_errors)
        sizes["noise"].append((fitted.model.noise_variance - TRUTH.noise_variance) / fitted.noise_error)
        difference = fitted.model.factor_covariance - TRUTH.factor_covariance
        sizes["factors"].append(difference / fitted.factor_covariance_errors)
    for name, values in sizes.items():
        spread = np.sqrt(np.mean(np.square(values), axis=0))
        np.testing.assert_allclose(spread, 1, atol=5 / np.sqrt(2 * 400), err_msg=name)


def test_standard_errors_in_units_of_the_factors():
    scales = np.sqrt(np.diagonal(TRUTH.factor_covariance))
    correlation = TRUTH.factor_covariance[0, 1] / scales.prod()
    loadings, correlations = [], []
    for seed in range(400):
        factors, data = TRUTH.sample(200, rng=seed)
        fitted = GenerativeModel.from_data(data, factors, standardize=True)
        loadings.append((fitted.model.loading - TRUTH.loading * scales) / fitted.loading_errors)
        error = fitted.factor_covariance_errors
        correlations.append((fitted.model.factor_covariance[0, 1] - correlation) / error[0, 1])
        assert np.diagonal(error).tolist() == [0, 0]
    for values in (loadings, correlations):
        np.testing.assert_allclose(np.sqrt(np.mean(np.square(values), axis=0)), 1, atol=5 / np.sqrt(2 * 400))


def test_the_relation_of_factors_and_data():
    rng, found = np.random.default_rng(0), []
    for _ in range(400):
        factors, data = rng.standard_normal((30, 2)), rng.standard_normal((30, 3))
        found.append(GenerativeModel.from_data(data, factors).relation_p_value)
    for level in (0.05, 0.25, 0.5):
        assert np.mean(np.array(found) < level) == pytest.approx(level, abs=4 * np.sqrt(level * (1 - level) / 400))
    factors, data = TRUTH.sample(100, rng=0)
    fitted = GenerativeModel.from_data(data, factors)
    residual = data - data.mean(axis=0) - (factors - factors.mean(axis=0)) @ fitted.model.loading.T
    assert fitted.explained == pytest.approx(
        1 - np.sum(residual**2) / np.sum((data - data.mean(axis=0)) ** 2), rel=1e-10
    )
    assert fitted.relation_p_value < 1e-10


def test_p_values_are_uniform_where_there_is_nothing_to_find_and_small_where_there_is():
    found = []
    for seed in range(400):
        factors, data = ORTHOGONAL.sample(100, rng=seed)
        fitted = GenerativeModel.from_data(data, factors)
        found.append([fitted.orthogonality_p_value, fitted.independence_p_value])
    for values in np.transpose(found):
        for level in (0.05, 0.25, 0.5):
            assert np.mean(values < level) == pytest.approx(level, abs=4 * np.sqrt(level * (1 - level) / 400))
    factors, data = TRUTH.sample(400, rng=0)
    fitted = GenerativeModel.from_data(data, factors)
    assert max(fitted.orthogonality_p_value, fitted.independence_p_value) < 1e-3


def test_factors_that_explain_everything_leave_no_noise():
    factors = np.random.default_rng(0).standard_normal((40, 2))
    fitted = GenerativeModel.from_data(factors @ [[1.0, 2, 3], [4, 5, 6]], factors)
    assert fitted.model.noise_variance == 0 and fitted.noise_error == 0
    for data_mean, factor_mean in ((1e6, 0), (0, 1e6), (1e6, -1e6)):  # rounding is that of the numbers as given
        moved = factors + factor_mean
        data = moved @ [[1.0, 2, 3], [4, 5, 6]] + data_mean
        assert GenerativeModel.from_data(data, moved).model.noise_variance == 0


def test_a_small_noise_keeps_its_digits():
    rng = np.random.default_rng(0)
    factors, noise = rng.standard_normal((40, 2)), 1e-9 * rng.standard_normal((40, 3))
    fitted = GenerativeModel.from_data(factors @ [[1.0, 2, 3], [4, 5, 6]] + noise, factors)
    design = np.column_stack([np.ones(40), factors])
    squares = np.linalg.lstsq(design, noise, rcond=None)[1]
    assert fitted.model.noise_variance == pytest.approx(squares.sum() / (3 * 37), rel=1e-5)


@pytest.mark.parametrize(
    ("data", "factors", "words"),
    [
        (np.eye(4), np.eye(4)[:3], "one row for each observation, got 4 and 3 rows"),
        (np.eye(4), np.eye(4), "at least two rows more than factors has columns"),
        (np.eye(5), np.column_stack([np.arange(5), np.ones(5)]), "column 1 .* is constant; leave it out"),
        (np.eye(5), np.column_stack([np.arange(5), 2 * np.arange(5) + 1]), "is a linear combination of the others"),
        (np.eye(5), np.full((5, 1), np.nan), "factors"),
    ],
)
def test_what_does_not_determine_a_model_is_refused(data, factors, words):
    with pytest.raises(ValueError, match=words):
        GenerativeModel.from_data(data, factors)
