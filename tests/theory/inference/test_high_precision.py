"""Errors and optimal betas at hostile inputs, against the same quantities in fifty digits."""

import numpy as np
import pytest

from tests.theory.inference.reference import Reference
from theory import GenerativeModel, inference_error, inference_error_curve, optimal_beta, optimal_encoder
from theory.inference.errors_along_beta import CRITERIA


def random_loading(seed, data_dim, factors):
    return np.random.default_rng(seed).normal(size=(data_dim, factors))


def covariance(seed, factors):
    root = np.random.default_rng(seed).normal(size=(factors, factors))
    return root @ root.T + 0.1 * np.eye(factors)


# name: loading, noise, factor covariance, decoder, groups
CASES = {
    "plain": (random_loading(0, 4, 3), 0.3, None, None, None),
    "zero column": (np.array([[1.0, 0.9, 0.0], [0.0, 0.436, 0.0]]), 0.5, None, None, None),
    "rank below group size": (np.array([[1.0, 2.0, 1.0]]), 21.0, None, None, [[0, 2], [1]]),
    "more factors than data": (random_loading(1, 2, 3), 1e-4, None, None, None),
    "high signal-to-noise": (random_loading(2, 4, 3), 1e-10, None, None, None),
    "low signal-to-noise": (random_loading(3, 4, 3), 1e4, None, None, None),
    "nearly dependent columns": (np.array([[1.0, 1.0], [0.0, 1e-5]]), 1e-11, None, None, None),
    "ill-conditioned, correlated": (
        random_loading(4, 4, 3) * [1.0, 1e-3, 1e-5],
        1e-9,
        covariance(5, 3),
        None,
        None,
    ),
    "correlated, wrong decoder": (
        random_loading(6, 4, 3),
        0.2,
        covariance(7, 3),
        random_loading(6, 4, 3) + 0.3 * random_loading(8, 4, 3),
        None,
    ),
    "block posterior": (random_loading(9, 5, 4), 0.05, covariance(10, 4), None, [[0, 3], [1, 2]]),
    "tiny units": (1e-12 * random_loading(11, 4, 3), 0.3e-24, None, None, None),
}


@pytest.mark.parametrize("name", CASES)
def test_errors_have_ten_digits(name):
    loading, noise, factors, decoder, groups = CASES[name]
    truth = GenerativeModel(loading, noise, factors)
    reference = Reference(loading, noise, factors, decoder, groups)
    betas = np.array([0.03, 1.0, 20.0])
    posterior = "diagonal" if groups is None else groups
    curve = inference_error_curve(truth, betas, decoder=decoder, posterior=posterior)
    for at, beta in enumerate(betas):
        vae = optimal_encoder(loading if decoder is None else decoder, noise, beta, posterior=posterior)
        single, expected = inference_error(truth, vae), reference.errors(beta * noise)
        for criterion in CRITERIA:
            value = float(expected[criterion])
            # a divergence near zero is a difference of entropies, so it has the digits of those
            assert getattr(curve, criterion)[at] == pytest.approx(value, rel=1e-10, abs=1e-11), criterion
            assert getattr(single, criterion) == pytest.approx(value, rel=1e-6, abs=1e-8), criterion


@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("name", CASES)
def test_optimal_beta_has_ten_digits(name, criterion):
    loading, noise, factors, decoder, groups = CASES[name]
    truth = GenerativeModel(loading, noise, factors)
    found = optimal_beta(truth, criterion, decoder=decoder, posterior="diagonal" if groups is None else groups)
    assert 0 < found.beta < np.inf
    assert not found.flat
    reference = Reference(loading, noise, factors, decoder, groups)
    assert found.beta == pytest.approx(reference.stationary_near(criterion, found.beta * noise) / noise, rel=1e-10)
    sign = -1 if criterion == "log_score" else 1
    best = sign * reference.errors(found.beta * noise)[criterion]
    levels = np.geomspace(1e-4, 1e4, 33) * noise * max(found.beta, 1.0)
    # one of the levels may be the optimum itself but for its last digit, where the error differs by 1e-30
    assert all(best <= sign * reference.errors(level)[criterion] + 1e-20 * abs(best) for level in levels)


@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1e3, 1e9])
def test_factor_variance_moves_the_optimum_however_far(scale):
    truth = GenerativeModel(random_loading(12, 4, 3), 0.3, scale * np.eye(3))
    assert optimal_beta(truth, "mean_squared_error").beta == pytest.approx(1 / scale, rel=1e-9)


def test_a_limit_is_not_taken_for_an_optimum_that_gains_little():
    assert optimal_beta(GenerativeModel(random_loading(1, 2, 3), 1e-10), "mean_squared_error").beta == pytest.approx(1)
    faint = optimal_beta(GenerativeModel(1e-6 * random_loading(13, 3, 2), 1.0))
    assert 0.9 < faint.beta < 1.1
