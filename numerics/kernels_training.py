"""Compiled kernels of training: the exact loss with its gradient, and three ways to descend it.

A model is one flat vector of parameters in the principal axes of the data, where the covariance is diag(r^2) (r are the
`roots` of its eigenvalues):

    theta = [ W^T (K x D) | E (K x D) | L (K x K) | log s2 ],    V = E diag(1/r),   Q = F F^T,
    F = the lower triangle of L with its diagonal exponentiated,    C = E E^T + Q,    M = W^T W

    distortion = sum_i r_i^2 - 2 sum_ik r_i W_ik E_ki + tr(M C)
    loss = distortion / (2 s2) + (D/2) log(2 pi s2) + cost(C) - (w_I/2) log det Q

with the cost of `theory.groups.objective`, by weights w_I, w_B, w_W, w_D, groups of latents and a prior N(0, P^-1):

    cost = 1/2 [ (w_I - w_B) log det C + (w_B - w_W) sum_g log det C_gg + (w_W - w_D) sum_j log C_jj
                 + w_D (tr P C - K) ]

which for the beta-VAE, all weights beta and P = I, is (beta/2) (tr C - K). E is the encoder of whitened data. All
parameters follow the gradient of this loss; none is eliminated, no stationary value is solved for. `mask` is one where
a parameter is learned and zero where it is held. `objective` stands for the tuple (weights, partitions, precision):
(w_I, w_B, w_W, w_D), the number of each latent's group in three partitions (one group, the groups, every latent alone),
and P.

A step costs O(D K^2), in products and sums along rows of length D, which is why W is stored transposed. Products go
over four rows at a time: up to K = 100 or so this is faster than a library, whose every call costs as much as a small
step, and beyond it as fast as one that does not know the processor. Where it pays, sums may be taken in any order and a
product rounded together with its sum (`reassoc`, `contract`), as libraries do; the bits of a run depend on the machine.
`forceinline` stands where a call would cost as much as what is done in it.

The kernels that call each other share this file because numba's cache of a function is renewed when its own file
changes, not when the file of a function that it calls does.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit, prange

from numerics.kernel_cache import prepare

__all__ = [
    "ACCELERATED",
    "ADAM",
    "DIVERGED",
    "GRADIENT",
    "GRADIENT_DESCENT",
    "MAX_STEPS",
    "NOT_RUN",
    "OVERFLOWED",
    "STALLED",
    "descend",
    "descend_all",
    "sampled_adam",
    "sampled_value_and_gradient",
    "unbounded",
    "value_and_gradient",
    "views",
]

CACHE = prepare()  # whether compiled kernels can be kept

ACCELERATED, GRADIENT_DESCENT, ADAM = 0, 1, 2  # how to descend
NOT_RUN, GRADIENT, MAX_STEPS, STALLED, DIVERGED, OVERFLOWED = -1, 0, 1, 2, 3, 4  # why it ended

# Where a learned noise that runs to zero is stopped: if the loss is known to have no lower bound, and if it is not.
LOG_NOISE_FLOOR, LOG_NOISE_RESOLVED = math.log(1e-6), math.log(1e-18)
ROUNDING = 1e-14  # of the terms that cancel in the loss
LINE_SEARCH_STEPS = 60
THREAD_WORK = 2**21  # multiplications from which on a second thread pays, which takes some microseconds to come
LINE = 8  # numbers in a line of the cache


@njit(cache=CACHE, error_model="numpy")
def invert(matrix):
    """Replace a positive definite matrix by its inverse (Gauss-Jordan) and return the logarithm of its determinant."""
    size, log_det = len(matrix), 0.0
    for k in range(size):
        pivot = matrix[k, k]
        log_det += math.log(pivot)
        matrix[k, k] = 1.0
        for j in range(size):
            matrix[k, j] /= pivot
        for i in range(size):
            if i != k:
                share = matrix[i, k]
                matrix[i, k] = 0.0
                for j in range(size):
                    matrix[i, j] -= share * matrix[k, j]
    return log_det


@njit(cache=CACHE, error_model="numpy")
def add_inverse(code, labels, weight, slope, scratch):
    """Add weight C_g^-1, with C_g = C but zero between latents of different labels; returns weight log det C_g."""
    size = len(code)
    for j in range(size):
        for k in range(size):
            scratch[j, k] = code[j, k] if labels[j] == labels[k] else 0.0
    log_det = invert(scratch)
    for j in range(size):
        for k in range(size):
            slope[j, k] += weight * scratch[j, k]
    return weight * log_det


@njit(cache=CACHE, forceinline=True, error_model="numpy", fastmath={"reassoc", "contract"})
def code_cost(code, objective, slope, scratch):
    """Twice the cost of the code's covariance; writes twice the gradient of the cost to `slope`."""
    weights, partitions, precision = objective
    size, cost = len(code), 0.0
    for j in range(size):
        for k in range(size):
            slope[j, k] = weights[3] * precision[j, k]
            cost += slope[j, k] * code[j, k]
        cost -= weights[3]
    for coarse in range(3):  # from one group of all latents, over the groups, to each latent alone
        if weights[coarse] != weights[coarse + 1]:
            weight = weights[coarse] - weights[coarse + 1]
            cost += add_inverse(code, partitions[coarse], weight, slope, scratch)
    return cost


@njit(cache=CACHE, error_model="numpy", fastmath={"reassoc", "contract"})
def dot(x, y):
    total = 0.0
    for p in range(len(x)):
        total += x[p] * y[p]
    return total


@njit(cache=CACHE, error_model="numpy", fastmath={"contract"})
def four_across(matrix, j, k):
    """Four neighbours in a row, from entry (j, k) on."""
    return matrix[j, k], matrix[j, k + 1], matrix[j, k + 2], matrix[j, k + 3]


@njit(cache=CACHE, error_model="numpy", fastmath={"contract"})
def four_down(matrix, k, i):
    """Four neighbours in a column, from entry (k, i) on."""
    return matrix[k, i], matrix[k + 1, i], matrix[k + 2, i], matrix[k + 3, i]


@njit(cache=CACHE, error_model="numpy", fastmath={"contract"})
def combine(shares, x):
    """The sum of four numbers, each so many times."""
    return shares[0] * x[0] + shares[1] * x[1] + shares[2] * x[2] + shares[3] * x[3]


@njit(cache=CACHE, error_model="numpy", fastmath={"reassoc", "contract"})
def add_share(totals, share, x):
    """Four totals and so many times four numbers."""
    return totals[0] + share * x[0], totals[1] + share * x[1], totals[2] + share * x[2], totals[3] + share * x[3]


@njit(cache=CACHE, forceinline=True, error_model="numpy", fastmath={"reassoc", "contract"})
def add_row_products(left, j, right, k, out):
    """Add the products of two rows of `left`, from j on, and four of `right`, from k on, to as many of `out`."""
    upper = lower = (0.0, 0.0, 0.0, 0.0)
    for i in range(left.shape[1]):
        x = four_down(right, k, i)
        upper = add_share(upper, left[j, i], x)
        lower = add_share(lower, left[j + 1, i], x)
    for m in range(4):
        out[j, k + m] += upper[m]
        out[j + 1, k + m] += lower[m]


@njit(cache=CACHE, error_model="numpy")
def add_lower(left, right, out):
    """out += left right^T, on and below the diagonal; what is above it may change."""
    rows = len(left)
    whole = rows - rows % 4
    for j in range(0, whole, 2):
        for k in range(0, j + 1, 4):
            add_row_products(left, j, right, k, out)
    for j in range(whole, rows):
        for k in range(j + 1):
            out[j, k] += dot(left[j], right[k])


@njit(cache=CACHE, forceinline=True, error_model="numpy")
def mirror(matrix):
    """Write what is below the diagonal above it."""
    for j in range(len(matrix)):
        for k in range(j):
            matrix[k, j] = matrix[j, k]


@njit(cache=CACHE, error_model="numpy", fastmath={"contract"})
def add_product(left, right, out):
    """out += left right, by loops over four rows of each at a time, which read every row a quarter as often."""
    (inner, columns), rows = right.shape, len(left)
    tall, deep = rows - rows % 4, inner - inner % 4
    for j in range(0, tall, 4):
        for k in range(0, deep, 4):
            a, b = four_across(left, j, k), four_across(left, j + 1, k)
            c, d = four_across(left, j + 2, k), four_across(left, j + 3, k)
            for i in range(columns):
                x = four_down(right, k, i)
                out[j, i] += combine(a, x)
                out[j + 1, i] += combine(b, x)
                out[j + 2, i] += combine(c, x)
                out[j + 3, i] += combine(d, x)
        for k in range(deep, inner):
            shares = four_down(left, j, k)
            for i in range(columns):
                out[j, i] += shares[0] * right[k, i]
                out[j + 1, i] += shares[1] * right[k, i]
                out[j + 2, i] += shares[2] * right[k, i]
                out[j + 3, i] += shares[3] * right[k, i]
    for j in range(tall, rows):
        for k in range(inner):
            share = left[j, k]
            for i in range(columns):
                out[j, i] += share * right[k, i]


@njit(cache=CACHE, forceinline=True, error_model="numpy")
def read_factor(triangle, mask, factor):
    """Write F, the Cholesky factor of Q; returns log det Q and whether any of F below its diagonal is learned.

    What is not learned there is zero, by the family of the posterior: without any, Q is diagonal.
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


@njit(cache=CACHE, error_model="numpy")
def zeros(size):
    """A vector of zeros that begins with a line of the cache, where processors read and write fastest."""
    room = np.zeros(size + LINE - 1)
    first = -(room.ctypes.data // room.itemsize) % LINE
    return room[first : first + size]


@njit(cache=CACHE, error_model="numpy")
def views(theta, latent_dim, data_dim):
    """A vector of parameters, or their gradient, and its parts: (theta, W^T above E, L)."""
    size = 2 * latent_dim * data_dim
    maps, triangle = theta[:size], theta[size:-1]
    return theta, maps.reshape((2 * latent_dim, data_dim)), triangle.reshape((latent_dim, latent_dim))


@njit(cache=CACHE, error_model="numpy")
def point(latent_dim, data_dim):
    """The `views` of a new vector of zeros."""
    return views(zeros(latent_dim * (2 * data_dim + latent_dim) + 1), latent_dim, data_dim)


# Nothing is allocated in a step, so no references need counting (`_nrt`), which would take a third of a small step.
@njit(cache=CACHE, error_model="numpy", fastmath={"reassoc", "contract"}, _nrt=False)
def value_and_gradient(at, roots, objective, mask, slopes, work):
    """The loss at a point; writes its gradient, times `mask`, to another one. `work` is (5, K, K) scratch space."""
    (theta, maps, triangle), (gradient, to_maps, to_triangle) = at, slopes
    factor, code, gram, slope, scratch = work[0], work[1], work[2], work[3], work[4]
    precision, information, latent_dim = math.exp(-theta[-1]), objective[0][0], len(triangle)
    decoder, encoder = maps[:latent_dim], maps[latent_dim:]
    to_decoder, to_encoder = to_maps[:latent_dim], to_maps[latent_dim:]

    log_det, coupled = read_factor(triangle, mask, factor)
    for j in range(latent_dim):
        for k in range(latent_dim):
            code[j, k] = gram[j, k] = 0.0
        code[j, j] = 0.0 if coupled else factor[j, j] ** 2
    if coupled:
        add_lower(factor, factor, code)
    add_lower(encoder, encoder, code)
    add_lower(decoder, decoder, gram)
    mirror(code)
    mirror(gram)
    cost = code_cost(code, objective, slope, scratch)
    distortion = dot(roots, roots)
    for j in range(latent_dim):
        for k in range(latent_dim):
            distortion += code[j, k] * gram[j, k]
            slope[j, k] += gram[j, k] * precision  # twice the gradient of the loss in C
            code[j, k] *= precision

    for p in range(len(gradient)):
        gradient[p] = 0.0
    add_product(code, decoder, to_decoder)
    add_product(slope, encoder, to_encoder)
    if coupled:
        add_product(slope, factor, to_triangle)
    for k in range(latent_dim):
        for i in range(roots.size):
            pull = roots[i] * precision
            to_decoder[k, i] -= pull * encoder[k, i]
            to_encoder[k, i] -= pull * decoder[k, i]
            distortion -= 2 * roots[i] * encoder[k, i] * decoder[k, i]
        # d loss / dF = slope F - w_I F^-T, the last on the log diagonal only
        to_factor = to_triangle[k, k] if coupled else slope[k, k] * factor[k, k]
        to_triangle[k, k] = to_factor * factor[k, k] - information
    gradient[-1] = roots.size / 2 - distortion * precision / 2
    for p in range(len(theta)):
        gradient[p] *= mask[p]
    fit = distortion * precision / 2 + roots.size / 2 * (math.log(2 * math.pi) + theta[-1])
    return fit + (cost - information * log_det) / 2


@njit(cache=CACHE, error_model="numpy")
def move(x, length, direction, out):
    """out = x + length * direction."""
    for p in range(len(x)):
        out[p] = x[p] + length * direction[p]


@njit(cache=CACHE, error_model="numpy")
def copy(x, out):
    """out = x. (The assignment `out[:] = x` would add seconds to the compilation, for its error message.)"""
    for p in range(len(x)):
        out[p] = x[p]


@njit(cache=CACHE, error_model="numpy")
def unbounded(roots, latent_dim, objective, mask):
    """Whether a learned noise and a learned decoder are known to leave the loss without a lower bound.

    As s2 goes to zero after exact reconstruction, (D/2) log s2 is gained and (w_I r/2) log(1/s2) paid, for r codes that
    shrink with s2, one for each direction in which the data vary, while the covariance of all codes stays the identity.
    """
    rank = 0
    for root in roots:
        rank += root > 0
    learned = mask[-1] > 0 and mask[0] > 0
    return learned and rank <= latent_dim and objective[0][0] * rank < roots.size


@njit(cache=CACHE, error_model="numpy")
def noise_floor(roots, latent_dim, objective, mask):
    """The log noise below which a descent that learns it ends.

    A loss that has a minimum may have it at any noise, so only the resolution of double precision sets an end: below
    it, terms of order 1/s2 are rounding. Where the loss is known to fall for ever, nothing is missed above it.
    """
    return LOG_NOISE_FLOOR if unbounded(roots, latent_dim, objective, mask) else LOG_NOISE_RESOLVED


@njit(cache=CACHE, error_model="numpy")
def verdict(step, max_steps, norm, tolerance, log_noise, noise_learned, floor=LOG_NOISE_FLOOR):
    """Why a descent ends at this step, or `NOT_RUN` while it goes on."""
    if norm <= tolerance:
        return GRADIENT
    if noise_learned > 0 and log_noise < floor:
        return DIVERGED
    if not norm < np.inf:
        return OVERFLOWED
    return MAX_STEPS if step >= max_steps else NOT_RUN


@njit(cache=CACHE, error_model="numpy")
def rounding_error(theta, roots, loss):
    """How far rounding may move the loss: a fraction of the terms that cancel in it."""
    return ROUNDING * ((dot(roots, roots) + 1.0) * math.exp(-theta[-1]) + abs(loss))


@njit(cache=CACHE, error_model="numpy")
def accelerated(theta, roots, latent_dim, objective, mask, kick, tolerance, max_steps, history):
    """Nesterov's accelerated gradient descent, restarted whenever its momentum points uphill.

    The step begins at the noise variance, the inverse curvature of the largest eigenvalue, which is 1; it is halved
    where the loss does not fall as much as a gradient step should, and otherwise allowed to grow. Where the fall drowns
    in rounding, the slope after the step decides. A vanishing gradient may be that of a saddle, so it ends the descent
    only if a kick leads back to the same loss.
    """
    size, step, momentum, settled = len(theta), 0, 1.0, np.inf
    floor = noise_floor(roots, latent_dim, objective, mask)
    work = np.zeros((5, latent_dim, latent_dim))
    at, slopes = point(latent_dim, roots.size), point(latent_dim, roots.size)
    tried, new_slopes = point(latent_dim, roots.size), point(latent_dim, roots.size)
    ahead, gradient, trial, new_gradient = at[0], slopes[0], tried[0], new_slopes[0]
    copy(theta, ahead)
    length = math.exp(theta[-1])
    loss = value_and_gradient(at, roots, objective, mask, slopes, work)
    while True:
        if step < len(history):
            history[step] = loss
        norm = math.sqrt(dot(gradient, gradient))
        rounding = rounding_error(ahead, roots, loss)
        end = verdict(step, max_steps, norm, tolerance, ahead[-1], mask[-1], floor)
        if end == GRADIENT and loss < settled - 10 * rounding and step < max_steps:
            settled, momentum, end = loss, 1.0, NOT_RUN
            move(ahead, 1.0, kick, theta)
            copy(theta, ahead)
            loss = value_and_gradient(at, roots, objective, mask, slopes, work)
            norm = math.sqrt(dot(gradient, gradient))
        if end != NOT_RUN:
            copy(ahead, theta)
            return step, loss, norm, end
        length, found = 1.1 * length, False
        for _ in range(LINE_SEARCH_STEPS):
            move(ahead, -length, gradient, trial)
            new_loss = value_and_gradient(tried, roots, objective, mask, new_slopes, work)
            fall = length * norm * norm / 2
            if new_loss <= loss - fall + rounding and (fall > 10 * rounding or dot(new_gradient, gradient) >= 0):
                found = True
                break
            length /= 2
        if not found:
            copy(ahead, theta)
            return step, loss, norm, STALLED
        if dot(gradient, trial) > dot(gradient, theta):
            momentum = 1.0
        previous, momentum = momentum, (1 + math.sqrt(1 + 4 * momentum * momentum)) / 2
        for p in range(size):
            ahead[p] = trial[p] + (previous - 1) / momentum * (trial[p] - theta[p])
            theta[p] = trial[p]
        loss, step = value_and_gradient(at, roots, objective, mask, slopes, work), step + 1


@njit(cache=CACHE, error_model="numpy")
def gradient_descent(theta, roots, latent_dim, objective, mask, tolerance, max_steps, history):
    """Steps along the gradient, each as long as it can be without passing the lowest point of its line."""
    step, length, floor = 0, math.exp(theta[-1]), noise_floor(roots, latent_dim, objective, mask)
    work = np.zeros((5, latent_dim, latent_dim))
    at, slopes = views(theta, latent_dim, roots.size), point(latent_dim, roots.size)
    tried, new_slopes = point(latent_dim, roots.size), point(latent_dim, roots.size)
    gradient, trial, new_gradient = slopes[0], tried[0], new_slopes[0]
    loss = value_and_gradient(at, roots, objective, mask, slopes, work)
    while True:
        if step < len(history):
            history[step] = loss
        norm = math.sqrt(dot(gradient, gradient))
        end = verdict(step, max_steps, norm, tolerance, theta[-1], mask[-1], floor)
        if end != NOT_RUN:
            return step, loss, norm, end
        rounding = rounding_error(theta, roots, loss)
        length, found = 1.2 * length, False
        for _ in range(LINE_SEARCH_STEPS):
            move(theta, -length, gradient, trial)
            new_loss = value_and_gradient(tried, roots, objective, mask, new_slopes, work)
            if new_loss <= loss + rounding and dot(new_gradient, gradient) >= 0:
                found = True
                break
            length /= 2
        if not found:
            return step, loss, norm, STALLED
        copy(trial, theta)
        copy(new_gradient, gradient)
        loss, step = new_loss, step + 1


@njit(cache=CACHE, error_model="numpy")
def adam_step(theta, gradient, first, second, left, learning_rate):
    """A step with the usual decay rates .9 and .999; `left` is what they leave of a start by now: their powers."""
    rate, correction = learning_rate / (1 - left[0]), 1 / math.sqrt(1 - left[1])
    for p in range(len(theta)):
        first[p] = 0.9 * first[p] + 0.1 * gradient[p]
        second[p] = 0.999 * second[p] + 0.001 * gradient[p] * gradient[p]
        theta[p] -= rate * first[p] / (correction * math.sqrt(second[p]) + 1e-8)


@njit(cache=CACHE, error_model="numpy")
def adam(theta, roots, latent_dim, objective, mask, learning_rate, tolerance, max_steps, history):
    """Adam at a constant learning rate."""
    step, left, floor = 0, (1.0, 1.0), noise_floor(roots, latent_dim, objective, mask)
    at, slopes = point(latent_dim, roots.size), point(latent_dim, roots.size)
    here, gradient, first, second = at[0], slopes[0], zeros(len(theta)), zeros(len(theta))
    work = np.zeros((5, latent_dim, latent_dim))
    copy(theta, here)
    while True:
        loss = value_and_gradient(at, roots, objective, mask, slopes, work)
        if step < len(history):
            history[step] = loss
        norm = math.sqrt(dot(gradient, gradient))
        end = verdict(step, max_steps, norm, tolerance, here[-1], mask[-1], floor)
        if end != NOT_RUN:
            copy(here, theta)
            return step, loss, norm, end
        step, left = step + 1, (0.9 * left[0], 0.999 * left[1])  # as powers they would cost a tenth of a small step
        adam_step(here, gradient, first, second, left, learning_rate)


@njit(cache=CACHE, error_model="numpy", nogil=True)  # a worker is to see meanwhile that its parent has ended
def descend(theta, roots, latent_dim, objective, mask, kick, method, learning_rate, tolerance, max_steps, history):
    """Descend from `theta`, in place; returns (steps, loss, gradient norm, why it ended).

    `history` takes the loss of each step, as many as it has room for.
    """
    if method == ACCELERATED:
        return accelerated(theta, roots, latent_dim, objective, mask, kick, tolerance, max_steps, history)
    if method == GRADIENT_DESCENT:
        return gradient_descent(theta, roots, latent_dim, objective, mask, tolerance, max_steps, history)
    return adam(theta, roots, latent_dim, objective, mask, learning_rate, tolerance, max_steps, history)


@njit(cache=CACHE, error_model="numpy", parallel=True)
def add_product_in_halves(left, right, out):
    """`add_product`, the upper and lower half of the rows in parallel; one thread or two find the same numbers."""
    half = len(left) // 8 * 4
    for part in prange(2):
        first, last = part * half, half + part * (len(left) - half)
        add_product(left[first:last], right, out[first:last])


@njit(cache=CACHE, error_model="numpy")
def add_large_product(left, right, out):
    """`add_product`, with two threads if that is faster."""
    if len(left) * right.size < THREAD_WORK:
        add_product(left, right, out)
    else:
        add_product_in_halves(left, right, out)


@njit(cache=CACHE, error_model="numpy")
def sampled_room(latent_dim, data_dim, count):
    """Scratch space for `sampled_value_and_gradient` of so many observations."""
    codes, columns = zeros(6 * latent_dim * count), zeros(data_dim * count)
    square = np.zeros((3, latent_dim, latent_dim))
    return square, codes.reshape((6 * latent_dim, count)), columns.reshape((data_dim, count))


@njit(cache=CACHE, error_model="numpy", fastmath={"reassoc", "contract"}, _nrt=False)
def sampled_value_and_gradient(at, batch, noise, beta, mask, slopes, room):
    """The loss on a batch of n centred observations X (n x D) with noise e (K x n); writes its gradient, times `mask`.

    A point is [ W^T | V | L | log s2 ] here, with V the encoder of the data as they are. With latents Z (K x n)

        Z = V X^T + F e,    n distortion = |X|^2 - 2 <Z, W^T X^T> + <Z, M Z>
        n rate = |V X^T|^2 / 2 + n (tr Q - K - log det Q) / 2
        n d loss / dZ = (M Z - W^T X^T) / s2 at held rate,    n d loss / dW^T = (Z Z^T W^T - Z X) / s2

    so that one product with the batch serves W and V, another their gradients, and no residual is formed.
    """
    (theta, maps, triangle), (gradient, to_maps, to_triangle), (square, codes, columns) = at, slopes, room
    (count, data_dim), latent_dim, factor, gram, code = batch.shape, len(noise), square[0], square[1], square[2]
    decoder, to_decoder = maps[:latent_dim], to_maps[:latent_dim]
    through, projected, means = codes[: 2 * latent_dim], codes[:latent_dim], codes[latent_dim : 2 * latent_dim]
    latents, pulled = codes[2 * latent_dim : 3 * latent_dim], codes[3 * latent_dim : 4 * latent_dim]
    back = codes[4 * latent_dim :]  # what the gradient of W^T and V is a product with
    precision = math.exp(-theta[-1])
    weight, pull = precision / count, beta / count  # of an observation, in distortion and rate

    log_det, _ = read_factor(triangle, mask, factor)
    for p in range(len(gradient)):
        gradient[p] = 0.0
    for k in range(latent_dim):
        for j in range(latent_dim):
            gram[k, j] = code[k, j] = 0.0
        for n in range(count):
            projected[k, n] = means[k, n] = 0.0
    distortion, rate = 0.0, -(latent_dim + log_det)
    for n in range(count):
        distortion += dot(batch[n], batch[n])
    for i in range(data_dim):
        for n in range(count):
            columns[i, n] = batch[n, i]
    add_large_product(maps, columns, through)
    for k in range(latent_dim):
        for n in range(count):
            latents[k, n] = means[k, n]
            pulled[k, n] = -projected[k, n]
    add_product(factor, noise, latents)
    add_lower(decoder, decoder, gram)
    mirror(gram)
    add_product(gram, latents, pulled)
    for k in range(latent_dim):
        for n in range(count):
            distortion += latents[k, n] * (pulled[k, n] - projected[k, n])
            rate += means[k, n] * means[k, n] / count
            pulled[k, n] *= weight
            back[k, n] = -latents[k, n] * weight
            back[latent_dim + k, n] = pulled[k, n] + pull * means[k, n]
    distortion /= count

    add_large_product(back, batch, to_maps)
    add_lower(latents, latents, code)
    mirror(code)
    for k in range(latent_dim):
        for j in range(latent_dim):
            code[k, j] *= weight
            to_triangle[k, j] = beta * factor[k, j]
            rate += factor[k, j] * factor[k, j]
    add_product(code, decoder, to_decoder)
    add_lower(pulled, noise, to_triangle)
    for k in range(latent_dim):
        to_triangle[k, k] = to_triangle[k, k] * factor[k, k] - beta
    gradient[-1] = (data_dim - distortion * precision) / 2
    for p in range(len(theta)):
        gradient[p] *= mask[p]
    return (distortion * precision + data_dim * (math.log(2 * math.pi) + theta[-1]) + beta * rate) / 2


@njit(cache=CACHE, error_model="numpy", nogil=True)
def sampled_adam(theta, data, picks, noise, beta, mask, learning_rate, gradient, first, second, step, losses):
    """Steps of Adam, after so many before, one for each row of `picks` (of rows of the data) and `noise`, in place.

    `losses` takes the sampled loss before each. Call `numba.get_num_threads()` once before, which starts the threads of
    `add_product_in_halves`: numba does not where it takes the caller of a parallel function from its cache.
    """
    latent_dim, (count, data_dim) = noise.shape[1], (picks.shape[1], data.shape[1])
    at, slopes = views(theta, latent_dim, data_dim), views(gradient, latent_dim, data_dim)
    left = 0.9**step, 0.999**step
    batch, room = zeros(count * data_dim).reshape((count, data_dim)), sampled_room(latent_dim, data_dim, count)
    for row in range(len(picks)):
        for n in range(count):
            copy(data[picks[row, n]], batch[n])
        losses[row] = sampled_value_and_gradient(at, batch, noise[row], beta, mask, slopes, room)
        left = 0.9 * left[0], 0.999 * left[1]
        adam_step(theta, gradient, first, second, left, learning_rate)


@njit(cache=CACHE, error_model="numpy", parallel=True)
def descend_all(
    thetas,
    roots,
    latent_dim,
    weights,
    partitions,
    precision,
    mask,
    kick,
    method,
    learning_rate,
    tolerance,
    max_steps,
    steps,
    losses,
    norms,
    ends,
):
    """`descend` for each row of `thetas` and `weights`, in place, in parallel; the last four take what it returns."""
    for run in prange(len(weights)):
        steps[run], losses[run], norms[run], ends[run] = descend(
            thetas[run],
            roots,
            latent_dim,
            (weights[run], partitions, precision),
            mask,
            kick,
            method,
            learning_rate,
            tolerance,
            max_steps,
            np.empty(0),
        )
