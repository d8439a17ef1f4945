"""The textbook formulation in NumPy: gradients by hand, arrays updated in place.

Decoder and encoder are stacked, so that one call multiplies both; a leading axis of runs makes it a sweep.
"""

from __future__ import annotations

import math

import numpy as np

from numerics.bench.problem import DECAYS, EPSILON, LEARNING_RATE, DataMoments, Descent, MinibatchDescent, Parameters
from numerics.bench.timing import Contestant

__all__ = ["descent", "minibatch", "moments"]


def descent(task: Descent) -> list[Contestant]:
    """Full-batch Adam, of one run or of many."""
    return [Contestant("numpy", lambda: _descend(task.start, task.steps, full_batch_gradient(task)))]


def minibatch(task: MinibatchDescent) -> list[Contestant]:
    """Adam on minibatches."""
    return [Contestant("numpy", lambda: _descend(task.start, task.steps, minibatch_gradient(task)))]


def moments(task: DataMoments) -> list[Contestant]:
    """`numpy.cov`."""
    return [Contestant("numpy cov", lambda: [np.cov(task.data, rowvar=False, bias=True)])]


def _descend(start: Parameters, steps: int, gradient) -> Parameters:
    """Adam from `start`, on all parameters as one vector; `gradient(step, parts, gradients)` writes the gradients."""
    parts = [np.stack(start[:2], axis=-3), start.log_scales, start.log_noise]
    shapes = [np.shape(part) for part in parts]
    vector = np.concatenate([np.ravel(part) for part in parts])
    gradient_vector, first, second = np.zeros((3, len(vector)))
    move = np.empty_like(vector)
    parts, gradients = _views(vector, shapes), _views(gradient_vector, shapes)
    for step in range(steps):
        gradient(step, parts, gradients)
        rate = LEARNING_RATE / (1 - DECAYS[0] ** (step + 1))
        correction = 1 / math.sqrt(1 - DECAYS[1] ** (step + 1))
        first *= DECAYS[0]
        first += np.multiply(gradient_vector, 1 - DECAYS[0], out=move)
        second *= DECAYS[1]
        np.square(gradient_vector, out=move)
        move *= 1 - DECAYS[1]
        second += move
        np.sqrt(second, out=move)
        move *= correction
        move += EPSILON
        np.divide(first, move, out=move)
        move *= rate
        vector -= move
    maps, log_scales, log_noise = parts
    return Parameters(maps[..., 0, :, :], maps[..., 1, :, :], log_scales, log_noise)


def _views(vector, shapes):
    """The vector cut into arrays of these shapes."""
    boundaries = np.cumsum([math.prod(shape) for shape in shapes])
    return [part.reshape(shape) for part, shape in zip(np.split(vector, boundaries[:-1]), shapes, strict=True)]


def full_batch_gradient(task: Descent):
    root, weights, variance = task.root, task.weights, task.eigenvalues.sum()
    latent_dim, diagonal = task.latent_dim, np.arange(task.latent_dim)
    shape = (*weights.shape, 2, latent_dim, latent_dim)

    def gradient(step, parts, gradients):
        (maps, log_scales, log_noise), (to_maps, to_scales, to_noise) = parts, gradients
        precision, variances = np.exp(-log_noise), np.exp(2 * log_scales)
        mapped = root @ maps
        grams = np.swapaxes(maps, -1, -2) @ maps
        lengths = grams[..., 0, diagonal, diagonal]
        distortion = variance - 2 * np.sum(mapped[..., 0, :, :] * maps[..., 1, :, :], axis=(-1, -2))
        distortion += np.sum(grams[..., 0, :, :] * grams[..., 1, :, :], axis=(-1, -2))
        distortion += np.sum(lengths * variances, axis=-1)
        inner = np.empty(shape)  # what decoder and encoder are multiplied by: C / s2, and M / s2 + beta
        np.multiply(grams[..., ::-1, :, :], precision[..., None, None, None], out=inner)
        inner[..., 0, diagonal, diagonal] += variances * precision[..., None]
        inner[..., 1, diagonal, diagonal] += weights[..., None]
        np.matmul(maps, inner, out=to_maps)
        mapped *= precision[..., None, None, None]
        to_maps -= mapped[..., ::-1, :, :]
        to_scales[...] = (lengths * precision[..., None] + weights[..., None]) * variances - weights[..., None]
        to_noise[...] = len(root) / 2 - distortion * precision / 2

    return gradient


def minibatch_gradient(task: MinibatchDescent):
    count, data_dim, beta = task.batch_size, task.rows.shape[1], task.beta
    indices, noise = task.draw()

    def gradient(step, parts, gradients):
        ((decoder, encoder), log_scales, log_noise), ((to_decoder, to_encoder), to_scales, to_noise) = parts, gradients
        data = task.rows[indices[step]]
        precision, scales = np.exp(-log_noise), np.exp(log_scales)
        means, spread = data @ encoder, noise[step].T * scales
        codes = means + spread
        residuals = codes @ decoder.T
        residuals -= data
        distortion = np.vdot(residuals, residuals) / count
        residuals *= precision / count
        np.matmul(residuals.T, codes, out=to_decoder)
        to_codes = residuals @ decoder
        spread *= to_codes
        means *= beta / count
        means += to_codes
        np.matmul(data.T, means, out=to_encoder)
        to_scales[...] = spread.sum(0) + beta * (scales**2 - 1)
        to_noise[...] = data_dim / 2 - distortion * precision / 2

    return gradient
