"""Checks of what is asked with a user's own loss: conventions, and the beta that holds a rate or a distortion."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.optimize import minimize

import theory
from numerics.checks.learning import PART_TOLERANCE, trained_run
from numerics.checks.rotated import rotated_covariance
from numerics.comparison import Budget, Comparison, compare
from numerics.sampling.cubature import elbo_terms_by_cubature
from theory import learning

__all__ = ["CHECKS"]

SPECTRUM = np.array([4.0, 2.0, 0.9, 0.45, 0.2])
LATENTS, NOISE, WEIGHT = 3, 0.4, 0.15
# The other term of a loss from the squared error of an observation, and its KL, as code writes them.
LOSSES = {
    "nll": lambda error: error / (2 * NOISE),
    "nll-mean": lambda error: error / (2 * NOISE) / len(SPECTRUM),
    "half-sum": lambda error: error / 2,
    "sum": lambda error: error,
    "half-mean": lambda error: error / 2 / len(SPECTRUM),
    "mean": lambda error: error / len(SPECTRUM),
}
KL = {"sum": lambda kl: kl, "mean": lambda kl: kl / LATENTS, "norm": lambda kl: kl * len(SPECTRUM) / LATENTS}
SEARCHED = 1e-4  # what a search by differences leaves in the squared singular values


def conventions(budget: Budget) -> Iterator[Comparison]:
    """Each loss is minimised as it is written: a surviving eigenvalue less its squared weight is the water level."""
    for reconstruction, of_error in LOSSES.items():
        noise = NOISE if reconstruction.startswith("nll") else None
        for kl, of_kl in KL.items():
            loss = {"reconstruction": reconstruction, "data_dim": len(SPECTRUM), "kl": kl, "latent_dim": LATENTS}
            weight = theory.kl_weight(WEIGHT / NOISE, **loss, noise_variance=NOISE)
            stated = theory.convention(weight, **loss, noise_variance=noise)
            found = _level_of_minimum(lambda error, divergence: of_error(error) + weight * of_kl(divergence))  # noqa: B023
            name = f"{reconstruction}, kl {kl}"
            yield compare(f"water level, {name}", stated.water_level, trained=found, tolerance=SEARCHED)
            beta = found / (1.0 if noise is None else noise)
            yield compare(f"beta, {name}", stated.beta, trained=beta, tolerance=SEARCHED / NOISE)
            yield compare(
                f"weight, {name}", stated.kl_weight, trained=weight * found / WEIGHT, tolerance=SEARCHED * weight
            )
            of_noise = float(stated.noise_variance)
            yield compare(f"noise, {name}", of_noise, trained=1.0 if noise is None else noise, tolerance=1e-12)


def _level_of_minimum(loss) -> float:
    """The water level by the least loss over weights, gains and variances of a diagonal model of the spectrum.

    The first eigenvalue less its squared weight.
    """

    def value(point: np.ndarray) -> float:
        weights, gains, logs = point.reshape(3, LATENTS)
        error = np.sum(SPECTRUM[:LATENTS] * (1 - weights * gains) ** 2 + weights**2 * np.exp(logs))
        kl = np.sum(gains**2 * SPECTRUM[:LATENTS] + np.exp(logs) - 1 - logs) / 2
        return loss(error + SPECTRUM[LATENTS:].sum(), kl)

    start = np.concatenate([np.ones(LATENTS), np.full(LATENTS, 0.4), np.zeros(LATENTS)])
    scale = 1 / value(start)
    found = minimize(lambda point: scale * value(point), start, method="BFGS", options={"gtol": 1e-8})
    return float(SPECTRUM[0] - found.x[0] ** 2)


def held_rate(budget: Budget) -> Iterator[Comparison]:
    """Training at the beta that is to hold a rate, or a distortion, ends with it."""
    covariance = rotated_covariance(SPECTRUM, seed=11)
    for noise in (NOISE, "learned"):
        for rate in (0.3, 1.2):
            point = learning.beta_for_rate(SPECTRUM, LATENTS, rate, noise)
            yield from _at_point(f"rate {rate:g}, noise {noise}", covariance, point)
            again = learning.beta_for_distortion(SPECTRUM, LATENTS, point.distortion, noise)
            yield from _at_point(f"distortion {point.distortion:.3g}, noise {noise}", covariance, again)
        yield from _at_point(
            f"beta 1.3, noise {noise}", covariance, learning.operating_point(SPECTRUM, LATENTS, 1.3, noise)
        )


def _at_point(name: str, covariance: np.ndarray, point) -> Iterator[Comparison]:
    fixed = str(point.noise_status) == "fixed"
    run = trained_run(covariance, LATENTS, float(point.beta), float(point.noise_variance) if fixed else "learned")
    parts = elbo_terms_by_cubature(run.vae, covariance)
    found = {"rate": parts["rate"], "distortion": parts["distortion"], "noise_variance": run.vae.noise_variance}
    found["water_level"] = float(point.beta) * run.vae.noise_variance
    found["beta"] = found["water_level"] / float(point.noise_variance)
    squares = np.linalg.svd(run.vae.decoder, compute_uv=False) ** 2
    found["active_count"] = float(np.count_nonzero(squares > 1e-3))
    for part, trained in found.items():
        stated = float(getattr(point, part))
        yield compare(f"{part}, {name}", stated, trained=trained, tolerance=PART_TOLERANCE, scale=max(stated, 1e-2))


CHECKS = {"conventions": conventions, "held_rate": held_rate}
