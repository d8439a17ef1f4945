"""The textbook formulation in JAX: automatic gradients, all steps one `lax.scan` under `jit`, runs by `vmap`."""

from __future__ import annotations

import math
import os
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from numerics.bench.problem import DECAYS, EPSILON, LEARNING_RATE, Descent, MinibatchDescent, Parameters
from numerics.bench.timing import Contestant

__all__ = ["descent", "minibatch", "pin"]

jax.config.update("jax_enable_x64", True)


def pin(threads: int) -> None:
    """How many threads XLA starts; it reads this once, before its first computation."""
    os.environ["NPROC"] = str(threads)


def descent(task: Descent) -> list[Contestant]:
    """Full-batch Adam, of one run or of many."""
    function = _descend if task.weights.ndim == 0 else _descend_all
    start, root, weights = jax.device_put((task.start, task.root, task.weights))
    run = partial(function, start, root, weights, steps=task.steps)
    return [Contestant("jax", lambda: jax.block_until_ready(run()), _read)]


def minibatch(task: MinibatchDescent) -> list[Contestant]:
    """Adam on minibatches."""
    start, rows = jax.device_put((task.start, task.rows))
    return [
        Contestant(
            "jax",
            lambda: jax.block_until_ready(_descend_on_minibatches(start, rows, task.beta, task.draw())),
            _read,
        )
    ]


def _loss(parameters, root, beta):
    decoder, encoder, log_scales, log_noise = parameters
    variances = jnp.exp(2 * log_scales)
    gram, code = decoder.T @ decoder, encoder.T @ encoder
    distortion = jnp.vdot(root, root) - 2 * jnp.vdot(root @ encoder, decoder)
    distortion += jnp.vdot(gram, code) + jnp.diagonal(gram) @ variances
    return _total(distortion, jnp.trace(code), log_scales, log_noise, len(root), beta)


def _minibatch_loss(parameters, data, noise, beta):
    decoder, encoder, log_scales, log_noise = parameters
    means = data @ encoder
    residuals = data - (means + noise.T * jnp.exp(log_scales)) @ decoder.T
    distortion, spread = jnp.vdot(residuals, residuals) / len(data), jnp.vdot(means, means) / len(data)
    return _total(distortion, spread, log_scales, log_noise, data.shape[1], beta)


def _total(distortion, spread, log_scales, log_noise, data_dim, beta):
    """The loss from its parts; `spread` is the mean square of the posterior means."""
    rate = (spread + jnp.exp(2 * log_scales).sum() - len(log_scales)) / 2 - log_scales.sum()
    return distortion * jnp.exp(-log_noise) / 2 + data_dim / 2 * (math.log(2 * math.pi) + log_noise) + beta * rate


def _adam(start, gradient, counts, inputs):
    """Adam from `start`, one step for each of `counts` (from 1) and `inputs`."""

    def step(state, given):
        parameters, first, second = state
        count, taken = given
        slope = gradient(parameters, taken)
        first = jax.tree.map(lambda m, g: DECAYS[0] * m + (1 - DECAYS[0]) * g, first, slope)
        second = jax.tree.map(lambda v, g: DECAYS[1] * v + (1 - DECAYS[1]) * g * g, second, slope)
        rate, correction = LEARNING_RATE / (1 - DECAYS[0] ** count), 1 / jnp.sqrt(1 - DECAYS[1] ** count)
        move = partial(jax.tree.map, lambda p, m, v: p - rate * m / (correction * jnp.sqrt(v) + EPSILON))
        return (move(parameters, first, second), first, second), None

    zeros = jax.tree.map(jnp.zeros_like, start)
    return jax.lax.scan(step, (start, zeros, zeros), (counts, inputs))[0][0]


def _path(start, root, beta, steps):
    return _adam(start, lambda at, _: jax.grad(_loss)(at, root, beta), jnp.arange(1.0, steps + 1), None)


_descend = jax.jit(_path, static_argnames="steps")


@partial(jax.jit, static_argnames="steps")
def _descend_all(start, root, betas, steps):
    return jax.vmap(lambda one, beta: _path(one, root, beta, steps))(start, betas)


@jax.jit
def _descend_on_minibatches(start, rows, beta, draws):
    def gradient(parameters, drawn):
        indices, noise = drawn
        return jax.grad(_minibatch_loss)(parameters, rows[indices], noise, beta)

    return _adam(start, gradient, jnp.arange(1.0, len(draws[0]) + 1), draws)


def _read(result) -> Parameters:
    return Parameters(*map(np.asarray, result))
