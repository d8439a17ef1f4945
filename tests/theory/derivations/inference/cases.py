"""Generative models, and an encoder that is not the best one, for the tests of these pages."""

import numpy as np

import theory

TRUTHS = {
    "independent": theory.GenerativeModel([[1.0, 0.9], [0.0, 0.436], [0.3, -0.2]], 0.4),
    "correlated": theory.GenerativeModel([[1.0, 0.9], [0.0, 0.436], [0.3, -0.2]], 0.4, [[1.0, 0.6], [0.6, 1.5]]),
    "more factors than data": theory.GenerativeModel([[1.0, 0.5, -0.3], [0.2, 1.0, 0.8]], 0.7),
}


def any_vae(truth):
    rng = np.random.default_rng(3)
    encoder = rng.standard_normal((truth.latent_dim, truth.data_dim))
    root = rng.standard_normal((truth.latent_dim, truth.latent_dim + 1))
    return theory.LinearVAE(truth.loading, encoder, root @ root.T, 0.9)
