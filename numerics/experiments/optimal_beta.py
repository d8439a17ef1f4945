"""The beta of the least inference error, by search over trained encoders, without the formulas of `theory`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar

from numerics.sampling.cubature import error_by_cubature
from numerics.training.problem import training_problem
from numerics.training.stop import Stop
from numerics.training.train import train_problem
from theory import GenerativeModel

__all__ = ["SearchedBeta", "trained_optimal_beta"]


MAX_STEPS = 20_000  # of a run; a safety net


class SearchedBeta(NamedTuple):
    """The beta of the least error, and the error there."""

    beta: float
    error: float


def trained_optimal_beta(
    truth: GenerativeModel,
    criterion: str = "forward_kl",
    *,
    noise_variance: float | None = None,
    bracket: tuple[float, float] = (0.05, 50.0),
    accuracy: float = 1e-6,
    start: int | np.random.SeedSequence = 0,
) -> SearchedBeta:
    """The beta whose trained encoder has the best error: a scan of the bracket, then bounded scalar minimisation.

    The best log score is the largest, the best of the other errors the least. Every evaluation trains an encoder for
    the truth's loading from the random `start` and measures it. NaN if any training did not end because its gradient
    vanished.
    """
    noise = truth.noise_variance if noise_variance is None else noise_variance
    problem = training_problem(truth.covariance, truth.latent_dim, noise, truth.loading, "diagonal")
    # Rounds of "em", which takes no learning rate; a few of them end each run.
    how = {"method": "em", "learning_rate": 1.0, "gradient_tolerance": 1e-3 * accuracy, "max_steps": MAX_STEPS}
    measured, stop_reasons, sign = error_by_cubature(truth, criterion), set(), -1 if criterion == "log_score" else 1

    def error(log_beta: float) -> float:
        rng = np.random.default_rng(start)
        run = train_problem(problem, float(np.exp(log_beta)), **how, rng=rng)
        stop_reasons.add(run.stopped)
        return sign * measured(run.vae)

    scan = np.linspace(*np.log(bracket), max(4, round(2 * np.log(bracket[1] / bracket[0]))))
    best = int(np.clip(np.argmin([error(value) for value in scan]), 1, len(scan) - 2))
    bounds = (scan[best - 1], scan[best + 1])
    minimum = minimize_scalar(error, bounds=bounds, method="bounded", options={"xatol": accuracy})
    if stop_reasons != {Stop.GRADIENT}:
        return SearchedBeta(np.nan, np.nan)
    return SearchedBeta(float(np.exp(minimum.x)), sign * float(minimum.fun))
