"""Codes from any framework: their KL, and what is refused."""

from __future__ import annotations

import re

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from numerics import Codes

MEAN = np.array([[0.5, -2.0], [0.0, 1.0], [3.0, 0.1]])
VARIANCE = np.array([[0.2, 1.0], [0.9, 0.01], [1.7, 1e-4]])


def test_the_kl_is_that_of_quadrature():
    codes = Codes(MEAN, VARIANCE)
    for place in np.ndindex(MEAN.shape):
        q = norm(MEAN[place], np.sqrt(VARIANCE[place]))
        reach = [q.mean() - 12 * q.std(), q.mean() + 12 * q.std()]
        by_hand = quad(lambda z, q=q: q.pdf(z) * (q.logpdf(z) - norm.logpdf(z)), *reach, epsabs=1e-12, limit=200)[0]
        assert codes.kl[place] == pytest.approx(by_hand, abs=1e-9)


def test_a_logarithm_says_the_same_as_the_variance_and_keeps_small_kl():
    by_logarithm = Codes(MEAN, log_variance=np.log(VARIANCE))
    np.testing.assert_allclose(by_logarithm.variance, VARIANCE, rtol=1e-14)
    np.testing.assert_allclose(by_logarithm.kl, Codes(MEAN, VARIANCE).kl, rtol=1e-12)
    tiny = Codes(np.zeros((2, 1)), log_variance=np.full((2, 1), 1e-8)).kl
    np.testing.assert_allclose(tiny, 1e-16 / 4, rtol=1e-4)  # g^2/4
    assert (Codes(np.zeros((2, 1)), log_variance=[[1e-17], [-1e-17]]).kl >= 0).all()


def test_draws_have_the_moments_of_the_posterior():
    codes = Codes(np.tile(MEAN[:1], (40_000, 1)), np.tile(VARIANCE[:1], (40_000, 1)))
    draws = codes.sample(np.random.default_rng(0))
    np.testing.assert_allclose(draws.mean(axis=0), MEAN[0], atol=4 / 200)
    np.testing.assert_allclose(draws.var(axis=0), VARIANCE[0], rtol=0.04)
    assert (len(codes), codes.latent_dim) == (40_000, 2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"variance": None}, "variance or log_variance must be given, got none"),
        ({"log_variance": np.log(VARIANCE)}, "variance or log_variance must be given, got both"),
        ({"variance": -VARIANCE}, "variance must be > 0 everywhere, its smallest entry is -1.7; pass log_variance if"),
        ({"variance": 0 * VARIANCE}, "variance must be > 0 everywhere"),
        ({"variance": VARIANCE[:2]}, "variance must be 3 x 2, got 2 x 2"),
        ({"variance": VARIANCE[:, :1]}, "variance must be 3 x 2, got 3 x 1"),
        ({"variance": VARIANCE[0]}, "variance must be a matrix"),
        ({"variance": None, "log_variance": np.full((3, 2), 800.0)}, "log_variance must be at most 92 in size"),
        ({"variance": 1e-50 * VARIANCE}, "variance must be between 1e-40 and 1e40"),
        ({"mean": 1e60 * MEAN}, "mean must be at most 1e50 in size"),
        ({"mean": MEAN[:1], "variance": VARIANCE[:1]}, "mean must have at least two rows"),
        ({"mean": MEAN[:, 0]}, "mean must be a matrix"),
        ({"mean": np.where(MEAN == 3, np.nan, MEAN)}, "mean must be finite, row 2, column 0"),
        ({"mean": np.zeros((3, 0)), "variance": np.zeros((3, 0))}, "mean must have at least one column"),
        ({"reconstruction": np.zeros((2, 4))}, "reconstruction must be 3 x any, got 2 x 4"),
        ({"reconstruction": np.zeros((3, 4)), "squared_error": np.zeros(3)}, "must not both be given"),
        ({"squared_error": [1.0, 2.0]}, "squared_error must have length 3, got 2"),
        ({"squared_error": [1.0, 2.0, -1.0]}, "squared_error must be >= 0 everywhere"),
    ],
)
def test_what_is_refused(changes, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Codes(**{"mean": MEAN, "variance": VARIANCE} | changes)
