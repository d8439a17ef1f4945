"""A search for the minima of the grouped objective for a fixed decoder, from many starts at once.

By Newton's method in the coordinates of `theory.groups.coordinates`, which have no constraints.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack

from theory.groups.coordinates import Coordinates
from theory.groups.objective import Weights, WeightsOfMany, weights_at

__all__ = ["least_curvature", "minimise", "polish"]

MOST_NEWTON_STEPS = 200  # for one search; 10 to 60 are usual
MOST_POLISH_STEPS = 20  # each at least halves the gradient
SADDLE_CURVATURE = 1e-7  # share of the largest curvature; one below minus this makes a stationary point a saddle
SADDLE_STEP = 0.01  # along the most negative curvature, in units of the coordinates
LEAST_DAMPING, MOST_DAMPING = 1e-16, 1e4  # in units of the Hessian's size
JOINING_SHARE = 0.3  # of its length, by which a step may miss the end of another search: the next misses by less
STEP_SHARES = 0.5 ** np.arange(30)  # of an undamped step
LEAST_PIVOT = 1e-12  # square of the least pivot, as a share of the size, of a matrix that counts as positive definite
MOST_CACHED = 2**17  # numbers in the Hessians that are computed at a time
LOSS_ROUNDING = 1e-14  # decrease of the loss, as a share of its terms, that is rounding


def minimise(
    problem: Coordinates,
    starts: np.ndarray,
    weights: Weights | WeightsOfMany,
    scale: np.ndarray,
    level: float = LOSS_ROUNDING,
    owners: np.ndarray | None = None,
) -> np.ndarray:
    """The minima reached from each of the starts, (count, n) -> (count, n), all searched at once.

    All are of one problem, or each of its own in a stack, with weights for all or for each. Searches with one number in
    `owners`, of one problem, join: one whose next step ends at a minimum that another has found, up to a small share of
    the step, is there.

    Newton's method, with a multiple of the identity added to the Hessian: damping shrinks while the loss falls, and
    grows until the sum is positive definite and a step succeeds. In a long valley with steep walls no damping may
    succeed; then shorter and shorter steps in the direction of the undamped method are tried. If the gradient vanishes
    but a curvature is negative, a short step along it leaves the saddle. `scale` (count, n) holds the sizes of the
    coordinates; a search ends when the loss could fall by no more than the share `level` of its terms.
    """
    theta = np.array(starts)
    loss, damping, running = problem.loss(theta, weights), np.full(len(theta), 0.01), np.arange(len(theta))
    heaviest = np.broadcast_to(1 + theta.shape[1] * np.max(weights.of_parts, axis=0), len(theta))
    owners = np.arange(len(theta)) if owners is None else owners
    ends = np.full(owners.max(initial=-1) + 1, -1)  # the search that ended at the least loss, of each owner
    for _ in range(MOST_NEWTON_STEPS if theta.size else 0):
        units = scale[running]
        slope, curvature, size = _derivatives(
            problem.rows(running), theta[running], weights_at(running, weights), units
        )
        pace, damping[running] = _damped_steps(slope, curvature, size, damping[running])
        # Damping only shortens the step, so that no loss falls by less without it.
        least, low = level * (heaviest[running] + np.abs(loss[running])), np.zeros(len(running), dtype=bool)
        decrease, saddle = _decrease(slope, pace), low.copy()
        doubtful = np.flatnonzero(decrease <= least)
        model = _Model.of(slope[doubtful], curvature[doubtful], size[doubtful])
        low[doubtful] = _decrease(slope[doubtful], model.steps) <= least[doubtful]
        leaving = low[doubtful] & (model.least < -SADDLE_CURVATURE * size[doubtful])
        saddle[doubtful[leaving]] = True
        pace[saddle] = SADDLE_STEP * model.away[leaving]
        known = np.flatnonzero((ends[owners[running]] >= 0) & ~low)
        which, end = running[known], ends[owners[running[known]]]
        miss = np.zeros(pace.shape)
        miss[known] = (theta[which] - theta[end]) / units[known] + pace[known]
        bent = (curvature @ miss[..., np.newaxis])[..., 0] + (damping[running] * size)[:, np.newaxis] * miss
        joins = np.sum(miss * bent, axis=1)[known] <= JOINING_SHARE**2 * 2 * decrease[known]
        theta[which[joins]], loss[which[joins]], low[known[joins]] = theta[end[joins]], loss[end[joins]], True
        for search in running[low & ~saddle]:
            if ends[owners[search]] < 0 or loss[search] < loss[ends[owners[search]]]:
                ends[owners[search]] = search
        tried, moved = np.flatnonzero(~low | saddle), np.zeros(len(running), dtype=bool)
        while len(tried):
            which, leaves = running[tried], saddle[tried]
            raised = damping[which] * size[tried] * np.sum(pace[tried] ** 2, axis=1)
            expected = _decrease(slope[tried], pace[tried]) + raised / 2  # without damping the model falls by more
            to = theta[which] + pace[tried] * scale[which]
            reached = _finite_loss(problem.rows(which), to, weights_at(which, weights))
            falls = reached < loss[which]
            enough = falls & (reached <= loss[which] - np.where(leaves, 0.0, expected / 10))
            damping[which] = np.clip(np.where(enough, damping[which] / 10, damping[which] * 8), LEAST_DAMPING, None)
            theta[which[falls]], loss[which[falls]] = to[falls], reached[falls]
            moved[tried[falls]] = True
            tried = tried[~falls & ~leaves & (damping[which] <= MOST_DAMPING)]
            again = running[tried]
            pace[tried], damping[again] = _damped_steps(slope[tried], curvature[tried], size[tried], damping[again])
        hidden = np.flatnonzero(~moved & ~low)
        if len(hidden):
            model = _Model.of(slope[hidden], curvature[hidden], size[hidden])
            which, pace = running[hidden], model.steps * scale[running[hidden]]
            along = theta[which, np.newaxis] + STEP_SHARES[:, np.newaxis] * pace[:, np.newaxis]
            each = np.repeat(which, len(STEP_SHARES))
            reached = _finite_loss(problem.rows(each), along.reshape(-1, theta.shape[1]), weights_at(each, weights))
            reached = reached.reshape(along.shape[:2])
            shortest, least_reached = np.argmin(reached, axis=1), np.min(reached, axis=1)
            falls = least_reached < loss[which]
            theta[which[falls]], loss[which[falls]] = along[falls, shortest[falls]], least_reached[falls]
            moved[hidden[falls]], damping[which] = True, LEAST_DAMPING
        running = running[moved]
        if not len(running):
            break
    return theta


def _derivatives(
    problem: Coordinates, theta: np.ndarray, weights: Weights | WeightsOfMany, units: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients and Hessians in units of the coordinates, and the norms of the Hessians.

    Of some searches at a time: what Hessians are computed from then fits into the caches of the processor.
    """
    slope, curvature, size = np.empty(theta.shape), np.empty((*theta.shape, theta.shape[1])), np.empty(len(theta))
    count = max(1, MOST_CACHED // theta.shape[1] ** 2)
    for part in (slice(first, first + count) for first in range(0, len(theta), count)):
        own, scaled = units[part], curvature[part]
        gradient, hessian = problem.rows(part).derivatives(theta[part], weights_at(part, weights))
        slope[part] = gradient * own
        np.multiply(hessian, own[:, np.newaxis], out=scaled)
        scaled *= own[..., np.newaxis]
        size[part] = np.sqrt(np.einsum("kij,kij->k", scaled, scaled))
    return slope, curvature, size


def _finite_loss(problem: Coordinates, theta: np.ndarray, weights: Weights | WeightsOfMany) -> np.ndarray:
    """The loss, infinite where it is NaN: too long a step makes the code singular to rounding."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        loss = problem.loss(theta, weights)
    return np.where(np.isfinite(loss), loss, np.inf)


def _decrease(slope: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """By how much quadratic models fall to their minima."""
    return -np.sum(slope * steps, axis=1) / 2


def _damped_steps(
    slope: np.ndarray, curvature: np.ndarray, size: np.ndarray, damping: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Steps to the minima of quadratic models with curvatures raised by `damping` in units of their size.

    Damping, which is returned too, grows where that leaves a curvature that is not positive definite.
    """
    steps, damping, left = np.zeros(slope.shape), damping.copy(), np.arange(len(slope))
    while len(left):
        steps[left], definite = _definite_steps(left, slope, curvature, size, damping)
        left = left[~definite & (damping[left] <= MOST_DAMPING)]
        damping[left] *= 4
    return steps, damping


def _definite_steps(
    which: np.ndarray, slope: np.ndarray, curvature: np.ndarray, size: np.ndarray, damping: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Steps to the minima of some of the models, and whether each curvature is positive definite beyond rounding.

    By Cholesky's method, one after another: NumPy's, of a stack, does not say which of the matrices fail.
    """
    steps, failed, pivots = -slope[which], np.zeros(len(which), dtype=bool), np.empty((len(which), slope.shape[1]))
    matrix = np.empty(curvature.shape[1:])
    diagonal = matrix.reshape(-1)[:: len(matrix) + 1]
    raised = np.zeros(len(size)) if damping is None else damping * size
    for place, at in enumerate(which):
        matrix[:] = curvature[at]
        diagonal += raised[at]
        # In place: of a symmetric matrix, the factor has its diagonal where the matrix has its own.
        _, steps[place], failed[place] = lapack.dposv(matrix.T, steps[place], lower=1, overwrite_a=1)
        pivots[place] = diagonal
    steps[failed] = 0.0
    return steps, ~failed & (pivots.min(axis=1, initial=np.inf) ** 2 > LEAST_PIVOT * size[which])


@dataclass(frozen=True, eq=False)
class _Model:
    """Quadratic models of many losses whose curvatures' eigenvalues are replaced by their moduli: no step is uphill.

    Eigenvalues are computed only of the matrices that are not positive definite; the others are their own moduli.
    """

    steps: np.ndarray  # to the minima
    least: np.ndarray  # eigenvalue, 0 if all are positive
    away: np.ndarray  # unit vectors along that eigenvalue, if it is not 0

    @classmethod
    def of(cls, slope: np.ndarray, curvature: np.ndarray, size: np.ndarray) -> _Model:
        steps, definite = _definite_steps(np.arange(len(slope)), slope, curvature, size)
        least, away, others = np.zeros(len(slope)), np.zeros(slope.shape), ~definite
        values, axes = np.linalg.eigh(curvature[others])
        least[others], away[others] = values[:, 0], axes[:, :, 0]
        values = np.maximum(np.abs(values), LOSS_ROUNDING * size[others, np.newaxis] + np.finfo(float).tiny)
        along = (axes.mT @ slope[others, :, np.newaxis])[..., 0] / values
        steps[others] = -(axes @ along[..., np.newaxis])[..., 0]
        return cls(steps, least, away)


def polish(problem: Coordinates, theta: np.ndarray, weights: Weights | WeightsOfMany) -> np.ndarray:
    """Full steps of Newton's method from minima (count, n), for each while it at least halves its gradient."""
    theta, running = np.array(theta), np.arange(len(theta))
    gradient = problem.gradient(theta, weights)
    for _ in range(MOST_POLISH_STEPS if theta.size else 0):
        own, of_own = problem.rows(running), weights_at(running, weights)
        moved = theta[running] + _newton_steps(own.hessian(theta[running], of_own), gradient)
        after = own.gradient(moved, of_own)
        halved = np.abs(after).max(axis=1) < np.abs(gradient).max(axis=1) / 2
        running, gradient = running[halved], after[halved]
        theta[running] = moved[halved]
        if not len(running):
            break
    return theta


def _newton_steps(hessians: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """Steps to the stationary points of quadratic models; the shortest where a Hessian is not positive definite."""
    sizes = np.linalg.norm(hessians, axis=(1, 2))
    steps, definite = _definite_steps(np.arange(len(gradients)), gradients, hessians, sizes)
    for at in np.flatnonzero(~definite):
        steps[at] = np.linalg.lstsq(hessians[at], -gradients[at])[0]
    return steps


def least_curvature(hessian: np.ndarray, excluded: np.ndarray) -> float:
    """Smallest eigenvalue of a Hessian orthogonal to the excluded directions (count, n); infinite if none remains."""
    _, singular, basis = np.linalg.svd(excluded)
    rank = np.count_nonzero(singular > len(hessian) * np.finfo(float).eps * singular.max(initial=0.0))
    tangent = basis[rank:]
    return float(np.linalg.eigvalsh(tangent @ hessian @ tangent.T)[0]) if len(tangent) else np.inf
