"""A search for the minima of the grouped objective for a fixed decoder, from many starts at once.

By Newton's method in the coordinates of `theory.groups.coordinates`, which have no constraints.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack

from theory.groups.coordinates import Coordinates
from theory.groups.objective import Weights

__all__ = ["least_curvature", "minimise", "polish"]

MOST_NEWTON_STEPS = 200  # for one search; 10 to 60 are usual
MOST_POLISH_STEPS = 20  # each at least halves the gradient
SADDLE_CURVATURE = 1e-7  # share of the largest curvature; one below minus this makes a stationary point a saddle
SADDLE_STEP = 0.01  # along the most negative curvature, in units of the coordinates
LEAST_DAMPING, MOST_DAMPING = 1e-16, 1e4  # in units of the Hessian's size
STEP_SHARES = 0.5 ** np.arange(30)  # of an undamped step
LEAST_PIVOT = 1e-12  # square of the least pivot, as a share of the size, of a matrix that counts as positive definite
LOSS_ROUNDING = 1e-14  # decrease of the loss, as a share of its terms, that is rounding


def minimise(
    problem: Coordinates, starts: np.ndarray, weights: Weights, scale: np.ndarray, level: float = LOSS_ROUNDING
) -> np.ndarray:
    """The minima reached from each of the starts, (count, n) -> (count, n), all searched at once.

    All are of one problem, or each of its own in a stack.

    Newton's method with the moduli of the Hessian's eigenvalues, damped by its size: damping shrinks while the loss
    falls, and grows until a step succeeds. In a long valley with steep walls no damping may succeed; then shorter and
    shorter steps in the direction of the undamped method are tried. If the gradient vanishes but a curvature is
    negative, a short step along it leaves the saddle. `scale` (count, n) holds the sizes of the coordinates; a search
    ends when the loss could fall by no more than the share `level` of its terms.
    """
    theta = np.array(starts)
    loss, damping, running = problem.loss(theta, weights), np.full(len(theta), 0.01), np.arange(len(theta))
    largest = max(weights.mutual_information, weights.between, weights.within, weights.dimension_wise)
    heaviest = 1 + theta.shape[1] * largest
    for _ in range(MOST_NEWTON_STEPS if theta.size else 0):
        slope, curvature = problem.rows(running).derivatives(theta[running], weights)
        units = scale[running]
        slope, curvature = slope * units, curvature * units[:, np.newaxis] * units[..., np.newaxis]
        size = np.linalg.norm(curvature, axis=(1, 2))
        model = _Model.of(slope, curvature, size)
        decrease = -np.sum(slope * model.steps(np.arange(len(running))), axis=1) / 2
        low = decrease <= level * (heaviest + np.abs(loss[running]))
        saddle = low & (model.least < -SADDLE_CURVATURE * size)
        tried = np.flatnonzero(~low | saddle)
        moved = np.zeros(len(running), dtype=bool)
        while len(tried):
            which, leaves = running[tried], saddle[tried]
            pace = model.steps(tried, damping[which] * size[tried])
            pace[leaves] = SADDLE_STEP * model.away(tried[leaves])
            bent = (curvature[tried] @ pace[..., np.newaxis])[..., 0]
            expected = -np.sum(pace * (slope[tried] + bent / 2), axis=1)
            to = theta[which] + pace * scale[which]
            reached = _finite_loss(problem.rows(which), to, weights)
            falls = reached < loss[which]
            enough = falls & (reached <= loss[which] - np.where(leaves, 0.0, expected / 10))
            damping[which] = np.clip(np.where(enough, damping[which] / 10, damping[which] * 8), LEAST_DAMPING, None)
            theta[which[falls]], loss[which[falls]] = to[falls], reached[falls]
            moved[tried[falls]] = True
            tried = tried[~falls & ~leaves & (damping[which] <= MOST_DAMPING)]
        hidden = np.flatnonzero(~moved & ~low)
        if len(hidden):
            which, pace = running[hidden], model.steps(hidden) * scale[running[hidden]]
            along = theta[which, np.newaxis] + STEP_SHARES[:, np.newaxis] * pace[:, np.newaxis]
            each = problem.rows(np.repeat(which, len(STEP_SHARES)))
            reached = _finite_loss(each, along.reshape(-1, theta.shape[1]), weights).reshape(along.shape[:2])
            shortest, least_reached = np.argmin(reached, axis=1), np.min(reached, axis=1)
            falls = least_reached < loss[which]
            theta[which[falls]], loss[which[falls]] = along[falls, shortest[falls]], least_reached[falls]
            moved[hidden[falls]], damping[which] = True, LEAST_DAMPING
        running = running[moved]
        if not len(running):
            break
    return theta


def _finite_loss(problem: Coordinates, theta: np.ndarray, weights: Weights) -> np.ndarray:
    """The loss, infinite where it is NaN: too long a step makes the code singular to rounding."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        loss = problem.loss(theta, weights)
    return np.where(np.isfinite(loss), loss, np.inf)


def _solve(matrices: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    return np.linalg.solve(matrices, vectors[..., np.newaxis])[..., 0]


@dataclass(frozen=True, eq=False)
class _Model:
    """Quadratic models of many losses: slopes, and curvatures whose eigenvalues are replaced by their moduli.

    Eigenvalues are computed only of the matrices that are not positive definite; the others are their own moduli.
    """

    slope: np.ndarray
    curvature: np.ndarray
    place: np.ndarray  # of each among those with eigenvalues; -1 for the positive definite
    values: np.ndarray
    axes: np.ndarray
    least: np.ndarray  # eigenvalue, 0 if all are positive

    @classmethod
    def of(cls, slope: np.ndarray, curvature: np.ndarray, size: np.ndarray) -> _Model:
        others = np.array([not _is_definite(*one) for one in zip(curvature, size, strict=True)], dtype=bool)
        values, axes = np.linalg.eigh(curvature[others])
        place, least = np.full(len(slope), -1), np.zeros(len(slope))
        place[others], least[others] = np.arange(len(values)), values[:, 0]
        values = np.maximum(np.abs(values), LOSS_ROUNDING * size[others, np.newaxis] + np.finfo(float).tiny)
        return cls(slope, curvature, place, values, axes, least)

    def steps(self, which: np.ndarray, damping: np.ndarray | None = None) -> np.ndarray:
        """To the minima of some of the models, whose curvatures are raised by a multiple of the identity each."""
        steps, damping = np.empty(self.slope[which].shape), np.zeros(len(which)) if damping is None else damping
        definite, place = self.place[which] < 0, self.place[which]
        matrices = self.curvature[which[definite]]
        every = np.arange(matrices.shape[-1])
        matrices[:, every, every] += damping[definite, np.newaxis]
        steps[definite] = -_solve(matrices, self.slope[which[definite]])
        axes, values = self.axes[place[~definite]], self.values[place[~definite]] + damping[~definite, np.newaxis]
        along = (axes.mT @ self.slope[which[~definite], :, np.newaxis])[..., 0] / values
        steps[~definite] = -(axes @ along[..., np.newaxis])[..., 0]
        return steps

    def away(self, which: np.ndarray) -> np.ndarray:
        """Unit vectors along the least curvature, of models that have a negative one."""
        return self.axes[self.place[which], :, 0]


def _is_definite(matrix: np.ndarray, size: float) -> bool:
    """Whether a matrix of this norm is positive definite beyond rounding, without its eigenvalues."""
    factor, failed = lapack.dpotrf(matrix, lower=1)
    return not failed and np.diagonal(factor).min() ** 2 > LEAST_PIVOT * size


def polish(problem: Coordinates, theta: np.ndarray, weights: Weights) -> np.ndarray:
    """Full steps of Newton's method from minima (count, n), for each while it at least halves its gradient."""
    theta, running = np.array(theta), np.arange(len(theta))
    gradient = problem.gradient(theta, weights)
    for _ in range(MOST_POLISH_STEPS if theta.size else 0):
        own = problem.rows(running)
        hessian = own.hessian(theta[running], weights)
        moved = theta[running] + _newton_steps(hessian, gradient)
        after = own.gradient(moved, weights)
        halved = np.abs(after).max(axis=1) < np.abs(gradient).max(axis=1) / 2
        running, gradient = running[halved], after[halved]
        theta[running] = moved[halved]
        if not len(running):
            break
    return theta


def _newton_steps(hessians: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """Steps to the stationary points of quadratic models; the shortest where a Hessian is not positive definite."""
    sizes = np.linalg.norm(hessians, axis=(1, 2))
    definite = np.array([_is_definite(*one) for one in zip(hessians, sizes, strict=True)])
    steps = np.empty(gradients.shape)
    steps[definite] = _solve(hessians[definite], -gradients[definite])
    for at in np.flatnonzero(~definite):
        steps[at] = np.linalg.lstsq(hessians[at], -gradients[at])[0]
    return steps


def least_curvature(hessian: np.ndarray, excluded: np.ndarray) -> float:
    """Smallest eigenvalue of a Hessian orthogonal to the excluded directions (count, n); infinite if none remains."""
    _, singular, basis = np.linalg.svd(excluded)
    rank = np.count_nonzero(singular > len(hessian) * np.finfo(float).eps * singular.max(initial=0.0))
    tangent = basis[rank:]
    return float(np.linalg.eigvalsh(tangent @ hessian @ tangent.T)[0]) if len(tangent) else np.inf
