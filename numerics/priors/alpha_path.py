"""A path of trained models along alpha, the weight of KL(p || q(z)), and checks that need no closed form.

loss = -E log p(x|z) + beta E KL(q(z|x) || p) + alpha KL(p || q(z))
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import logsumexp

from numerics.priors.mixture_code import code_components
from numerics.priors.problem import prior_problem, with_alpha
from numerics.priors.training import PriorRun, train_problem
from numerics.sampling.estimate import Estimate
from numerics.sampling.gaussian import log_density
from theory.priors import Prior

__all__ = ["alpha_path", "outside_envelope", "sampled_divergence_deviation"]

LEFT = 1e-5  # nats, what a small gradient leaves of the bounds


def alpha_path(
    factors: Prior,
    loading: np.ndarray,
    noise: float,
    prior: Prior,
    *,
    beta: float,
    alphas: Sequence[float],
    seeds: Sequence[np.random.SeedSequence],
) -> list[PriorRun]:
    """For the first alpha the best run of several random starts, then alpha by alpha from the solution before.

    Where the rise of the loss lies outside its bounds, one of the two solutions is a local minimum only: the earlier
    one is trained once more, from the later one.

    The decoder noise is that of the data; arguments as for `numerics.priors.training.train_with_prior`.
    """

    problem = prior_problem(factors, loading, noise, prior, beta, noise, alphas[0], "full", None)

    def trained(alpha, **options):
        return train_problem(with_alpha(problem, alpha), "full", **options)

    runs = [trained(alphas[0], rng=np.random.default_rng(seed)) for seed in seeds]
    path = [min(runs, key=lambda run: run.loss)]
    for alpha in alphas[1:]:
        path.append(trained(alpha, start=path[-1].vae))
    for index in reversed(range(len(path) - 1)):
        if outside_envelope(path, alphas)[index] > LEFT:
            again = trained(alphas[index], start=path[index + 1].vae)
            path[index] = min(path[index], again, key=lambda run: run.loss)
    return path


def outside_envelope(path: Sequence[PriorRun], alphas: Sequence[float]) -> list[float]:
    """How far the rise of the loss from alpha to alpha lies outside its bounds, for each step.

    The smallest loss is concave in alpha with slope D = KL(p || q(z)), so the rise over a step lies between the step
    times D after it and the step times D before it.
    """
    outside = []
    for before, after, low, high in zip(path, path[1:], alphas, alphas[1:], strict=False):
        rise = after.loss - before.loss
        outside.append(max((high - low) * after.divergence - rise, rise - (high - low) * before.divergence, 0.0))
    return outside


def sampled_divergence_deviation(
    run: PriorRun, factors: Prior, loading: np.ndarray, noise: float, prior: Prior, draws: int, rng: np.random.Generator
) -> float:
    """|KL(p || q(z)) of a run - its mean over draws of the prior|, in standard errors of the mean."""
    latents = prior.sample(draws, rng)
    parts = [
        np.log(weight) + log_density(latents - mean, np.linalg.cholesky(covariance))
        for weight, mean, covariance in zip(*code_components(run.vae, factors, loading, noise), strict=True)
    ]
    ratios = Estimate.of(prior.log_density(latents) - logsumexp(parts, axis=0))
    return abs(ratios.value - run.divergence) / ratios.standard_error
