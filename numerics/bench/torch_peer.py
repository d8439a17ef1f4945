"""The textbook formulation in PyTorch: automatic gradients, eager with its fused Adam, and compiled with the steps.

A leading axis of runs makes it a sweep: their losses are summed, so that each keeps its own gradient.
"""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Callable

import torch

from numerics.bench.problem import DECAYS, EPSILON, LEARNING_RATE, Descent, MinibatchDescent, Parameters
from numerics.bench.timing import Contestant

__all__ = ["descent", "minibatch", "pin"]

UNROLLED = 5  # steps in one compiled call, which saves small problems most of the cost of a call
UNROLLED_SIZE = 2**11  # runs times D K up to which unrolling helps; beyond it only compilation takes longer


def pin(threads: int) -> None:
    """How many threads PyTorch uses."""
    torch.set_num_threads(threads)


def descent(task: Descent) -> list[Contestant]:
    """Full-batch Adam, of one run or of many."""
    root, weights = torch.from_numpy(task.root), torch.as_tensor(task.weights)
    variance = root.square().sum()

    def loss(parameters, inputs):
        return _loss(*parameters, root, variance, weights)

    return _contestants(task, loss, lambda: [None] * task.steps)


def minibatch(task: MinibatchDescent) -> list[Contestant]:
    """Adam on minibatches."""
    rows = torch.from_numpy(task.rows)

    def draw():
        return list(zip(*map(torch.from_numpy, task.draw()), strict=True))

    def loss(parameters, inputs):
        indices, noise = inputs
        return _minibatch_loss(*parameters, rows[indices], noise, task.beta)

    return _contestants(task, loss, draw)


def _loss(decoder, encoder, log_scales, log_noise, root, variance, beta):
    variances = torch.exp(2 * log_scales)
    gram, code = decoder.mT @ decoder, encoder.mT @ encoder
    cross = ((encoder.mT @ root) * decoder.mT).sum((-1, -2))  # R is symmetric, and on this side one product does all
    lengths = gram.diagonal(dim1=-2, dim2=-1)
    distortion = variance - 2 * cross + (gram * code).sum((-1, -2)) + (lengths * variances).sum(-1)
    spread = encoder.square().sum((-1, -2))
    return _total(distortion, spread, log_scales, variances, log_noise, len(root), beta).sum()


def _minibatch_loss(decoder, encoder, log_scales, log_noise, data, noise, beta):
    means = data @ encoder
    scales = torch.exp(log_scales)
    residuals = data - (means + noise.mT * scales) @ decoder.mT
    distortion, spread = residuals.square().sum() / len(data), means.square().sum() / len(data)
    return _total(distortion, spread, log_scales, scales.square(), log_noise, data.shape[1], beta)


def _total(distortion, spread, log_scales, variances, log_noise, data_dim, beta):
    """The loss from its parts; `spread` is the mean square of the posterior means."""
    rate = (spread + variances.sum(-1) - log_scales.shape[-1]) / 2 - log_scales.sum(-1)
    return distortion * torch.exp(-log_noise) / 2 + data_dim / 2 * (math.log(2 * math.pi) + log_noise) + beta * rate


def _contestants(task, loss: Callable, inputs: Callable[[], list]) -> list[Contestant]:
    """Eager and, where there is a C++ compiler for it to use, compiled; `inputs` returns the input of each step."""
    start = [torch.as_tensor(value) for value in task.start]
    contestants = [Contestant("torch eager", lambda: _eager(start, loss, inputs()), _read)]
    if any(map(shutil.which, (os.environ.get("CXX", "c++"), "g++", "clang++"))):
        descend = _compiled(start, loss, UNROLLED if start[0].numel() <= UNROLLED_SIZE else 1)
        contestants.append(Contestant("torch compiled", lambda: descend(inputs()), _read))
    return contestants


def _eager(start, loss, inputs):
    parameters = [value.clone().requires_grad_() for value in start]
    adam = torch.optim.Adam(parameters, lr=LEARNING_RATE, betas=DECAYS, eps=EPSILON, fused=True)
    for taken in inputs:
        adam.zero_grad(set_to_none=True)
        loss(parameters, taken).backward()
        adam.step()
    return parameters


def _compiled(start, loss, unrolled: int):
    """A function that descends from the start, several steps of gradient and Adam in each compiled call.

    All parameters are one vector, which leaves the least work between two calls.
    """
    shapes, sizes = [value.shape for value in start], [value.numel() for value in start]

    def parts(vector):
        return [part.view(shape) for part, shape in zip(vector.split(sizes), shapes, strict=True)]

    gradient = torch.func.grad(lambda vector, inputs: loss(parts(vector), inputs))

    def steps(vector, first, second, decays, inputs):
        for taken in inputs:
            slope = gradient(vector, taken)
            decays = decays * decays.new_tensor(DECAYS)
            first = DECAYS[0] * first + (1 - DECAYS[0]) * slope
            second = DECAYS[1] * second + (1 - DECAYS[1]) * slope * slope
            rate, correction = LEARNING_RATE / (1 - decays[0]), torch.rsqrt(1 - decays[1])
            vector = vector - rate * first / (correction * second.sqrt() + EPSILON)
        return vector, first, second, decays

    compiled = torch.compile(steps, dynamic=False)

    def descend(inputs):
        vector = torch.cat([value.ravel() for value in start])
        state = vector, torch.zeros_like(vector), torch.zeros_like(vector), torch.ones(2, dtype=vector.dtype)
        with torch.no_grad():
            for at in range(0, len(inputs), unrolled):
                state = compiled(*state, inputs[at : at + unrolled])
        return parts(state[0])

    return descend


def _read(result) -> Parameters:
    return Parameters(*(value.detach().numpy() for value in result))
