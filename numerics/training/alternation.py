"""Training by exact alternation (expectation and maximisation): each round the best decoder, then the best encoder.

With t = beta s2 and the coordinates of `numerics.kernels.objective` (covariance diag(r^2), E = B^T the encoder of
whitened data, C = B^T B + Q), each half has its optimum in closed form while the other is held:

    decoder   W = diag(r) B C^-1,    s2 = distortion / D = (sum_i r_i^2 - <W, diag(r) B>) / D
    encoder   B = diag(r) W P^-1 / t,    Q_bb = (P_bb)^-1,    P = I + W^T W / t

so no round raises the loss. No step length is chosen and the optimum of both halves together is never solved for. A
round costs O(D K^2). Three ways:

em              as above. Latents turn slowly within a pair of close eigenvalues, and grow slowly where t is far below
                its eigenvalue x: an amplitude gains a fraction 2 y (1 - y) of its way in a round, y = t / x.
rotated_em      with an expanded model: the prior's covariance is free too. Its optimum is C, and to make it the
                identity again the decoder becomes W C^(1/2) = diag(r) B C^(-1/2), after which amplitudes gain
                1 - y^2 of their way. And latents are turned to the principal axes of W^T W each round. There P is
                diagonal, so the diagonal family, and with it every family, contains the best Q of all: a turn to the
                axes never raises the loss (Hadamard), and a round stays monotone. Rounds commute with turns of the
                latents and the loss does not see them, so turning once, at the end, gives the same models; that is
                how it is done. What remains is the turn of the subspace, by l_{K+1} / l_K in a round.
accelerated_em  the same, each round from a point ahead on the line through the last two decoders (and log noises),
                as Nesterov's method has it. Momentum is dropped when it points uphill, and not used where it would
                raise the loss, so this is monotone too. Of 1 - l_{K+1} / l_K it feels the square root.

What is turned needs a decoder to turn: the last two refuse one that is held.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from numerics.kernels import descent
from numerics.kernels.descent import Limits
from numerics.kernels.objective import Objective, noise_floor, rounding_error
from numerics.training.outcome import Outcome
from numerics.training.problem import TrainingProblem, pack

__all__ = [
    "Decoder",
    "Encoder",
    "alternate",
    "best_decoder",
    "best_encoder",
    "least_noise",
    "squared_error",
    "with_best_encoder",
]

CANCELLED = 1e-4  # of the variance: a distortion below this has lost a few digits if it was subtracted from it
UNRESOLVED = 0.1  # of the rounding of the loss: a gradient norm below this is rounding too,
PATIENCE = 500  # and after so many rounds of it there is no more to come


@dataclass(frozen=True, eq=False)
class Decoder:
    """Weights W, (D, K), and log s2."""

    weights: np.ndarray
    log_noise: float

    def ahead(self, last: Decoder, share: float) -> Decoder:
        """The point beyond this one, as seen from the last, by a share of their distance."""
        return Decoder(
            self.weights + share * (self.weights - last.weights),
            self.log_noise + share * (self.log_noise - last.log_noise),
        )


@dataclass(frozen=True, eq=False)
class Encoder:
    """The best encoder of a decoder, or any other to start from.

    Attributes
    ----------
    decoder : Decoder
        the one that it was made for, or stands beside.
    whitened, factor : (D, K) and (K, K) arrays
        B, and the lower triangle F of Q = F F^T.
    loss, gradient_norm : float
        of both together, the gradient over what is learned of decoder and noise; that of a best encoder is zero.
    """

    decoder: Decoder
    whitened: np.ndarray
    factor: np.ndarray
    loss: float
    gradient_norm: float


@dataclass(frozen=True, eq=False)
class Setting:
    """What the halves of a round need: the data, beta, and which of decoder and noise are learned, the least noise."""

    standard_deviations: np.ndarray
    beta: float
    decoder_learned: bool
    noise_learned: bool
    least_noise: float = 0.0

    @classmethod
    def of(cls, problem: TrainingProblem, objective: Objective) -> Setting:
        learned = problem.decoder is None, bool(problem.mask[-1])
        return cls(problem.standard_deviations, float(objective.weights[0]), *learned, least_noise(objective))


def least_noise(objective: Objective) -> float:
    """A noise so small that a round which asks for less ends the run."""
    return math.exp(noise_floor(objective)) / 2


def best_decoder(encoder: Encoder, setting: Setting, *, expand: bool = False) -> Decoder:
    """The decoder and noise of least loss for an encoder; with `expand`, with a free covariance of the prior as well.

    W = diag(r) B C^-1, or diag(r) B C^(-1/2) with `expand`. Held ones are returned as they are.
    """
    whitened, factor, weights = encoder.whitened, encoder.factor, encoder.decoder.weights
    image = setting.standard_deviations[:, np.newaxis] * whitened
    code = whitened.T @ whitened + factor @ factor.T
    if expand:
        variances, axes = np.linalg.eigh(code)
        to_identity = (axes / np.sqrt(variances)) @ axes.T
        weights = image @ to_identity
    elif setting.decoder_learned:
        weights = np.linalg.solve(code, image.T).T
    if not setting.noise_learned:
        return Decoder(weights, encoder.decoder.log_noise)
    variance = setting.standard_deviations @ setting.standard_deviations
    if expand:
        distortion, whitened, factor = variance - np.sum(weights**2), whitened @ to_identity, to_identity @ factor
    else:
        distortion = variance - 2 * np.sum(weights * image) + np.sum((weights @ code) * weights)
    distortion = squared_error(distortion, weights, whitened, factor, setting.standard_deviations)
    return Decoder(weights, math.log(max(distortion / len(image), setting.least_noise)))


def best_encoder(decoder: Decoder, setting: Setting, stacks: Sequence[np.ndarray]) -> Encoder:
    """The encoder of least loss for a decoder and noise, in the family of the groups of latents in `stacks`.

    B = diag(r) W P^-1 / t, Q_bb = (P_bb)^-1. `stacks` holds groups of one size, one a row, for every size.
    """
    weights, noise = decoder.weights, math.exp(decoder.log_noise)
    rows, latent_dim = weights.shape
    gram = weights.T @ weights
    precision = np.eye(latent_dim) + gram / (setting.beta * noise)
    factor = np.zeros((latent_dim, latent_dim))
    for members in stacks:
        block = members[:, :, np.newaxis], members[:, np.newaxis, :]
        factor[block] = _inverse_root(precision[block])
    gain = np.linalg.inv(precision) / (setting.beta * noise)
    whitened = setting.standard_deviations[:, np.newaxis] * (weights @ gain)
    image, code = setting.standard_deviations[:, np.newaxis] * whitened, whitened.T @ whitened + factor @ factor.T

    distortion = (
        setting.standard_deviations @ setting.standard_deviations - 2 * np.sum(weights * image) + np.sum(gram * code)
    )
    distortion = squared_error(distortion, weights, whitened, factor, setting.standard_deviations)
    rate = (np.trace(code) - latent_dim) / 2 - np.log(np.diagonal(factor)).sum()
    loss = distortion / (2 * noise) + rows / 2 * (math.log(2 * math.pi) + decoder.log_noise) + setting.beta * rate
    to_weights = (weights @ code - image) / noise if setting.decoder_learned else np.zeros(0)
    to_log_noise = rows / 2 - distortion / (2 * noise) if setting.noise_learned else 0.0
    norm = math.hypot(np.linalg.norm(to_weights), to_log_noise)
    return Encoder(decoder, whitened, factor, float(loss), norm)


def squared_error(quick: float, weights, whitened, factor, deviations) -> float:
    """The distortion, sum r^2 - 2 <W, diag(r) B> + tr W^T W (B^T B + F F^T), which is `quick` to rounding of sum r^2.

    Where it is far below sum r^2 it is formed anew, of the K leading modes as a sum of squares: what is left of them
    may be far below their variance, from which it could not be subtracted. Of other modes nothing large is
    reconstructed.
    """
    if quick > CANCELLED * (deviations @ deviations):
        return quick
    lead = min(weights.shape[1], len(deviations))
    left = np.diag(deviations[:lead]) - weights[:lead] @ whitened[:lead].T
    others = deviations[lead:] * (deviations[lead:] - 2 * np.sum(weights[lead:] * whitened[lead:], axis=1))
    gram_lead, gram_rest = (part.T @ part for part in (weights[:lead], weights[lead:]))
    code_lead, code_rest = (part.T @ part for part in (whitened[:lead], whitened[lead:]))
    crossed = np.sum(gram_lead * code_rest) + np.sum(gram_rest * (code_lead + code_rest))
    return float(np.sum(left**2) + np.sum(others) + crossed + np.sum((weights @ factor) ** 2))


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
    """Alternate from `theta`, of which the first round takes the encoder only, in place.

    A gradient that vanishes, to the tolerance or to rounding ("stalled"), may be that of a saddle, so it ends the
    alternation only if a small perturbation leads back to the same loss.

    Parameters
    ----------
    problem, theta, objective, limits, history
        as every method has them (`numerics.training.outcome`), with one weight beta for every part of the rate.
    rotate, accelerate : bool
        whether to expand the model and turn latents to the principal axes, and whether to do so with momentum.
    """
    setting, max_steps = Setting.of(problem, objective), limits.max_steps
    family, floor = _stack(problem.family), descent.noise_end(objective)
    together = [np.arange(problem.latent_dim)[np.newaxis]] if rotate else family
    step, settled, point = 0, math.inf, _unpack(theta, problem, objective)
    history[0], norm, last, momentum, quiet = point.loss, point.gradient_norm, None, 1.0, 0

    def judge():
        end = descent.verdict(step, norm, point.decoder.log_noise, limits, floor)
        return descent.STALLED if end == descent.NOT_RUN and quiet >= PATIENCE else end

    while True:
        end = judge()
        if end != descent.NOT_RUN and step > 0:
            theta[:] = _pack(point.decoder, setting, family, rotate)
            _, norm = problem.measure(theta, objective)
            end = judge()
        vanishes = end in (descent.GRADIENT, descent.STALLED)
        if vanishes and step < max_steps and point.loss < settled - 10 * _rounding(point, objective):
            settled, last, momentum, quiet, end = point.loss, None, 1.0, 0, descent.NOT_RUN
            point = _unpack(theta + problem.perturbation, problem, objective)
        if end != descent.NOT_RUN:
            history[step], norm = problem.measure(theta, objective)
            return Outcome(step, float(history[step]), norm, end)
        new = best_decoder(point, setting, expand=rotate)
        trial = None
        if accelerate and last is not None:
            if np.sum((point.decoder.weights - new.weights) * (new.weights - last.weights)) > 0:
                momentum = 1.0
            previous, momentum = momentum, (1 + math.sqrt(1 + 4 * momentum * momentum)) / 2
            ahead = new.ahead(last, (previous - 1) / momentum)
            if ahead.log_noise > floor:
                trial = best_encoder(ahead, setting, together)
        if trial is None or not trial.loss <= point.loss + _rounding(point, objective):
            momentum, trial = 1.0, best_encoder(new, setting, together)
        point, last, step = trial, new, step + 1
        history[step], norm = point.loss, point.gradient_norm
        quiet = quiet + 1 if norm <= UNRESOLVED * _rounding(point, objective) else 0


def with_best_encoder(problem: TrainingProblem, theta: np.ndarray, objective: Objective) -> np.ndarray:
    """Parameters with the decoder and noise of `theta` and the best encoder of these."""
    setting = Setting.of(problem, objective)
    decoder = Decoder(problem.unpack(theta)[0], float(theta[-1]))
    return _pack(decoder, setting, _stack(problem.family), rotate=False)


def _inverse_root(matrices: np.ndarray) -> np.ndarray:
    """Lower triangles F with F F^T the inverse of each positive definite matrix: F = U^-T of the matrix U U^T."""
    upper = np.linalg.cholesky(matrices[..., ::-1, ::-1])[..., ::-1, ::-1]
    return np.linalg.inv(upper).swapaxes(-1, -2)


def _rounding(point: Encoder, objective: Objective) -> float:
    """How far rounding may move the loss."""
    return rounding_error(np.array([point.decoder.log_noise]), objective, point.loss)


def _stack(groups: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Groups of latents, those of one size together: an array with one group in each row for every size."""
    sizes = sorted({len(group) for group in groups})
    return [np.array([group for group in groups if len(group) == size]) for size in sizes]


def _unpack(theta: np.ndarray, problem: TrainingProblem, objective: Objective) -> Encoder:
    """Decoder and encoder that parameters stand for, with their loss and the norm of its gradient."""
    decoder, whitened, factor = problem.unpack(theta.copy())
    return Encoder(Decoder(decoder, float(theta[-1])), whitened, factor, *problem.measure(theta, objective))


def _pack(decoder: Decoder, setting: Setting, family: Sequence[np.ndarray], rotate: bool) -> np.ndarray:
    """The parameters of a decoder, turned to its principal axes if wanted, and its best encoder in the family."""
    if rotate:
        _, axes = np.linalg.eigh(decoder.weights.T @ decoder.weights)
        decoder = Decoder(decoder.weights @ axes[:, ::-1], decoder.log_noise)
    encoder = best_encoder(decoder, setting, family)
    return pack(decoder.weights, encoder.whitened, encoder.factor, decoder.log_noise)


em = partial(alternate, rotate=False, accelerate=False)
rotated_em = partial(alternate, rotate=True, accelerate=False)
accelerated_em = partial(alternate, rotate=True, accelerate=True)
