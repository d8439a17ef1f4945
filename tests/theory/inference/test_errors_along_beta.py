"""The curve of errors over beta: each point the error of its encoder, and an exact slope."""

import numpy as np
import pytest

from tests.theory.inference.truths import FAMILIES, truth_of
from theory import (
    GenerativeModel,
    inference_error,
    inference_error_curve,
    optimal_encoder,
)
from theory.inference.errors_along_beta import CRITERIA, error_path
from theory.inference.factored_decoder import FactoredDecoder
from theory.minimise import log_slope


@pytest.mark.parametrize("family", FAMILIES, ids=str)
@pytest.mark.parametrize("correlated", [False, True])
@pytest.mark.parametrize("data_dim", [5, 2])
def test_curve_is_the_error_of_each_encoder(family, correlated, data_dim):
    truth = truth_of(0, data_dim, correlated=correlated)
    decoder = np.random.default_rng(1).normal(size=truth.loading.shape)
    betas = np.array([0.05, 1.0, 7.0])
    curve = inference_error_curve(truth, betas, decoder=decoder, noise_variance=0.7, posterior=family)
    for at, beta in enumerate(betas):
        single = inference_error(truth, optimal_encoder(decoder, 0.7, beta, posterior=family))
        for name in CRITERIA:
            assert getattr(curve, name)[at] == pytest.approx(getattr(single, name), rel=1e-10), name


def test_curve_keeps_the_shape_of_betas_and_survives_chunking(monkeypatch):
    truth = truth_of(2)
    betas = np.geomspace(0.1, 10, 12)
    whole = inference_error_curve(truth, betas)
    monkeypatch.setattr("theory.inference.errors_along_beta.CHUNK", 30)
    parts = inference_error_curve(truth, betas.reshape(3, 4))
    for name in CRITERIA:
        # to rounding: a library may add up the rows of a product differently when there are fewer of them
        np.testing.assert_allclose(getattr(parts, name).ravel(), getattr(whole, name), rtol=1e-13, err_msg=name)
    assert inference_error_curve(truth, 2.0).forward_kl.shape == ()
    assert inference_error_curve(truth, []).forward_kl.shape == (0,)


def test_curve_of_a_rank_deficient_loading_and_of_a_singular_truth():
    rank_one = GenerativeModel(np.outer([1.0, 2.0], [1.0, -0.5]), 0.2)
    noiseless = GenerativeModel(np.array([[1.0, 0.4], [0.0, 1.0]]), 0.0)
    for truth, noise in [(rank_one, 0.2), (noiseless, 0.5)]:
        curve = inference_error_curve(truth, [0.3, 2.0], noise_variance=noise)
        for at, beta in enumerate([0.3, 2.0]):
            single = inference_error(truth, optimal_encoder(truth.loading, noise, beta))
            for name in CRITERIA:
                assert getattr(curve, name)[at] == pytest.approx(getattr(single, name), rel=1e-10), name


def test_slope_is_exact():
    path = error_path(truth_of(3, correlated=True), FactoredDecoder.of(truth_of(3, correlated=True), None, "diagonal"))
    for name in CRITERIA:

        def cost(levels, name=name):
            return getattr(path.evaluate(levels), name)

        levels, step = np.array([0.02, 0.5, 9.0]), 1e-4
        central = [
            (cost(levels * np.exp(k * step)) - cost(levels * np.exp(-k * step))) / (2 * k * step) for k in (1, 2)
        ]
        extrapolated = (4 * central[0] - central[1]) / 3  # error O(step^4), rounding 1e-12
        assert np.allclose(log_slope(cost, levels), extrapolated, rtol=1e-8, atol=1e-9), name
