"""Scores of draws: what they say of plain codes. Their agreement with the closed forms is in tests/theory."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest

from numerics.sampling.scores import sample_mean_correlation, sample_scores
from theory.scores import GaussianCode, mutual_information_gap, scores

FACTORS = np.random.default_rng(0).uniform(size=(20_000, 3))  # any distribution


def test_a_signed_permutation():
    found = sample_scores(FACTORS, FACTORS[:, [2, 0, 1]] * [-1, 2, 0.1] + 5)
    assert astuple(found)[:7] == pytest.approx((1,) * 7, abs=0.05)
    assert found.informativeness == pytest.approx(1, abs=1e-12)
    assert found.total_correlation == pytest.approx(0, abs=1e-3)


def test_a_code_of_something_else():
    found = sample_scores(FACTORS, np.random.default_rng(1).uniform(size=(20_000, 3)))
    assert found.mutual_information_gap == pytest.approx(0, abs=0.01)
    assert found.sap == pytest.approx(0, abs=1e-3)
    assert found.informativeness == pytest.approx(0, abs=1e-3)
    assert found.mean_correlation == pytest.approx(0, abs=0.03)


def test_a_duplicated_code():
    found = sample_scores(FACTORS[:, :1], np.column_stack([FACTORS[:, 0], FACTORS[:, 0]]))
    assert (found.mutual_information_gap, found.sap) == (pytest.approx(0, abs=1e-12), pytest.approx(0, abs=1e-12))
    assert found.completeness == pytest.approx(0, abs=1e-9)
    assert found.disentanglement == 1


def test_a_single_code():
    found = sample_scores(FACTORS, FACTORS[:, :1])
    assert (found.completeness, found.mean_correlation) == (1, pytest.approx(1 / 3, abs=0.02))
    assert np.isnan(found.hoyer_sparsity)


def test_the_signs_of_the_factors_are_the_sparsest_but_one():
    signs = np.random.default_rng(2).choice([-1.0, 1.0], size=(4000, 4))
    assert sample_scores(signs, signs).hoyer_sparsity == pytest.approx(0, abs=0.01)


def test_what_does_not_vary_counts_as_in_theory():
    """Constant codes and factors, some or all of them: the same values, the same zeros and the same NaN."""
    still = np.full(20_000, 0.1)
    factors = np.random.default_rng(3).standard_normal((20_000, 3))
    code = GaussianCode(np.diag([1.0, 1, 0]), np.diag([4.0, 0, 1, 0]), [[2.0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]])
    found = sample_scores(np.column_stack([factors[:, :2], still]), np.column_stack([
        2 * factors[:, 0], still, factors[:, 1], still
    ]))  # fmt: skip
    assert astuple(found) == pytest.approx(astuple(scores(code)), abs=0.03)
    # Two more constant codes raise completeness only, from that of 2 codes to that of 4.
    mixed = factors[:, :2] @ [[1.0, 0.3], [0.2, 1.0]]
    few, many = (
        sample_scores(factors[:, :2], mixed),
        sample_scores(factors[:, :2], np.column_stack([mixed, still, still])),
    )
    assert 1 - many.completeness == pytest.approx((1 - few.completeness) / 2, rel=1e-12)
    assert many.disentanglement == pytest.approx(few.disentanglement, rel=1e-12)
    collapsed = sample_scores(factors, np.ones((20_000, 2)))
    assert astuple(collapsed) == pytest.approx((*[0] * 8, np.nan), nan_ok=True)
    assert astuple(collapsed) == pytest.approx(
        astuple(scores(GaussianCode(np.eye(3), np.zeros((2, 2)), np.zeros((3, 2))))), nan_ok=True
    )
    nothing = sample_scores(np.ones((20_000, 2)), factors[:, :2])
    assert np.isnan(astuple(nothing)[:7]).all()
    assert nothing.total_correlation == pytest.approx(0, abs=1e-3) and np.isfinite(nothing.hoyer_sparsity)
    assert np.isnan(astuple(sample_scores(np.ones((20_000, 2)), np.ones((20_000, 2))))[8])


def test_codes_that_depend_and_codes_of_any_size():
    rng = np.random.default_rng(4)
    factors = rng.standard_normal((1000, 2))
    dependent = sample_scores(factors, factors @ rng.standard_normal((2, 4)))
    assert dependent.total_correlation == np.inf
    assert sample_scores(factors[:3], rng.standard_normal((3, 5))).total_correlation == np.inf
    plain = sample_scores(factors, factors @ [[1, 0.5], [0, 1]])
    for size in (1e-300, 1e300):
        assert astuple(sample_scores(size * factors, size * (factors @ [[1, 0.5], [0, 1]]))) == pytest.approx(
            astuple(plain), rel=1e-9
        )


@pytest.mark.parametrize("offset", [1e8, 2.0**50])
def test_a_place_far_from_zero_changes_nothing(offset):
    rng = np.random.default_rng(0)
    factors = offset + rng.standard_normal((500, 2))
    codes = offset + (factors - offset) @ [[1.0, 0.3], [0.0, 1.0]] + 0.5 * rng.standard_normal((500, 2))
    assert sample_scores(factors, codes) == sample_scores(factors - offset, codes - offset)  # exact differences


def test_values_one_rounding_apart():
    """Two values, equally often: a code that is the factor (its SAP was 4, of a correlation of 2)."""
    values = np.array([[1.0], [np.nextafter(1.0, 2.0)]] * 50)
    assert sample_scores(values, values).sap == sample_scores(values, values).mean_correlation == 1


def test_a_factor_that_the_code_does_not_know():
    """Its gap is 0 in the population; in a sample it is a ratio of two errors, whatever the number of draws."""
    exact = mutual_information_gap(GaussianCode(np.eye(2), np.eye(2), [[0.8, 0], [0, 0]]), bins=None)
    assert exact == 0.5
    for count in (1000, 20_000):
        found = []
        for seed in range(10):
            factors, noise = np.random.default_rng([seed, 5]).standard_normal((2, count, 2))
            found.append(sample_scores(factors, 0.8 * factors * [1, 0] + noise * [0.6, 1]).continuous_gap)
        assert np.mean(found) > 0.7


@pytest.mark.parametrize(
    ("factors", "codes", "message"),
    [
        (FACTORS, FACTORS[:10], "codes must have one row per row of factors, got 10 for 20000"),
        (FACTORS[:1], FACTORS[:1], "factors must have at least two rows, got 1"),
        (FACTORS[:0], FACTORS[:0], "factors must have at least two rows, got 0"),
        (FACTORS, None, "codes must be numeric, got None"),
        (FACTORS[:, 0], FACTORS, "factors must be a matrix"),
    ],
)
def test_misuse_is_named(factors, codes, message):
    with pytest.raises(ValueError, match=message):
        sample_scores(factors, codes)


def test_bins_that_hold_nothing_or_all():
    with pytest.raises(ValueError, match="half_width must leave the factors more than one bin"):
        sample_scores(FACTORS, FACTORS, bins=3, half_width=1e308)
    assert sample_scores(FACTORS, FACTORS, bins=2, half_width=1e308).mutual_information_gap > 0.9


def test_mean_correlation_of_draws():
    factors = np.random.default_rng(5).standard_normal((400, 2))
    assert sample_mean_correlation(factors, -3 * factors[:, ::-1]) == pytest.approx(1)
    mixed = factors @ np.array([[1.0, 1.0], [-1.0, 1.0]])
    assert sample_mean_correlation(factors, mixed) == pytest.approx(np.sqrt(0.5), abs=0.05)


def test_mean_correlation_of_constant_codes_is_zero():
    # As `theory.scores.disentanglement` counts a code that carries nothing; 0.1 three times has a mean that is not 0.1.
    factors = np.random.default_rng(6).standard_normal((30, 2))
    assert sample_mean_correlation(factors, np.full((30, 2), 0.1)) == 0
    assert sample_mean_correlation(factors, np.column_stack([factors[:, 0], np.full(30, 0.1)])) == pytest.approx(0.5)
    assert sample_mean_correlation(factors, factors[:, :1]) == pytest.approx(0.5)
    assert sample_mean_correlation(1e300 * factors, 1e-300 * factors) == pytest.approx(1)


def test_the_mean_correlation_alone_is_that_of_all_scores():
    rng = np.random.default_rng(8)
    factors = rng.standard_normal((500, 3))
    codes = factors @ rng.standard_normal((3, 4)) + 1e6
    found = sample_scores(factors, codes).mean_correlation
    assert sample_mean_correlation(factors, codes) == pytest.approx(found, abs=1e-14)


def test_codes_far_from_zero_have_the_correlation_of_their_variation():
    """A mean of a billion takes digits, which the shift by the first draw does not lose."""
    factors = np.random.default_rng(7).standard_normal((400, 1))
    whole = np.round(factors * 2**20)
    assert sample_mean_correlation(whole, whole + 2.0**50) == pytest.approx(1, abs=1e-15)


def test_misuse_of_the_mean_correlation():
    with pytest.raises(ValueError, match="codes must be 4 x any"):
        sample_mean_correlation(np.eye(4), np.eye(3))
    with pytest.raises(ValueError, match="factors must have two rows and a column at least"):
        sample_mean_correlation(np.ones((1, 1)), np.ones((1, 1)))
