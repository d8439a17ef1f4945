"""A training problem with a random start, and its loss by the kernel and by definition."""

from __future__ import annotations

import numba
import numpy as np

from numerics.kernels import objective
from numerics.kernels.objective import value_and_gradient
from numerics.training.problem import training_problem
from numerics.training.train import as_weights
from tests.cases import DISTINCT
from theory import elbo_terms
from theory.groups import Weights


def compiled_and_plain(function):
    """What a kernel calls, compiled into a caller, and as plain Python."""
    return numba.njit(lambda *arguments: function(*arguments)), function


def setting(posterior="full", latent_dim=3, case=DISTINCT, noise_variance="learned", seed=0):
    problem = training_problem(case.covariance, latent_dim, noise_variance, None, posterior)
    theta = problem.start(np.random.default_rng(seed))
    theta[-1] -= 0.3  # away from the mean variance
    return problem, theta


def evaluate(problem, theta, weights, function=value_and_gradient):
    gradient, work = np.full(len(theta), np.nan), np.full((5, problem.latent_dim, problem.latent_dim), np.nan)
    at, to = (
        objective.views(vector, problem.latent_dim, problem.standard_deviations.size) for vector in (theta, gradient)
    )
    return function(at, problem.objective(as_weights("beta", weights)), to, work), gradient


def defined_loss(problem, theta, covariance, beta):
    return elbo_terms(problem.vae(theta), covariance).loss(beta) - problem.loss_offset(Weights())


def objective_of(problem, beta):
    return problem.objective(Weights.uniform(beta))
