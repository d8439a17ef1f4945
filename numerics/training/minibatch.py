"""Training as usual for VAEs: batches of observations, sampled codes, Adam.

    loss of a batch = mean over its x of [ |x - m - W z|^2 / (2 s2) + beta KL(q(z|x) || N(0, I)) ] + (D/2) log(2 pi s2)
    z = V (x - m) + F e,   e ~ N(0, I),   Q = F F^T

with decoder W, encoder V, posterior covariance Q, noise variance s2 and mean m, in D dimensions.

One draw of z for each observation (the reparametrisation), and the exact gradient of the sampled loss. Its expectation,
over draws and batches, is the gradient of the exact loss that `numerics.train` descends; here it has noise, is taken in
the coordinates of the data, and does not use their covariance. The mean m is that of the data. Data are divided by one
number, the root of their mean variance, so that the learning rate does not depend on their unit.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from numba import get_num_threads

from numerics.kernels import descent
from numerics.kernels.objective import noise_floor
from numerics.kernels.parts import joined, sampled_adam, separated
from numerics.training.end_of_run import overflowed, stop_reason
from numerics.training.problem import BLAS, TrainingProblem, pack, training_problem
from numerics.training.train import TrainingRun, as_weights, generator, overflow_error
from theory import validation
from theory.groups import Weights
from theory.model import LinearVAE
from theory.moments import Moments
from theory.partition import Posterior

__all__ = ["ahead", "train_minibatch"]

MOST_STEPS = 10**9  # far beyond what training needs; more is a mistake
BLOCK = 2**17  # random numbers drawn at a time: for many steps of small models, so that a hand-over costs little


def train_minibatch(
    data,
    latent_dim: int,
    *,
    beta: float,
    noise_variance: float | str = "learned",
    decoder: np.ndarray | None = None,
    posterior: Posterior = "diagonal",
    batch_size: int = 128,
    steps: int = 20_000,
    learning_rate: float = 0.001,
    rng: np.random.Generator | int | None = None,
) -> TrainingRun:
    """Train a linear-Gaussian beta-VAE on batches of data with sampled codes, by Adam.

    Parameters
    ----------
    data : (N, D) array
        observations, N >= 2. They are shuffled anew for each pass; a batch may hold the end of one pass and the
        beginning of the next.
    latent_dim : int
        K; may exceed D, may be 0.
    beta : float > 0
    noise_variance : float > 0, or "learned"
        a number fixes the decoder noise; a learned one starts at the mean variance of the data.
    decoder : (D, K) array, optional
        a fixed decoder; learned by default.
    posterior : "diagonal", "full", or a list of groups of latents
    batch_size, steps : int
        a step takes one batch, of all observations if there are fewer.
    learning_rate : float > 0
        of Adam, constant.
    rng : numpy.random.Generator, or a seed, optional
        source of start, order and noise; `None` means seed 0. On one machine history and model have the same bits on
        any number of threads; `loss` and `gradient_norm` agree to rounding, since the covariance of all of the data is
        a product that the threads of a library share.

    Returns
    -------
    TrainingRun
        `history` is (steps,), the sampled loss of each step's batch before the step. `loss` is exact, on all of the
        data, at the end, and so is `gradient_norm`, in the coordinates of `train`, to be compared with its own.
        `stopped` is "max_steps", since noise keeps the steps from settling, or "diverged" where the loss has no lower
        bound; then the run ends where the learned noise falls below 1e-6 of the mean variance.

    Raises
    ------
    ValueError
        for arguments that do not fit, sizes or counts beyond what can be computed, or a learning rate so large that
        the steps overflow.

    Notes
    -----
    Unbiased, not exact: at a constant learning rate the distance of the end from the optimum does not vanish with more
    steps, only with smaller ones.
    """
    data = validation.observations("data", data)
    moments = Moments.of(data)
    centred = np.ascontiguousarray(data - moments.mean)
    validation.within_decades("data", centred, validation.AMPLITUDE_DECADES)
    problem = training_problem(moments, latent_dim, noise_variance, decoder, posterior)
    beta = validation.positive("beta", beta)
    weights = as_weights("beta", beta)
    batch_size = min(validation.count("batch_size", batch_size), len(data))
    if batch_size == 0:
        raise ValueError("batch_size must be > 0, got 0; pass how many observations a step takes")
    steps = validation.count("steps", steps, maximum=MOST_STEPS, bytes_each=8)  # for the history
    learning_rate, rng = validation.positive("learning_rate", learning_rate), generator(rng)

    # A sum without the linear algebra library, whose bits depend on its threads; the steps allow it one.
    unit = float(np.einsum("nd,nd->", centred, centred)) / max(data.size, 1) or 1.0
    scaled = centred / np.sqrt(unit)
    own = _as_they_are(problem, unit, noise_variance)
    parts = separated(own.start(rng, by_column=True), scaled, own.mask, problem.latent_dim, batch_size)
    log_noise = parts[0].state.theta[-1:]
    history, step, diverged, floor = np.empty(steps), 0, False, noise_floor(problem.objective(weights))
    blocks = _blocks(rng, len(data), steps, batch_size, problem.latent_dim)
    with BLAS.limit(limits=1, user_api="blas"):
        for picks, noise in ahead(blocks):
            losses = history[step : step + len(picks)]
            sampled_adam(parts, step, picks, noise, weights.dimension_wise, learning_rate, losses, get_num_threads())
            step += len(picks)
            diverged = bool(own.mask[-1] and log_noise[0] < floor)
            if diverged:
                break
    theta = joined(parts, problem.latent_dim)
    if overflowed(history[step - 1] if step else 0.0, 0.0, theta, own.mask, problem.latent_dim):
        raise overflow_error("adam", learning_rate, beta)
    vae = own.vae(theta)
    loss, norm = _exact(vae, problem, weights)
    return TrainingRun(
        vae=vae,
        loss=loss,
        history=history[:step] + len(moments.mean) / 2 * np.log(unit),
        gradient_norm=norm,
        steps=step,
        stopped=stop_reason(descent.DIVERGED if diverged else descent.MAX_STEPS, loss, norm, theta, problem, weights),
    )


def _as_they_are(problem: TrainingProblem, unit: float, noise_variance: float | str) -> TrainingProblem:
    """The problem in the coordinates of the steps: the axes of the data, not whitened, in another unit.

    All of the encoder is learned, also that of directions without variance, which are not coordinates here. A learned
    log noise starts at zero, since the unit is the mean variance.
    """
    data_dim, mask = len(problem.standard_deviations), problem.mask.copy()
    mask[problem.latent_dim * data_dim : 2 * problem.latent_dim * data_dim] = 1.0
    return replace(
        problem,
        standard_deviations=np.ones(data_dim),
        axes=np.eye(data_dim),
        unit=unit,
        noise=1.0 if problem.mask[-1] else float(noise_variance) / unit,
        mask=mask,
    )


def _exact(vae: LinearVAE, problem: TrainingProblem, weights: Weights) -> tuple[float, float]:
    """The exact loss on the data, and the norm of its gradient in the coordinates of `train`."""
    scale, axes = np.sqrt(problem.unit), problem.axes
    whitened = (vae.encoder @ axes * problem.standard_deviations * scale).T
    factor, log_noise = np.linalg.cholesky(vae.posterior_covariance), np.log(vae.noise_variance / problem.unit)
    loss, norm = problem.measure(
        pack(axes.T @ vae.decoder / scale, whitened, factor, log_noise), problem.objective(weights)
    )
    return loss + problem.loss_offset(weights), norm


def _blocks(
    rng: np.random.Generator, count: int, steps: int, batch_size: int, latent_dim: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Row numbers and noise of some steps at a time; the rows are shuffled anew for each pass through the data."""
    block = max(BLOCK // (batch_size * max(latent_dim, 1)), 1)
    waiting = np.empty(0, dtype=np.int64)
    for first in range(0, steps, block):
        rows = min(block, steps - first)
        passes = range(-(-(rows * batch_size - len(waiting)) // count))
        stream = np.concatenate([waiting, *(rng.permutation(count) for _ in passes)])
        picks, waiting = stream[: rows * batch_size].reshape(rows, batch_size), stream[rows * batch_size :]
        yield picks, rng.standard_normal((rows, latent_dim, batch_size))


def ahead(blocks: Iterator) -> Iterator:
    """The same items, each made in another thread while the one before it is in use."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, blocks, None)
        while (item := coming.result()) is not None:
            coming = pool.submit(next, blocks, None)
            yield item
