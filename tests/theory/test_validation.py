"""The checks of arguments: what passes comes back in the form that is wanted, the rest is named with what came."""

from __future__ import annotations

import itertools
import re
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from theory import validation


def rejected(function, *arguments) -> str:
    with pytest.raises(ValueError) as caught:
        function(*arguments)
    return str(caught.value)


@pytest.mark.parametrize(
    "value",
    [1, 2.5, np.float32(0.5), np.int64(3), np.array(4.0), np.uint8(7), np.float16(2), Fraction(1, 2), Decimal(3)],
)
@pytest.mark.parametrize("check", [validation.positive, validation.non_negative])
def test_numbers_of_every_kind_become_floats(check, value):
    number = check("x", value)
    assert type(number) is float and number == float(value)


def test_zero_is_non_negative_but_not_positive():
    assert validation.non_negative("x", 0) == 0
    assert rejected(validation.positive, "x", 0) == "x must be > 0, got 0.0; pass a positive number"
    assert rejected(validation.non_negative, "x", -1) == "x must be >= 0, got -1.0; pass zero or a positive number"
    assert validation.positive("x", 5e-324) == 5e-324


@pytest.mark.parametrize("check", [validation.positive, validation.non_negative])
@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.nan, "x must be finite, got nan; pass a finite number"),
        (np.inf, "x must be finite, got inf; pass a finite number"),
        ("1", "x must be numeric, got '1'; pass numbers, such as 0.5"),
        (b"1", "x must be numeric, got b'1'; pass numbers, such as 0.5"),
        (None, "x must be numeric, got None; pass numbers, such as 0.5"),
        (True, "x must be numeric, got True; pass numbers, such as 0.5"),
        (object, "x must be numeric, got the class object; pass numbers, such as 0.5"),
        ({"a": 1}, "x must be numeric, got an object of type dict; pass numbers, such as 0.5"),
        (np.datetime64("2020-01-01"), "x must be numeric, got an object of type datetime64; pass numbers, such as 0.5"),
        (np.ma.masked, "x must have no masked entries, it has 1; fill them or leave them out"),
        ([1.0, 2.0], "x must be one number, got an array of shape (2,); pass a float, such as 0.5"),
        ([1.0], "x must be one number, got an array of shape (1,); pass a float, such as 0.5"),
        (10**400, "x must be finite, got a number beyond the range of floats; pass smaller ones"),
    ],
)
def test_what_is_no_finite_number(check, value, message):
    assert rejected(check, "x", value) == message


def test_positive_array():
    values = validation.positive_array("betas", [[1, 2], [3, 4]])
    assert values.dtype == np.float64 and values.shape == (2, 2)
    assert validation.positive_array("betas", []).shape == (0,)
    assert validation.positive_array("betas", 2.0).shape == ()
    assert "betas must be > 0 everywhere, its smallest entry is" in rejected(validation.positive_array, "betas", [1, 0])
    assert "betas must be finite, it has 1 NaN" in rejected(validation.positive_array, "betas", [1, np.nan])


@pytest.mark.parametrize(
    "value", [0, 3, np.int64(3), np.uint8(3), np.array(3), np.array(3, dtype=object), np.ma.array(3)]
)
def test_count_takes_whole_numbers(value):
    count = validation.count("latent_dim", value)
    assert type(count) is int and count == value


@pytest.mark.parametrize("value", [2.0, "2", True, np.True_, None, np.float64(2)])
def test_count_takes_nothing_else(value):
    assert rejected(validation.count, "latent_dim", value) == (
        f"latent_dim must be a whole number, got {value!r}; pass an int such as 2"
    )
    for other in (
        [2],
        np.array([2]),
        int,
        np.array(2.0),
        np.ma.masked,
        np.timedelta64(2),
        np.array(np.timedelta64(2)),
        np.array(True),
        np.array(None),
    ):
        assert "latent_dim must be a whole number, got" in rejected(validation.count, "latent_dim", other)


def test_count_has_bounds():
    assert rejected(validation.count, "seeds", -1) == "seeds must be >= 0, got -1; pass zero or a positive whole number"
    assert rejected(validation.count, "seeds", 0, 1) == "seeds must be >= 1, got 0; pass a positive whole number"
    assert rejected(validation.count, "seeds", 1, 2) == "seeds must be >= 2, got 1; pass 2 or more"
    assert rejected(validation.count, "seeds", 9, 0, 8) == "seeds must be <= 8, got 9; pass a smaller number"
    assert "steps must be <= 9007199254740992, got 1000" in rejected(validation.count, "steps", 10**400)
    for check in (validation.count, validation.seed, validation.flag, validation.random_generator):
        for value in (10**5000, -(10**5000)):  # which Python does not write
            assert "got a whole number of thousands of digits; " in rejected(check, "steps", value)


def test_count_must_fit_into_memory():
    assert validation.count("latent_dim", 2**20, bytes_each=8) == 2**20
    assert re.fullmatch(
        r"latent_dim = 2147483648 needs 1.6e\+04 GiB, this machine has [0-9.]+ GiB; pass a smaller number",
        rejected(lambda: validation.count("latent_dim", 2**31, bytes_each=8000)),
    )


def test_seed_and_random_generator():
    assert validation.seed("seed", 2**100) == 2**100
    given = np.random.default_rng(3)
    assert validation.random_generator("rng", given) is given
    for same in (3, np.int32(3), np.random.SeedSequence(3)):
        drawn = validation.random_generator("rng", same).random(4)
        np.testing.assert_array_equal(drawn, np.random.default_rng(3).random(4))
    for value in (None, -1, 0.5, "0", True, np.random, np.random.Generator, [0]):
        assert "rng must be a numpy.random.Generator or a seed" in rejected(validation.random_generator, "rng", value)


def test_seeds_are_a_number_of_them_or_each():
    assert validation.seeds("seeds", 3) == [0, 1, 2]
    assert validation.seeds("seeds", (7, np.int64(2), 2**100)) == [7, 2, 2**100]
    assert "seeds must be >= 1, got 0" in rejected(validation.seeds, "seeds", 0)
    assert "seeds must hold at least 1" in rejected(validation.seeds, "seeds", [])
    assert "seeds must be >= 0, got -1" in rejected(validation.seeds, "seeds", [-1])
    assert "seeds must be <= 8, got 9" in rejected(lambda *given: validation.seeds(*given, maximum=8), "seeds", [9])
    assert "GiB" in rejected(lambda *given: validation.seeds(*given, bytes_each=2**30), "seeds", 2**30)


def test_flag():
    assert validation.flag("match", True) is True and validation.flag("match", np.False_) is False
    for value in (1, 0, "no", None, [True], np.array(True)):
        assert "match must be True or False, got" in rejected(validation.flag, "match", value)


def test_instance():
    assert validation.instance("seed", 3, (int, str)) == 3
    assert rejected(validation.instance, "vae", None, Fraction) == "vae must be a Fraction, got None; pass a Fraction"
    message = "vae must be a Fraction or a Decimal, got the class Fraction; make one"
    assert rejected(validation.instance, "vae", Fraction, (Fraction, Decimal), "make one") == message
    assert "got an object of type ndarray" in rejected(validation.instance, "vae", np.ones(2), Fraction)


def test_sequence():
    assert validation.sequence("betas", range(2)) == (0, 1) and validation.sequence("betas", [], 0) == ()
    assert validation.sequence("parts", ([1], [2, 3])) == ([1], [2, 3])
    assert validation.sequence("betas", np.ones(2)) == (1.0, 1.0)
    for value in ("ab", b"ab", {1: 2}, {1, 2}, 3, None, np.array(3), list):
        assert "betas must be a sequence, got" in rejected(validation.sequence, "betas", value)
    assert "betas must be a sequence, got" in rejected(validation.sequence, "betas", bytearray(b"ab"))
    for value in (itertools.repeat(1.0), range(10**12)):  # no end, and more than any memory
        assert "betas must hold at most 1000000, it holds more" in rejected(validation.sequence, "betas", value)
    assert rejected(validation.sequence, "betas", []) == "betas must hold at least 1, it holds 0; pass a longer list"


def test_choice():
    assert validation.choice("kind", "a", ("a", "b")) == "a"
    assert rejected(validation.choice, "kind", "c", ("a", "b")) == "kind must be one of 'a', 'b', got 'c'"
    assert rejected(validation.choice, "kind", 1, ("a", "b")) == "kind must be one of 'a', 'b', got 1"
    assert "got ['a']" in rejected(validation.choice, "kind", ["a"], ("a", "b"))


def test_vector():
    assert validation.vector("mean", [1, 2], 2).dtype == np.float64
    assert validation.vector("mean", []).shape == (0,)
    for value, shape in (([[1.0]], "(1, 1)"), (1.0, "()")):
        message = f"mean must be a vector, got an array of shape {shape}; pass a one-dimensional array"
        assert rejected(validation.vector, "mean", value) == message
    assert rejected(validation.vector, "mean", [1.0], 2) == "mean must have length 2, got 1; pass 2 numbers"


def test_matrix():
    assert validation.matrix("decoder", [[1, 2, 3]]).shape == (1, 3)
    assert validation.matrix("decoder", np.zeros((3, 0)), (3, None)).shape == (3, 0)
    assert rejected(validation.matrix, "decoder", [1.0]) == (
        "decoder must be a matrix, got an array of shape (1,); pass a two-dimensional array"
    )
    for shape, message in [
        ((3, None), "decoder must be 3 x any, got 2 x 3; pass its transpose"),
        ((None, 2), "decoder must be any x 2, got 2 x 3; pass its transpose"),
        ((2, 2), "decoder must be 2 x 2, got 2 x 3; pass an array of that shape"),
    ]:
        assert rejected(validation.matrix, "decoder", np.ones((2, 3)), shape) == message


@pytest.mark.parametrize("check", [validation.vector, validation.matrix, validation.positive_array])
@pytest.mark.parametrize(
    "value",
    [
        "text",
        [[1, 2], [3]],
        [object()],
        {"a": 1},
        [None, 1.0],
        ["1", "2"],
        np.array(["1", 2], dtype=object),
        [True, False],
        np.array(["2020-01-01"], dtype="datetime64[D]"),
        np.array([1], dtype="timedelta64[s]"),
        np.zeros(2, dtype=[("a", float)]),
    ],
)
def test_arrays_hold_numbers_only(check, value):
    assert "x must be numeric, got " in rejected(check, "x", value)


def test_masked_arrays_pass_if_nothing_is_hidden():
    np.testing.assert_array_equal(validation.vector("x", np.ma.array([1.0, 2.0])), [1.0, 2.0])
    hidden = np.ma.array([[1, 2], [3, -999]], mask=[[0, 0], [0, 1]])
    message = "x must have no masked entries, it has 1; fill them or leave them out"
    assert rejected(validation.matrix, "x", hidden) == message


def test_numbers_that_numpy_has_no_type_for():
    exact = [Fraction(1, 2), Decimal(3), 2**70]
    np.testing.assert_array_equal(validation.vector("x", exact), [0.5, 3.0, 2.0**70])


@pytest.mark.parametrize("value", [1j, np.complex128(1), np.array([1.0, 2j]), [[1, 2j]], np.ones(2, dtype=complex)])
def test_complex_numbers_are_refused_and_not_cast(value):
    message = "x must be real, got complex numbers; pass their real part, if the imaginary part is only rounding"
    checks = [validation.vector, validation.matrix, validation.positive_array, validation.real_array]
    for check in checks + ([validation.positive, validation.non_negative] if np.ndim(value) == 0 else []):
        assert rejected(check, "x", value) == message


def test_real_array_keeps_what_is_not_finite():
    np.testing.assert_array_equal(validation.real_array("x", [1, np.inf, np.nan]), [1, np.inf, np.nan])


def test_positive_or_keyword():
    assert validation.positive_or_keyword("noise_variance", "learned", "learned") == "learned"
    number = validation.positive_or_keyword("noise_variance", np.float32(0.5), "learned")
    assert type(number) is float and number == 0.5
    for words, message in [
        (("learned",), "noise_variance must be a number or 'learned', got 'lerned'"),
        (("true", "learned"), "noise_variance must be a number or 'true' or 'learned', got 'lerned'"),
    ]:
        assert rejected(validation.positive_or_keyword, "noise_variance", "lerned", *words) == message
    assert "noise_variance must be > 0" in rejected(validation.positive_or_keyword, "noise_variance", 0, "learned")


def test_arrays_are_finite():
    assert rejected(validation.matrix, "x", [[np.nan, 1], [np.inf, 2]]) == (
        "x must be finite, it has 2 NaN or infinite entries; remove or replace NaN and infinite entries"
    )


def test_covariance_passes_what_is_unusual_but_right():
    for covariance in (np.zeros((2, 2)), np.ones((3, 3)), np.diag([1e-300, 1]), np.zeros((0, 0)), [[2]]):
        np.testing.assert_array_equal(validation.covariance_matrix("covariance", covariance), covariance)


def test_covariance_is_symmetrised_up_to_rounding_and_not_beyond():
    covariance = np.array([[2.0, 1 + 1e-12], [1.0, 2]])
    checked = validation.covariance_matrix("covariance", covariance)
    assert checked[0, 1] == checked[1, 0]
    np.testing.assert_allclose(checked, covariance, atol=1e-12)
    assert covariance[0, 1] != covariance[1, 0]  # what came in is left alone
    covariance[0, 1] = 1 + 1e-6
    assert "covariance must be symmetric, its largest asymmetry is 1e-06; pass (S + S.T) / 2" in rejected(
        validation.covariance_matrix, "covariance", covariance
    )


def test_covariance_has_no_negative_eigenvalue_beyond_rounding():
    validation.covariance_matrix("covariance", np.diag([1.0, -1e-12]))
    message = rejected(validation.covariance_matrix, "covariance", [[1.0, 2], [2, 1]])
    assert message.startswith("covariance must have no negative eigenvalue, its smallest is -1; ")
    assert "numpy.cov(data, rowvar=False, bias=True)" in message
    for covariance in (np.diag([1.0, -1e-6]), -np.eye(2), [[0.0, 1], [1, 0]]):
        assert "no negative eigenvalue" in rejected(validation.covariance_matrix, "covariance", covariance)


def test_covariance_has_the_wanted_size():
    assert rejected(validation.covariance_matrix, "covariance", np.ones((5, 2))) == (
        "covariance must be square, got 5 x 2; pass a covariance, not the data"
    )
    assert rejected(validation.covariance_matrix, "covariance", np.eye(2), 3) == (
        "covariance must be 3 x 3, got 2 x 2; pass a matrix of that size"
    )


@given(arrays(float, st.tuples(st.integers(1, 5), st.integers(1, 5)), elements=st.floats(-1e3, 1e3, width=32)))
def test_every_gram_matrix_is_a_covariance(factor):
    gram = factor @ factor.T
    np.testing.assert_allclose(validation.covariance_matrix("covariance", gram), gram, rtol=1e-12)


def test_symmetric_matrix_does_not_look_at_eigenvalues():
    np.testing.assert_array_equal(validation.symmetric_matrix("S", [[0, 1], [1, 0]]), [[0, 1], [1, 0]])
    assert "S must be 3 x 3" in rejected(validation.symmetric_matrix, "S", np.eye(2), 3)


def test_spectrum_is_sorted_and_rounding_becomes_zero():
    np.testing.assert_array_equal(validation.non_negative_spectrum("l", [1, 3, 2]), [3, 2, 1])
    np.testing.assert_array_equal(validation.non_negative_spectrum("l", [1e-16, 1, -1e-10]), [1, 0, 0])
    np.testing.assert_array_equal(validation.non_negative_spectrum("l", [1e-14, 1]), [1, 1e-14])  # small, not rounding
    np.testing.assert_array_equal(validation.non_negative_spectrum("l", [0, 0]), [0, 0])
    assert validation.non_negative_spectrum("l", []).shape == (0,)
    for eigenvalues in ([1, -1e-6], [-1], [0, -1e-30]):
        assert "l must have no negative eigenvalue" in rejected(validation.non_negative_spectrum, "l", eigenvalues)


def test_rank_tolerance_scales_with_count_and_largest():
    eps = np.finfo(float).eps
    assert validation.rank_tolerance(np.array([1.0, -8, 2])) == 3 * eps * 8
    assert validation.rank_tolerance(np.array([])) == 0


def test_observations():
    array = np.array([[1.0, 2.0], [3.0, 5.0]])
    assert validation.observations("data", array) is array
    assert validation.observations("data", [[1], [np.nan]], finite=False).shape == (2, 1)
    for value, message in [
        (np.ones((1, 3)), "data must have at least two rows, got 1; pass one observation per row"),
        (np.ones((5, 0)), "data must have at least one column, got an array of shape (5, 0); pass one per variable"),
        (np.ones(3), "data must be a matrix, got an array of shape (3,); pass a two-dimensional array"),
        (
            [[1.0, 2.0], [3.0, -np.inf]],
            "data must be finite, row 1, column 1 (counted from 0) is -inf; remove or replace NaN and infinite entries",
        ),
    ]:
        assert rejected(validation.observations, "data", value) == message


class Frame:
    """What NumPy and the checks see of a data frame: columns with labels and types of their own."""

    def __init__(self, **columns):
        self.columns = list(columns)
        self.arrays = [np.array(values) for values in columns.values()]
        self.dtypes = [array.dtype for array in self.arrays]

    def __array__(self, dtype=None, copy=None):
        kinds = {array.dtype.kind for array in self.arrays}
        return np.stack([array.astype(object) if len(kinds) > 1 else array for array in self.arrays], axis=1)


class NAType:
    """Stands for `pandas.NA`, which no float can be made of."""


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1.0, np.nan, 3.0], "must be finite, row 1, column 'size' (counted from 0) is nan"),
        (["a", "b", "c"], "must be numeric, got 'a' in row 0 (counted from 0) of column 'size'"),
        ([1, NAType(), 2], "must be numeric, got a missing value in row 1 (counted from 0) of column 'size'"),
        ([1, None, 2], "must be numeric, got None in row 1 (counted from 0) of column 'size'"),
        ([True, False, True], "must be numeric, got True in row 0 (counted from 0) of column 'size'"),
        ([1j, 2, 3], "must be real, got complex numbers in row 0 (counted from 0) of column 'size'"),
    ],
)
def test_frames_are_told_the_label_of_the_column(values, message):
    good = np.array([1.0, 2.0, 4.0])
    np.testing.assert_array_equal(validation.observations("data", Frame(age=good, n=[1, 2, 3]))[:, 1], [1, 2, 3])
    assert message in rejected(validation.observations, "data", Frame(age=good, size=values))


def test_frames_of_one_type_of_column():
    for values in ([True, False], ["a", "b"], np.array(["2020", "2021"], dtype="M8[D]"), [1j, 2]):
        assert "in column 'size'" in rejected(validation.observations, "data", Frame(size=values))


def test_frames_of_pandas():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"age": [1.0, 2.0, 4.0], "n": [1, 2, 3]})
    assert validation.observations("data", frame).shape == (3, 2)
    for column, label in ((["a", "b", "c"], "size"), (pandas.array([1, pandas.NA, 2]), "size"), ([1, np.nan, 2], 7)):
        wider = frame.assign(x=column).rename(columns={"x": label})
        assert f"column {label!r}" in rejected(validation.observations, "data", wider)


def test_arrays_that_are_none_are_named_with_the_way_out():
    from scipy import sparse

    message = "x must be numeric, got a sparse csr_array; pass its .toarray()"
    assert rejected(validation.real_array, "x", sparse.csr_array(np.eye(2))) == message
    fields = np.zeros(3, dtype=[("a", float), ("b", int)])
    assert (
        "got an array with the fields 'a', 'b'; pass numpy.lib.recfunctions.structured_to_unstructured(x)"
        in rejected(validation.real_array, "x", fields)
    )


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([1.0, True], "x must be numeric, got True among them"),
        ([[1.0, 2.0], [3.0, False]], "x must be numeric, got False among them"),
        (
            [np.array([True, False]), np.array([1.0, 2.0])],
            "x must be numeric, got an object of type ndarray among them",
        ),
        ([1.0, np.ma.masked], "x must have no masked entries, it has 1"),
        ([[1.0, np.ma.masked], [3.0, 4.0]], "x must have no masked entries, it has 1"),
        ([np.ma.array([1.0, 2.0], mask=[0, 1]), np.ma.array([3.0, 4.0])], "x must have no masked entries, it has 1"),
        (np.array([1.0, np.ma.masked], dtype=object), "x must be numeric, got an object of type MaskedConstant at [1]"),
        (np.array([np.timedelta64(1, "s"), 1.0], dtype=object), "x must be numeric, got np.timedelta64(1,'s') at [0]"),
        (np.array([np.ones(1), 1.0], dtype=object), "x must be numeric, got an object of type ndarray at [0]"),
    ],
)
def test_what_numpy_would_take_for_a_number_among_numbers(value, message):
    assert message in rejected(validation.real_array, "x", value)


def test_numbers_longer_than_a_float_are_infinite():
    assert validation.real_array("x", np.array([np.longdouble(10) ** 400]))[0] == np.inf


def test_the_first_entry_that_is_not_finite(monkeypatch):
    monkeypatch.setattr(validation, "CHECKED_ROWS", 2)
    array = np.zeros((5, 3))
    assert validation.first_not_finite(array) is None and validation.first_not_finite(np.zeros(0)) is None
    array[3, 2] = array[4, 0] = np.nan
    assert validation.first_not_finite(array) == (3, 2) and validation.first_not_finite(array[:, 2]) == (3,)


class Hostile:
    """An object of a foreign class, whatever is asked of which fails."""

    def __init__(self, error):
        self.error = error

    def fail(self, *arguments, **options):
        raise self.error

    __array__ = __float__ = __index__ = __iter__ = __len__ = fail


@pytest.mark.parametrize("error", [ZeroDivisionError(), KeyError("a"), AttributeError(), RuntimeError(), OSError()])
def test_what_a_foreign_class_raises_is_a_refusal_by_name(error):
    value, in_array = Hostile(error), np.array(None)
    in_array[()] = value
    assert "x must be numeric, got" in rejected(validation.number, "x", value)
    assert "x must be numeric, got" in rejected(validation.real_array, "x", in_array)
    assert "x must be a whole number, got" in rejected(validation.count, "x", value)
    assert "x must be a boolean array" in rejected(validation.mask, "x", value, 2)
    assert "x must be a sequence, got" in rejected(validation.sequence, "x", value)


def test_ranges_are_numbers_as_far_as_they_fit_into_memory():
    np.testing.assert_array_equal(validation.vector("x", range(3)), [0.0, 1.0, 2.0])
    assert "x, a range of 1000000000000 numbers, needs" in rejected(validation.vector, "x", range(10**12))


def test_bytes_of_either_kind_are_text():
    assert "x must be numeric" in rejected(validation.vector, "x", bytearray(b"12"))
    assert "x must be numeric" in rejected(validation.vector, "x", b"12")


@pytest.mark.parametrize("check", [validation.vector, validation.positive_array])
def test_what_was_checked_does_not_change_with_the_callers_array(check):
    given = np.array([1.0, 2.0])
    checked = check("x", given)
    given[0] = np.nan
    np.testing.assert_array_equal(checked, [1.0, 2.0])
    checked[1] = 7.0
    assert given[1] == 2.0
