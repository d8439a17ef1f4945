"""Check of the errors of learned models, whose latents must first be matched to the factors."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

import theory
from numerics.checks.learning import PART_TOLERANCE, aligned, trained_run
from numerics.comparison import Budget, Comparison, compare
from numerics.experiments.dead_latent import with_dead_latent
from numerics.sampling.cubature import errors_by_cubature, matched_errors_by_cubature
from theory import learning
from theory.model import GenerativeModel, LinearVAE

__all__ = ["CHECKS"]


def learned_inference_error(budget: Budget) -> Iterator[Comparison]:
    """A learned model against the true factors, latents matched to them; orthogonal and oblique columns."""
    rng = np.random.default_rng(202)
    basis = np.linalg.qr(rng.standard_normal((5, 5)))[0]
    orthogonal = GenerativeModel(basis[:, :2] * [1.8, 1.1], 0.3)
    oblique = GenerativeModel(basis[:, :2] @ np.array([[1.8, 0.7], [0.0, 1.1]]), 0.3)
    for name, truth in {"aligned": orthogonal, "oblique": oblique}.items():
        exact = theory.inference_error(truth, learning.optimum(truth.covariance, 2, beta=1.4).vae, match=True)
        run = trained_run(truth.covariance, 2, 1.4, "learned")
        matched = aligned(run.vae, target=truth.loading)
        for criterion, value in errors_by_cubature(truth, matched).items():
            yield compare(
                f"{criterion}, {name}", getattr(exact, criterion), trained=value, tolerance=10 * PART_TOLERANCE
            )
    yield from _unequal_numbers()


def _unequal_numbers() -> Iterator[Comparison]:
    """Fewer latents than factors, and more: of all assignments with signs the one of least squared error."""
    rng = np.random.default_rng(207)
    correlated = np.array([[1.0, 0.9, 0.0], [0.9, 2.0, 0.2], [0.0, 0.2, 0.5]])
    for factors, latents in ((3, 2), (2, 3)):
        mean = rng.standard_normal(4)
        truth = GenerativeModel(rng.standard_normal((4, factors)), 0.3, correlated[:factors, :factors], mean=mean)
        encoder = rng.standard_normal((latents, 4)) / 3
        widths = np.diag(rng.uniform(0.3, 0.8, latents))
        vae = LinearVAE(encoder.T, encoder, widths, 0.3, mean=mean + rng.standard_normal(4))
        yield from _matched_rows(f"{latents} latents for {factors} factors", truth, vae)
    # Two latents see the first factor: the better has the less power for its agreement, of gain, or of an offset.
    loading, mean = np.eye(4, 2), np.array([0.0, 0.0, 0.0, 4.0])
    for name, factors, gains, seen in (
        ("a weak factor", np.diag([0.25, 1.0]), (0.19, 0.45), 0.0),
        ("an offset", np.eye(2), (0.5, 0.7), 0.1),
    ):
        encoder = np.array([[gains[0], 0, 0, 0], [0, 0.5, 0, 0], [gains[1], 0, 0, seen]])
        vae = LinearVAE(encoder.T, encoder, np.diag([0.5, 0.6, 0.7]), 0.3, np.zeros(4))
        yield from _matched_rows(name, GenerativeModel(loading, 0.3, factors, mean=mean), vae)


def _matched_rows(case: str, truth: GenerativeModel, vae: LinearVAE) -> Iterator[Comparison]:
    factors, latents = truth.latent_dim, vae.latent_dim
    exact = theory.inference_error(truth, vae, match=True)
    choices = [_chosen_latents(vae, list(kept)) for kept in combinations(range(latents), min(factors, latents))]
    # A latent that carries nothing and has the prior's variance stands for a factor without one.
    found = [matched_errors_by_cubature(truth, _with_empty_latents(one, factors)) for one in choices]
    for criterion, value in min(found, key=lambda errors: errors["mean_squared_error"]).items():
        yield compare(f"{criterion}, {case}", getattr(exact, criterion), trained=value, tolerance=1e-11)


def _chosen_latents(vae: LinearVAE, kept: list[int]) -> LinearVAE:
    covariance = vae.posterior_covariance[np.ix_(kept, kept)]
    return LinearVAE(vae.decoder[:, kept], vae.encoder[kept], covariance, vae.noise_variance, vae.mean)


def _with_empty_latents(vae: LinearVAE, factors: int) -> LinearVAE:
    for _ in range(factors - vae.latent_dim):
        vae = with_dead_latent(vae)
    return vae


CHECKS = {"learned_inference_error": learned_inference_error}
