"""How the texts of options are read: numbers, ranges, lists, names and posterior families."""

from __future__ import annotations

import numpy as np
import pytest

from theory.interface import options, run


def test_positive_numbers():
    np.testing.assert_array_equal(options.positive_numbers("--beta", "2"), [2])
    np.testing.assert_array_equal(options.positive_numbers("--beta", "0.5, 1,2e0"), [0.5, 1, 2])
    values = options.positive_numbers("--beta", "0.1:10:5")
    np.testing.assert_allclose(values, [0.1, 10**-0.5, 1, 10**0.5, 10], rtol=1e-14)
    assert (values[0], values[-1]) == (0.1, 10)  # the ends as they were written


@pytest.mark.parametrize(
    "text", ["", "x", "1,,2", "1:2", "1:2:x", "1:2:3:4", "2:1:5", "0:1:5", "1:2:1", "1:inf:5", "1:2:2.5"]
)
def test_neither_number_nor_list_nor_range(text):
    with pytest.raises(ValueError, match=r"--beta must be a number, a list such as 0.5,1,2 or a range low:high:count"):
        options.positive_numbers("--beta", text)


@pytest.mark.parametrize("text", ["0", "-1", "1,-2", "nan", "inf", "1,nan"])
def test_numbers_that_are_not_positive(text):
    with pytest.raises(ValueError, match=r"--beta must be > 0 and finite, got .*; pass positive numbers"):
        options.positive_numbers("--beta", text)


def test_a_range_of_too_many_numbers():
    assert len(options.positive_numbers("--beta", "1:2:1000000")) == 1_000_000
    for count in (1_000_001, 10**12, 10**30):
        with pytest.raises(ValueError, match="the count of --beta must be <= 1000000, got 10000"):
            options.positive_numbers("--beta", f"1:2:{count}")


@pytest.mark.parametrize("text", [None, 1, 1j, b"1", ["1"], np.ones(2), object(), str, {}])
def test_what_is_not_text_is_refused(text):
    for read in (
        lambda: options.positive_numbers("--beta", text),
        lambda: options.number_or_keyword("--beta", text, "learned"),
        lambda: options.posterior_family("--beta", text),
        lambda: options.chosen_names("--beta", [text], ["a"]),
    ):
        with pytest.raises(ValueError, match="--beta must be a str, got"):
            read()


@pytest.mark.parametrize("text", ["1_0", "0.5,1_0", "1:2:1_0", "1_0:20:3", "0_1;2"])
def test_underscores_between_digits_are_refused(text):
    """Python reads 1_0 as 10, which nobody means; tables refuse it, too."""
    with pytest.raises(ValueError, match=f"--beta must be a number, a list .*, got '{text}'"):
        options.positive_numbers("--beta", text)
    with pytest.raises(ValueError, match=f"--beta must be a number or learned, got '{text}'"):
        options.number_or_keyword("--beta", text, "learned")
    with pytest.raises(ValueError, match=f"--beta must be diagonal, full, or groups .*, got '{text}'"):
        options.posterior_family("--beta", text)
    with pytest.raises(ValueError, match=f"--beta must be whole numbers separated by commas, got '{text}'"):
        options.whole_numbers("--beta", text)


def test_whole_numbers():
    assert options.whole_numbers("--sizes", "1, 2,-4") == [1, 2, -4]
    with pytest.raises(ValueError, match=r"--sizes must be whole numbers separated by commas, got '1,2\.0'"):
        options.whole_numbers("--sizes", "1,2.0")


def test_number_or_keyword():
    assert options.number_or_keyword("--noise", "learned", "true", "learned") == "learned"
    assert options.number_or_keyword("--noise", "0.5", "learned") == 0.5
    with pytest.raises(ValueError, match=r"--noise must be a number or true or learned, got 'lerned'"):
        options.number_or_keyword("--noise", "lerned", "true", "learned")


def test_chosen_names_come_once_each_in_the_order_given():
    assert options.chosen_names("--only", None, {"a": 1, "b": 2}) == ["a", "b"]
    assert options.chosen_names("--only", ["b, a", "b"], {"a": 1, "b": 2}) == ["b", "a"]
    with pytest.raises(ValueError, match=r"--only must be one of 'a', 'b', got 'c'"):
        options.chosen_names("--only", ["a,c"], {"a": 1, "b": 2})


def test_posterior_family():
    assert options.posterior_family("--posterior", "diagonal") == "diagonal"
    assert options.posterior_family("--posterior", "full") == "full"
    assert options.posterior_family("--posterior", "0, 1;2") == [[0, 1], [2]]
    with pytest.raises(ValueError, match=r"--posterior must be diagonal, full, or groups .* got 'ful'"):
        options.posterior_family("--posterior", "ful")


def test_options_that_commands_share_have_their_flags_and_defaults():
    command = run.Parser(prog="program")
    options.add_observations_option(command)
    options.add_latent_dim_option(command, default=6)
    options.add_posterior_option(command)
    assert vars(command.parse_args([])) == {"data": None, "latent_dim": 6, "posterior": "diagonal"}
    given = command.parse_args(["--data", "x.csv", "--latent-dim", "2", "--posterior", "0,1;2"])
    assert vars(given) == {"data": "x.csv", "latent_dim": 2, "posterior": "0,1;2"}
    command = run.Parser(prog="program")
    options.add_observations_option(command, required=True)
    options.add_latent_dim_option(command, required=True)
    with pytest.raises(ValueError, match="the following arguments are required: --data, --latent-dim"):
        command.parse_args([])
