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

from dataclasses import dataclass, replace

import numpy as np

from theory import validation
from theory.groups.decomposition import GroupedTerms, grouped_terms
from theory.groups.fixed_decoder import FixedDecoder
from theory.groups.objective import Weights, refuse_singular
from theory.groups.search import least_curvature, minimise, polish
from theory.inference import optimal_encoder
from theory.inference.decoder_noise import LearnedWaterLevel
from theory.model import LinearVAE
from theory.moments import as_moments
from theory.partition import Posterior, partition, partition_mask
from theory.spectrum import principal_axes

__all__ = ["LARGEST_WEIGHT", "Best", "GroupedOptimum", "best_of_searches", "grouped_optimum"]

LARGEST_STEP = 4.0  # factor by which weights change between two solutions on the way from the plain VAE
LARGEST_WEIGHT = 1e9  # of the weights other than the information's, in units of that
INTERMEDIATE_TOLERANCE = 1e-6  # of the loss, as a share, in a search whose end is only another's start
SHARED_STEPS = 3  # first steps of the path of weights without random starts: near the plain VAE there is one minimum
MOST_UNKNOWNS = 120  # for which random starts are made
SMALL_PROBLEM = 40  # unknowns; up to here at least LEAST_SEARCHES are made
LEAST_SEARCHES, MOST_SEARCHES = 16, 32
LEAST_AGREEING = 4  # searches that must agree before no more are made
SAME_LOSS = 1e-8  # relative difference of losses up to which two searches have reached one minimum
CODE_SIZES = (0.3, 1.0)  # of random codes, in units of the plain one
SMALL_WEIGHTS = (1e-3, 1e-4, 1e-5, 1e-6)  # in place of 0, in units of the information's, to compute the limit
VANISHING_SHARE = 0.5  # a direction that shrinks to this share over the last two of these weights tends to zero


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
    decoder = validation.within_decades("decoder", validation.matrix("decoder", decoder), validation.AMPLITUDE_DECADES)
    learned = validation.positive_or_keyword("noise_variance", noise_variance, "learned") == "learned"
    covariance = validation.covariance_matrix("covariance", as_moments(covariance).covariance, len(decoder))
    validation.instance("weights", weights, Weights, "pass theory.groups.Weights(...)")
    noise = None if learned else validation.positive("noise_variance", noise_variance)
    units = _units(decoder, noise, covariance, weights)
    problem = FixedDecoder(
        decoder / units,
        noise,
        covariance,
        partition(groups, decoder.shape[1], "groups"),
        partition(posterior, decoder.shape[1]),
    )
    if start is not None:
        validation.instance("start", start, LinearVAE)
        if start.decoder.shape != decoder.shape:
            raise ValueError(
                f"start must have a decoder of shape {decoder.shape}, got {start.decoder.shape}; pass one of it"
            )
        if not start.belongs_to(posterior):
            raise ValueError("start must have a posterior covariance of the family; pass one with those blocks only")
        start = _rescaled(start, units)
    best = best_of_searches(problem, weights, start)
    if best.vanishing:
        raise ValueError(
            f"{' and '.join(f'weights.{name}' for name in best.vanishing)} must be > 0 here, got 0: the loss falls to "
            f"{best.loss:.4g} while a direction of the code shrinks to zero, which no other weight penalises, so that "
            "no minimum is attained; pass a positive weight"
        )
    return _solution(problem, best, units)


@dataclass(frozen=True, eq=False)
class Best:
    """The end of the best search; `vanishing` names weights of zero that let a direction of the code shrink to zero."""

    theta: np.ndarray
    weights: Weights
    loss: float
    starts: int
    agreeing: int
    vanishing: tuple[str, ...]


def best_of_searches(problem: FixedDecoder, weights: Weights, start: LinearVAE | None = None) -> Best:
    """Search from the plain VAE, and from random codes where there may be several minima."""
    _within_reach(problem, weights)
    weights = _without_idle_parts(problem, weights)
    unopposed = _unopposed(problem, weights)
    opposed = [
        replace(weights, **dict.fromkeys(unopposed, weights.mutual_information * share))
        for share in (SMALL_WEIGHTS if unopposed else (0,))
    ]
    noise = problem.noise_variance or _plain_noise(problem, weights.mutual_information)
    plain = problem.pack(optimal_encoder(problem.decoder, noise, weights.mutual_information, posterior=problem.blocks))
    scale = _scale(problem, plain)
    equal = start is None and not _path(opposed[0])  # then the plain VAE is the optimum, in closed form
    if not equal:
        refuse_singular("noise_variance", problem.code(plain))
    if start is None:
        minima = _minima(problem, plain, opposed[0], scale)
    else:
        minima = minimise(problem, problem.pack(start)[np.newaxis], opposed[0], scale)
    vanishing = np.zeros(len(minima), dtype=bool)
    if unopposed:
        limits = [minima]
        for step in opposed[1:]:
            limits.append(minimise(problem, limits[-1], step, scale))
        before, minima = limits[-3], limits[-1]
        vanishing = problem.least_share(minima, weights) < problem.least_share(before, weights) * VANISHING_SHARE
        minima[~vanishing] = minimise(problem, minima[~vanishing], weights, scale)
    best = _best(problem, minima, weights)
    if vanishing[np.argmin(problem.loss(minima, weights))]:
        return replace(best, vanishing=unopposed)
    theta = polish(problem, best.theta, weights)
    if not equal:
        refuse_singular("noise_variance", problem.code(theta))
    return replace(best, theta=theta)


def _within_reach(problem: FixedDecoder, weights: Weights) -> None:
    """Refuse a noise or weights that the solver cannot resolve in float64, and negative weights."""
    if problem.noise_variance is not None:
        validation.scale("noise_variance", problem.noise_variance)
    for name in ("between", "within", "dimension_wise"):
        if (
            validation.non_negative(f"weights.{name}", getattr(weights, name))
            > LARGEST_WEIGHT * weights.mutual_information
        ):
            raise ValueError(
                f"weights.{name} must be at most {LARGEST_WEIGHT:g} times weights.mutual_information, got "
                f"{getattr(weights, name):g}; pass a smaller one (independent_groups is the limit of a large `between`)"
            )


def _minima(problem: FixedDecoder, plain: np.ndarray, weights: Weights, scale: np.ndarray) -> np.ndarray:
    """The ends of searches that start at the plain VAE and at random codes, (searches, n)."""
    path = _path(weights)
    if not path:
        return plain[np.newaxis]
    rng, least = np.random.default_rng(0), LEAST_SEARCHES if scale.size <= SMALL_PROBLEM else LEAST_AGREEING
    if min(weights.between, weights.within, weights.dimension_wise) < weights.mutual_information:
        least = MOST_SEARCHES
    codes = _random_codes(problem, plain, scale, least if scale.size <= MOST_UNKNOWNS else 0, rng)
    shared, start = min(SHARED_STEPS, len(path) - 1), plain[np.newaxis]
    for step in path[:shared]:
        start = minimise(problem, start, step, scale, INTERMEDIATE_TOLERANCE)
    minima = _follow(problem, np.concatenate([start, codes]), path[shared:], scale)
    while len(codes) and len(minima) < MOST_SEARCHES and _best(problem, minima, weights).agreeing < LEAST_AGREEING:
        codes = _random_codes(problem, plain, scale, least, rng)
        minima = np.concatenate([minima, _follow(problem, codes, path[shared:], scale)])
    return minima


def _without_idle_parts(problem: FixedDecoder, weights: Weights) -> Weights:
    """The weights, in which parts of the rate that are always zero get the weight of the information."""
    idle = {"between": len(problem.groups) < 2, "within": len(problem.groups) == problem.latent_dim}
    return replace(weights, **{name: weights.mutual_information for name, is_idle in idle.items() if is_idle})


def _unopposed(problem: FixedDecoder, weights: Weights) -> tuple[str, ...]:
    """The zero weights whose part of the rate a transformation inside a block of the posterior can make infinite."""
    together = partition_mask(problem.groups, problem.latent_dim)
    shared = partition_mask(problem.blocks, problem.latent_dim) & ~np.eye(problem.latent_dim, dtype=bool)
    free = {
        "between": np.any(shared & ~together),
        "within": np.any(shared & together),
        "dimension_wise": problem.latent_dim > 0,
    }
    return tuple(name for name, is_free in free.items() if is_free and getattr(weights, name) == 0)


def _path(weights: Weights) -> list[Weights]:
    """A path of weights from equal ones to the given ones, each step by at most a factor; empty if all are equal."""
    information = weights.mutual_information
    targets = np.array([weights.between, weights.within, weights.dimension_wise]) / information
    if np.all(targets == 1):
        return []
    farthest = np.abs(np.log(np.maximum(targets, 1 / LARGEST_STEP))).max()
    count = max(1, int(np.ceil(farthest / np.log(LARGEST_STEP))))
    shares = np.arange(1, count + 1) / count
    # Geometric steps where weights grow, equal steps where they shrink, as they may end at zero.
    steps = [np.where(targets >= 1, np.maximum(targets, 1) ** share, 1 + share * (targets - 1)) for share in shares]
    return [*(Weights(information, *(information * values)) for values in steps[:-1]), weights]


def _plain_noise(problem: FixedDecoder, beta: float) -> float:
    """The learned noise of the plain VAE: the root of D s2 = distortion(s2) of least loss."""
    covariance = problem.covariance
    if not problem.outside > validation.rank_tolerance(np.linalg.eigvalsh(covariance)):
        raise ValueError(
            "noise_variance must be a number if the data have no variance outside the decoder's range, got 'learned': "
            "it may run to zero"
        )
    left, singular, _ = principal_axes(problem.decoder)
    left, singular = left[:, singular > 0], singular[singular > 0]
    columns = np.concatenate([[], *(principal_axes(problem.decoder[:, block])[1] ** 2 for block in problem.blocks)])
    level = LearnedWaterLevel(
        squares=singular**2,
        excess=np.sum((covariance @ left) * left, axis=0) - singular**2,
        diagonal=columns[columns > 0],
        outside=problem.outside,
        data_dim=len(covariance),
    )
    return float(level.water_levels(np.array([beta]))[0] / beta)


def _scale(problem: FixedDecoder, theta: np.ndarray) -> np.ndarray:
    """Sizes of the coordinates: a latent's standard deviation for its row of E, its posterior's below the diagonal."""
    factor, (rows, columns) = problem.unpack(theta)[1], problem.entries
    signal = np.repeat(np.sqrt(np.diagonal(problem.code(theta))), problem.cross.shape[1])
    posterior = np.where(rows == columns, 1.0, np.linalg.norm(factor, axis=1)[rows])
    return np.concatenate([signal, posterior, np.ones(len(theta) - len(signal) - len(rows))])


def _random_codes(problem: FixedDecoder, plain: np.ndarray, scale: np.ndarray, count: int, rng) -> np.ndarray:
    """Codes of several sizes in random directions, with the plain VAE's posterior; a random noise if it is learned."""
    codes, signal = np.tile(plain, (count, 1)), problem.cross.size
    sizes = rng.choice(CODE_SIZES, (count, 1))
    codes[:, :signal] = sizes * rng.standard_normal((count, signal)) * scale[:signal]
    if problem.noise_variance is None:
        # The distortion is at most that of a code equal to the prior, tr S + tr W W^T.
        most = np.trace(problem.covariance) + np.trace(problem.strength)
        bounds = np.array(
            [problem.outside, max(most, problem.outside)]
        )  # equal, up to rounding, for a decoder of zeros
        codes[:, -1] = rng.uniform(*np.log(bounds / len(problem.covariance)), count)
    return codes


def _follow(problem: FixedDecoder, theta: np.ndarray, path: list[Weights], scale: np.ndarray) -> np.ndarray:
    """Minima at the last weights of the path, through those before with less accuracy."""
    for weights in path[:-1]:
        theta = minimise(problem, theta, weights, scale, INTERMEDIATE_TOLERANCE)
    return minimise(problem, theta, path[-1], scale) if path else theta


def _best(problem: FixedDecoder, minima: np.ndarray, weights: Weights) -> Best:
    losses = problem.loss(minima, weights)
    least = losses.min()
    agreeing = np.count_nonzero(losses <= least + SAME_LOSS * (1 + np.abs(least)))
    return Best(minima[np.argmin(losses)], weights, float(least), len(minima), int(agreeing), ())


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
    theta, weights = best.theta, best.weights
    vae = _rescaled(problem.vae(theta), 1 / units)
    terms = grouped_terms(vae, problem.covariance, problem.groups)
    return GroupedOptimum(
        vae=vae,
        terms=terms,
        loss=terms.loss(weights),
        gradient_norm=float(np.abs(problem.gradient(theta, weights)).max(initial=0.0)),
        least_curvature=least_curvature(problem.hessian(theta, weights), problem.idle(theta)),
        starts=best.starts,
        agreeing=best.agreeing,
    )
