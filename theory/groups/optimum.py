"""The optimum of the grouped objective for a fixed decoder: stationarity, and a search from several starts.

With C = V S V^T + Q, H and all other letters as in `theory.groups.objective`, every stationary point satisfies

    H V S = W^T S / s2,    Q_bb = w_I (H_bb)^-1 for each block b of the posterior family,    D s2 = distortion

(the last only for a learned noise). If W^T S W is positive definite, V S is determined by the data in the range of the
decoder. Otherwise (dependent columns, more latents than data dimensions) H may be singular, and the code may carry data
that the decoder cannot reconstruct: that costs information, but two latents can share it to cancel their correlation.
See `theory.groups.fixed_decoder`.

**Convex.** If every part of the rate that is not always zero has the weight beta of the information, H is beta times I
+ W^T W / (beta s2), and the optimum is the best encoder of the plain VAE in closed form: exact. A learned noise then
solves D s2 = distortion(s2); of several roots the one of least loss is taken.

**Otherwise** H depends on C, the objective need not be convex and can have several minima. Searches start at the plain
VAE, whose weights change in steps to the given ones, and, for problems of up to `MOST_UNKNOWNS` unknowns, at random
codes; the least of the minima is returned, with the number of searches and of those that reached it. A weight below
that of the information rewards dependence, and which latents depend on each other is then decided by the start: there
most searches are made. Exact up to the solver: gradient norm and least curvature are reported.

**No minimum.** With all weights positive the minimum is attained. With a weight of zero, nothing penalises the scale of
a latent (`dimension_wise`), or the correlation of latents that share a block of the posterior (`between`, `within`):
the least loss may then be a limit in which a direction of the code, with its posterior variance, shrinks to zero. That
is refused with an error that names the weight.

One group, or weight 1, gives the plain VAE exactly; groups of one give the penalty on the whole total correlation; the
limit of a large weight is in `theory.groups.independence`. In the setting of R. Chen et al. (2018), Chen, Wang, Zou
(2022) and Chen, Xiang, Wang (2025); equations and solver are this project's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from theory import validation
from theory.groups.best_of_searches import Best, best_of_searches
from theory.groups.decomposition import GroupedTerms, grouped_terms
from theory.groups.fixed_decoder import FixedDecoder
from theory.groups.objective import Weights
from theory.groups.search import least_curvature
from theory.model import LinearVAE
from theory.moments import as_moments
from theory.partition import Posterior, partition

__all__ = ["GroupedOptimum", "grouped_optima", "grouped_optimum"]


WEIGHTS = "pass theory.groups.Weights(...)"


@dataclass(frozen=True, eq=False)
class GroupedOptimum:
    """The best minimum of the grouped objective for a fixed decoder among all searches.

    Attributes
    ----------
    vae : LinearVAE
    terms : GroupedTerms
    loss : float, in nats
    gradient_norm : float
        largest entry of the gradient in the solver's coordinates.
    least_curvature : float
        smallest eigenvalue of the Hessian there, in all directions of encoder, posterior covariance and (if learned)
        log noise, including those outside the decoder's range, but without rotations of data that the decoder cannot
        reconstruct, which change nothing. Positive at a strict local minimum.
    starts : int
        number of starting points; 1 if convexity leaves only one minimum, if `start` was given, and for large problems
        (more than 120 unknowns), whose minimum may then be a local one.
    agreeing : int
        number of searches that ended at this loss. If it is a small share, a lower minimum may have been missed.

    Examples
    --------
    >>> from theory.groups import Weights, grouped_optimum
    >>> best = grouped_optimum([[1.0, 0.9], [0.0, 0.4]], 0.05, [[2.0, 0.5], [0.5, 0.3]], Weights())
    >>> best.gradient_norm < 1e-8, best.least_curvature > 0, best.starts
    (True, True, 1)
    """

    vae: LinearVAE
    terms: GroupedTerms
    loss: float
    gradient_norm: float
    least_curvature: float
    starts: int
    agreeing: int


def grouped_optimum(
    decoder,
    noise_variance: float | str,
    covariance,
    weights: Weights,
    groups: Posterior = "diagonal",
    *,
    posterior: Posterior = "diagonal",
    start: LinearVAE | None = None,
) -> GroupedOptimum:
    """The encoder and posterior covariance that minimise the grouped objective for a fixed decoder.

    Parameters
    ----------
    decoder : (D, K) array
        of any shape and rank.
    noise_variance : float > 0, or "learned"
        "learned" also solves D s2 = distortion, which needs data with variance outside the decoder's range.
    covariance : (D, D) array or Moments, of the data
    weights : Weights, none negative
    groups : "diagonal", "full", or a list of groups of latents
    posterior : "diagonal", "full", or a list of groups of latents
        the family of Q.
    start : LinearVAE, optional
        the only starting point, with a posterior of the family and the first value of a learned noise. The result is
        then the minimum that the search reaches from it, which need not be the least.

    Returns
    -------
    GroupedOptimum

    Raises
    ------
    ValueError
        for a negative weight, an argument out of its range, a noise that cannot be learned, a weight of zero for which
        no minimum is attained, or a noise so small that the code is singular up to rounding.

    Notes
    -----
    Exact if every part of the rate has the same weight, also with a learned noise. Otherwise exact up to the solver,
    and the best of several searches: the objective is not convex. If the decoder has dependent columns, the encoder may
    use data outside its range; the loss does not depend on which of them carry the signal.

    Examples
    --------
    >>> from theory.groups import Weights, grouped_optimum
    >>> best = grouped_optimum([[1.0, 0.9], [0.0, 0.4]], 0.05, [[2.0, 0.5], [0.5, 0.3]], Weights.independence(4.0))
    >>> round(best.loss, 4), round(best.terms.between, 4)
    (3.0702, 0.0022)
    """
    decoder, noise, covariance, blocks = _checked(decoder, noise_variance, covariance, posterior)
    validation.instance("weights", weights, Weights, WEIGHTS)
    groups = partition(groups, decoder.shape[1], "groups")
    units = _units(decoder, noise, covariance, weights)
    problem = FixedDecoder(decoder / units, noise, covariance, groups, blocks)
    if start is not None:
        validation.instance("start", start, LinearVAE)
        if start.decoder.shape != decoder.shape:
            raise ValueError(
                f"start must have a decoder of shape {decoder.shape}, got {start.decoder.shape}; pass one of it"
            )
        if not start.belongs_to(posterior):
            raise ValueError("start must have a posterior covariance of the family; pass one with those blocks only")
        start = _rescaled(start, units)
    (best,) = best_of_searches([problem], [weights], start)
    return _solution(problem, best, units)


def grouped_optima(
    decoder,
    noise_variance: float | str,
    covariance,
    weights: Sequence[Weights],
    partitions: Sequence[Posterior],
    *,
    posterior: Posterior = "diagonal",
) -> list[list[GroupedOptimum]]:
    """`grouped_optimum` for each of several weights and each of several partitions, of one decoder and its data.

    Parameters
    ----------
    decoder, noise_variance, covariance, posterior
        as for `grouped_optimum`.
    weights : sequence of Weights, none negative
    partitions : sequence of partitions of the latents

    Returns
    -------
    list of lists of GroupedOptimum
        one list for each of the weights, with one optimum for each partition. All searches take their steps together,
        which takes much less time than one optimum after another.

    Raises
    ------
    ValueError
        as for `grouped_optimum`.

    Notes
    -----
    Exact as `grouped_optimum`: each search goes its own way.

    Examples
    --------
    >>> from theory.groups import Weights, grouped_optima
    >>> weights = [Weights.independence(beta) for beta in (1.0, 4.0)]
    >>> optima = grouped_optima([[1.0, 0.9], [0.0, 0.4]], 0.05, [[2.0, 0.5], [0.5, 0.3]], weights, ["full", "diagonal"])
    >>> [[round(best.loss, 4) for best in row] for row in optima]
    [[3.0561, 3.0561], [3.0561, 3.0702]]
    """
    decoder, noise, covariance, blocks = _checked(decoder, noise_variance, covariance, posterior)
    weights, partitions = validation.sequence("weights", weights), validation.sequence("partitions", partitions)
    for one in weights:
        validation.instance("weights", one, Weights, WEIGHTS)
    partitions = [partition(groups, decoder.shape[1], "partitions") for groups in partitions]
    problems: dict[tuple, FixedDecoder] = {}
    asked = []
    for one in weights:
        units = _units(decoder, noise, covariance, one)
        for number, groups in enumerate(partitions):
            key = units.tobytes(), number
            if key not in problems:  # its factors are computed once for all weights
                problems[key] = FixedDecoder(decoder / units, noise, covariance, groups, blocks)
            asked.append((problems[key], one, units))
    found = best_of_searches([problem for problem, _, _ in asked], [one for _, one, _ in asked])
    optima = [_solution(problem, best, units) for (problem, _, units), best in zip(asked, found, strict=True)]
    return [optima[first : first + len(partitions)] for first in range(0, len(optima), len(partitions))]


def _checked(decoder, noise_variance, covariance, posterior: Posterior):
    """The checked decoder, noise (None if learned), covariance of the data, and blocks of the posterior."""
    decoder = validation.within_decades("decoder", validation.matrix("decoder", decoder), validation.AMPLITUDE_DECADES)
    noise = validation.positive_or_keyword("noise_variance", noise_variance, "learned")
    covariance = validation.covariance_matrix("covariance", as_moments(covariance).covariance, len(decoder))
    return decoder, None if noise == "learned" else noise, covariance, partition(posterior, decoder.shape[1])


def _units(decoder: np.ndarray, noise: float | None, covariance: np.ndarray, weights: Weights) -> np.ndarray:
    """Units of the latents for the search, powers of two: one, or those of the decoder if the prior sets none.

    If the divergences from the prior have weight zero the loss does not depend on the units, but a direction that
    shrinks to zero is measured against them.
    """
    if weights.dimension_wise != 0:
        return np.ones(decoder.shape[1])
    sizes = np.linalg.norm(decoder, axis=0) / np.sqrt(noise or np.trace(covariance) / max(len(covariance), 1) or 1.0)
    return np.exp2(np.round(np.log2(np.where(sizes > 0, sizes, 1.0))))


def _rescaled(vae: LinearVAE, units: np.ndarray) -> LinearVAE:
    """The same VAE with latents `units` times as large."""
    covariance = vae.posterior_covariance * units * units[:, np.newaxis]
    return LinearVAE(vae.decoder / units, units[:, np.newaxis] * vae.encoder, covariance, vae.noise_variance, vae.mean)


def _solution(problem: FixedDecoder, best: Best, units: np.ndarray) -> GroupedOptimum:
    if best.vanishing:
        raise ValueError(
            f"{' and '.join(f'weights.{name}' for name in best.vanishing)} must be > 0 here, got 0: the loss falls to "
            f"{best.loss:.4g} while a direction of the code shrinks to zero, which no other weight penalises, so that "
            "no minimum is attained; pass a positive weight"
        )
    theta, weights = best.theta, best.weights
    vae = _rescaled(problem.vae(theta), 1 / units)
    terms = grouped_terms(vae, problem.covariance, problem.groups)
    return GroupedOptimum(
        vae=vae,
        terms=terms,
        loss=terms.loss(weights),
        gradient_norm=float(np.abs(problem.coordinates.gradient(theta, weights)).max(initial=0.0)),
        least_curvature=least_curvature(problem.coordinates.hessian(theta, weights), problem.idle(theta)),
        starts=best.starts,
        agreeing=best.agreeing,
    )
