"""Training by exact alternation (expectation and maximisation): each round the best decoder, then the best encoder.

**A round.** Each half has its optimum in closed form while the other is fixed (`numerics.training.halves`, which
defines the letters), so no round raises the loss. No step length is chosen, and the optimum of both halves together is
never solved for. A round costs O(D K^2).

**em** alternates as it stands. Latents rotate slowly within a pair of close eigenvalues, and grow slowly where t is far
below its eigenvalue x: an amplitude gains a fraction 2 y (1 - y) of its way in a round, y = t / x.

**rotated_em** expands the model: the prior's covariance is free too. Its optimum is C, and to make it the identity
again the decoder becomes W C^(1/2) = diag(r) E^T C^(-1/2), after which amplitudes gain 1 - y^2 of their way. Latents
are rotated to the principal axes of M. There J is diagonal, so the diagonal family, and with it every family, contains
the best Q of all: the rotation never raises the loss (Hadamard), and a round stays monotone. Rounds commute with
rotations of the latents and the loss is invariant under them, so one rotation at the end gives the same models; the
code does that. What remains is the rotation of the subspace, by l_{K+1} / l_K in a round (l the eigenvalues of the data
covariance).

**accelerated_em** does the same, each round from a point ahead on the line through the last two decoders (and log
noises), as in Nesterov's method. Momentum is dropped when it points uphill, and not used where it would raise the loss,
so this is monotone too. Of 1 - l_{K+1} / l_K it feels the square root.

The two rotating methods need a learned decoder.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import numpy as np

from numerics.kernels import descent
from numerics.kernels.descent import Limits
from numerics.kernels.objective import Objective, rounding_at
from numerics.training.halves import Decoder, Encoder, Setting, best_decoder, best_encoder
from numerics.training.outcome import Outcome
from numerics.training.problem import TrainingProblem, pack

__all__ = ["accelerated_em", "alternate", "em", "rotated_em", "with_best_encoder"]

UNRESOLVED = 0.1  # of the rounding of the loss: a gradient norm below this is rounding too
PATIENCE = 500  # rounds of such gradient norms, after which the run has stalled


def alternate(
    problem: TrainingProblem,
    theta: np.ndarray,
    objective: Objective,
    limits: Limits,
    history: np.ndarray,
    *,
    rotate: bool,
    accelerate: bool,
) -> Outcome:
    """Alternate from `theta`, in place; the first round uses only its encoder.

    A gradient that vanishes, to the tolerance or to rounding ("stalled"), may be that of a saddle, so it ends the
    alternation only if a small perturbation leads back to the same loss. With decoder and noise both fixed there is no
    saddle, since the loss is convex in the encoder and in the posterior covariance.

    Parameters
    ----------
    problem, theta, objective, limits, history
        as for every method (`numerics.training.outcome`), with one weight beta for every part of the rate.
    rotate, accelerate : bool
        whether to expand the model and rotate latents to the principal axes, and whether to use momentum.
    """
    setting, max_steps = Setting.of(problem, objective), limits.max_steps
    family, floor = _stack(problem.family), descent.noise_end(objective)
    together = [np.arange(problem.latent_dim)[np.newaxis]] if rotate else family
    convex = not (setting.decoder_learned or setting.noise_learned)
    step, settled_loss, point = 0, math.inf, _unpack(theta, problem, objective)
    history[0], norm, last, momentum, rounds_of_rounding = point.loss, point.gradient_norm, None, 1.0, 0

    def judge():
        end = descent.verdict(step, norm, point.decoder.log_noise, limits, floor)
        return descent.STALLED if end == descent.NOT_RUN and rounds_of_rounding >= PATIENCE else end

    while True:
        end, loss = judge(), point.loss
        if end != descent.NOT_RUN and step > 0:
            theta[:] = _parameters(_in_principal_axes(point, setting, family) if rotate else point)
            loss, norm = problem.measure(theta, objective)
            end = judge()
        may_be_saddle = end in (descent.GRADIENT, descent.STALLED) and not convex
        if may_be_saddle and step < max_steps and point.loss < settled_loss - 10 * _rounding(point, setting):
            settled_loss, last, momentum, rounds_of_rounding, end = point.loss, None, 1.0, 0, descent.NOT_RUN
            point = _unpack(theta + problem.perturbation, problem, objective)
        if end != descent.NOT_RUN:
            history[step] = loss
            return Outcome(step, loss, norm, end)
        new = best_decoder(point, setting, expand=rotate)
        trial = None
        if accelerate and last is not None:
            if np.sum((point.decoder.weights - new.weights) * (new.weights - last.weights)) > 0:
                momentum = 1.0
            previous, momentum = momentum, (1 + math.sqrt(1 + 4 * momentum * momentum)) / 2
            ahead = new.ahead(last, (previous - 1) / momentum)
            if ahead.log_noise > floor:
                trial = best_encoder(ahead, setting, together)
        if trial is None or not trial.loss <= point.loss + _rounding(point, setting):
            momentum, trial = 1.0, best_encoder(new, setting, together)
        point, last, step = trial, new, step + 1
        history[step], norm = point.loss, point.gradient_norm
        rounds_of_rounding = rounds_of_rounding + 1 if norm <= UNRESOLVED * _rounding(point, setting) else 0


def with_best_encoder(problem: TrainingProblem, theta: np.ndarray, objective: Objective) -> np.ndarray:
    """Parameters with the decoder and noise of `theta` and the best encoder of these."""
    setting = Setting.of(problem, objective)
    decoder = Decoder(problem.unpack(theta)[0], float(theta[-1]))
    return _parameters(best_encoder(decoder, setting, _stack(problem.family)))


def _rounding(point: Encoder, setting: Setting) -> float:
    """How far rounding may change the loss."""
    return rounding_at(setting.variance, point.decoder.log_noise, point.loss)


def _stack(groups: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Groups of latents, those of one size together: an array with one group in each row for every size."""
    sizes = sorted({len(group) for group in groups})
    return [np.array([group for group in groups if len(group) == size]) for size in sizes]


def _unpack(theta: np.ndarray, problem: TrainingProblem, objective: Objective) -> Encoder:
    """Decoder and encoder of a vector of parameters, with their loss and the norm of its gradient."""
    decoder, whitened, factor = problem.unpack(theta.copy())
    code = whitened.T @ whitened + factor @ factor.T
    return Encoder(Decoder(decoder, float(theta[-1])), whitened, factor, code, *problem.measure(theta, objective))


def _in_principal_axes(point: Encoder, setting: Setting, family: Sequence[np.ndarray]) -> Encoder:
    """The best encoder, in the family, of the same decoder with its latents rotated to its principal axes."""
    weights = point.decoder.weights
    _, axes = np.linalg.eigh(weights.T @ weights)
    return best_encoder(Decoder(weights @ axes[:, ::-1], point.decoder.log_noise), setting, family)


def _parameters(point: Encoder) -> np.ndarray:
    return pack(point.decoder.weights, point.whitened, point.factor, point.decoder.log_noise)


em = partial(alternate, rotate=False, accelerate=False)
rotated_em = partial(alternate, rotate=True, accelerate=False)
accelerated_em = partial(alternate, rotate=True, accelerate=True)
