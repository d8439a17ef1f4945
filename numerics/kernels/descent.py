"""Three ways to descend the exact loss, compiled: accelerated gradients, plain gradients, and Adam."""

from __future__ import annotations

import math
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from numerics.kernels.cache import compiled, inner
from numerics.kernels.objective import noise_floor, point, rounding_error, value_and_gradient, views
from numerics.kernels.products import copy, dot, move, zeros

__all__ = [
    "ACCELERATED",
    "ADAM",
    "DIVERGED",
    "GRADIENT",
    "GRADIENT_DESCENT",
    "MAX_STEPS",
    "NOT_RUN",
    "OVERFLOWED",
    "STALLED",
    "AdamState",
    "Limits",
    "Outcome",
    "Outcomes",
    "adam_step",
    "descend",
    "descend_all",
]


ACCELERATED, GRADIENT_DESCENT, ADAM = 0, 1, 2  # how to descend
NOT_RUN, GRADIENT, MAX_STEPS, STALLED, DIVERGED, OVERFLOWED = -1, 0, 1, 2, 3, 4  # why a descent ended
LINE_SEARCH_STEPS = 60


class Limits(NamedTuple):
    """How fast and how long to descend.

    Attributes
    ----------
    learning_rate : float
        of Adam.
    tolerance : float
        the norm of the gradient at which a descent ends, in nats.
    max_steps : int
    """

    learning_rate: float
    tolerance: float
    max_steps: int


class Outcome(NamedTuple):
    """The end of a run.

    Attributes
    ----------
    steps : int
    loss, gradient_norm : float
        at the end, in training units.
    code : int
        why it ended: `NOT_RUN`, `GRADIENT` and so on.
    """

    steps: int
    loss: float
    gradient_norm: float
    code: int


class Outcomes(NamedTuple):
    """The ends of many runs: an `Outcome` whose fields are arrays, with one entry for each run."""

    steps: np.ndarray
    losses: np.ndarray
    gradient_norms: np.ndarray
    codes: np.ndarray

    @classmethod
    def of_none(cls, count: int) -> Outcomes:
        """Arrays for `count` runs, none of which has been made."""
        return cls(np.zeros(count, dtype=np.int64), np.zeros(count), np.zeros(count), np.full(count, NOT_RUN))

    def put(self, run: int, end: Outcome) -> None:
        self.steps[run], self.codes[run] = end.steps, end.code
        self.losses[run], self.gradient_norms[run] = end.loss, end.gradient_norm

    def part(self, runs: slice) -> Outcomes:
        """Views of some of the runs."""
        return Outcomes(*(array[runs] for array in self))


class AdamState(NamedTuple):
    """What a step of Adam reads and writes: (n,) arrays, updated in place.

    Attributes
    ----------
    theta, gradient : (n,) arrays
        the parameters, and the gradient of the loss there.
    first, second : (n,) arrays
        running means of the gradient and of its square.
    """

    theta: np.ndarray
    gradient: np.ndarray
    first: np.ndarray
    second: np.ndarray


@inner()
def noise_end(objective):
    """The log noise at which a descent ends: minus infinity if the noise is fixed."""
    return noise_floor(objective) if objective.mask[-1] > 0 else -np.inf


@inner()
def verdict(step, norm, log_noise, limits, floor):
    """Why a descent ends at this step, or `NOT_RUN` while it goes on."""
    if norm <= limits.tolerance:
        return GRADIENT
    if log_noise < floor:
        return DIVERGED
    if not norm < np.inf:
        return OVERFLOWED
    return MAX_STEPS if step >= limits.max_steps else NOT_RUN


@inner()
def scratch(objective):
    """Scratch space for `value_and_gradient`."""
    latent_dim = objective.partitions.shape[1]
    return np.zeros((5, latent_dim, latent_dim))


@compiled(nogil=True)
def accelerated(theta, objective, perturbation, limits, history):
    """Nesterov's accelerated gradient descent, restarted whenever its momentum points uphill.

    The step begins at the noise variance, the inverse curvature of the largest eigenvalue, which is 1; it is halved
    where the loss does not fall as much as a gradient step should, and otherwise allowed to grow. Where rounding hides
    the fall, the slope after the step decides. A vanishing gradient may be that of a saddle, so it ends the descent
    only if a small perturbation leads back to the same loss.
    """
    size, step, momentum, settled = len(theta), 0, 1.0, np.inf
    floor, work = noise_end(objective), scratch(objective)
    at, to, tried, to_tried = point(objective), point(objective), point(objective), point(objective)
    ahead, gradient, trial, new_gradient = at.vector, to.vector, tried.vector, to_tried.vector
    copy(theta, ahead)
    length = math.exp(theta[-1])
    loss = value_and_gradient(at, objective, to, work)
    while True:
        if step < len(history):
            history[step] = loss
        norm = math.sqrt(dot(gradient, gradient))
        rounding = rounding_error(ahead, objective, loss)
        end = verdict(step, norm, ahead[-1], limits, floor)
        if end == GRADIENT and loss < settled - 10 * rounding and step < limits.max_steps:
            settled, momentum, end = loss, 1.0, NOT_RUN
            move(ahead, 1.0, perturbation, theta)
            copy(theta, ahead)
            loss = value_and_gradient(at, objective, to, work)
            norm = math.sqrt(dot(gradient, gradient))
        if end != NOT_RUN:
            copy(ahead, theta)
            return step, loss, norm, end
        length, accepted = 1.1 * length, False
        for _ in range(LINE_SEARCH_STEPS):
            move(ahead, -length, gradient, trial)
            new_loss = value_and_gradient(tried, objective, to_tried, work)
            fall = length * norm * norm / 2
            if new_loss <= loss - fall + rounding and (fall > 10 * rounding or dot(new_gradient, gradient) >= 0):
                accepted = True
                break
            length /= 2
        if not accepted:
            copy(ahead, theta)
            return step, loss, norm, STALLED
        if dot(gradient, trial) > dot(gradient, theta):
            momentum = 1.0
        previous, momentum = momentum, (1 + math.sqrt(1 + 4 * momentum * momentum)) / 2
        for p in range(size):
            ahead[p] = trial[p] + (previous - 1) / momentum * (trial[p] - theta[p])
            theta[p] = trial[p]
        loss, step = value_and_gradient(at, objective, to, work), step + 1


@compiled(nogil=True)
def gradient_descent(theta, objective, limits, history, counts, path):
    """Steps along the gradient, each as long as possible without passing the lowest point of its line.

    `path` receives the parameters after each of the numbers of steps in `counts`, which increase, as far as it comes.
    """
    step, length, floor, work, passed = 0, math.exp(theta[-1]), noise_end(objective), scratch(objective), 0
    at = views(theta, objective.partitions.shape[1], objective.standard_deviations.size)
    to, tried, to_tried = point(objective), point(objective), point(objective)
    gradient, trial, new_gradient = to.vector, tried.vector, to_tried.vector
    loss = value_and_gradient(at, objective, to, work)
    while True:
        if step < len(history):
            history[step] = loss
        if passed < len(counts) and step == counts[passed]:
            copy(theta, path[passed])
            passed += 1
        norm = math.sqrt(dot(gradient, gradient))
        end = verdict(step, norm, theta[-1], limits, floor)
        if end != NOT_RUN:
            return step, loss, norm, end
        rounding = rounding_error(theta, objective, loss)
        length, accepted = 1.2 * length, False
        for _ in range(LINE_SEARCH_STEPS):
            move(theta, -length, gradient, trial)
            new_loss = value_and_gradient(tried, objective, to_tried, work)
            if new_loss <= loss + rounding and dot(new_gradient, gradient) >= 0:
                accepted = True
                break
            length /= 2
        if not accepted:
            return step, loss, norm, STALLED
        copy(trial, theta)
        copy(new_gradient, gradient)
        loss, step = new_loss, step + 1


@inner()
def adam_step(state, left, learning_rate):
    """A step with the usual decay rates .9 and .999; `left` holds their powers by now, the weights of the start."""
    theta, gradient, first, second = state.theta, state.gradient, state.first, state.second
    rate, correction = learning_rate / (1 - left[0]), 1 / math.sqrt(1 - left[1])
    for p in range(len(theta)):
        first[p] = 0.9 * first[p] + 0.1 * gradient[p]
        second[p] = 0.999 * second[p] + 0.001 * gradient[p] * gradient[p]
        theta[p] -= rate * first[p] / (correction * math.sqrt(second[p]) + 1e-8)


@compiled(nogil=True)
def adam(theta, objective, limits, history):
    """Adam at a constant learning rate."""
    step, left, floor, work = 0, (1.0, 1.0), noise_end(objective), scratch(objective)
    at, to = point(objective), point(objective)
    here, gradient = at.vector, to.vector
    state = AdamState(here, gradient, zeros(len(theta)), zeros(len(theta)))
    copy(theta, here)
    while True:
        loss = value_and_gradient(at, objective, to, work)
        if step < len(history):
            history[step] = loss
        norm = math.sqrt(dot(gradient, gradient))
        end = verdict(step, norm, here[-1], limits, floor)
        if end != NOT_RUN:
            copy(here, theta)
            return step, loss, norm, end
        step, left = step + 1, (0.9 * left[0], 0.999 * left[1])  # cheaper than to compute powers
        adam_step(state, left, limits.learning_rate)


def descend(theta, objective, perturbation, method, limits, history):
    """Descend from `theta`, in place; returns an `Outcome`.

    `history` receives the loss of each step, as many as it is long. Not compiled itself, so that a method is compiled
    only where it is asked for.
    """
    if method == ACCELERATED:
        return Outcome(*accelerated(theta, objective, perturbation, limits, history))
    if method == GRADIENT_DESCENT:
        no_counts, no_path = np.empty(0, dtype=np.int64), np.empty((0, len(theta)))
        return Outcome(*gradient_descent(theta, objective, limits, history, no_counts, no_path))
    return Outcome(*adam(theta, objective, limits, history))


def descend_all(thetas, weights, objective, perturbation, method, limits, threads, outcomes):
    """`descend` for each row of `thetas` and `weights`, in place, on `threads` threads; `outcomes` receives the ends.

    `objective` is that of every run but for its weights. The threads are Python's, which run compiled code at the same
    time (`nogil`): a sweep needs no code of its own, and compiles what one run does.
    """

    def one(run):
        own = objective._replace(weights=weights[run])
        outcomes.put(run, descend(thetas[run], own, perturbation, method, limits, np.empty(0)))

    if min(threads, len(weights)) == 1:  # to start a thread takes longer than many a run
        deque(map(one, range(len(weights))), maxlen=0)
        return
    with ThreadPoolExecutor(threads) as pool:
        deque(pool.map(one, range(len(weights))), maxlen=0)  # raises what a run raises
