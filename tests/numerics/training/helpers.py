"""A training problem with its settings for alternation, and the gradient of the kernel."""

from __future__ import annotations

import numpy as np

from numerics.training import halves
from numerics.training.problem import training_problem
from theory.groups import Weights

BETA, LATENT_DIM = 1.3, 4
FAMILIES = {"diagonal": "diagonal", "full": "full", "groups": [[0, 2], [1, 3]]}


def alternation_problem(case, posterior="diagonal", noise_variance="learned"):
    problem = training_problem(case.covariance, LATENT_DIM, noise_variance, None, posterior)
    learned = noise_variance == "learned"
    return problem, halves.Setting(problem.standard_deviations, BETA, decoder_learned=True, noise_learned=learned)


def gradient(problem, theta):
    """The kernel's gradient in (decoder, encoder, triangle, log noise)."""
    size = problem.standard_deviations.size * problem.latent_dim
    return np.split(
        problem.value_and_gradient(theta, problem.objective(Weights.uniform(BETA)))[1], [size, 2 * size, -1]
    )
