"""Checks of the definitions: every part of the objective as an average, and the moments of data and codes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import theory
from numerics.checks.limits import limit_of_two
from numerics.comparison import Budget, Comparison, compare, compare_arrays
from numerics.sampling.cubature import elbo_terms_by_cubature, mean_of_quadratic, points_of_normal
from numerics.sampling.estimate import Estimate
from numerics.sampling.gaussian import log_density
from theory import gaussian, scores

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
    yield from _with_another_prior(vae, data)
    yield from _moments_of_rows(rng)
    yield from _model_moments(budget)


def _with_another_prior(vae: theory.LinearVAE, data: theory.Moments) -> Iterator[Comparison]:
    """Parts under a correlated prior of unequal variances, with a mean; and the divergence of two Gaussians."""
    prior = np.array([[1.5, 0.4], [0.4, 0.7]])
    exact, parts = theory.elbo_terms(vae, data, prior=prior), elbo_terms_by_cubature(vae, data, prior)
    # Each latent against its own marginal of the prior: the averages without the dependence of the prior's latents.
    alone = elbo_terms_by_cubature(vae, data, np.diag(np.diagonal(prior)))
    parts["dimension_wise_kl"] = alone["dimension_wise_kl"]
    for part, value in parts.items():
        stated = getattr(exact, part)
        yield compare(f"{part}, correlated prior", stated, trained=value, tolerance=ROUNDING * abs(value))
    means, covariances = np.array([[0.4, -1.0], [1.1, 0.3]]), (vae.posterior_covariance, prior)

    def log_ratio(source) -> dict[str, np.ndarray]:
        drawn = means[0] + source(2) @ np.linalg.cholesky(covariances[0]).T
        densities = [log_density(drawn - m, np.linalg.cholesky(c)) for m, c in zip(means, covariances, strict=True)]
        return {"divergence": densities[0] - densities[1]}

    value = mean_of_quadratic(log_ratio, 2)["divergence"]
    stated = gaussian.kl_divergence(means[0], covariances[0], means[1], covariances[1])
    yield compare("divergence of Gaussians with means", stated, trained=value, tolerance=ROUNDING * abs(value))
    # As the first Gaussian loses a direction, the divergence grows by half the logarithm of its variance.
    flat, unit, zero = np.ones((2, 2)), np.eye(2), np.zeros(2)
    limit = limit_of_two(*(-np.linalg.slogdet(flat + width * unit)[1] / 2 for width in (1e-6, 1e-9)))
    stated = gaussian.kl_divergence(zero, flat, zero, unit)
    yield compare("divergence of a flat Gaussian", stated, trained=limit, scale=1.0)


def _moments_of_rows(rng: np.random.Generator) -> Iterator[Comparison]:
    """Mean and covariance of many observations, far from zero and sorted, against numpy's."""
    rows = np.sort(rng.standard_normal((3000, 3)), axis=0) @ rng.standard_normal((3, 3)) + 5.0
    found = theory.Moments.of(rows)
    yield compare_arrays("mean of observations", found.mean, rows.mean(axis=0), 1e-12)
    yield compare_arrays("covariance of observations", found.covariance, np.cov(rows.T, bias=True), 1e-11)
    wide = rng.standard_normal((200, 150)) @ rng.standard_normal((150, 150)) / 10  # more columns than one strip
    covariance = np.cov(wide.T, bias=True)
    yield compare_arrays("covariance of many columns", theory.Moments.of(wide).covariance, covariance, 1e-11)


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
    gain, spread = truth.posterior()
    cross = factors @ truth.loading.T
    yield compare_arrays("gain of the true posterior", gain, cross @ np.linalg.inv(truth.covariance), 1e-12)
    yield compare_arrays("covariance of the true posterior", spread, factors - gain @ cross.T, 1e-12)
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
