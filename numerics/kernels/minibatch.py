"""Steps of Adam on batches of observations with sampled codes, compiled.

**Letters.** As in `numerics.kernels.objective`, but in the coordinates of the data as they are, with D dimensions and K
latents, and for n observations of a batch:

    X      (n, D)  centred observations, `batch`
    e      (K, n)  standard normal draws, `noise`
    W      (D, K)  decoder
    V      (K, D)  encoder
    L      (K, K)  the entries from which F is made
    F      (K, K)  Cholesky factor of the posterior covariance Q = F F^T, a lower triangle
    Z      (K, n)  sampled codes, Z = V X^T + F e, `latents`
    M      (K, K)  M = W^T W, `gram`
    s2             noise variance of the decoder; 1 / s2 is the `noise_precision`

**Products** are those of the linear algebra library, for which a batch is large enough. Their bits may depend on its
threads, so call these kernels with one (`numerics.training.problem.BLAS`).

Large problems are in two parts (`numerics.kernels.parts`), each with some columns of X, W^T and V. What a step needs of
all columns are their `Sums`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from numerics.kernels.cache import compiled, inner
from numerics.kernels.descent import AdamState, adam_step
from numerics.kernels.objective import read_factor, views
from numerics.kernels.products import copy, dot, product, zeros

__all__ = [
    "Part",
    "Sums",
    "add_up",
    "begin_step",
    "end_step",
    "sampled_scratch",
    "sampled_value_and_gradient",
    "steps_of_all",
    "sums",
]


class Part(NamedTuple):
    """Some columns of the data, (N, columns), the state of what is learned of them, and what of it is learned."""

    data: np.ndarray
    state: AdamState
    mask: np.ndarray


class Sums(NamedTuple):
    """What a step needs of all columns: W^T X^T above V X^T, (2 K, n), M, (K, K), and |X|^2, (1,)."""

    through: np.ndarray
    gram: np.ndarray
    square: np.ndarray


@inner()
def sums(latent_dim, count):
    """Space for `Sums`."""
    through = zeros(2 * latent_dim * count).reshape((2 * latent_dim, count))
    return Sums(through, np.zeros((latent_dim, latent_dim)), np.zeros(1))


@inner()
def sampled_scratch(latent_dim, data_dim, count):
    """Scratch space for `sampled_value_and_gradient` on a batch of `count` observations."""
    codes, columns = zeros(4 * latent_dim * count), zeros(latent_dim * data_dim)
    square = np.zeros((2, latent_dim, latent_dim))
    return square, codes.reshape((4 * latent_dim, count)), columns.reshape((latent_dim, data_dim))


@inner()
def gather(data, picks, batch):
    """Write the rows `picks` of the data into the batch."""
    for n in range(len(picks)):
        copy(data[picks[n]], batch[n])


@compiled(fastmath={"reassoc", "contract"}, _nrt=False)
def add_up(maps, batch, out):
    """Write the `Sums` over the columns of the batch."""
    decoder = maps[: len(out.gram)]
    out.square[0] = 0.0
    for n in range(len(batch)):
        out.square[0] += dot(batch[n], batch[n])
    product(maps, batch.T, out.through)
    product(decoder, decoder.T, out.gram)


@compiled(fastmath={"reassoc", "contract"}, _nrt=False)
def sampled_value_and_gradient(at, batch, noise, beta, data_dim, mask, total, gradient_point, scratch):
    """The loss on a batch; writes its gradient in the columns of the batch, times `mask`.

    `total` holds the `Sums` over all of the `data_dim` columns. A point is [ W^T | V | L | log s2 ] here, and

        Z = V X^T + F e,    n distortion = |X|^2 - 2 <Z, W^T X^T> + <Z, M Z>
        n rate = |V X^T|^2 / 2 + n (tr Q - K - log det Q) / 2
        n d loss / dZ = (M Z - W^T X^T) / s2 at fixed rate,    n d loss / dW^T = (Z Z^T W^T - Z X) / s2

    so that one product with the batch serves W and V, another their gradients, and no residual is formed.
    """
    (theta, maps, triangle), (gradient, to_maps, to_triangle), (square, codes, shift) = at, gradient_point, scratch
    (count, columns), latent_dim, factor, code = batch.shape, len(noise), square[0], square[1]
    decoder, to_decoder = maps[:latent_dim], to_maps[:latent_dim]
    projected, means = total.through[:latent_dim], total.through[latent_dim:]
    latents, pulled = codes[:latent_dim], codes[latent_dim : 2 * latent_dim]
    back = codes[2 * latent_dim :]  # times the batch, the gradient of W^T and V
    noise_precision = math.exp(-theta[-1])
    weight, pull = noise_precision / count, beta / count  # of an observation, in distortion and rate

    log_det, _ = read_factor(triangle, mask, factor)
    distortion, rate = total.square[0], -(latent_dim + log_det)
    product(factor, noise, latents)
    for k in range(latent_dim):
        for n in range(count):
            latents[k, n] += means[k, n]
    product(total.gram, latents, pulled)
    for k in range(latent_dim):
        for n in range(count):
            pulled[k, n] -= projected[k, n]
            distortion += latents[k, n] * (pulled[k, n] - projected[k, n])
            rate += means[k, n] * means[k, n] / count
            pulled[k, n] *= weight
            back[k, n] = -latents[k, n] * weight
            back[latent_dim + k, n] = pulled[k, n] + pull * means[k, n]
    distortion /= count

    product(back, batch, to_maps)
    product(latents, latents.T, code)
    product(code, decoder, shift)
    product(pulled, noise.T, to_triangle)
    for k in range(latent_dim):
        for i in range(columns):
            to_decoder[k, i] += weight * shift[k, i]
        for j in range(latent_dim):
            to_triangle[k, j] += beta * factor[k, j]
            rate += factor[k, j] * factor[k, j]
        to_triangle[k, k] = to_triangle[k, k] * factor[k, k] - beta
    gradient[-1] = (data_dim - distortion * noise_precision) / 2
    for p in range(len(theta)):
        gradient[p] *= mask[p]
    return (distortion * noise_precision + data_dim * (math.log(2 * math.pi) + theta[-1]) + beta * rate) / 2


@compiled(nogil=True)
def steps_of_all(part, step, picks, noise, beta, learning_rate, losses):
    """Steps of Adam with all columns in one part; see `numerics.kernels.parts.sampled_adam`."""
    latent_dim, (count, data_dim), state = noise.shape[1], (picks.shape[1], part.data.shape[1]), part.state
    at, gradient_point = views(state.theta, latent_dim, data_dim), views(state.gradient, latent_dim, data_dim)
    left = 0.9**step, 0.999**step
    batch, total = zeros(count * data_dim).reshape((count, data_dim)), sums(latent_dim, count)
    scratch = sampled_scratch(latent_dim, data_dim, count)
    for row in range(len(picks)):
        gather(part.data, picks[row], batch)
        add_up(at.maps, batch, total)
        losses[row] = sampled_value_and_gradient(
            at, batch, noise[row], beta, data_dim, part.mask, total, gradient_point, scratch
        )
        left = 0.9 * left[0], 0.999 * left[1]
        adam_step(state, left, learning_rate)


@compiled(nogil=True)
def begin_step(part, picks, batch, own):
    """Take a part's columns of a batch, and write their `Sums`."""
    gather(part.data, picks, batch)
    add_up(views(part.state.theta, len(own.gram), batch.shape[1]).maps, batch, own)


@compiled(nogil=True)
def end_step(part, left, batch, noise, beta, data_dim, learning_rate, one, other, total, scratch):
    """Add the `Sums` of both parts, and take a step of Adam in the columns of this one; returns the loss."""
    for k in range(len(total.through)):
        for n in range(total.through.shape[1]):
            total.through[k, n] = one.through[k, n] + other.through[k, n]
    for k in range(len(total.gram)):
        for j in range(len(total.gram)):
            total.gram[k, j] = one.gram[k, j] + other.gram[k, j]
    total.square[0] = one.square[0] + other.square[0]
    state, latent_dim, columns = part.state, len(noise), batch.shape[1]
    loss = sampled_value_and_gradient(
        views(state.theta, latent_dim, columns), batch, noise, beta, data_dim, part.mask, total,
        views(state.gradient, latent_dim, columns), scratch,
    )  # fmt: skip
    adam_step(state, left, learning_rate)
    return loss
