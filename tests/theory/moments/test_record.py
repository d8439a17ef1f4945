"""The moments of data: exact at any offset, by rational arithmetic; and what is refused, with the reason."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from scipy.sparse import csr_array

from tests.theory.moments.exact import exact_moments, relative_errors
from theory import model, optimum
from theory.moments import Moments, as_moments

RNG = np.random.default_rng(0)


def test_moments_of_data_are_those_of_maximum_likelihood():
    data = RNG.standard_normal((30, 4)) + 2
    moments = Moments.of(data)
    assert moments.count == 30
    np.testing.assert_allclose(moments.mean, data.mean(axis=0))
    np.testing.assert_allclose(moments.covariance, np.cov(data, rowvar=False, bias=True), atol=1e-14)
    assert Moments.of(np.ones((2, 3))).covariance.max() == 0
    assert model.Moments is Moments


def test_moments_of_data_in_several_pieces(monkeypatch):
    """A mean that is large against the spread, which would cancel if the data were not centred first."""
    data = RNG.standard_normal((23, 4)) + 1e6
    expected = np.cov(data, rowvar=False, bias=True)
    for rows in (1, 5, 22, 23, 24):
        monkeypatch.setattr("theory.moments.sums.block_rows", lambda data_dim, rows=rows: rows)
        covariance = Moments.of(data).covariance
        np.testing.assert_allclose(covariance, expected, rtol=1e-9, atol=1e-9)
        np.testing.assert_array_equal(covariance, covariance.T)


def random_data(number: int) -> np.ndarray:
    """Columns of any offset up to 1e15 and any spread, some constant; integers, short floats and outliers by turns."""
    rng = np.random.default_rng(number)
    rows, columns = rng.integers(2, 30), rng.integers(1, 4)
    offset = 10.0 ** rng.uniform(-3, 15, columns) * rng.choice([-1, 0, 1], columns)
    spread = 10.0 ** rng.uniform(-8, 8, columns) * rng.choice([0, 1, 1, 1], columns)
    data = offset + spread * rng.standard_normal((rows, columns))
    if number % 5 == 0:
        data[0] += 1e8 * spread
    return [data, np.round(data).astype(np.int64), data.astype(np.float32), data * 1e-120, data * 1e100][number % 5]


@pytest.mark.parametrize("rows", [512, 4])
def test_the_covariance_is_exact_up_to_rounding_at_any_offset(monkeypatch, rows):
    """Rounding: a few units of 2.2e-16 in sums of up to thirty products."""
    monkeypatch.setattr("theory.moments.sums.block_rows", lambda data_dim, rows=rows: rows)
    for number in range(40):
        data = random_data(number)
        assert relative_errors(data, Moments.of(data).covariance) < 4e-15, number


@pytest.mark.parametrize("offset", [1e8, 1e11, 1e15])
def test_many_rows_far_from_zero(offset):
    """The sum of so many large numbers is rounded by up to 1e5 x 1e-16 of itself: it must enter nowhere."""
    data = RNG.standard_normal((20_000, 2)) + offset
    shifted = data - offset  # without rounding: the numbers are closer to the offset than by a factor of two
    expected = np.cov(shifted, rowvar=False, bias=True)
    np.testing.assert_allclose(Moments.of(data).covariance, expected, rtol=0, atol=1e-14)


def test_a_constant_column_has_no_variance_whatever_its_value():
    columns = [np.full(5_000, value) for value in (1_000_000.1, 1 / 3, -1e15 + 0.1, 1.7e308, 5e-324)]
    data = np.column_stack([*columns, RNG.standard_normal(5_000)])
    moments = Moments.of(data)
    assert not moments.covariance[:5].any() and moments.covariance[5, 5] > 0.9
    np.testing.assert_array_equal(moments.mean[:5], data[0, :5])


def test_what_is_learned_from_data_far_from_zero_has_their_rank():
    """Of 5 rows the covariance has rank 4; with the mean's rounding in it the rank was 5 and a noise was learned."""
    best = optimum(Moments.of(RNG.random((5, 100)) + 1e9), 4)
    assert (best.noise_status, best.loss, np.count_nonzero(best.eigenvalues)) == ("zero", -np.inf, 4)
    best = optimum(Moments.of(np.column_stack([np.full(1_000, 1_000_000.1), RNG.standard_normal(1_000)])), 1)
    assert (best.noise_status, best.loss, best.noise_variance) == ("zero", -np.inf, 0.0)


def merged(a: Moments, b: Moments, remainders: bool) -> np.ndarray:
    """The covariance of two data sets together, from their moments."""
    gap = b.mean - a.mean
    if remainders:
        gap = gap + (b._remainder - a._remainder)
    count = a.count + b.count
    return (a.count * a.covariance + b.count * b.covariance) / count + a.count * b.count / count**2 * np.outer(gap, gap)


def test_the_remainder_of_the_mean_makes_merging_exact():
    """The means of the parts are 2 apart, each rounded by up to 7e-9; an error e of their gap enters as about e."""
    for seed in range(5):
        rng = np.random.default_rng(seed)
        data = rng.standard_normal((40, 3)) + 1e8
        data[17:] += 2.0
        parts = Moments.of(data[:17]), Moments.of(data[17:])
        assert relative_errors(data, merged(*parts, remainders=True)) < 1e-14
        assert relative_errors(data, merged(*parts, remainders=False)) > 1e-11
        means, _ = exact_moments(data[:17])
        kept = [Fraction(a) + Fraction(b) for a, b in zip(parts[0].mean, parts[0]._remainder, strict=True)]
        assert max(abs(float(a - b)) for a, b in zip(kept, means, strict=True)) < 1e-15


def test_moments_by_hand_have_no_remainder():
    moments = Moments(7, np.ones(2), np.eye(2))
    assert not moments._remainder.any() and "_remainder" not in repr(moments)


def test_moments_pass_through_and_a_matrix_is_taken_as_centred():
    moments = Moments(7, np.ones(2), np.eye(2))
    assert as_moments(moments) is moments
    taken = as_moments([[2.0, 0.5], [0.5, 1.0]])
    assert taken.count == 0 and not taken.mean.any()


@pytest.mark.parametrize("scale", [1e-200, 1e-150, 1e154, 1e160, 1e300])
def test_data_whose_squares_are_no_floats_are_refused(scale):
    """All columns, or one among others: its variance would be 0, lose digits, or be infinite."""
    data = RNG.standard_normal((50, 2))
    size = "too small; rescale" if scale < 1 else "too large; rescale"
    for scaled, column in ((data * scale, 0), (data * [1.0, scale], 1)):
        with pytest.raises(ValueError, match=rf"those of column {column} \(.*\) are {size}"):
            Moments.of(scaled)


@pytest.mark.parametrize("rows", [1, 4, 512])
@pytest.mark.parametrize("at", [0, 1, 4, 6, 19])
def test_squares_that_underflow_are_found_in_any_block(monkeypatch, rows, at):
    """A column of zeros with one tiny number, or with tiny numbers from a row on: a step between blocks, or in one."""
    monkeypatch.setattr("theory.moments.sums.block_rows", lambda data_dim: rows)
    for last in (at + 1, 20):
        data = RNG.standard_normal((20, 3))
        data[:, 1] = 0.0
        if (at, last) != (0, 20):
            data[at:last, 1] = 1e-150
            with pytest.raises(ValueError, match=r"those of column 1 \(.*spread 1e-150\) are too small; rescale"):
                Moments.of(data)
        data[:, 1] = 1.0
        data[at:last, 1] = 1 + 1e-9  # nearly constant in all blocks but one
        assert relative_errors(data, Moments.of(data).covariance) < 1e-14


@pytest.mark.parametrize("scale", [1e-144, 1e150])
def test_data_whose_squares_are_just_floats_keep_their_digits(scale):
    data = RNG.standard_normal((20, 2)) * scale
    assert relative_errors(data / scale, Moments.of(data).covariance / scale / scale) < 1e-14


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: Moments(-1, np.zeros(2), np.eye(2)), "count must be >= 0"),
        (lambda: Moments(3, np.zeros(3), np.eye(2)), "mean must have length 2"),
        (lambda: Moments(3, np.zeros(2), np.ones((2, 3))), "covariance must be square"),
        (lambda: as_moments([[1.0, 0.5], [0.0, 1.0]]), "covariance must be symmetric"),
        (lambda: optimum(csr_array(np.eye(3)), 1), "covariance must be an array in memory, got an object of type csr"),
        (lambda: Moments.of(np.ones((1, 3))), "data must have at least two rows"),
        (lambda: Moments.of(np.ones((5, 0))), "data must have at least one column, got an array of shape (5, 0)"),
        (lambda: Moments.of(np.ones(3)), "data must be a matrix"),
        (
            lambda: Moments.of([[1.0, np.nan], [0.0, 1.0]]),
            "data must be finite, row 0, column 1 (counted from 0) is nan",
        ),
        (lambda: Moments.of(np.full((3, 2), np.inf)), "data must be finite, row 0, column 0"),
        (lambda: Moments.of(np.ma.masked_equal([[1, 2], [3, -999]], -999)), "data must have no masked entries"),
        (lambda: Moments.of(np.ones((2, 2), dtype="M8[D]")), "data must be numeric, got an array of datetime64[D]"),
        (lambda: Moments.of(Moments(0, [0.0], [[1.0]])), "data must be numeric, got an object of type Moments"),
        (
            lambda: Moments.of(np.broadcast_to(1.0, (2, 10**6))).covariance,
            "data with 1000000 columns needs 7.45e+03 GiB",
        ),
    ],
)
def test_what_is_refused(call, said):
    with pytest.raises(ValueError) as caught:
        call()
    assert said in str(caught.value)


def test_entries_that_are_not_finite_are_found_in_any_block(monkeypatch):
    monkeypatch.setattr("theory.moments.sums.block_rows", lambda data_dim: 2)
    for value in (np.nan, np.inf, -np.inf):
        for row in range(5):
            data = RNG.standard_normal((5, 3))
            data[row, 1] = value
            with pytest.raises(ValueError, match=f"data must be finite, row {row}, column 1"):
                Moments.of(data)


@pytest.mark.parametrize("offset", [0.0, 1e8])
@pytest.mark.parametrize("cuts", [[3], [1, 2, 500], [700]])
def test_moments_of_parts_add_up(offset, cuts):
    data = np.random.default_rng(0).standard_normal((1000, 4)) * [1, 2, 3, 4] + offset * np.array([1, -1, 2, 0.5])
    whole, total = Moments.of(data), None
    for part in np.array_split(data, cuts):
        moments = Moments.of(part) if len(part) > 1 else Moments(1, part[0], np.zeros((4, 4)))
        total = moments if total is None else total + moments
    assert total.count == 1000
    np.testing.assert_allclose(total.covariance, whole.covariance, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(total.mean, whole.mean, rtol=1e-15, atol=1e-14)  # of spreads from 1 to 4


def test_moments_that_do_not_fit_are_not_added():
    moments = Moments(3, np.zeros(2), np.eye(2))
    with pytest.raises(ValueError, match="the same dimensions to be added, got 2 and 3"):
        moments + Moments(3, np.zeros(3), np.eye(3))
    with pytest.raises(ValueError, match="must have a count"):
        Moments(0, np.zeros(2), np.eye(2)) + Moments(0, np.zeros(2), np.eye(2))
    with pytest.raises(TypeError):
        moments + 1
