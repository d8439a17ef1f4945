"""The data of a figure, and what the budget of a figure trains on them."""

from __future__ import annotations

import numpy as np
import pytest

from figures import (
    collapse,
    learned_noise,
    rate_distortion,
)
from figures.kit import real_data
from tests.figures.helpers import observations
from theory import Moments


def test_the_digits_keep_all_latents_and_betas():
    digits = real_data.real_data()
    assert digits.largest_affordable(collapse.LATENTS, 26) == 12
    assert digits.affordable_betas([12], 26) == 26
    for latent_dims, wanted in ((rate_distortion.LATENTS, 12), (learned_noise.LATENTS, 18)):
        assert digits.affordable(latent_dims, wanted) == list(latent_dims)
        assert digits.affordable_betas(latent_dims, wanted) == wanted


def test_large_data_have_fewer_latents_and_betas():
    wide = observations(1.03 ** np.arange(299.0, -1, -1))
    assert wide.work([2, 4]) == 300 * (8 + 24)
    assert wide.largest_affordable((12, 6, 3, 2), 26) == 6
    assert wide.affordable((2, 4, 8, 16), 12) == [2, 4, 8]
    assert wide.affordable_betas([6], 26) == 22
    assert wide.affordable([2, 4, 8, 16], 2) == [2, 4, 8, 16]  # as few as are wanted are enough
    dense = observations(1.004 ** np.arange(783.0, -1, -1))  # close ones want more steps
    assert dense.work([2]) == pytest.approx(784 * 8 * 5)
    assert dense.largest_affordable((12, 6, 3, 2), 26) == 2 and dense.affordable_betas([2], 26) == 10
    tied = observations(np.ones(784))  # exact ties do not
    assert tied.work([2]) == 784 * 8
    huge = observations(1.0001 ** np.arange(1e5, 0, -1))
    assert huge.work([2]) == pytest.approx(1e5 * 8 * real_data.SLOWEST)
    assert huge.largest_affordable((12, 6, 3, 2), 26) == 2 and huge.affordable_betas([2], 26) == 2


def test_data_without_a_noise_to_learn_are_refused():
    for data in (np.ones((5, 3)), np.arange(10.0).reshape(5, 2), np.diag([1.0, 1e-5]).repeat(2, axis=0)):
        with pytest.raises(ValueError, match="mine: must vary in at least two directions of comparable scale"):
            real_data.real_data(data, "mine")


def test_latent_dims_keep_the_noise_learnable():
    def source(*eigenvalues):
        return real_data.Observations("x", np.zeros((2, 2)), Moments(0, np.zeros(1), np.eye(1)), np.array(eigenvalues))

    assert source(4, 3, 2, 0).latent_dims((12, 3, 2)) == [2]
    assert source(4, 3, 1e-7, 1e-7).latent_dims((3, 2)) == [1]
    assert source(4, 3, 2, 1, 1).latent_dims((2, 4)) == [2, 4]


def test_betas_near_a_collapse_are_left_out():
    kept = real_data.away_from(np.array([2.0, 1.0, 0.0]), np.array([0.5, 0.99, 1.03, 1.99, 2.5]))
    np.testing.assert_array_equal(kept, [0.5, 1.03, 2.5])


@pytest.mark.parametrize("name", [None, 3, ["a"], np.zeros(2)])
def test_a_name_of_the_data_is_text(name):
    with pytest.raises(ValueError, match=r"^name must be a str"):
        real_data.real_data(np.eye(3), name)


@pytest.mark.parametrize("observations", [np.ones((1, 3)), np.zeros((3, 0)), [[1.0, np.nan], [2.0, 3.0]]])
def test_observations_that_are_none_are_told_by_their_name(observations):
    with pytest.raises(ValueError, match=r"^observations must"):
        real_data.real_data(observations)
