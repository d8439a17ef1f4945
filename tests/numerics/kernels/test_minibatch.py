"""The compiled steps on batches: the sampled loss and its gradient, what it expects, and Adam."""

from __future__ import annotations

import numpy as np
import pytest

from numerics.kernels import minibatch, objective
from numerics.kernels.descent import AdamState
from theory import Moments
from theory.groups import Weights, grouped_gradient
from theory.partition import partition

DATA_DIM, BETA = 4, 1.7


def observations(count=300, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((count, 2)) @ rng.standard_normal((2, DATA_DIM)) + 0.5 * rng.standard_normal((count, 4))


def random_theta(latent_dim, data_dim=DATA_DIM, seed=1):
    return 0.4 * np.random.default_rng(seed).standard_normal(2 * latent_dim * data_dim + latent_dim**2 + 1)


def sampled(theta, batch, noise, mask=1.0, function=minibatch.sampled_value_and_gradient):
    gradient, (latent_dim, count), data_dim = np.full(len(theta), np.nan), noise.shape, batch.shape[1]
    at, slopes = (objective.views(vector, latent_dim, data_dim) for vector in (theta, gradient))
    scratch = [np.full_like(part, np.nan) for part in minibatch.sampled_scratch(latent_dim, data_dim, count)]
    return function(at, batch, noise, BETA, mask * np.ones(len(theta)), slopes, tuple(scratch)), gradient


def textbook(theta, batch, noise):
    """The sampled loss as it is written in papers: a code and a residual for every observation."""
    latent_dim, data_dim = len(noise), batch.shape[1]
    decoder, encoder = theta[: 2 * latent_dim * data_dim].reshape(2, latent_dim, data_dim)
    triangle = theta[2 * decoder.size : -1].reshape(latent_dim, latent_dim)
    factor, noise_variance = np.tril(triangle, -1) + np.diag(np.exp(np.diag(triangle))), np.exp(theta[-1])
    losses = []
    for x, e in zip(batch, noise.T, strict=True):
        mean, covariance = encoder @ x, factor @ factor.T
        residual = x - decoder.T @ (mean + factor @ e)
        kl = (np.trace(covariance) + mean @ mean - latent_dim - np.linalg.slogdet(covariance)[1]) / 2
        losses.append(residual @ residual / (2 * noise_variance) + BETA * kl)
    return np.mean(losses) + data_dim / 2 * np.log(2 * np.pi * noise_variance)


@pytest.mark.parametrize("latent_dim", [0, 1, 3])
def test_sampled_loss_is_the_textbook_one_and_the_gradient_its_derivative(latent_dim):
    theta, batch = random_theta(latent_dim), observations(7)
    noise = np.random.default_rng(2).standard_normal((latent_dim, 7))
    mask = np.ones(len(theta))
    mask[:-1][2 * latent_dim * DATA_DIM :] = np.tril(np.ones((latent_dim, latent_dim))).ravel()
    for function in (minibatch.sampled_value_and_gradient, minibatch.sampled_value_and_gradient.py_func):
        loss, gradient = sampled(theta, batch, noise, mask, function)
        assert loss == pytest.approx(textbook(theta, batch, noise), abs=1e-12)
        h = 1e-3  # differences of fourth order: error h^4 from the series and 1e-14 / h from rounding
        for place in range(len(theta)):
            step = h * (np.arange(len(theta)) == place)
            near, far = (
                textbook(theta + k * step, batch, noise) - textbook(theta - k * step, batch, noise) for k in (1, 2)
            )
            assert gradient[place] == pytest.approx((8 * near - far) / (12 * h), rel=1e-8, abs=1e-8), place


def test_the_gradient_expects_the_exact_one():
    """Its mean over many draws against the gradient of the exact loss, written in theory, within five errors."""
    latent_dim, draws = 2, 4000
    data = observations()
    moments = Moments.of(data)
    centred, theta = data - moments.mean, random_theta(latent_dim)
    rng = np.random.default_rng(3)
    gradients = []
    for _ in range(draws):
        batch = np.ascontiguousarray(centred[rng.permutation(len(data))[:20]])
        gradients.append(sampled(theta, batch, rng.standard_normal((latent_dim, 20)))[1])
    error = np.std(gradients, axis=0) / np.sqrt(draws)

    _, maps, triangle = objective.views(theta, latent_dim, DATA_DIM)
    decoder, encoder = maps[:latent_dim], maps[latent_dim:]
    factor, noise_variance = np.tril(triangle, -1) + np.diag(np.exp(np.diag(triangle))), np.exp(theta[-1])
    slope = grouped_gradient(
        decoder.T, encoder, factor @ factor.T, noise_variance, moments.covariance, Weights.uniform(BETA),
        partition("diagonal", latent_dim),
    )  # fmt: skip
    to_factor = 2 * slope.posterior_covariance @ factor
    to_triangle = to_factor * np.where(np.eye(latent_dim) > 0, factor, 1.0)
    parts = [
        slope.decoder.T.ravel(),
        slope.encoder.ravel(),
        to_triangle.ravel(),
        [slope.noise_variance * noise_variance],
    ]
    exact, mean = np.concatenate(parts), np.mean(gradients, axis=0)
    learned = np.arange(len(theta)) != 2 * decoder.size + 1  # the entry above the diagonal of L stands for nothing
    assert (np.abs(mean - exact) < 5 * error)[learned].all()
    assert (np.abs(exact) > 20 * error)[learned].mean() > 0.5  # which is sharp enough to tell a wrong factor


def test_steps_of_adam_in_plain_python():
    data, theta = observations(9), random_theta(2)
    rng = np.random.default_rng(4)
    picks, noise = rng.integers(9, size=(3, 5)), rng.standard_normal((3, 2, 5))
    results = []
    for function in (minibatch.sampled_adam, minibatch.sampled_adam.py_func):
        losses, (first, second) = np.full(3, np.nan), np.full((2, len(theta)), 0.01)
        state = AdamState(theta.copy(), np.empty_like(theta), first, second)
        function(state, 4, data, picks, noise, BETA, np.ones(len(theta)), 0.01, losses)
        results.append((state.theta, first, second, losses))
    for compiled, plain in zip(*results, strict=True):
        np.testing.assert_allclose(plain, compiled, rtol=0, atol=1e-13)
    assert results[0][3][0] == pytest.approx(textbook(theta, data[picks[0]], noise[0]), abs=1e-12)
