"""Checks of the definitions: every part of the objective as an average, and the moments of data and codes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import theory
from numerics.comparison import Budget, Comparison, compare, compare_arrays
from numerics.sampling.cubature import elbo_terms_by_cubature, points_of_normal
from numerics.sampling.estimate import Estimate
from theory import scores

__all__ = ["CHECKS"]

ROUNDING = 1e-12  # of cubature, which is exact for the parts


def objective_parts(budget: Budget) -> Iterator[Comparison]:
    """A VAE that is optimal in no way, so that no part vanishes and no two are equal; and the moments of its data."""
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
    yield from _model_moments(budget)


def _model_moments(budget: Budget) -> Iterator[Comparison]:
    """The covariance of data with correlated factors, and of factors and codes, from points with the exact moments."""
    rng = np.random.default_rng(102)
    factors = np.array([[1.0, 0.6], [0.6, 1.5]])
    truth = theory.GenerativeModel(rng.standard_normal((4, 2)), 0.4, factors, mean=np.arange(4.0))
    encoder = rng.standard_normal((2, 4))
    vae = theory.LinearVAE(encoder.T, encoder, np.array([[0.5, 0.2], [0.2, 0.7]]), 0.3)
    normal = points_of_normal(8)
    drawn = normal[:, :2] @ np.linalg.cholesky(factors).T
    data = drawn @ truth.loading.T + np.sqrt(0.4) * normal[:, 2:6]
    means = data @ encoder.T
    codes = means + normal[:, 6:] @ np.linalg.cholesky(vae.posterior_covariance).T
    yield compare_arrays("covariance of the data", truth.covariance, data.T @ data / 16, 1e-12)
    for kind, values in {"mean": means, "sample": codes}.items():
        code = scores.GaussianCode.of(truth, vae, code=kind)
        yield compare_arrays(f"covariance of the {kind}", code.code_covariance, values.T @ values / 16, 1e-12)
        yield compare_arrays(f"with the factors, {kind}", code.cross_covariance, drawn.T @ values / 16, 1e-12)
    for name, values, covariance in zip(
        ("factors", "data"), truth.sample(budget.samples, rng), (factors, truth.covariance), strict=False
    ):
        centred = values - (truth.mean if name == "data" else 0.0)
        squares = np.mean(centred * np.linalg.solve(covariance, centred.T).T, axis=1)
        yield compare(f"square of {name} drawn, in their covariance", 1.0, monte_carlo=Estimate.of(squares))


CHECKS = {"objective_parts": objective_parts}
