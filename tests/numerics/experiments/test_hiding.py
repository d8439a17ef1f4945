from __future__ import annotations

import numpy as np
import pytest

from numerics.experiments.hiding import (
    amuse_correlations,
    fast_ica_correlations,
    random_changes,
    separation_code,
    shifted_sprite,
    versions,
)
from numerics.sampling.scores import sample_mean_correlation
from theory import optimum
from theory.axes.separation import separate
from theory.axes.temporal_model import TemporalModel
from theory.scores import GaussianCode, mean_correlation, mutual_information_gap

NOISE, BETA = 0.5, 2.0


@pytest.fixture(scope="module")
def sprite():
    return shifted_sprite()


@pytest.fixture(scope="module")
def made(sprite):
    return versions(sprite, np.radians(40), NOISE)


def learned(truth):
    best = optimum(truth.covariance, 2, beta=BETA, noise_variance=truth.noise_variance)
    return GaussianCode.of(truth, best.vae), best.vae


def test_the_images(sprite):
    np.testing.assert_allclose(sprite.basis.T @ sprite.basis, np.eye(4), atol=1e-12)
    gram = sprite.loading.T @ sprite.loading
    assert abs(gram[0, 1]) < 1e-12 and gram[1, 1] > gram[0, 0] > 0
    still = sprite.picture([0, 0])
    np.testing.assert_array_equal(still, sprite.image)
    across = np.arange(64) @ sprite.picture([2, 0]).sum(axis=0) / sprite.picture([2, 0]).sum()
    assert across > 31.5 + 1  # two standard deviations are about three pixels
    down = sprite.picture([0, 2]).sum(axis=1)
    assert np.arange(64) @ down / down.sum() > 31.5 + 1


def test_the_versions(sprite, made):
    assert made.original.noise_variance == made.manipulated.noise_variance == NOISE
    change = made.manipulated.loading - sprite.loading
    assert np.linalg.norm(change) == pytest.approx(made.size, rel=1e-12)
    assert made.size < 0.13 * np.linalg.norm(sprite.loading)
    axis = np.linalg.svd(made.manipulated.loading)[2][0]
    rotated = np.degrees(np.arctan2(abs(axis[0]), abs(axis[1])))  # from the stronger factor, the second
    assert rotated == pytest.approx(40, abs=1e-8)
    nothing = versions(sprite, 0.0, NOISE)
    np.testing.assert_allclose(nothing.manipulated.loading, sprite.loading, atol=1e-12)


def test_a_random_change_of_the_same_size_harms_less(sprite, made):
    randomly = random_changes(sprite, made.size, NOISE, 300, 0)
    changes = np.array([truth.loading - sprite.loading for truth in randomly])
    np.testing.assert_allclose(np.linalg.norm(changes, axis=(1, 2)), made.size, rtol=1e-12)
    # Uniform over the sphere in the plane of the factors: no mean, a quarter of the square for each of four entries.
    assert np.abs(changes[:, 2:]).max() == 0
    np.testing.assert_allclose(changes[:, :2].mean(axis=0), 0, atol=5 * made.size / 2 / np.sqrt(300))
    np.testing.assert_allclose((changes[:, :2] ** 2).mean(axis=0) * 4 / made.size**2, 1, atol=5 * np.sqrt(1 / 300))
    scores = [mean_correlation(learned(truth)[0]) for truth in randomly]
    chosen = mean_correlation(learned(made.manipulated)[0])
    assert chosen < min(scores)  # the smallest change that does what it does
    assert np.mean(scores) > 0.93 and np.quantile(scores, 0.05) > chosen + 0.05


def test_who_is_fooled(made):
    before, after = (learned(truth)[0] for truth in (made.original, made.manipulated))
    assert mean_correlation(before) > 0.97 and mutual_information_gap(before) > 0.55
    assert mean_correlation(after) < 0.8 and mutual_information_gap(after) < 0.1
    model = TemporalModel(made.manipulated.loading, (0.9, 0.4), NOISE)
    code = separation_code(made.manipulated, separate(model.covariance, model.lagged_covariance(), 2))
    assert mean_correlation(code) > 0.97


def test_samples_agree_with_the_closed_form(made):
    model = TemporalModel(made.manipulated.loading, (0.9, 0.4), NOISE)
    code = separation_code(made.manipulated, separate(model.covariance, model.lagged_covariance(), 2))
    found = amuse_correlations(made.manipulated, (0.9, 0.4), 10_000, 12, np.random.default_rng(1))
    assert abs(found.mean() - mean_correlation(code)) < 5 * found.std(ddof=1) / np.sqrt(12)
    assert fast_ica_correlations(made.manipulated, 5000, 2, np.random.default_rng(2)).min() > 0.97
    closed, vae = learned(made.manipulated)
    rng, draws = np.random.default_rng(3), []
    for _ in range(12):
        factors, data = made.manipulated.sample(5000, rng)
        draws.append(sample_mean_correlation(factors, data @ vae.encoder.T))
    assert abs(np.mean(draws) - mean_correlation(closed)) < 5 * np.std(draws, ddof=1) / np.sqrt(12)


def test_amuse_needs_factors_of_different_memory(made):
    found = amuse_correlations(made.manipulated, (0.6, 0.6), 5000, 8, np.random.default_rng(4))
    assert found.mean() < 0.96


def test_misuse(sprite):
    with pytest.raises(ValueError, match="angle must be below pi/4"):
        versions(sprite, 0.8, NOISE)
    with pytest.raises(ValueError, match="sprite must be a ShiftedSprite, got None"):
        random_changes(None, 0.1, NOISE, 3, 0)
    with pytest.raises(ValueError, match="size must be >= 8"):
        shifted_sprite(1)
    with pytest.raises(ValueError, match="noise_variance"):
        versions(sprite, 0.1, 0.0)
