"""Checks of the definition: every part of the objective against sampled data and codes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import theory
from numerics.comparison import Budget, Comparison, compare
from numerics.sampling.monte_carlo import sample_elbo_terms

__all__ = ["CHECKS"]


def objective_parts(budget: Budget) -> Iterator[Comparison]:
    """A VAE that is optimal in no way, so that no part vanishes and no two are equal."""
    rng = np.random.default_rng(101)
    mixing = rng.standard_normal((4, 4))
    data = theory.Moments(count=0, mean=rng.standard_normal(4), covariance=mixing @ mixing.T / 2)
    vae = theory.LinearVAE(
        decoder=rng.standard_normal((4, 2)),
        encoder=0.4 * rng.standard_normal((2, 4)),
        posterior_covariance=np.array([[0.5, 0.2], [0.2, 0.7]]),
        noise_variance=0.6,
        mean=data.mean + 0.3,
    )
    exact = theory.elbo_terms(vae, data)
    for part, estimate in sample_elbo_terms(vae, data, budget.samples, rng).items():
        yield compare(part, getattr(exact, part), monte_carlo=estimate)


CHECKS = {"objective_parts": objective_parts}
