from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from numerics.training import autoencoder
from numerics.training.autoencoder import decoders_while_training, train_autoencoder
from tests.cases import DISTINCT, RANK_DEFICIENT, TIED
from theory import Moments
from theory.axes.orthogonality import distance_to_orthogonality, orthogonality_chance_level


@pytest.mark.parametrize("case", [DISTINCT, RANK_DEFICIENT, TIED], ids=str)
def test_every_start_ends_at_the_leading_subspace(case):
    runs = train_autoencoder(case.covariance, case.latent_dim, seeds=4)
    assert (runs.stopped == "gradient").all() and np.all(runs.gradient_norms <= 1e-8)
    np.testing.assert_allclose(runs.distortions, sum(case.eigenvalues[case.latent_dim :]), atol=1e-10)
    leading = case.basis[:, : case.latent_dim]
    for decoder, encoder in zip(runs.decoders, runs.encoders, strict=True):
        # In directions without data the encoder stays as it began.
        seen = case.covariance @ np.linalg.pinv(case.covariance)
        np.testing.assert_allclose(decoder @ encoder @ seen, leading @ leading.T, atol=1e-6)


def test_the_gradient_is_that_of_the_distortion():
    rng = np.random.default_rng(1)
    maps = rng.standard_normal((3, 2, 5, 2))
    values, slopes = autoencoder._value_and_gradient(DISTINCT.covariance, maps)
    for (decoder, encoder), found, slope in zip(maps, values, slopes, strict=True):
        error = np.eye(5) - decoder @ encoder.T
        assert found == pytest.approx(np.trace(error @ DISTINCT.covariance @ error.T), rel=1e-12)

        def value(theta):
            return autoencoder._value_and_gradient(DISTINCT.covariance, theta.reshape(1, 2, 5, 2))[0][0]

        numeric = approx_fprime(np.ravel([decoder, encoder]), value, 1e-6)
        np.testing.assert_allclose(slope.ravel(), numeric, rtol=1e-4, atol=1e-4)


def test_decoders_on_the_way_are_the_ends_of_shorter_runs():
    found = decoders_while_training(DISTINCT.covariance, 2, [0, 7, 30, 5000], seeds=3)
    for count, decoders in zip([0, 7, 30, 5000], found, strict=True):
        runs = train_autoencoder(DISTINCT.covariance, 2, seeds=3, max_steps=count)
        np.testing.assert_array_equal(decoders, runs.decoders)
    assert runs.steps < 5000


def test_latents_end_at_any_angle():
    covariance = np.diag([4.0, 1.0, 0.0])
    runs = train_autoencoder(covariance, 2, seeds=300, gradient_tolerance=1e-5)
    found = np.array([distance_to_orthogonality(decoder).distance for decoder in runs.decoders])
    chance = orthogonality_chance_level(2)
    assert abs(found.mean() - chance.mean) < 4 * chance.standard_deviation / np.sqrt(300)
    assert found.std() == pytest.approx(chance.standard_deviation, rel=0.15)


def test_the_unit_of_the_data_and_the_mean_do_not_matter():
    small, large = (train_autoencoder(scale * DISTINCT.covariance, 2, seeds=[3]) for scale in (1.0, 1e6))
    np.testing.assert_allclose(large.distortions, 1e6 * small.distortions, rtol=1e-10)
    shifted = train_autoencoder(Moments(10, np.ones(5), DISTINCT.covariance), 2, seeds=[3])
    np.testing.assert_array_equal(shifted.decoders, small.decoders)


def test_edges_and_misuse():
    none = train_autoencoder(DISTINCT.covariance, 0, seeds=2)
    np.testing.assert_allclose(none.distortions, sum(DISTINCT.eigenvalues))
    hasty = train_autoencoder(DISTINCT.covariance, 2, max_steps=3)
    assert (list(hasty.stopped), hasty.steps) == (["max_steps"], 3)
    with pytest.raises(ValueError, match="gradient_tolerance"):
        train_autoencoder(DISTINCT.covariance, 2, gradient_tolerance=0.0)
    with pytest.raises(ValueError, match="covariance"):
        train_autoencoder(np.array([[1.0, 2.0], [2.0, 1.0]]), 1)


def test_each_run_says_why_it_stopped():
    runs = train_autoencoder(np.diag([4.0, 3.0, 1.0, 0.9]), 2, seeds=6, max_steps=120, gradient_tolerance=1e-4)
    assert set(runs.stopped) == {"gradient", "max_steps"}
    np.testing.assert_array_equal(runs.stopped == "gradient", runs.gradient_norms <= 1e-4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seeds": 0}, "seeds must be >= 1"),
        ({"seeds": []}, "seeds must hold at least 1"),
        ({"seeds": [-1]}, "seeds must be >= 0"),
        ({"seeds": 10**12}, "seeds = 1000000000000 needs .* GiB"),
        ({"latent_dim": 2**31}, "latent_dim = 2147483648 needs .* GiB"),
        ({"covariance": 1e300 * np.eye(2)}, "covariance must be zero or between"),
    ],
)
def test_what_does_not_fit_is_named(changes, message):
    arguments = {"covariance": np.eye(2), "latent_dim": 1} | changes
    with pytest.raises(ValueError, match=message):
        train_autoencoder(**arguments)
