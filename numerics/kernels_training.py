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
a parameter is learned and zero where it is held. `objective` stands for the tuple (weights, labels, precision):
(w_I, w_B, w_W, w_D), the number of each latent's group, and P.

A step costs O(D K^2), in products and sums along rows of length D, which is why W is stored transposed. Sums alone may
be taken in any order (`reassoc`), as in a linear algebra library.

The kernels that call each other share this file because numba's cache of a function is renewed when its own file
changes, not when the file of a function that it calls does.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit, prange

__all__ = [
    "ACCELERATED",
    "ADAM",
    "DIVERGED",
    "GRADIENT",
    "GRADIENT_DESCENT",
    "MAX_STEPS",
    "NOT_RUN",
    "STALLED",
    "descend",
    "descend_all",
    "matrices",
    "sampled_adam",
    "sampled_value_and_gradient",
    "value_and_gradient",
]

ACCELERATED, GRADIENT_DESCENT, ADAM = 0, 1, 2  # how to descend
NOT_RUN, GRADIENT, MAX_STEPS, STALLED, DIVERGED = -1, 0, 1, 2, 3  # why it ended

# A learned noise below this has run to zero: rounding of terms of order 1/s2 would move the loss by 1e-10 nats.
LOG_NOISE_FLOOR = math.log(1e-6)
ROUNDING = 1e-14  # of the terms that cancel in the loss
LINE_SEARCH_STEPS = 60
BLAS_WORK = 2**12  # multiplications in a product from which on a library call, about 100 ns, pays
THREAD_WORK = 2**21  # from which on a second thread pays, which takes some microseconds to come


@njit(cache=True, error_model="numpy")
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


@njit(cache=True, error_model="numpy")
def add_inverse(code, weight, members, slope, scratch):
    """Add weight C_gg^-1 to the block of some latents; returns weight log det C_gg."""
    count = len(members)
    block = scratch[:count, :count]
    for j in range(count):
        for k in range(count):
            block[j, k] = code[members[j], members[k]]
    log_det = invert(block)
    for j in range(count):
        for k in range(count):
            slope[members[j], members[k]] += weight * block[j, k]
    return weight * log_det


@njit(cache=True, error_model="numpy")
def code_cost(code, objective, slope, scratch):
    """Twice the cost of the code's covariance; writes twice the gradient of the cost to `slope`."""
    weights, labels, precision = objective
    information, between, within, dimension_wise = weights
    size, cost = len(code), 0.0
    for j in range(size):
        for k in range(size):
            slope[j, k] = dimension_wise * precision[j, k]
            cost += slope[j, k] * code[j, k]
        cost -= dimension_wise
    if information != between:
        cost += add_inverse(code, information - between, np.arange(size), slope, scratch)
    if between != within:
        for label in range(size):
            members = np.flatnonzero(labels == label)
            if len(members) > 0:
                cost += add_inverse(code, between - within, members, slope, scratch)
    if within != dimension_wise:
        for j in range(size):
            slope[j, j] += (within - dimension_wise) / code[j, j]
            cost += (within - dimension_wise) * math.log(code[j, j])
    return cost


@njit(cache=True, error_model="numpy", fastmath={"reassoc"})
def dot(x, y):
    total = 0.0
    for p in range(len(x)):
        total += x[p] * y[p]
    return total


@njit(cache=True, error_model="numpy", fastmath={"reassoc"})
def weighted_dot(weights, x, y):
    total = 0.0
    for p in range(len(x)):
        total += weights[p] * x[p] * y[p]
    return total


@njit(cache=True, error_model="numpy")
def add_gram(matrix, out):
    """out += matrix matrix^T."""
    for j in range(len(matrix)):
        for k in range(j):
            product = dot(matrix[j], matrix[k])
            out[j, k] += product
            out[k, j] += product
        out[j, j] += dot(matrix[j], matrix[j])


@njit(cache=True, error_model="numpy")
def multiply_small(square, matrix, out):
    """out = square matrix, by loops."""
    columns = matrix.shape[1]
    for j in range(len(square)):
        for i in range(columns):
            out[j, i] = square[j, 0] * matrix[0, i]
        for k in range(1, len(square)):
            share = square[j, k]
            for i in range(columns):
                out[j, i] += share * matrix[k, i]


@njit(cache=True, error_model="numpy")
def multiply(square, matrix, out):
    """out = square matrix, by loops or the linear algebra library, whichever is faster."""
    if len(square) * matrix.size < BLAS_WORK:
        multiply_small(square, matrix, out)
    else:
        np.dot(square, matrix, out)


@njit(cache=True, error_model="numpy")
def matrices(theta, latent_dim, data_dim):
    """Views of the parameters W^T, E and L, or of their gradient."""
    size = 2 * latent_dim * data_dim
    maps = theta[:size].reshape((2, latent_dim, data_dim))
    return maps[0], maps[1], theta[size:-1].reshape((latent_dim, latent_dim))


@njit(cache=True, error_model="numpy")
def read_factor(triangle, factor):
    """Write F, the Cholesky factor of Q, and return log det Q."""
    log_det = 0.0
    for j in range(len(triangle)):
        for k in range(j):
            factor[j, k], factor[k, j] = triangle[j, k], 0.0
        factor[j, j] = math.exp(triangle[j, j])
        log_det += 2 * triangle[j, j]
    return log_det


@njit(cache=True, error_model="numpy")
def value_and_gradient(theta, roots, latent_dim, objective, mask, gradient, work):
    """The loss at `theta`; writes its gradient, times `mask`. `work` is (5, K, K) scratch space."""
    decoder, encoder, triangle = matrices(theta, latent_dim, roots.size)
    to_decoder, to_encoder, to_triangle = matrices(gradient, latent_dim, roots.size)
    factor, code, gram, slope, scratch = work[0], work[1], work[2], work[3], work[4]
    precision, information = math.exp(-theta[-1]), objective[0][0]

    log_det = read_factor(triangle, factor)
    for j in range(latent_dim):
        for k in range(latent_dim):
            code[j, k] = gram[j, k] = 0.0
    add_gram(factor, code)
    add_gram(encoder, code)
    add_gram(decoder, gram)
    distortion = dot(roots, roots)
    for k in range(latent_dim):
        distortion += dot(code[k], gram[k]) - 2 * weighted_dot(roots, decoder[k], encoder[k])
    cost = code_cost(code, objective, slope, scratch)
    for j in range(latent_dim):  # slope: twice the gradient of the loss in C
        for k in range(latent_dim):
            slope[j, k] += gram[j, k] * precision

    multiply(code, decoder, to_decoder)
    multiply(slope, encoder, to_encoder)
    for k in range(latent_dim):
        for i in range(roots.size):
            to_decoder[k, i] = (to_decoder[k, i] - roots[i] * encoder[k, i]) * precision
            to_encoder[k, i] -= roots[i] * decoder[k, i] * precision
    multiply(slope, factor, to_triangle)  # d loss / dF = slope F - w_I F^-T, the last on the log diagonal only
    for k in range(latent_dim):
        to_triangle[k, k] = to_triangle[k, k] * factor[k, k] - information
    gradient[-1] = roots.size / 2 - distortion * precision / 2
    for p in range(len(theta)):
        gradient[p] *= mask[p]
    fit = distortion * precision / 2 + roots.size / 2 * (math.log(2 * math.pi) + theta[-1])
    return fit + (cost - information * log_det) / 2


@njit(cache=True, error_model="numpy")
def move(x, length, direction, out):
    """out = x + length * direction."""
    for p in range(len(x)):
        out[p] = x[p] + length * direction[p]


@njit(cache=True, error_model="numpy")
def copy(x, out):
    """out = x. (The assignment `out[:] = x` would add seconds to the compilation, for its error message.)"""
    for p in range(len(x)):
        out[p] = x[p]


@njit(cache=True, error_model="numpy")
def verdict(step, max_steps, norm, tolerance, log_noise, noise_learned):
    """Why a descent ends at this step, or `NOT_RUN` while it goes on."""
    if norm <= tolerance:
        return GRADIENT
    if noise_learned > 0 and log_noise < LOG_NOISE_FLOOR:
        return DIVERGED
    return MAX_STEPS if step >= max_steps else NOT_RUN


@njit(cache=True, error_model="numpy")
def rounding_error(theta, roots, loss):
    """How far rounding may move the loss: a fraction of the terms that cancel in it."""
    return ROUNDING * ((dot(roots, roots) + 1.0) * math.exp(-theta[-1]) + abs(loss))


@njit(cache=True, error_model="numpy")
def accelerated(theta, roots, latent_dim, objective, mask, kick, tolerance, max_steps, history):
    """Nesterov's accelerated gradient descent, restarted whenever its momentum points uphill.

    The step begins at the noise variance, the inverse curvature of the largest eigenvalue, which is 1; it is halved
    where the loss does not fall as much as a gradient step should, and otherwise allowed to grow. Where the fall drowns
    in rounding, the slope after the step decides. A vanishing gradient may be that of a saddle, so it ends the descent
    only if a kick leads back to the same loss.
    """
    size, step, momentum, settled = len(theta), 0, 1.0, np.inf
    work = np.zeros((5, latent_dim, latent_dim))
    gradient, new_gradient, trial, ahead = np.zeros(size), np.zeros(size), np.zeros(size), theta.copy()
    length = math.exp(theta[-1])
    loss = value_and_gradient(ahead, roots, latent_dim, objective, mask, gradient, work)
    while True:
        if step < len(history):
            history[step] = loss
        norm = math.sqrt(dot(gradient, gradient))
        rounding = rounding_error(ahead, roots, loss)
        end = verdict(step, max_steps, norm, tolerance, ahead[-1], mask[-1])
        if end == GRADIENT and loss < settled - 10 * rounding and step < max_steps:
            settled, momentum, end = loss, 1.0, NOT_RUN
            move(ahead, 1.0, kick, theta)
            copy(theta, ahead)
            loss = value_and_gradient(ahead, roots, latent_dim, objective, mask, gradient, work)
            norm = math.sqrt(dot(gradient, gradient))
        if end != NOT_RUN:
            copy(ahead, theta)
            return step, loss, norm, end
        length, found = 1.1 * length, False
        for _ in range(LINE_SEARCH_STEPS):
            move(ahead, -length, gradient, trial)
            new_loss = value_and_gradient(trial, roots, latent_dim, objective, mask, new_gradient, work)
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
        loss, step = value_and_gradient(ahead, roots, latent_dim, objective, mask, gradient, work), step + 1


@njit(cache=True, error_model="numpy")
def gradient_descent(theta, roots, latent_dim, objective, mask, tolerance, max_steps, history):
    """Steps along the gradient, each as long as it can be without passing the lowest point of its line."""
    size, step = len(theta), 0
    work = np.zeros((5, latent_dim, latent_dim))
    gradient, new_gradient, trial = np.zeros(size), np.zeros(size), np.zeros(size)
    length = math.exp(theta[-1])
    loss = value_and_gradient(theta, roots, latent_dim, objective, mask, gradient, work)
    while True:
        if step < len(history):
            history[step] = loss
        norm = math.sqrt(dot(gradient, gradient))
        end = verdict(step, max_steps, norm, tolerance, theta[-1], mask[-1])
        if end != NOT_RUN:
            return step, loss, norm, end
        rounding = rounding_error(theta, roots, loss)
        length, found = 1.2 * length, False
        for _ in range(LINE_SEARCH_STEPS):
            move(theta, -length, gradient, trial)
            new_loss = value_and_gradient(trial, roots, latent_dim, objective, mask, new_gradient, work)
            if new_loss <= loss + rounding and dot(new_gradient, gradient) >= 0:
                found = True
                break
            length /= 2
        if not found:
            return step, loss, norm, STALLED
        copy(trial, theta)
        copy(new_gradient, gradient)
        loss, step = new_loss, step + 1


@njit(cache=True, error_model="numpy")
def adam_step(theta, gradient, first, second, step, learning_rate):
    """The step of this number, from 1, with the usual decay rates .9 and .999; `first`, `second` are Adam's moments."""
    rate, correction = learning_rate / (1 - 0.9**step), 1 / math.sqrt(1 - 0.999**step)
    for p in range(len(theta)):
        first[p] = 0.9 * first[p] + 0.1 * gradient[p]
        second[p] = 0.999 * second[p] + 0.001 * gradient[p] * gradient[p]
        theta[p] -= rate * first[p] / (correction * math.sqrt(second[p]) + 1e-8)


@njit(cache=True, error_model="numpy")
def adam(theta, roots, latent_dim, objective, mask, learning_rate, tolerance, max_steps, history):
    """Adam at a constant learning rate."""
    size, step = len(theta), 0
    work = np.zeros((5, latent_dim, latent_dim))
    gradient, first, second = np.zeros(size), np.zeros(size), np.zeros(size)
    while True:
        loss = value_and_gradient(theta, roots, latent_dim, objective, mask, gradient, work)
        if step < len(history):
            history[step] = loss
        norm = math.sqrt(dot(gradient, gradient))
        end = verdict(step, max_steps, norm, tolerance, theta[-1], mask[-1])
        if end != NOT_RUN:
            return step, loss, norm, end
        step += 1
        adam_step(theta, gradient, first, second, step, learning_rate)


@njit(cache=True, error_model="numpy")
def descend(theta, roots, latent_dim, objective, mask, kick, method, learning_rate, tolerance, max_steps, history):
    """Descend from `theta`, in place; returns (steps, loss, gradient norm, why it ended).

    `history` takes the loss of each step, as many as it has room for.
    """
    if method == ACCELERATED:
        return accelerated(theta, roots, latent_dim, objective, mask, kick, tolerance, max_steps, history)
    if method == GRADIENT_DESCENT:
        return gradient_descent(theta, roots, latent_dim, objective, mask, tolerance, max_steps, history)
    return adam(theta, roots, latent_dim, objective, mask, learning_rate, tolerance, max_steps, history)


@njit(cache=True, error_model="numpy", parallel=True)
def multiply_halves(left, right, out):
    """out = left right, the upper and lower half of the rows in parallel; one thread or two find the same numbers."""
    half = len(left) // 2
    for part in prange(2):
        first, last = part * half, half + part * (len(left) - half)
        np.dot(left[first:last], right, out[first:last])


@njit(cache=True, error_model="numpy")
def multiply_large(left, right, out):
    """out = left right, by the linear algebra library, with two threads if that is faster."""
    if left.size * right.shape[1] < THREAD_WORK:
        np.dot(left, right, out)
    else:
        multiply_halves(left, right, out)


@njit(cache=True, error_model="numpy")
def sampled_value_and_gradient(theta, batch, noise, beta, mask, gradient):
    """The loss on a batch of n centred observations X (n x D) with noise e (K x n); writes its gradient, times `mask`.

    theta = [ W^T | V | L | log s2 ] here, with V the encoder of the data as they are. With latents Z (K x n)

        Z = V X^T + F e,    n distortion = |X|^2 - 2 <Z, W^T X^T> + <Z, M Z>
        n rate = |V X^T|^2 / 2 + n (tr Q - K - log det Q) / 2
        n d loss / dZ = (M Z - W^T X^T) / s2 at held rate,    n d loss / dW^T = (Z Z^T W^T - Z X) / s2

    so that one product with the batch serves W and V, another their gradients, and no residual is formed.
    """
    (count, data_dim), latent_dim = batch.shape, len(noise)
    decoder, _, triangle = matrices(theta, latent_dim, data_dim)
    to_decoder, _, to_triangle = matrices(gradient, latent_dim, data_dim)
    both, to_both = theta[: 2 * decoder.size], gradient[: 2 * decoder.size]  # W^T and V, one above the other
    factor, gram, through = np.empty(triangle.shape), np.empty(triangle.shape), np.empty(decoder.shape)
    code = np.zeros(triangle.shape)
    latents, pulled = np.empty(noise.shape), np.empty(noise.shape)
    codes, slopes = np.empty((2 * latent_dim, count)), np.empty((2 * latent_dim, count))
    projected, means = codes[:latent_dim], codes[latent_dim:]
    precision = math.exp(-theta[-1])
    weight, pull = precision / count, beta / count  # of an observation, in distortion and rate

    log_det = read_factor(triangle, factor)
    multiply_large(both.reshape((2 * latent_dim, data_dim)), batch.T, codes)
    multiply(factor, noise, latents)
    for k in range(latent_dim):
        for n in range(count):
            latents[k, n] += means[k, n]
    multiply_large(decoder, decoder.T, gram)
    multiply(gram, latents, pulled)
    distortion, rate = dot(batch.ravel(), batch.ravel()) / count, -(latent_dim + log_det) / 2
    for k in range(latent_dim):
        distortion += (dot(latents[k], pulled[k]) - 2 * dot(latents[k], projected[k])) / count
        rate += (dot(means[k], means[k]) / count + dot(factor[k], factor[k])) / 2
        for n in range(count):
            pulled[k, n] = (pulled[k, n] - projected[k, n]) * weight
            slopes[k, n] = -latents[k, n] * weight
            slopes[latent_dim + k, n] = pulled[k, n] + pull * means[k, n]

    multiply_large(slopes, batch, to_both.reshape((2 * latent_dim, data_dim)))
    add_gram(latents, code)
    multiply_large(code, decoder, through)
    np.dot(pulled, noise.T, to_triangle)
    for k in range(latent_dim):
        for i in range(data_dim):
            to_decoder[k, i] += through[k, i] * weight
        for j in range(latent_dim):
            to_triangle[k, j] += beta * factor[k, j]
        to_triangle[k, k] = to_triangle[k, k] * factor[k, k] - beta
    gradient[-1] = (data_dim - distortion * precision) / 2
    for p in range(len(theta)):
        gradient[p] *= mask[p]
    return distortion * precision / 2 + data_dim / 2 * (math.log(2 * math.pi) + theta[-1]) + beta * rate


@njit(cache=True, error_model="numpy", nogil=True)
def sampled_adam(theta, data, picks, noise, beta, mask, learning_rate, gradient, first, second, step, losses):
    """Steps of Adam, after so many before, one for each row of `picks` (of rows of the data) and `noise`, in place.

    `losses` takes the sampled loss before each. Call `numba.get_num_threads()` once before, which starts the threads
    of `multiply_halves`: numba does not where it takes the caller of a parallel function from its cache.
    """
    batch = np.empty((picks.shape[1], data.shape[1]))
    for row in range(len(picks)):
        for n in range(len(batch)):
            copy(data[picks[row, n]], batch[n])
        losses[row] = sampled_value_and_gradient(theta, batch, noise[row], beta, mask, gradient)
        adam_step(theta, gradient, first, second, step + row + 1, learning_rate)


@njit(cache=True, error_model="numpy", parallel=True)
def descend_all(
    thetas,
    roots,
    latent_dim,
    weights,
    labels,
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
            (weights[run], labels, precision),
            mask,
            kick,
            method,
            learning_rate,
            tolerance,
            max_steps,
            np.empty(0),
        )
