"""The compiled steps on batches: the sampled loss and its gradient, what it expects, and Adam."""

from __future__ import annotations

import numpy as np
import pytest

from numerics.kernels import minibatch, objective, parts
from theory import Moments
from theory.groups import Weights, grouped_gradient
from theory.partition import partition

DATA_DIM, BETA = 4, 1.7


def observations(count=300, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((count, 2)) @ rng.standard_normal((2, DATA_DIM)) + 0.5 * rng.standard_normal((count, 4))


def random_theta(latent_dim, data_dim=DATA_DIM, seed=1):
    return 0.4 * np.random.default_rng(seed).standard_normal(2 * latent_dim * data_dim + latent_dim**2 + 1)


def sampled(theta, batch, noise, mask=1.0, plain=False):
    gradient, (latent_dim, count), data_dim = np.full(len(theta), np.nan), noise.shape, batch.shape[1]
    at, slopes = (objective.views(vector, latent_dim, data_dim) for vector in (theta, gradient))
    total = minibatch.Sums(*(np.full_like(part, np.nan) for part in minibatch.sums(latent_dim, count)))
    scratch = tuple(np.full_like(part, np.nan) for part in minibatch.sampled_scratch(latent_dim, data_dim, count))
    add_up, loss = minibatch.add_up, minibatch.sampled_value_and_gradient
    if plain:
        add_up, loss = add_up.py_func, loss.py_func
    add_up(at.maps, batch, total)
    return loss(at, batch, noise, BETA, data_dim, mask * np.ones(len(theta)), total, slopes, scratch), gradient


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
    for plain in (False, True):
        loss, gradient = sampled(theta, batch, noise, mask, plain)
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


def problem(latent_dim=2):
    """A point, data, picks and noise of three steps."""
    rng = np.random.default_rng(4)
    return (
        random_theta(latent_dim),
        observations(9),
        rng.integers(9, size=(3, 5)),
        rng.standard_normal((3, latent_dim, 5)),
    )


def states_after(theta, data, picks, noise, threads=1):
    """The point and the losses of steps of Adam with some parameters fixed, and the number of parts."""
    latent_dim, losses, mask = noise.shape[1], np.full(len(picks), np.nan), np.ones(len(theta))
    mask[[0, -1]] = 0.0
    separated = parts.separated(theta, data, mask, latent_dim, picks.shape[1])
    parts.sampled_adam(separated, 4, picks, noise, BETA, 0.01, losses, threads)
    return parts.joined(separated, latent_dim), losses, len(separated)


def test_steps_of_adam_in_plain_python(monkeypatch):
    theta, data, picks, noise = problem()
    reached, losses, _ = states_after(theta, data, picks, noise)
    monkeypatch.setattr(parts, "steps_of_all", minibatch.steps_of_all.py_func)
    plain, plain_losses, _ = states_after(theta, data, picks, noise)
    np.testing.assert_allclose(plain, reached, rtol=0, atol=1e-13)
    np.testing.assert_allclose(plain_losses, losses, rtol=0, atol=1e-13)
    assert losses[0] == pytest.approx(textbook(theta, data[picks[0]], noise[0]), abs=1e-12)
    assert np.flatnonzero(reached == theta).tolist() == [0, len(theta) - 1]  # those that are fixed


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("latent_dim", [1, 0])
def test_two_parts_take_the_steps_of_one(monkeypatch, latent_dim, threads):
    arguments = problem(latent_dim)
    one, losses, count = states_after(*arguments)
    assert count == 1
    monkeypatch.setattr(parts, "LARGE", 0)
    for name in ("begin_step", "end_step"):
        for function in (getattr(minibatch, name), getattr(minibatch, name).py_func):
            monkeypatch.setattr(parts, name, function)
            two, again, count = states_after(*arguments, threads)
            assert count == 2
            np.testing.assert_allclose(two, one, rtol=0, atol=1e-13)
            np.testing.assert_allclose(again, losses, rtol=0, atol=1e-13)


def test_two_parts_have_the_same_bits_on_any_number_of_threads():
    rng, latent_dim, data_dim = np.random.default_rng(5), 64, 300
    theta, data = random_theta(latent_dim, data_dim), rng.standard_normal((200, data_dim))
    picks, noise = rng.integers(200, size=(6, 128)), rng.standard_normal((6, latent_dim, 128))
    (one, losses, count), (two, again, _) = (states_after(theta, data, picks, noise, threads) for threads in (1, 2))
    assert count == 2
    np.testing.assert_array_equal(two, one)
    np.testing.assert_array_equal(again, losses)


def test_a_part_that_fails_does_not_keep_the_other_waiting(monkeypatch):
    monkeypatch.setattr(parts, "LARGE", 0)
    begin = parts.begin_step

    def fails(part, *rest):
        if (part.data == 1.0).all():
            raise ArithmeticError
        begin(part, *rest)

    theta, data, picks, noise = problem(1)
    data[:, : DATA_DIM // 2] = 1.0  # by which the first part is known
    monkeypatch.setattr(parts, "begin_step", fails)
    with pytest.raises(ArithmeticError):
        states_after(theta, data, picks, noise, threads=2)
