"""This project as a contestant: the one module of the benchmark that calls its training."""

from __future__ import annotations

import numpy as np
from numba import get_num_threads

from numerics.bench.problem import LEARNING_RATE, ClosedForm, DataMoments, Descent, MinibatchDescent, Parameters
from numerics.bench.timing import Contestant
from numerics.kernels import descent as kernels
from numerics.kernels.objective import views
from numerics.kernels.parts import joined, sampled_adam, separated
from numerics.sweeps.complete import complete_sweep
from numerics.training.minibatch import ahead
from numerics.training.problem import BLAS, training_problem
from numerics.training.train import descent_limits
from theory import LinearVAE, Moments, optimum
from theory.groups import Weights

__all__ = ["closed_form", "descent", "minibatch", "moments", "start"]

NAME = "ours"
ADAM = {"learning_rate": LEARNING_RATE, "gradient_tolerance": 1e-300}  # the tolerance is never met: all steps are made


def start(eigenvalues: np.ndarray, latent_dim: int, seed: int) -> Parameters:
    """Where training starts from a seed."""
    problem = training_problem(np.diag(eigenvalues), latent_dim, "learned", None, "diagonal")
    return _parameters(problem.vae(problem.start(np.random.default_rng(seed))), eigenvalues)


def descent(task: Descent) -> list[Contestant]:
    """Full-batch Adam of one run or of many."""
    return [_one_run(task) if task.weights.ndim == 0 else _sweep(task)]


def _one_run(task: Descent) -> Contestant:
    """What `train` does after the eigenvectors; in large problems computing them would outweigh some steps."""
    (beta,), (seed,) = task.betas, task.seeds
    problem = training_problem(np.diag(task.eigenvalues), task.latent_dim, "learned", None, "diagonal")
    limits = descent_limits(**ADAM, max_steps=task.steps)
    objective = problem.objective(Weights.uniform(beta))
    begin, history = problem.start(np.random.default_rng(seed)), np.empty(task.steps + 1)

    def run():
        theta = begin.copy()
        kernels.descend(theta, objective, problem.perturbation, kernels.ADAM, limits, history)
        return theta

    return Contestant(NAME, run, lambda theta: _parameters(problem.vae(theta), task.eigenvalues))


def _sweep(task: Descent) -> Contestant:
    """`sweep`, less its time before the first step."""

    def run(steps=task.steps):
        options = ADAM | {
            "method": "adam",
            "betas": task.betas,
            "seeds": task.seeds,
            "max_steps": steps,
        }
        return complete_sweep(np.diag(task.eigenvalues), task.latent_dim, **options)

    def read(result):
        runs = [_parameters(vae, task.eigenvalues) for vaes in result.vaes() for vae in vaes]
        return Parameters(*map(np.stack, zip(*runs, strict=True)))

    return Contestant(NAME, run, read, idle=lambda: run(0))


def minibatch(task: MinibatchDescent) -> list[Contestant]:
    """Adam on minibatches, as in `train_minibatch` but for the rows, which are drawn and not shuffled."""
    latent_dim, (_, data_dim) = len(task.start.log_scales), task.rows.shape
    triangle = np.diag(task.start.log_scales)
    begin = np.concatenate(
        [task.start.decoder.T.ravel(), task.start.encoder.T.ravel(), triangle.ravel(), [task.start.log_noise]]
    )
    mask = np.ones_like(begin)
    mask[2 * latent_dim * data_dim : -1] = np.eye(latent_dim).ravel()

    parts = separated(begin, task.rows, mask, latent_dim, task.batch_size)
    states = [(array, array.copy()) for part in parts for array in part.state]

    def run():
        for array, first in states:
            array[:] = first
        step = 0
        with BLAS.limit(limits=1, user_api="blas"):
            for picks, noise in ahead(task.blocks()):
                losses = np.empty(len(picks))
                sampled_adam(parts, step, picks, noise, task.beta, LEARNING_RATE, losses, get_num_threads())
                step += len(picks)
        return joined(parts, latent_dim)

    def read(theta):
        _, maps, triangle = views(theta, latent_dim, data_dim)
        return Parameters(maps[:latent_dim].T, maps[latent_dim:].T, np.diagonal(triangle), theta[-1])

    return [Contestant(NAME, run, read)]


def closed_form(task: ClosedForm) -> list[Contestant]:
    """The global optimum from data."""

    def read(result):
        return result.vae.decoder, np.array(result.noise_variance)

    return [Contestant(NAME, lambda: optimum(Moments.of(task.data), task.latent_dim, leading_only=True), read)]


def moments(task: DataMoments) -> list[Contestant]:
    """Of the mapped file, and of the array in memory."""

    def contestant(name, data):
        return Contestant(name, lambda: Moments.of(data), lambda found: [found.covariance])

    return [contestant(NAME, task.mapped), contestant(f"{NAME} in memory", task.data)]


def _parameters(vae: LinearVAE, eigenvalues: np.ndarray) -> Parameters:
    variances = np.diagonal(vae.posterior_covariance)
    encoder = vae.encoder.T * np.sqrt(eigenvalues)[:, None]
    return Parameters(vae.decoder, encoder, np.log(variances) / 2, np.log(vae.noise_variance))
