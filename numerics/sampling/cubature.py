"""Expectations of quadratic functions of Gaussian vectors from a few points, exact to rounding.

The points sqrt(n) e_i and -sqrt(n) e_i, i = 1 ... n, with equal weights have the moments of a standard normal vector up
to the third. What the inference errors and the parts of the loss average is quadratic in the factors and noises, since
log densities of Gaussians are: their means over these points are the expectations, without the noise of Monte Carlo.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import permutations, product

import numpy as np

from numerics.sampling.gaussian import log_density, square_root, triangle
from numerics.sampling.monte_carlo import ERRORS, Source, elbo_values, error_values, true_log_posterior_values
from theory.model import GenerativeModel, LinearVAE, mean_offset
from theory.moments import as_moments

__all__ = [
    "code_root",
    "correlations_by_cubature",
    "elbo_terms_by_cubature",
    "error_by_cubature",
    "errors_by_cubature",
    "grouped_parts_by_cubature",
    "matched_errors_by_cubature",
    "mean_of_quadratic",
    "points_of_normal",
]


@lru_cache(maxsize=16)
def points_of_normal(size: int) -> np.ndarray:
    """Points (2 n, n) whose averages are those of n standard normal numbers for every polynomial of degree three."""
    points = np.sqrt(size) * np.vstack([np.eye(size), -np.eye(size)])
    points.flags.writeable = False
    return points


def mean_of_quadratic(values: Callable[[Source], dict[str, np.ndarray]], size: int) -> dict[str, float]:
    """The expectations of quadratic functions of `size` standard normal numbers, which they take from a source."""
    points, taken = points_of_normal(size), 0

    def source(count: int) -> np.ndarray:
        nonlocal taken
        taken += count
        return points[:, taken - count : taken]

    means = {name: float(np.mean(found)) for name, found in values(source).items()}
    if taken != size:
        raise ValueError(f"size must be the number of normal numbers that the values take, {taken}, got {size}")
    return means


def errors_by_cubature(truth: GenerativeModel, vae: LinearVAE, names: Sequence[str] = ERRORS) -> dict[str, float]:
    """The errors that `numerics.sampling.monte_carlo.sample_errors` estimates, all four or some, to rounding."""
    return mean_of_quadratic(error_values(truth, vae, names), 2 * truth.latent_dim + truth.data_dim)


def error_by_cubature(truth: GenerativeModel, name: str) -> Callable[[LinearVAE], float]:
    """One of the four errors as a function of the VAE; of the forward KL what no encoder changes is computed once."""
    if name != "forward_kl":
        return lambda vae: errors_by_cubature(truth, vae, [name])[name]
    best = mean_of_quadratic(true_log_posterior_values(truth), truth.latent_dim + truth.data_dim)["log_posterior"]
    return lambda vae: best - errors_by_cubature(truth, vae, ["log_score"])["log_score"]


def matched_errors_by_cubature(truth: GenerativeModel, vae: LinearVAE) -> dict[str, float]:
    """The errors of the order and signs of the latents whose mean squared error is least, of all orders and signs."""
    best = {"mean_squared_error": np.inf}
    for order in permutations(range(vae.latent_dim)):
        for signs in product((1.0, -1.0), repeat=vae.latent_dim):
            arranged = np.array(signs)[:, np.newaxis] * np.eye(vae.latent_dim)[list(order)]
            errors = errors_by_cubature(
                truth,
                dataclasses.replace(
                    vae,
                    decoder=vae.decoder @ arranged.T,
                    encoder=arranged @ vae.encoder,
                    posterior_covariance=arranged @ vae.posterior_covariance @ arranged.T,
                ),
            )
            best = min(best, errors, key=lambda one: one["mean_squared_error"])
    return best


def elbo_terms_by_cubature(vae: LinearVAE, covariance, prior: np.ndarray | None = None) -> dict[str, float]:
    """The parts of the loss that `numerics.sampling.monte_carlo.sample_elbo_terms` estimates, to rounding.

    `prior` is the covariance of p(z), by default I.
    """
    values = elbo_values(vae, as_moments(covariance).covariance, mean_offset(vae, covariance), prior)
    return mean_of_quadratic(values, vae.data_dim + vae.latent_dim)


def correlations_by_cubature(root: np.ndarray, groups: Sequence[Sequence[int]]) -> tuple[float, np.ndarray]:
    """Total correlation of the codes R n between groups of latents, and within each group; n is standard normal."""

    def log_density_of(codes: np.ndarray, latents: Sequence[int]) -> np.ndarray:
        return log_density(codes[:, latents], triangle(root[latents]))

    def values(source: Source) -> dict[str, np.ndarray]:
        codes = source(root.shape[1]) @ root.T
        inside = [log_density_of(codes, list(group)) for group in groups]
        single = [sum(log_density_of(codes, [latent]) for latent in group) for group in groups]
        found = {f"within {number}": inside[number] - single[number] for number in range(len(groups))}
        return found | {"between": log_density_of(codes, list(range(len(root)))) - sum(inside)}

    *within, between = mean_of_quadratic(values, root.shape[1]).values()
    return between, np.array(within)


def grouped_parts_by_cubature(
    vae: LinearVAE, covariance: np.ndarray, groups: Sequence[Sequence[int]], prior: np.ndarray | None = None
) -> dict[str, float | np.ndarray]:
    """The fields of `theory.groups.GroupedTerms`; `prior` is the covariance of p(z), by default I."""
    elbo, root = elbo_terms_by_cubature(vae, covariance), code_root(vae, covariance)
    between, within = correlations_by_cubature(root, groups)
    prior = np.eye(vae.latent_dim) if prior is None else prior

    def dependence(source: Source) -> dict[str, np.ndarray]:
        codes = source(root.shape[1]) @ root.T
        single = sum(log_density(codes[:, [j]], np.sqrt(prior[j : j + 1, j : j + 1])) for j in range(len(prior)))
        return {"dependence": single - log_density(codes, np.linalg.cholesky(prior))}

    found = {name: elbo[name] for name in ("distortion", "reconstruction", "mutual_information")}
    found |= {"between": between, "within": within, "dimension_wise_kl": elbo["dimension_wise_kl"]}
    return found | {"prior_dependence": mean_of_quadratic(dependence, root.shape[1])["dependence"]}


def code_root(vae: LinearVAE, covariance: np.ndarray) -> np.ndarray:
    """R with codes R n, of standard normal n: the data's part, then the posterior's."""
    return np.hstack([vae.encoder @ square_root(covariance), np.linalg.cholesky(vae.posterior_covariance)])
