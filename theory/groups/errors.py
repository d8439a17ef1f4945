"""Inference errors of the grouped objective, for each partition, if decoder and noise are those of the truth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from theory import validation
from theory.groups.fixed_decoder import FixedDecoder
from theory.groups.objective import Weights
from theory.groups.optimum import LARGEST_WEIGHT, best_of_searches
from theory.inference import InferenceError, inference_error
from theory.model import GenerativeModel
from theory.partition import Posterior, partition

__all__ = ["granularity_errors"]


def granularity_errors(
    truth: GenerativeModel,
    partitions: Sequence[Posterior],
    beta: float,
    *,
    posterior: Posterior = "diagonal",
) -> list[InferenceError]:
    """Inference errors against the true factors of the grouped penalty, one for each partition of the latents.

    Decoder and noise are the truth's; the weights are beta between groups and 1 on the rest.

    Parameters
    ----------
    truth : GenerativeModel
        with positive noise; its factors may be correlated, while the prior of the VAE is N(0, I).
    partitions : sequence of partitions
    beta : float >= 0
    posterior : "diagonal", "full", or a list of groups of latents

    Returns
    -------
    list of InferenceError

    Raises
    ------
    ValueError
        as for `grouped_optimum`.

    Notes
    -----
    Exact up to the solver. Partitions change the errors only through the mismatch of N(0, I) with the factors and of
    the posterior family with the true posterior; with one group the errors are those of the plain VAE.

    At beta = 0 nothing penalises correlation between groups. If latents of different groups share a block of the
    posterior, the least loss may be a limit in which a combination u of them, with its posterior variance, shrinks to
    zero. The squared error is then that of the limit, to three digits; both divergences are infinite and the log score
    minus infinity, as a posterior without variance along u misses factors that vary along u.

    Examples
    --------
    >>> from theory import GenerativeModel
    >>> from theory.groups import granularity_errors
    >>> truth = GenerativeModel([[1.0, 0.9], [0.0, 0.4]], 0.05, [[1.0, 0.6], [0.6, 1.0]])
    >>> [round(error.mean_squared_error, 4) for error in granularity_errors(truth, ["full", "diagonal"], beta=2.0)]
    [0.3145, 0.4201]
    """
    validation.instance("truth", truth, GenerativeModel)
    if validation.non_negative("beta", beta) > LARGEST_WEIGHT:
        raise ValueError(
            f"beta must be at most {LARGEST_WEIGHT:g}, got {beta:g}; independent_groups is the limit of a large one"
        )
    weights = Weights.independence(beta)
    noise = validation.positive("truth.noise_variance", truth.noise_variance)
    blocks = partition(posterior, truth.latent_dim)
    return [
        _errors(
            truth,
            FixedDecoder(
                truth.loading, noise, truth.covariance, partition(groups, truth.latent_dim, "partitions"), blocks
            ),
            weights,
        )
        for groups in validation.sequence("partitions", partitions)
    ]


def _errors(truth: GenerativeModel, problem: FixedDecoder, weights: Weights) -> InferenceError:
    best = best_of_searches(problem, weights)
    if not best.vanishing:
        return inference_error(truth, problem.vae(best.theta))
    limit = inference_error(truth, problem.vae(best.theta))
    return InferenceError(limit.mean_squared_error, np.inf, np.inf, -np.inf)
