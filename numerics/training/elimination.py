"""Training by L-BFGS on the loss of the encoder alone: the decoder, and a learned noise, are eliminated.

With the letters of `numerics.kernels.objective` (data covariance diag(r^2), E the (K, D) encoder of whitened data, Q =
F F^T the posterior covariance, C = E E^T + Q, M = W^T W, s2 the noise variance), the best decoder of an encoder is W =
diag(r) E^T C^-1, and the best noise is s2 = distortion / D, where the distortion is sum_i r_i^2 - <W, diag(r) E^T>. The
rest is a function of E and of the triangle of F,

    profile = distortion / (2 s2) + (D/2) log(2 pi s2) + (beta/2) (tr C - K - log det Q),

and since the loss is stationary in the eliminated parameters, its gradient is that of the loss at fixed W and s2
(envelope theorem): with J = I + M / (beta s2), as in `numerics.training.halves`,

    d/dE = beta J E - W^T diag(r) / s2,    d/dF = beta (J F - F^-T) on the triangle of the family.

The arrays called `whitened` are E^T, (D, K); `to_code` is beta J.

The L-BFGS of scipy.optimize, which compares losses, cannot distinguish points that differ by rounding only; it ends
there as "stalled", usually well within 1e-10 nats of the optimum, but with a larger gradient than the methods that
compare gradients.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from numerics.kernels import descent
from numerics.kernels.descent import Limits
from numerics.kernels.objective import MUTUAL_INFORMATION, Objective, rounding_error
from numerics.training.alternation import with_best_encoder
from numerics.training.halves import least_noise, squared_error
from numerics.training.outcome import Outcome
from numerics.training.problem import TrainingProblem

__all__ = ["Profile", "eliminate", "profile"]

LINE_SEARCH = 20  # evaluations of a step, at most
MEMORY = 20  # pairs of steps and gradient changes that L-BFGS keeps


@dataclass(frozen=True, eq=False)
class Profile:
    """The loss of an encoder with its best decoder.

    Attributes
    ----------
    loss : float
    to_encoder, to_triangle : (D, K) and (K, K) arrays
        its gradient in E^T, and in the triangle whose diagonal is the logarithm of that of F; not yet masked, and no
        gradient above the diagonal.
    decoder : (D, K) array
    log_noise : float
    """

    loss: float
    to_encoder: np.ndarray
    to_triangle: np.ndarray
    decoder: np.ndarray
    log_noise: float


def profile(
    whitened: np.ndarray, factor: np.ndarray, deviations: np.ndarray, beta: float, log_noise=None, least=0.0
) -> Profile:
    """Profile loss and gradient at an encoder E^T and a Cholesky factor F; a noise that is not given is eliminated."""
    rows, latent_dim = whitened.shape
    code = whitened.T @ whitened + factor @ factor.T
    image = deviations[:, np.newaxis] * whitened
    decoder = np.linalg.solve(code, image.T).T
    distortion = squared_error(deviations @ deviations - np.sum(decoder * image), decoder, whitened, factor, deviations)
    if log_noise is None:
        log_noise = math.log(max(distortion / rows, least))
    noise, diagonal = math.exp(log_noise), factor.diagonal()
    rate = (code.trace() - latent_dim) / 2 - np.log(diagonal).sum()
    to_code = decoder.T @ decoder / noise
    to_code.flat[:: latent_dim + 1] += beta
    to_triangle = to_code @ factor
    to_triangle.flat[:: latent_dim + 1] = to_triangle.diagonal() * diagonal - beta
    return Profile(
        loss=float(distortion / (2 * noise) + rows / 2 * (math.log(2 * math.pi) + log_noise) + beta * rate),
        to_encoder=whitened @ to_code - deviations[:, np.newaxis] * decoder / noise,
        to_triangle=to_triangle,
        decoder=decoder,
        log_noise=log_noise,
    )


def eliminate(
    problem: TrainingProblem,
    theta: np.ndarray,
    objective: Objective,
    limits: Limits,
    history: np.ndarray,
) -> Outcome:
    """Minimise the profile loss from `theta`, in place; only its encoder is used.

    It ends where L-BFGS does, with the best decoder and noise for that encoder. A vanishing gradient may be that of a
    saddle, so it ends the descent only if a small perturbation leads back to the same loss.

    Parameters
    ----------
    problem, theta, objective, limits, history
        as for every method (`numerics.training.outcome`), with a learned decoder and one weight beta for every
        part of the rate. `history` receives the profile loss.
    """
    size = problem.standard_deviations.size * problem.latent_dim
    free = size + np.flatnonzero(problem.mask[size:-1])
    fixed_log_noise = None if problem.mask[-1] else float(theta[-1])
    floor, least, max_steps = descent.noise_end(objective), least_noise(objective), limits.max_steps
    beta, step, settled, norm = float(objective.weights[MUTUAL_INFORMATION]), 0, math.inf, math.inf

    def evaluate(parameters):
        nonlocal norm
        theta[free] = parameters
        _, whitened, factor = problem.unpack(theta)
        try:
            with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
                point = profile(whitened, factor, problem.standard_deviations, beta, fixed_log_noise, least)
        except np.linalg.LinAlgError:  # after a step so long that C is singular; L-BFGS shortens it
            norm = math.inf
            return math.inf, np.zeros(len(free))
        theta[:size], theta[-1] = point.decoder.T.ravel(), point.log_noise
        gradient = np.concatenate([point.to_encoder.T.ravel(), point.to_triangle.ravel()])[free - size]
        norm = float(np.linalg.norm(gradient))
        return point.loss, gradient

    def judge():
        return descent.verdict(step, norm, theta[-1], limits, floor)

    def after_step(intermediate_result):
        nonlocal step
        step += 1
        history[step] = intermediate_result.fun
        if judge() != descent.NOT_RUN:
            raise StopIteration

    history[0], _ = evaluate(theta[free])
    while True:
        loss, norm = problem.measure(theta, objective)
        rounding, end = rounding_error(theta, objective, loss), judge()
        if end == descent.GRADIENT and loss < settled - 10 * rounding and step < max_steps:
            settled, end = loss, descent.NOT_RUN
            loss, _ = evaluate((theta + problem.perturbation)[free])
        if end == descent.DIVERGED:  # perhaps after a step so long that Q is singular to rounding
            theta[:] = with_best_encoder(problem, theta, objective)
            loss, norm = problem.measure(theta, objective)
        if end != descent.NOT_RUN:
            history[step] = loss
            return Outcome(step, loss, norm, end)
        options = {"maxcor": MEMORY, "maxiter": max_steps, "maxfun": LINE_SEARCH * max_steps, "ftol": 0, "gtol": 0}
        before = step
        result = minimize(evaluate, theta[free], jac=True, method="L-BFGS-B", callback=after_step, options=options)
        evaluate(result.x)
        if judge() == descent.NOT_RUN and (step == before or not result.fun <= loss - rounding):
            loss, norm = problem.measure(theta, objective)
            history[step] = loss
            return Outcome(step, loss, norm, descent.STALLED)
