"""Inference errors of the grouped objective, for each partition, if decoder and noise are those of the truth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from theory import validation
from theory.groups.best_of_searches import LARGEST_WEIGHT, Best, best_of_searches
from theory.groups.fixed_decoder import FixedDecoder
from theory.groups.objective import Weights
from theory.inference import InferenceError, inference_error
from theory.model import GenerativeModel
from theory.partition import Posterior, partition

__all__ = ["granularity_errors"]


def granularity_errors(
    truth: GenerativeModel | Sequence[GenerativeModel],
    partitions: Sequence[Posterior],
    beta: float,
    *,
    posterior: Posterior = "diagonal",
) -> list[InferenceError] | list[list[InferenceError]]:
    """Inference errors against the true factors of the grouped penalty, one for each partition of the latents.

    Decoder and noise are the truth's; the weights are beta between groups and 1 on the rest.

    Parameters
    ----------
    truth : GenerativeModel, or a sequence of them
        with positive noise; their factors may be correlated, while the prior of the VAE is N(0, I).
    partitions : sequence of partitions
    beta : float >= 0
    posterior : "diagonal", "full", or a list of groups of latents

    Returns
    -------
    list of InferenceError
        or one such list for each truth, which takes much less time than one truth after another.

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
    truths = [truth] if isinstance(truth, GenerativeModel) else validation.sequence("truth", truth)
    for one in truths:
        validation.instance("truth", one, GenerativeModel)
        validation.positive("truth.noise_variance", one.noise_variance)
    if validation.non_negative("beta", beta) > LARGEST_WEIGHT:
        raise ValueError(
            f"beta must be at most {LARGEST_WEIGHT:g}, got {beta:g}; independent_groups is the limit of a large one"
        )
    partitions = validation.sequence("partitions", partitions)
    problems = [(one, _problem(one, groups, posterior)) for one in truths for groups in partitions]
    found = best_of_searches([problem for _, problem in problems], [Weights.independence(beta)] * len(problems))
    errors = [_errors(one, problem, best) for (one, problem), best in zip(problems, found, strict=True)]
    if isinstance(truth, GenerativeModel):
        return errors
    return [errors[first : first + len(partitions)] for first in range(0, len(errors), len(partitions))]


def _problem(truth: GenerativeModel, groups: Posterior, posterior: Posterior) -> FixedDecoder:
    groups, blocks = partition(groups, truth.latent_dim, "partitions"), partition(posterior, truth.latent_dim)
    return FixedDecoder(truth.loading, truth.noise_variance, truth.covariance, groups, blocks)


def _errors(truth: GenerativeModel, problem: FixedDecoder, best: Best) -> InferenceError:
    limit = inference_error(truth, problem.vae(best.theta))
    return InferenceError(limit.mean_squared_error, np.inf, np.inf, -np.inf) if best.vanishing else limit
