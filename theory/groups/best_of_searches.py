"""The best of several searches for the minimum of the grouped objective with a fixed decoder, of many problems at once.

Searches start at the plain VAE, whose weights change in steps to the given ones, and at random codes. Problems of one
shape take their steps together (`theory.groups.search`): each goes its own way, as it would alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from theory import validation
from theory.groups.coordinates import Coordinates
from theory.groups.fixed_decoder import FixedDecoder
from theory.groups.objective import Weights, WeightsOfMany, refuse_singular, weights_at
from theory.groups.search import LOSS_ROUNDING, minimise, polish
from theory.inference import optimal_encoder
from theory.inference.decoder_noise import LearnedWaterLevel
from theory.model import LinearVAE
from theory.partition import partition_mask
from theory.singular_values import principal_axes

__all__ = ["LARGEST_WEIGHT", "MOST_UNKNOWNS", "Best", "best_of_searches"]

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
MOST_TOGETHER = 2**21  # numbers in the Hessians of the problems that are searched together


@dataclass(frozen=True, eq=False)
class Best:
    """The end of the best search; `vanishing` names weights of zero that let a direction of the code shrink to zero."""

    theta: np.ndarray
    weights: Weights
    loss: float
    starts: int
    agreeing: int
    vanishing: tuple[str, ...]


def best_of_searches(
    problems: Sequence[FixedDecoder], weights: Sequence[Weights], start: LinearVAE | None = None
) -> list[Best]:
    """Search from the plain VAE of each problem with its weights, and from random codes where minima may be several.

    With `start` from that alone.
    """
    searches = [_Searches.of(*one) for one in zip(problems, weights, strict=True)]
    found: list[Best | None] = [None] * len(searches)
    for together in _alike(searches):
        for at, best in zip(together, _best_of_alike([searches[at] for at in together], start), strict=True):
            found[at] = best
    return found


@dataclass(frozen=True, eq=False)
class _Searches:
    """What searches of a problem do: those of one shape take their steps together.

    Attributes
    ----------
    problem : FixedDecoder
    weights : Weights
    unopposed : tuple of str
        zero weights for which the least loss may be a limit.
    opposed : list of Weights
        with small weights in place of these, falling; the weights alone if there are none.
    path : tuple of Weights
        from equal ones to the first of these, which is the last; empty if all are equal.
    codes : int
        how many random codes a round starts from.
    """

    problem: FixedDecoder
    weights: Weights
    unopposed: tuple[str, ...]
    opposed: list[Weights]
    path: tuple[Weights, ...]
    codes: int

    @classmethod
    def of(cls, problem: FixedDecoder, weights: Weights) -> _Searches:
        _within_reach(problem, weights)
        weights = _without_idle_parts(problem, weights)
        unopposed = _unopposed(problem, weights)
        small = SMALL_WEIGHTS if unopposed else ()
        opposed = [replace(weights, **dict.fromkeys(unopposed, weights.mutual_information * share)) for share in small]
        opposed = opposed or [weights]
        codes = _random_starts(problem.coordinates.unknowns, opposed[0])
        return cls(problem, weights, unopposed, opposed, _path(opposed[0]), codes)

    @property
    def shape(self) -> tuple:
        return self.problem.coordinates.shape, self.unopposed, len(self.path), self.codes


def _alike(searches: Sequence[_Searches]) -> Iterator[list[int]]:
    """The places of searches of one shape, in parts of a size that memory holds with ease."""
    places: dict[tuple, list[int]] = {}
    for at, one in enumerate(searches):
        places.setdefault(one.shape, []).append(at)
    for alike in places.values():
        one = searches[alike[0]]
        count = max(1, MOST_TOGETHER // ((1 + one.codes) * one.problem.coordinates.unknowns**2 + 1))
        yield from (alike[first : first + count] for first in range(0, len(alike), count))


def _best_of_alike(searches: list[_Searches], start: LinearVAE | None) -> list[Best]:
    problems, every = [one.problem for one in searches], np.arange(len(searches))
    stack = Coordinates.stacked([problem.coordinates for problem in problems])
    weights = WeightsOfMany.stacked([one.weights for one in searches])
    opposed = [WeightsOfMany.stacked(step) for step in zip(*(one.opposed for one in searches), strict=True)]
    path = [WeightsOfMany.stacked(step) for step in zip(*(one.path for one in searches), strict=True)]
    unopposed = searches[0].unopposed
    plain = np.array([_plain(one.problem, one.weights.mutual_information) for one in searches])
    scales = np.array([_scale(*one) for one in zip(problems, plain, strict=True)])
    equal = start is None and not path  # then the plain VAE is the optimum, in closed form
    if not equal:
        _refuse_singular(stack, plain)

    def search(owners: np.ndarray, theta: np.ndarray, at: WeightsOfMany, level: float = LOSS_ROUNDING) -> np.ndarray:
        return minimise(stack.rows(owners), theta, weights_at(owners, at), scales[owners], level, owners)

    if start is not None:
        owners, minima = every, search(every, np.array([problem.pack(start) for problem in problems]), opposed[0])
    elif path:
        owners, minima = _minima(problems, stack, plain, path, searches[0].codes, scales, search)
    else:
        owners, minima = every, plain
    of_owners, vanishing = stack.rows(owners), np.zeros(len(minima), dtype=bool)
    if unopposed:
        limits = [minima]
        for step in opposed[1:]:
            limits.append(search(owners, limits[-1], step))
        before, after = (of_owners.least_share(limits[at], weights_at(owners, weights)) for at in (-3, -1))
        minima, vanishing = limits[-1], after < before * VANISHING_SHARE
        minima[~vanishing] = search(owners[~vanishing], minima[~vanishing], weights)
    losses = of_owners.loss(minima, weights_at(owners, weights))
    found = []
    for owner, one in enumerate(searches):
        own = owners == owner
        best, least = _best(minima[own], losses[own], one.weights), np.argmin(losses[own])
        found.append(replace(best, vanishing=unopposed) if vanishing[own][least] else best)
    attained = np.array([at for at, best in enumerate(found) if not best.vanishing], dtype=int)
    ends = np.array([found[at].theta for at in attained]).reshape(len(attained), plain.shape[1])
    ends = polish(stack.rows(attained), ends, weights_at(attained, weights))
    if not equal:
        _refuse_singular(stack.rows(attained), ends)
    for at, theta in zip(attained, ends, strict=True):
        found[at] = replace(found[at], theta=theta)
    return found


def _refuse_singular(stack: Coordinates, theta: np.ndarray) -> None:
    for code in stack.code(theta):
        refuse_singular("noise_variance", code)


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


def _random_starts(unknowns: int, weights: Weights) -> int:
    """How many random codes to start from at first, and again while too few searches agree."""
    if unknowns > MOST_UNKNOWNS or not _path(weights):
        return 0
    if min(weights.between, weights.within, weights.dimension_wise) < weights.mutual_information:
        return MOST_SEARCHES
    return LEAST_SEARCHES if unknowns <= SMALL_PROBLEM else LEAST_AGREEING


def _minima(
    problems: list[FixedDecoder],
    stack: Coordinates,
    plain: np.ndarray,
    path: list[WeightsOfMany],
    count: int,
    scales: np.ndarray,
    search: Callable,
) -> tuple[np.ndarray, np.ndarray]:
    """The ends of searches that start at the plain VAEs and at random codes: the problem of each, and (searches, n)."""
    every, streams = np.arange(len(problems)), [np.random.default_rng(0) for _ in problems]

    def codes(at: int) -> np.ndarray:
        return _random_codes(problems[at], plain[at], scales[at], count, streams[at])

    def follow(owners: np.ndarray, theta: np.ndarray, rest: list[WeightsOfMany]) -> np.ndarray:
        """Minima at the last weights of a path, through those before with less accuracy."""
        for step in rest[:-1]:
            theta = search(owners, theta, step, INTERMEDIATE_TOLERANCE)
        return search(owners, theta, rest[-1])

    shared, starts = min(SHARED_STEPS, len(path) - 1), plain
    for step in path[:shared]:
        starts = search(every, starts, step, INTERMEDIATE_TOLERANCE)
    owners = np.concatenate([every, np.repeat(every, count)])
    minima = follow(owners, np.concatenate([starts, *map(codes, every)]), path[shared:])
    while count:
        losses = stack.rows(owners).loss(minima, weights_at(owners, path[-1]))
        unsure = [at for at in every if _unsure(losses[owners == at])]
        if not unsure:
            break
        more = np.repeat(unsure, count)
        minima = np.concatenate([minima, follow(more, np.concatenate([codes(at) for at in unsure]), path[shared:])])
        owners = np.concatenate([owners, more])
    return owners, minima


def _unsure(losses: np.ndarray) -> bool:
    """Whether more searches of a problem are needed, and allowed."""
    return len(losses) < MOST_SEARCHES and _agreeing(losses) < LEAST_AGREEING


def _without_idle_parts(problem: FixedDecoder, weights: Weights) -> Weights:
    """The weights, in which parts of the rate that are always zero get the weight of the information."""
    idle = {"between": len(problem.groups) < 2, "within": len(problem.groups) == problem.latent_dim}
    return replace(weights, **{name: weights.mutual_information for name, is_idle in idle.items() if is_idle})


def _unopposed(problem: FixedDecoder, weights: Weights) -> tuple[str, ...]:
    """The zero weights whose part of the rate a transformation inside a block of the posterior can make infinite."""
    if min(weights.of_parts) > 0:
        return ()
    together = problem.coordinates.together
    shared = partition_mask(problem.blocks, problem.latent_dim) & ~np.eye(problem.latent_dim, dtype=bool)
    free = {
        "between": np.any(shared & ~together),
        "within": np.any(shared & together),
        "dimension_wise": problem.latent_dim > 0,
    }
    return tuple(name for name, is_free in free.items() if is_free and getattr(weights, name) == 0)


@lru_cache(maxsize=64)  # most often many problems have the same weights
def _path(weights: Weights) -> tuple[Weights, ...]:
    """A path of weights from equal ones to the given ones, each step by at most a factor; empty if all are equal."""
    information = weights.mutual_information
    targets = np.array([weights.between, weights.within, weights.dimension_wise]) / information
    if np.all(targets == 1):
        return ()
    farthest = np.abs(np.log(np.maximum(targets, 1 / LARGEST_STEP))).max()
    count = max(1, int(np.ceil(farthest / np.log(LARGEST_STEP))))
    shares = np.arange(1, count + 1) / count
    # Geometric steps where weights grow, equal steps where they shrink, as they may end at zero.
    steps = [np.where(targets >= 1, np.maximum(targets, 1) ** share, 1 + share * (targets - 1)) for share in shares]
    return *(Weights(information, *(information * values)) for values in steps[:-1]), weights


def _plain(problem: FixedDecoder, beta: float) -> np.ndarray:
    """The plain VAE: the best encoder of the decoder, with the noise or with the best one for it."""
    noise = problem.noise_variance or _plain_noise(problem, beta)
    return problem.pack(optimal_encoder(problem.decoder, noise, beta, posterior=problem.blocks))


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
    coordinates = problem.coordinates
    factor, (rows, columns) = coordinates.unpack(theta)[1], coordinates.entries
    signal = np.repeat(np.sqrt(np.diagonal(coordinates.code(theta))), coordinates.cross.shape[1])
    posterior = np.where(rows == columns, 1.0, np.linalg.norm(factor, axis=1)[rows])
    return np.concatenate([signal, posterior, np.ones(len(theta) - len(signal) - len(rows))])


def _random_codes(problem: FixedDecoder, plain: np.ndarray, scale: np.ndarray, count: int, rng) -> np.ndarray:
    """Codes of several sizes in random directions, with the plain VAE's posterior; a random noise if it is learned."""
    codes, signal = np.tile(plain, (count, 1)), problem.coordinates.cross.size
    sizes = rng.choice(CODE_SIZES, (count, 1))
    codes[:, :signal] = sizes * rng.standard_normal((count, signal)) * scale[:signal]
    if problem.noise_variance is None:
        # The distortion is at most that of a code equal to the prior, tr S + tr W W^T.
        most = np.trace(problem.covariance) + np.trace(problem.coordinates.strength)
        bounds = np.array(
            [problem.outside, max(most, problem.outside)]
        )  # equal, up to rounding, for a decoder of zeros
        codes[:, -1] = rng.uniform(*np.log(bounds / len(problem.covariance)), count)
    return codes


def _best(minima: np.ndarray, losses: np.ndarray, weights: Weights) -> Best:
    return Best(minima[np.argmin(losses)], weights, float(losses.min()), len(minima), _agreeing(losses), ())


def _agreeing(losses: np.ndarray) -> int:
    """How many searches reached the least loss."""
    return int(np.count_nonzero(losses <= losses.min() + SAME_LOSS * (1 + np.abs(losses.min()))))
