"""The exact loss of a linear VAE and its gradient, compiled.

**Letters.** The data have D dimensions, the model K latents. All is in the principal axes of the data, where their
covariance is diag(r^2).

    r      (D,)    `standard_deviations`, the square roots of the eigenvalues of the data covariance
    W      (D, K)  decoder
    V      (K, D)  encoder
    E      (K, D)  encoder of whitened data, E = V diag(r)
    L      (K, K)  the entries from which F is made: below its diagonal, and the logarithm of its diagonal
    F      (K, K)  Cholesky factor, a lower triangle
    Q      (K, K)  posterior covariance, Q = F F^T
    C      (K, K)  covariance of the code, C = E E^T + Q; C_gg is its block of a group g of latents
    M      (K, K)  M = W^T W, `gram`
    s2             noise variance of the decoder; 1 / s2 is the `noise_precision`
    P      (K, K)  `prior_precision`: the prior is N(0, P^-1)
    w_I, w_B, w_W, w_D   weights of mutual information, of total correlation between and within groups, and of the
                   dimension-wise KL

**Loss.** A model is one flat vector of parameters

    theta = [ W^T | E | L | log s2 ]

    distortion = sum_i r_i^2 - 2 sum_ik r_i W_ik E_ki + tr(M C)
    loss = distortion / (2 s2) + (D/2) log(2 pi s2) + cost(C) - (w_I/2) log det Q

with the cost of `theory.groups.objective`:

    cost = 1/2 [ (w_I - w_B) log det C + (w_B - w_W) sum_g log det C_gg + (w_W - w_D) sum_j log C_jj
                 + w_D (tr P C - K) ]

which for the beta-VAE, all weights beta and P = I, is (beta/2) (tr C - K). All parameters follow the gradient of this
loss; none is eliminated, and no stationary value is solved for. `mask` is one where a parameter is learned and zero
where it is fixed.

A step costs O(D K^2), in products and sums along rows of length D, which is why W is stored transposed.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from numerics.kernels.cache import compiled, inner
from numerics.kernels.products import add_lower, add_product, dot, invert, mirror, zeros

__all__ = [
    "DIMENSION_WISE",
    "LOG_NOISE_FLOOR",
    "MUTUAL_INFORMATION",
    "Objective",
    "Point",
    "noise_floor",
    "point",
    "read_factor",
    "rounding_at",
    "rounding_error",
    "unbounded",
    "value_and_gradient",
    "views",
]


# Where a learned noise that runs to zero is stopped: if the loss has no lower bound, and if that is not known.
LOG_NOISE_FLOOR, LOG_NOISE_RESOLVED = math.log(1e-6), math.log(1e-18)
ROUNDING = 1e-14  # of the terms that cancel in the loss
MUTUAL_INFORMATION, DIMENSION_WISE = 0, 3  # the places of w_I and w_D among the weights, which go from coarse to fine


class Objective(NamedTuple):
    """The loss as a function of the parameters, for D data dimensions and K latents.

    Attributes
    ----------
    standard_deviations : (D,) array, r
        square roots of the eigenvalues of the data covariance.
    weights : (4,) array
        w_I, w_B, w_W, w_D.
    partitions : (3, K) array of int
        the number of each latent's group: all in one, the groups, and each latent alone.
    prior_precision : (K, K) array, P
    mask : (2 D K + K K + 1,) array
        one where a parameter is learned, zero where it is fixed.
    """

    standard_deviations: np.ndarray
    weights: np.ndarray
    partitions: np.ndarray
    prior_precision: np.ndarray
    mask: np.ndarray


class Point(NamedTuple):
    """A vector of parameters, or of their gradient, and views of its parts: W^T above E, (2 K, D), and L, (K, K)."""

    vector: np.ndarray
    maps: np.ndarray
    triangle: np.ndarray


@inner()
def add_inverse(code, labels, weight, gradient, scratch):
    """Add weight C_g^-1, with C_g = C but zero between latents of different labels; returns weight log det C_g."""
    size = len(code)
    for j in range(size):
        for k in range(size):
            scratch[j, k] = code[j, k] if labels[j] == labels[k] else 0.0
    log_det = invert(scratch)
    for j in range(size):
        for k in range(size):
            gradient[j, k] += weight * scratch[j, k]
    return weight * log_det


@inner(forceinline=True, fastmath={"reassoc", "contract"})
def code_cost(code, objective, gradient, scratch):
    """Twice the cost of the code's covariance; writes twice the gradient of the cost."""
    weights, partitions = objective.weights, objective.partitions
    size, cost = len(code), 0.0
    for j in range(size):
        for k in range(size):
            gradient[j, k] = weights[DIMENSION_WISE] * objective.prior_precision[j, k]
            cost += gradient[j, k] * code[j, k]
        cost -= weights[DIMENSION_WISE]
    # From one group of all latents, over the groups, to each latent alone. (The compiler would repeat the code of a
    # `range(3)` three times, and take as long for it.)
    for coarse in range(len(partitions)):
        if weights[coarse] != weights[coarse + 1]:
            weight = weights[coarse] - weights[coarse + 1]
            cost += add_inverse(code, partitions[coarse], weight, gradient, scratch)
    return cost


@inner(forceinline=True)
def read_factor(triangle, mask, factor):
    """Write F, the Cholesky factor of Q; returns log det Q and whether any of F below its diagonal is learned.

    Entries that are not learned are zero, by the family of the posterior; if none is, Q is diagonal.
    """
    size, log_det, coupled = len(triangle), 0.0, False
    learned = mask[-1 - size * size : -1]
    for j in range(size):
        for k in range(j):
            factor[j, k], factor[k, j] = triangle[j, k], 0.0
            coupled = coupled or learned[j * size + k] > 0
        factor[j, j] = math.exp(triangle[j, j])
        log_det += 2 * triangle[j, j]
    return log_det, coupled


@inner()
def views(theta, latent_dim, data_dim):
    """A vector of parameters, or of their gradient, as a `Point`."""
    size = 2 * latent_dim * data_dim
    maps, triangle = theta[:size], theta[size:-1]
    return Point(theta, maps.reshape((2 * latent_dim, data_dim)), triangle.reshape((latent_dim, latent_dim)))


@inner()
def point(objective):
    """A `Point` of zeros."""
    latent_dim, data_dim = objective.partitions.shape[1], objective.standard_deviations.size
    return views(zeros(latent_dim * (2 * data_dim + latent_dim) + 1), latent_dim, data_dim)


# Nothing is allocated in a step, so references are not counted (`_nrt`), which would take a good part of a small step.
@compiled(fastmath={"reassoc", "contract"}, _nrt=False)
def value_and_gradient(at, objective, to, work):
    """The loss at a `Point`; writes its gradient, times the mask, to another. `work` is (5, K, K) scratch space."""
    (theta, maps, triangle), (gradient, to_maps, to_triangle) = at, to
    factor, code, gram, to_code, scratch = work[0], work[1], work[2], work[3], work[4]
    deviations, mask = objective.standard_deviations, objective.mask
    noise_precision, latent_dim = math.exp(-theta[-1]), len(triangle)
    information = objective.weights[MUTUAL_INFORMATION]
    decoder, encoder = maps[:latent_dim], maps[latent_dim:]
    to_decoder, to_encoder = to_maps[:latent_dim], to_maps[latent_dim:]

    log_det, coupled = read_factor(triangle, mask, factor)
    for j in range(latent_dim):
        for k in range(latent_dim):
            code[j, k] = gram[j, k] = 0.0
        code[j, j] = 0.0 if coupled else factor[j, j] * factor[j, j]
    if coupled:
        add_lower(factor, factor, code)
    add_lower(encoder, encoder, code)
    add_lower(decoder, decoder, gram)
    mirror(code)
    mirror(gram)
    cost = code_cost(code, objective, to_code, scratch)
    distortion = dot(deviations, deviations)
    for j in range(latent_dim):
        for k in range(latent_dim):
            distortion += code[j, k] * gram[j, k]
            to_code[j, k] += gram[j, k] * noise_precision  # twice the gradient of the loss in C
            code[j, k] *= noise_precision

    for p in range(len(gradient)):
        gradient[p] = 0.0
    add_product(code, decoder, to_decoder)
    add_product(to_code, encoder, to_encoder)
    if coupled:
        add_product(to_code, factor, to_triangle)
    for k in range(latent_dim):
        for i in range(deviations.size):
            pull = deviations[i] * noise_precision
            to_decoder[k, i] -= pull * encoder[k, i]
            to_encoder[k, i] -= pull * decoder[k, i]
            distortion -= 2 * deviations[i] * encoder[k, i] * decoder[k, i]
        # d loss / dF = (twice d loss / dC) F - w_I F^-T, the last on the log diagonal only
        to_factor = to_triangle[k, k] if coupled else to_code[k, k] * factor[k, k]
        to_triangle[k, k] = to_factor * factor[k, k] - information
    gradient[-1] = deviations.size / 2 - distortion * noise_precision / 2
    for p in range(len(theta)):
        gradient[p] *= mask[p]
    fit = distortion * noise_precision / 2 + deviations.size / 2 * (math.log(2 * math.pi) + theta[-1])
    return fit + (cost - information * log_det) / 2


@inner()
def unbounded(objective):
    """Whether a learned noise and a learned decoder are known to leave the loss without a lower bound.

    As s2 goes to zero after exact reconstruction, the loss gains (D/2) log s2 and pays (w_I n/2) log(1/s2), for n codes
    whose variance shrinks with s2, one for each direction in which the data vary (n is the rank of their covariance),
    while the covariance of all codes stays the identity.
    """
    rank, (data_dim, latent_dim) = 0, (objective.standard_deviations.size, objective.partitions.shape[1])
    for deviation in objective.standard_deviations:
        rank += deviation > 0
    learned = objective.mask[-1] > 0 and objective.mask[0] > 0
    return learned and rank <= latent_dim and objective.weights[MUTUAL_INFORMATION] * rank < data_dim


@inner()
def noise_floor(objective):
    """The log noise below which a descent that learns it ends.

    A loss that has a minimum may have it at any noise, so only the resolution of double precision sets the floor: below
    it, terms of order 1/s2 are rounding. A loss that is known to fall without bound has no minimum to miss.
    """
    return LOG_NOISE_FLOOR if unbounded(objective) else LOG_NOISE_RESOLVED


@inner(forceinline=True)
def rounding_at(variance, log_noise, loss):
    """How far rounding may change a loss, from the variance of the data and the log noise."""
    return ROUNDING * ((variance + 1.0) * math.exp(-log_noise) + abs(loss))


@compiled(forceinline=True)
def rounding_error(theta, objective, loss):
    """How far rounding may change the loss: a fraction of the terms that cancel in it."""
    return rounding_at(dot(objective.standard_deviations, objective.standard_deviations), theta[-1], loss)
