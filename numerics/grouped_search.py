"""A search for the least value of the grouped objective over all parameters, which knows none of its solutions.

BFGS from random starts over the encoder, a Cholesky factor of Q on the blocks of its family and, if it is not held, the
decoder; of the theory only the loss and its gradient are used.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from theory.groups import grouped_gradient, grouped_loss
from theory.groups.objective import Weights
from theory.model import LinearVAE
from theory.partition import Posterior, partition

__all__ = ["GroupedSearch", "search_grouped"]

STARTS = 3


@dataclass(frozen=True, eq=False)
class GroupedSearch:
    """The best of the ends of a search."""

    vae: LinearVAE
    loss: float


def search_grouped(
    covariance,
    latent_dim: int,
    weights: Weights,
    groups: Posterior,
    *,
    noise_variance: float,
    posterior: Posterior = "diagonal",
    prior=None,
    decoder=None,
    seed: int = 510,
) -> GroupedSearch:
    """The model of least grouped objective that BFGS finds from three random starts.

    Parameters
    ----------
    covariance : (D, D) array, of the data
    latent_dim : int
    weights : Weights
    groups : "diagonal", "full", or a list of groups of latents
    noise_variance : float > 0
    posterior : "diagonal", "full", or a list of groups of latents
    prior : (K, K) array, optional
    decoder : (D, K) array, optional
        held if it is given.
    seed : int
        of the starts.

    Returns
    -------
    GroupedSearch
    """
    data_dim, rng = len(covariance), np.random.default_rng(seed)
    rows, columns = np.array(
        [(i, j) for block in partition(posterior, latent_dim) for i in block for j in block if j <= i]
    ).T
    size, diagonal, parts = data_dim * latent_dim, rows == columns, partition(groups, latent_dim)

    def arrays(x):
        encoder, entries = x[:size].reshape(latent_dim, -1), x[size : size + len(rows)]
        weight = x[size + len(rows) :].reshape(data_dim, -1) if decoder is None else decoder
        factor = np.zeros((latent_dim, latent_dim))
        factor[rows, columns] = np.where(diagonal, np.exp(np.where(diagonal, entries, 0.0)), entries)
        return weight, encoder, factor

    def loss(x):
        weight, encoder, factor = arrays(x)
        model = (weight, encoder, factor @ factor.T, noise_variance, covariance, weights, parts)
        slope = grouped_gradient(*model, prior=prior)
        by_entry = 2 * (slope.posterior_covariance @ factor)[rows, columns]
        by_entry = np.where(diagonal, by_entry * factor[rows, columns], by_entry)
        free = [slope.decoder.ravel()] if decoder is None else []
        return grouped_loss(*model, prior=prior), np.concatenate([slope.encoder.ravel(), by_entry, *free])

    count = size * (2 if decoder is None else 1) + len(rows)
    starts = (0.4 * rng.standard_normal(count) for _ in range(STARTS))
    options = {"gtol": 1e-7, "maxiter": 5000}
    best = min(
        (minimize(loss, start, jac=True, method="BFGS", options=options) for start in starts), key=lambda end: end.fun
    )
    weight, encoder, factor = arrays(best.x)
    return GroupedSearch(LinearVAE(weight, encoder, factor @ factor.T, noise_variance), float(best.fun))
