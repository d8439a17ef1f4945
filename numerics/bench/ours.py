"""This project as a contestant: the one place of the benchmark that knows how its training is called."""

from __future__ import annotations

import numpy as np

from numerics import kernels_training as kernels
from numerics.bench.problem import LEARNING_RATE, ClosedForm, Descent, MinibatchDescent, Parameters
from numerics.bench.timing import Contestant
from numerics.sweep import sweep
from numerics.training import descent_settings, pose
from theory import LinearVAE, Moments, optimum

__all__ = ["closed_form", "descent", "minibatch", "start"]

NAME = "ours"
ADAM = {"method": "adam", "learning_rate": LEARNING_RATE, "gradient_tolerance": 1e-300}  # takes all the steps


def start(eigenvalues: np.ndarray, latent_dim: int, seed: int) -> Parameters:
    """Where training starts from a seed."""
    problem = pose(np.diag(eigenvalues), latent_dim, "learned", None, "diagonal")
    return _parameters(problem.vae(problem.start(np.random.default_rng(seed))), eigenvalues)


def descent(task: Descent) -> list[Contestant]:
    """Full-batch Adam of one run or of many."""
    return [_one_run(task) if task.weights.ndim == 0 else _sweep(task)]


def _one_run(task: Descent) -> Contestant:
    """What `train` does once it has the eigenvectors; in large problems finding them would outweigh some steps."""
    (beta,), (seed,) = task.betas, task.seeds
    problem = pose(np.diag(task.eigenvalues), task.latent_dim, "learned", None, "diagonal")
    settings = descent_settings(**ADAM, max_steps=task.steps)
    begin, history = problem.start(np.random.default_rng(seed)), np.empty(task.steps + 1)

    def run():
        theta = begin.copy()
        kernels.descend(theta, problem.roots, task.latent_dim, beta, problem.mask, problem.kick, *settings, history)
        return theta

    return Contestant(NAME, run, lambda theta: _parameters(problem.vae(theta), task.eigenvalues))


def _sweep(task: Descent) -> Contestant:
    """`sweep`, of which what it does before the first step is taken off."""

    def run(steps=task.steps):
        options = ADAM | {"betas": task.betas, "seeds": task.seeds, "max_steps": steps, "progress": False}
        return sweep(np.diag(task.eigenvalues), task.latent_dim, **options)

    def read(found):
        vaes = [_parameters(found.vae(*run), task.eigenvalues) for run in np.ndindex(found.losses.shape)]
        return Parameters(*map(np.stack, zip(*vaes, strict=True)))

    return Contestant(NAME, run, read, idle=lambda: run(0))


def minibatch(task: MinibatchDescent) -> list[Contestant]:
    """Adam on minibatches: training here knows the full batch only, so there is no contestant."""
    return []


def closed_form(task: ClosedForm) -> list[Contestant]:
    """The global optimum from data."""

    def read(found):
        return found.vae.decoder, np.array(found.noise_variance)

    return [Contestant(NAME, lambda: optimum(Moments.of(task.data), task.latent_dim), read)]


def _parameters(vae: LinearVAE, eigenvalues: np.ndarray) -> Parameters:
    variances = np.diagonal(vae.posterior_covariance)
    encoder = vae.encoder.T * np.sqrt(eigenvalues)[:, None]
    return Parameters(vae.decoder, encoder, np.log(variances) / 2, np.log(vae.noise_variance))
