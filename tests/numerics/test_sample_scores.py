"""Scores of draws: what they say of plain codes. Their agreement with the closed forms is in tests/theory."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest

from numerics.sample_scores import sample_scores

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


@pytest.mark.parametrize(
    ("factors", "codes", "message"),
    [
        (FACTORS, FACTORS[:10], "codes must have one row per row of factors, got 10 for 20000"),
        (FACTORS, np.ones((20_000, 2)), "codes must vary in every column"),
        (FACTORS[:0], FACTORS[:0], "factors must vary in every column"),
        (FACTORS[:, 0], FACTORS, "factors must be a matrix"),
    ],
)
def test_misuse_is_told(factors, codes, message):
    with pytest.raises(ValueError, match=message):
        sample_scores(factors, codes)
