from __future__ import annotations

import numpy as np
import pytest

from numerics.data.rectangle import square_covariance, uniform_square
from numerics.experiments.orthogonality import MODELS, distances, distances_while_training
from numerics.experiments.published_distances import PUBLISHED, PUBLISHED_SERIES
from numerics.sweeps.sweep import sweep
from numerics.training.autoencoder import train_autoencoder
from theory import Moments
from theory.axes.orthogonality import distance_to_orthogonality, orthogonality_chance_level

COUNT = 50_000


def test_only_the_diagonal_posterior_finds_the_axes():
    found = distances(square_covariance(2.0), seeds=40)
    assert tuple(found) == MODELS == tuple(PUBLISHED)
    chance = orthogonality_chance_level(2)
    assert found["diagonal"].max() < 1e-7
    for name in ("full", "autoencoder"):
        assert abs(found[name].mean() - chance.mean) < 4 * chance.standard_deviation / np.sqrt(40)


def test_the_sample_of_a_square_has_axes_that_long_training_finds():
    moments = Moments.of(uniform_square(COUNT, 1.0, np.random.default_rng(0)))
    assert distances(moments, seeds=6)["diagonal"].max() < 2e-3
    on_the_way = distances_while_training(moments, [1000], seeds=30)
    assert on_the_way.shape == (1, 30) and on_the_way.mean() > 0.25


def test_at_an_exact_tie_every_tie_is_seen():
    """A full posterior ends within 1.4e-8 of equal singular values: on either side of 1e-8, the usual tie."""
    found = distances(square_covariance(1.0), seeds=40)
    assert found["diagonal"].max() < 1e-7 and found["full"].max() < 1e-7
    assert found["autoencoder"].mean() > 0.3  # any regular map is a minimum: its singular values do not tie


@pytest.mark.parametrize("model", MODELS)
def test_on_the_way_runs_are_those_of_a_sweep_that_ends_there(model):
    covariance, steps = square_covariance(1.5), [40, 0, 3, 40, 20_000]
    found = distances_while_training(covariance, steps, seeds=[3, 5], model=model)
    for count, row in zip(steps, found, strict=True):
        if model == "autoencoder":
            decoders = train_autoencoder(covariance, 2, seeds=[3, 5], max_steps=count).decoders
        else:
            options = {"betas": [1.0], "seeds": [3, 5], "noise_variance": 0.02, "posterior": model}
            done = sweep(covariance, 2, method="gradient", max_steps=count, **options)
            decoders = done.problem.decoders(done.parameters[0])
        expected = [distance_to_orthogonality(decoder, tie=1e-6).distance for decoder in decoders]
        np.testing.assert_allclose(row, expected, rtol=0, atol=1e-15)


@pytest.mark.parametrize("model", ["full", "autoencoder"])
def test_models_without_axes_are_at_chance_at_every_step(model):
    chance = orthogonality_chance_level(2)
    means = distances_while_training(square_covariance(2.0), [0, 10, 100, 1000], seeds=200, model=model).mean(axis=1)
    np.testing.assert_allclose(means, chance.mean, atol=4 * chance.standard_deviation / np.sqrt(200))
    assert means.min() > 0.34 + 4 * chance.standard_deviation / np.sqrt(200)  # no number of steps leads to .34 or .33


def test_published_distances_of_a_spectrum_near_a_tie_are_passed_on_the_way():
    """Between the start and the end every published distance of the series occurs."""
    for ratio in (1.2, 1.5):
        moments = Moments.of(uniform_square(COUNT, ratio, np.random.default_rng(1)))
        means = distances_while_training(moments, [10, 3000], seeds=30).mean(axis=1)
        assert means[0] > PUBLISHED_SERIES[ratio] > means[1]


def test_runs_that_do_not_finish_are_nan():
    found = distances(square_covariance(2.0), seeds=2, max_steps=3)
    assert all(np.isnan(values).all() for values in found.values())


@pytest.mark.parametrize("call", [distances, lambda *given, **more: distances_while_training(*given, [1], **more)])
def test_a_water_level_beyond_what_training_takes_is_refused_by_its_name(call):
    for level in (1e300, 1e-300, 0.0):
        with pytest.raises(ValueError, match=r"^water_level must be"):
            call(square_covariance(2.0), seeds=1, water_level=level)


def test_misuse():
    with pytest.raises(ValueError, match="covariance must be 3 x 3"):
        distances(np.eye(2), seeds=2)
    with pytest.raises(ValueError, match="model must be one of"):
        distances_while_training(np.eye(3), [1], seeds=2, model="vae")
