"""Checks of the definition: every part of the objective as an average over data and codes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import theory
from numerics.comparison import Budget, Comparison, compare
from numerics.sampling.cubature import elbo_terms_by_cubature

__all__ = ["CHECKS"]

ROUNDING = 1e-12  # of cubature, which is exact for the parts


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
    parts = elbo_terms_by_cubature(vae, data)
    for part, value in parts.items():
        yield compare(part, getattr(exact, part), trained=value, tolerance=ROUNDING * abs(value))
    from_parts = theory.objective.loss_from_parts(parts["distortion"], parts["rate"], vae.noise_variance, 1.7, 4)
    for name, loss in {"loss": exact.loss(1.7), "loss from its parts": from_parts}.items():
        value = parts["reconstruction"] + 1.7 * parts["rate"]
        yield compare(name, float(loss), trained=value, tolerance=ROUNDING * abs(value))


CHECKS = {"objective_parts": objective_parts}
