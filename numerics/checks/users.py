"""Checks of what is asked with a user's own loss: conventions, and the beta that holds a rate or a distortion."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
from scipy.optimize import brentq, minimize

import theory
from numerics.checks.learning import PART_TOLERANCE, trained_run
from numerics.checks.rotated import rotated_covariance
from numerics.comparison import Budget, Comparison, compare
from numerics.sampling.cubature import elbo_terms_by_cubature
from theory import learning

__all__ = ["CHECKS"]

SPECTRUM = np.array([4.0, 2.0, 0.9, 0.45, 0.2])
LATENTS, NOISE = 3, 0.4
# Of a KL that is summed, such that some of the eigenvalues survive.
WEIGHTS = {"nll": 0.4, "nll-mean": 0.09, "half-sum": 0.17, "sum": 0.3, "half-mean": 0.04, "mean": 0.07}
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
            weight = WEIGHTS[reconstruction] * {"sum": 1, "mean": LATENTS, "norm": LATENTS / len(SPECTRUM)}[kl]
            found = _level_of_minimum(lambda error, divergence: of_error(error) + weight * of_kl(divergence))  # noqa: B023
            loss = {"reconstruction": reconstruction, "data_dim": len(SPECTRUM), "kl": kl, "latent_dim": LATENTS}
            stated, name = theory.convention(weight, **loss, noise_variance=noise), f"{reconstruction}, kl {kl}"
            yield compare(f"water level, {name}", stated.water_level, trained=found, tolerance=SEARCHED)
            beta = found / (1.0 if noise is None else noise)
            yield compare(f"beta, {name}", stated.beta, trained=beta, tolerance=SEARCHED / NOISE)
            yield compare(f"weight as given, {name}", stated.kl_weight, trained=weight, tolerance=1e-12)
            of_noise = float(stated.noise_variance)
            yield compare(f"noise, {name}", of_noise, trained=1.0 if noise is None else noise, tolerance=1e-12)
            back = theory.kl_weight(beta, **loss, noise_variance=noise)
            yield compare(f"weight of the beta, {name}", back, trained=weight, tolerance=SEARCHED * weight / found)


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
    """The beta at which trained models have a rate, or a distortion, by a search over betas."""
    for noise in (NOISE, "learned"):
        for target, values in {"rate": (0.3, 1.2), "distortion": (5.5, 3.0)}.items():
            find = {"rate": learning.beta_for_rate, "distortion": learning.beta_for_distortion}[target]
            for value in values:
                excess = partial(_excess, target, value, noise)
                beta = float(np.exp(brentq(excess, np.log(0.1), np.log(12), xtol=1e-9)))
                name = f"{target} {value:g}, noise {noise}"
                yield from _at_point(name, find(SPECTRUM, LATENTS, value, noise), beta, noise)
        stated = learning.operating_point(SPECTRUM, LATENTS, 1.3, noise)
        yield from _at_point(f"beta 1.3, noise {noise}", stated, 1.3, noise)


def _trained(beta: float, noise: float | str) -> dict[str, float]:
    covariance = rotated_covariance(SPECTRUM, seed=11)
    vae = trained_run(covariance, LATENTS, beta, noise).vae
    parts = elbo_terms_by_cubature(vae, covariance)
    active = np.count_nonzero(np.linalg.svd(vae.decoder, compute_uv=False) > 0.05)
    return {
        "beta": beta,
        "noise_variance": vae.noise_variance,
        "water_level": beta * vae.noise_variance,
        "active_count": float(active),
        "rate": parts["rate"],
        "distortion": parts["distortion"],
    }


def _excess(target: str, value: float, noise: float | str, log_beta: float) -> float:
    return _trained(float(np.exp(log_beta)), noise)[target] - value


def _at_point(name: str, point, beta: float, noise: float | str) -> Iterator[Comparison]:
    for part, trained in _trained(beta, noise).items():
        stated = float(getattr(point, part))
        yield compare(f"{part}, {name}", stated, trained=trained, tolerance=PART_TOLERANCE, scale=max(stated, 1e-2))


CHECKS = {"conventions": conventions, "held_rate": held_rate}
