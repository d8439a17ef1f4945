"""The beta that holds a rate or a distortion: beside the optimum, and beside a search that minimises the loss."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize, minimize_scalar

from theory import beta_for_distortion, beta_for_rate, operating_point, optimum, optimum_curve
from theory.learning import critical_betas

SPECTRUM = np.array([4.0, 2.0, 0.9, 0.45, 0.2])
SPECTRA = st.lists(st.floats(0.01, 10) | st.just(0.0), min_size=1, max_size=6)
NOISES = st.just("learned") | st.floats(0.05, 3)


@settings(deadline=None, max_examples=200, derandomize=True)
@given(spectrum=SPECTRA, latent_dim=st.integers(1, 7), rate=st.floats(0.001, 8), noise=NOISES)
def test_the_optimum_at_this_beta_has_the_rate_asked_for(spectrum, latent_dim, rate, noise):
    assume(any(spectrum))
    point = beta_for_rate(spectrum, latent_dim, rate, noise)
    best = optimum(np.diag(spectrum), latent_dim, beta=point.beta, noise_variance=noise)
    assert point.rate == rate
    if point.noise_status == "undetermined":
        assert best.noise_status == "undetermined" and best.rate <= rate
        return
    assert (best.rate, best.noise_status) == (pytest.approx(rate, rel=1e-8), point.noise_status)
    assert best.noise_variance == pytest.approx(point.noise_variance, rel=1e-9)
    assert best.distortion == pytest.approx(point.distortion, rel=1e-9)
    again = beta_for_distortion(spectrum, latent_dim, point.distortion, noise)
    if rate < 5:  # nearer to the least distortion its digits are lost
        assert again.beta == pytest.approx(point.beta, rel=1e-6)


@settings(deadline=None, max_examples=100, derandomize=True)
@given(spectrum=SPECTRA, latent_dim=st.integers(0, 7), beta=st.floats(0.05, 5), noise=NOISES)
def test_the_point_at_a_beta_is_that_of_the_optimum(spectrum, latent_dim, beta, noise):
    point = operating_point(spectrum, latent_dim, [beta], noise)
    curve = optimum_curve(np.diag(spectrum), latent_dim, [beta], noise_variance=noise)
    for name in ("noise_variance", "noise_status", "active_count", "rate", "distortion"):
        np.testing.assert_array_equal(getattr(point, name), getattr(curve, name), name)


@pytest.mark.parametrize("noise", ["learned", 0.3])
@pytest.mark.parametrize("rate", [0.2, 1.0, 2.5])
def test_a_search_over_encoder_and_decoder_finds_the_same_beta(noise, rate):
    """SciPy minimises the loss of diagonal weights; of these optima the one with the asked rate is searched."""

    def rate_at(beta: float) -> float:
        def loss(point):
            weights, gains, logs = point[:3], point[3:6], point[6:9]
            variances, noise_variance = np.exp(logs), np.exp(point[9]) if noise == "learned" else noise
            error = np.sum(SPECTRUM[:3] * (1 - weights * gains) ** 2 + weights**2 * variances) + SPECTRUM[3:].sum()
            kl = np.sum(gains**2 * SPECTRUM[:3] + variances - 1 - logs) / 2
            return error / (2 * noise_variance) + len(SPECTRUM) / 2 * np.log(noise_variance) + beta * kl, kl

        start = np.concatenate([np.full(3, 0.7), np.full(3, 0.3), np.zeros(4)])
        found = minimize(lambda point: loss(point)[0], start, method="BFGS", options={"gtol": 1e-9})
        return loss(found.x)[1]

    point = beta_for_rate(SPECTRUM, 3, rate, noise)
    first = critical_betas(SPECTRUM, 3, noise)[0]
    found = brentq(lambda beta: rate_at(beta) - rate, point.beta / 3, min(3 * point.beta, 0.999 * first), rtol=1e-8)
    assert found == pytest.approx(point.beta, rel=1e-5)


def test_a_penalty_on_the_distance_from_the_rate_has_this_optimum():
    """The loss of Burgess et al., distortion / (2 s2) + gamma |rate - C|, for a gamma above beta."""
    noise, rate = 0.5, 1.3
    point = beta_for_rate(SPECTRUM, 4, rate, noise)

    def loss(log_level: float) -> float:
        level = np.exp(log_level)
        got = np.sum(np.maximum(np.log(SPECTRUM[:4] / level), 0)) / 2
        distortion = np.minimum(SPECTRUM[:4], level).sum() + SPECTRUM[4:].sum()
        return distortion / (2 * noise) + 10 * point.beta * abs(got - rate)

    found = minimize_scalar(loss, bounds=(np.log(1e-3), np.log(4)), method="bounded", options={"xatol": 1e-12})
    assert np.exp(found.x) == pytest.approx(point.water_level, rel=1e-6)


def test_no_rate_is_total_collapse():
    for noise in ("learned", 0.7):
        points = [beta_for_rate(SPECTRUM, 3, 0, noise), beta_for_distortion(SPECTRUM, 3, SPECTRUM.sum(), noise)]
        for point in points:
            assert point.beta == pytest.approx(critical_betas(SPECTRUM, 3, noise)[0], rel=1e-14)
            assert point.active_count == 0 or point.rate == pytest.approx(0, abs=1e-15)


def test_no_rate_at_full_rank_is_the_flat_beta():
    for spectrum in ([3.0], [3.0, 0.0, 0.0], [7.0]):
        points = beta_for_rate(spectrum, 1, 0), beta_for_distortion(spectrum, 1, spectrum[0])
        for point in points:
            assert (point.beta, point.noise_status) == (len(spectrum), "undetermined")


def test_with_a_latent_for_every_mode_one_beta_has_every_large_rate():
    points = beta_for_rate([3.0, 2.0, 1.0, 0.0], 3, [0.5, 2.0, 3.0])
    assert list(points.noise_status) == ["learned", "undetermined", "undetermined"]
    assert list(points.beta[1:]) == [4 / 3, 4 / 3]
    np.testing.assert_allclose(points.noise_variance, points.distortion / 4)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: beta_for_rate(SPECTRUM, 2, np.inf), "in the range of floats has, got inf; pass less"),
        (lambda: beta_for_rate(SPECTRUM, 2, 1e4), "pass less"),
        (lambda: beta_for_rate(SPECTRUM, 2, -1.0), "rate must be >= 0"),
        (lambda: beta_for_rate(SPECTRUM, 0, 1.0), "latent_dim must be"),
        (lambda: beta_for_rate([0.0, 0.0], 1, 1.0), "eigenvalues must have one above zero"),
        (lambda: beta_for_distortion(SPECTRUM, 3, 0.65), "above 0.65, the variance beyond the K-th mode"),
        (lambda: beta_for_distortion(SPECTRUM, 3, [1.0, 7.6]), "at most 7.55, the total variance, got 7.6"),
        (lambda: beta_for_distortion(SPECTRUM, 3, np.nan), "got nan"),
    ],
)
def test_what_no_beta_has_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
