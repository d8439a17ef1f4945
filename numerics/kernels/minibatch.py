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
"""

from __future__ import annotations

import math

import numpy as np

from numerics.kernels.cache import compiled, inner
from numerics.kernels.descent import adam_step
from numerics.kernels.objective import read_factor, views
from numerics.kernels.products import copy, dot, product, zeros

__all__ = ["sampled_adam", "sampled_value_and_gradient"]


@inner()
def sampled_scratch(latent_dim, data_dim, count):
    """Scratch space for `sampled_value_and_gradient` on a batch of `count` observations."""
    codes, columns = zeros(6 * latent_dim * count), zeros(latent_dim * data_dim)
    square = np.zeros((3, latent_dim, latent_dim))
    return square, codes.reshape((6 * latent_dim, count)), columns.reshape((latent_dim, data_dim))


@compiled(fastmath={"reassoc", "contract"}, _nrt=False)
def sampled_value_and_gradient(at, batch, noise, beta, mask, gradient_point, scratch):
    """The loss on a batch; writes its gradient, times `mask`.

    A point is [ W^T | V | L | log s2 ] here, and

        Z = V X^T + F e,    n distortion = |X|^2 - 2 <Z, W^T X^T> + <Z, M Z>
        n rate = |V X^T|^2 / 2 + n (tr Q - K - log det Q) / 2
        n d loss / dZ = (M Z - W^T X^T) / s2 at fixed rate,    n d loss / dW^T = (Z Z^T W^T - Z X) / s2

    so that one product with the batch serves W and V, another their gradients, and no residual is formed.
    """
    (theta, maps, triangle), (gradient, to_maps, to_triangle), (square, codes, shift) = at, gradient_point, scratch
    (count, data_dim), latent_dim, factor, gram, code = batch.shape, len(noise), square[0], square[1], square[2]
    decoder, to_decoder = maps[:latent_dim], to_maps[:latent_dim]
    through, projected, means = codes[: 2 * latent_dim], codes[:latent_dim], codes[latent_dim : 2 * latent_dim]
    latents, pulled = codes[2 * latent_dim : 3 * latent_dim], codes[3 * latent_dim : 4 * latent_dim]
    back = codes[4 * latent_dim :]  # times the batch, the gradient of W^T and V
    noise_precision = math.exp(-theta[-1])
    weight, pull = noise_precision / count, beta / count  # of an observation, in distortion and rate

    log_det, _ = read_factor(triangle, mask, factor)
    distortion, rate = 0.0, -(latent_dim + log_det)
    for n in range(count):
        distortion += dot(batch[n], batch[n])
    product(maps, batch.T, through)
    product(factor, noise, latents)
    for k in range(latent_dim):
        for n in range(count):
            latents[k, n] += means[k, n]
    product(decoder, decoder.T, gram)
    product(gram, latents, pulled)
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
        for i in range(data_dim):
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
def sampled_adam(state, step, data, picks, noise, beta, mask, learning_rate, losses):
    """Steps of Adam, after `step` earlier ones, one for each row of `picks` (of rows of the data) and `noise`, in
    place in the `AdamState`.

    `losses` receives the sampled loss before each.
    """
    latent_dim, (count, data_dim) = noise.shape[1], (picks.shape[1], data.shape[1])
    at, gradient_point = views(state.theta, latent_dim, data_dim), views(state.gradient, latent_dim, data_dim)
    left = 0.9**step, 0.999**step
    batch, scratch = zeros(count * data_dim).reshape((count, data_dim)), sampled_scratch(latent_dim, data_dim, count)
    for row in range(len(picks)):
        for n in range(count):
            copy(data[picks[row, n]], batch[n])
        losses[row] = sampled_value_and_gradient(at, batch, noise[row], beta, mask, gradient_point, scratch)
        left = 0.9 * left[0], 0.999 * left[1]
        adam_step(state, left, learning_rate)
