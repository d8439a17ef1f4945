"""Mutual information of binned Gaussian variables: by cells, by quadrants, and in the limit of many bins."""

from __future__ import annotations

from itertools import pairwise

import mpmath as mp
import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from theory.scores.binned import MOST_CELLS, binned_entropy, binned_information, bivariate_normal, discrete_entropy


@pytest.mark.parametrize("correlation", [-1.0, -0.9999, -0.6, 0.0, 0.3, 0.95, 0.999999, 1.0])
@pytest.mark.parametrize("bins", [2, 5, 20])
def test_information_by_cells(correlation, bins):
    ends = np.concatenate([[-40.0], np.linspace(-3, 3, bins + 1)[1:-1], [40.0]])
    marginal = np.diff(norm.cdf(ends))
    if abs(correlation) == 1:
        expected = -np.sum(marginal * np.log(marginal))
    else:
        grid = np.stack(np.meshgrid(ends, ends, indexing="ij"), axis=-1)
        cumulative = multivariate_normal([0, 0], [[1, correlation], [correlation, 1]]).cdf(grid)
        cells = np.diff(np.diff(cumulative, axis=0), axis=1)
        positive = cells > 1e-14
        expected = np.sum(cells[positive] * np.log(cells[positive] / np.outer(marginal, marginal)[positive]))
    # The tolerance is the accuracy of scipy's cells.
    assert binned_information(correlation, bins, 3.0) == pytest.approx(expected, abs=1e-6)


def test_distribution_function_on_the_axes():
    for correlation in (-0.9, 0.0, 0.4):
        assert bivariate_normal(0.0, 0.0, correlation) == pytest.approx(0.25 + np.arcsin(correlation) / (2 * np.pi))
        both = multivariate_normal([0, 0], [[1, correlation], [correlation, 1]])
        for point in [(0.0, 1.2), (0.0, -1.2), (0.7, 0.0), (-0.7, 0.0), (-0.7, 0.3), (-1.0, -2.0), (1.0, 2.0)]:
            assert bivariate_normal(*point, correlation) == pytest.approx(both.cdf(point), abs=1e-10)


@pytest.mark.parametrize("size", [1e-15, 1e-6])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("place", [(1.0, 1.0), (1.0, 1.5)])
def test_distribution_function_of_almost_one_variable(size, sign, place):
    """Y = r X + q N(0, 1) with q = sqrt(2 size): its edges within a few q of those of X, by quadrature at 30 digits."""
    correlation = sign * (1 - size)
    with mp.workdps(30):
        q = mp.sqrt((1 - mp.mpf(correlation)) * (1 + mp.mpf(correlation)))
        x = float(place[0] + q)
        y = float(sign * (place[0] + (place[1] - place[0]) * 4 * q))
        ends = [-9, *sorted(min(max((y + k * q) / mp.mpf(correlation), -9), x) for k in range(-9, 10, 3)), x]
        expected = mp.quad(lambda u: mp.npdf(u) * mp.ncdf((mp.mpf(y) - mp.mpf(correlation) * u) / q), ends)
    assert bivariate_normal(x, y, correlation) == pytest.approx(float(expected), abs=1e-15)


def test_narrow_bins_of_almost_one_variable():
    """Edges within 1e-50 of zero cut as one does, where X and Y differ by far more."""
    for correlation in (1 - 2.0**-53, 2.0**-53 - 1):
        two = binned_information(correlation, 2, 4.0)
        # 18 x 18 cells of probability zero: rounding of each, 1e-16, times its logarithm.
        assert binned_information(correlation, 20, 1e-50) == pytest.approx(two, abs=1e-12)


def test_two_bins_are_the_quadrant_formula():
    for correlation in (-0.8, 0.2, 0.99):
        same = 0.5 + np.arcsin(correlation) / np.pi
        expected = np.log(2) + same * np.log(same) + (1 - same) * np.log(1 - same)
        assert binned_information(correlation, 2, 4.0) == pytest.approx(expected, abs=1e-13)


def test_many_bins_are_the_continuous_information():
    continuous = -np.log(1 - 0.7**2) / 2
    losses = [continuous - binned_information(0.7, bins, 6.0) for bins in (20, 40, 80, 160)]
    assert all(0 < fine < coarse for coarse, fine in pairwise(losses))
    assert losses[-1] < 0.01


@pytest.mark.parametrize("bins", [2, 3, 20])
def test_many_correlations_are_each_alone(bins):
    """In several portions of `MOST_CELLS`, with the correlations among them that need no cells."""
    correlations = np.linspace(-1, 1, 2 * MOST_CELLS // bins**2 + 1)[: 2 * 20**2]
    together = binned_information(correlations[:, np.newaxis], bins, 3.0)
    alone = [[binned_information(one, bins, 3.0)] for one in correlations]
    np.testing.assert_array_equal(together, alone)


def test_information_at_the_ends():
    for bins in (2, 20):
        assert binned_information([[1.0, -1.0, 0.0]], bins, 4.0) == pytest.approx(
            np.array([[1, 1, 0]]) * binned_entropy(bins, 4.0), abs=1e-13
        )
    assert binned_entropy(2, 1.0) == pytest.approx(np.log(2))
    assert binned_information(0.3, 20, 4.0) == pytest.approx(binned_information(-0.3, 20, 4.0), abs=1e-13)


def test_edges_of_any_size():
    """Bins beyond all draws cut at 0 alone; bins much narrower than one draw leave the two outer ones."""
    two = binned_information(0.5, 2, 1.0)
    for half_width in (1e-320, 1e-90, 1e300, 1e308):
        assert binned_information(0.5, 4, half_width) == pytest.approx(two, abs=1e-13)
        assert binned_entropy(4, half_width) == pytest.approx(np.log(2))
    assert bivariate_normal(np.inf, [0.3, -np.inf], 0.7) == pytest.approx([norm.cdf(0.3), 0], abs=1e-15)
    assert bivariate_normal(1e-320, -1e-310, 0.5) == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: binned_information([0.5, 1.1], 20, 4.0), "correlations must be from -1 to 1"),
        (lambda: bivariate_normal(0.0, 0.0, np.nan), "correlation must be finite"),
        (lambda: bivariate_normal([0.0, 1.0], np.zeros(3), 0.5), "x and y must have shapes that broadcast"),
        (lambda: bivariate_normal(np.nan, 0.0, 0.5), "x must be numbers, some are NaN"),
        (lambda: discrete_entropy([0.5, 0.6]), "probabilities must be >= 0 and add up to 1"),
    ],
)
def test_what_is_no_probability_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("bins", "half_width", "message"),
    [
        (1, 4.0, "bins must be >= 2"),
        (2.5, 4.0, "bins must be a whole number"),
        (20, 0.0, "half_width must be > 0"),
    ],
)
def test_misuse_is_refused(bins, half_width, message):
    with pytest.raises(ValueError, match=message):
        binned_information(0.5, bins, half_width)
    with pytest.raises(ValueError, match=message):
        binned_entropy(bins, half_width)


def test_an_entropy_is_never_below_zero():
    assert discrete_entropy([1 + 1e-9]) == 0  # 1e-9 more than everything is allowed for rounding


def test_counts_of_a_foreign_class():
    class Four:
        def __index__(self):
            return 4

    np.testing.assert_array_equal(binned_information([0.3], Four(), 3.0), binned_information([0.3], 4, 3.0))
