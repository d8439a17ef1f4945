"""The aggregate code of a linear encoder on Gaussian mixtures, and its integrals against a prior.

Factors s are Gaussian or a finite mixture of Gaussians, data x = A s + n with n ~ N(0, tau2 I). The code q(z) of a
linear VAE with encoder V and posterior covariance Q has as many components as s, whose means are m_c and covariances
C_c: its means are V A m_c and its covariances V (A C_c A^T + tau2 I) V^T + Q.

    E log p(z)    a sum over components, by the prior's own quadrature, which follows code and prior
    KL(p || q(z))    two latents only: a sum over the nodes of the prior, see `PriorPlane`
    H[q(z)]    two latents only: a sum over nodes that follow each component of the code

Sums over nodes have exact derivatives. Their error is measured with more nodes along each axis, twice, because one
comparison may agree by chance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from numerics.sampling.gaussian import log_sum
from theory import validation
from theory.model import LinearVAE, linear_vae
from theory.priors import Prior
from theory.priors.plane_nodes import NEGLIGIBLE, normal_nodes
from theory.priors.protocol import checked_factors, expectation_and_slopes

__all__ = [
    "FINER",
    "NODES",
    "PriorPlane",
    "code_components",
    "code_entropy",
    "divergence",
    "divergence_and_slopes",
    "factor_components",
    "log_prior_and_slopes",
    "sample_code",
    "sample_hoyer_sparsity",
]

NODES = 64  # along an axis, for each of two Gaussians of a marginal density; twice as many if it is no mixture
FINER = (96, 128)


@dataclass(frozen=True, eq=False)
class PriorPlane:
    """Nodes for expectations over a prior of two latents: those of its method `nodes`.

    Attributes
    ----------
    points : (n, 2) array
    masses : (n,) array
        with sum one.
    mean_log_density : float
        E log p(z), z ~ p.
    moment_error : float
        how far the covariance of the nodes is from that of the prior, relative to its variances; infinite if the prior
        has none. Of a prior that does not say its covariance, how far the sum of the masses is from one.
    """

    points: np.ndarray
    masses: np.ndarray
    mean_log_density: float
    moment_error: float

    @classmethod
    def of(cls, prior: Prior, nodes: int = NODES) -> PriorPlane | None:
        """The nodes for a prior of two latents, `None` for any other and for one without nodes."""
        if prior.latent_dim != 2 or not hasattr(prior, "nodes"):
            return None
        covariance = getattr(prior, "covariance", None)
        if covariance is not None and not np.isfinite(covariance).all():
            return cls(np.zeros((0, 2)), np.zeros(0), np.inf, np.inf)  # KL(p || q) is infinite for every code
        points, masses, mean_log_density = prior.nodes(nodes)
        return cls(points, masses, float(mean_log_density), _moment_error(points, masses, covariance))


def _moment_error(points: np.ndarray, masses: np.ndarray, covariance: np.ndarray | None) -> float:
    of_mass = abs(float(masses.sum()) - 1)
    if covariance is None:
        return of_mass
    deviations = np.sqrt(np.diagonal(covariance))
    scaled = (points - masses @ points) / deviations
    of_nodes = (masses[:, np.newaxis] * scaled).T @ scaled
    return max(of_mass, float(np.abs(of_nodes - covariance / np.outer(deviations, deviations)).max()))


def factor_components(factors: Prior) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights (M,), means (M, K) and covariances (M, K, K) of factors that are a finite mixture of Gaussians."""
    factors = checked_factors("factors", factors)
    weights, means, covariances = zip(*validation.sequence("components of factors", factors.components()), strict=True)
    size = factors.latent_dim
    return (
        validation.vector("weights of factors", weights),
        validation.matrix("means of factors", means, (None, size)),
        np.array([validation.covariance_matrix("covariances of factors", one, size) for one in covariances]),
    )


def code_components(vae: LinearVAE, factors: Prior, loading, data_noise: float):
    """Weights (M,), means (M, K) and covariances (M, K, K) of the aggregate code: one component per component of s."""
    vae = linear_vae("vae", vae)
    data_noise = validation.non_negative("data_noise", data_noise)
    weights, means, covariances = factor_components(factors)
    through = vae.encoder @ validation.matrix("loading", loading, (vae.data_dim, means.shape[1]))
    spread = data_noise * vae.encoder @ vae.encoder.T + vae.posterior_covariance
    return weights, means @ through.T, through @ covariances @ through.T + spread


def sample_code(vae: LinearVAE, factors: Prior, loading, data_noise: float, n: int, rng):
    """Draw n aggregate codes, (n, K); `rng` is a generator or a seed."""
    weights, means, covariances = code_components(vae, factors, loading, data_noise)
    n = validation.count("n", n, bytes_each=16 * (means.shape[1] + 1) ** 2)
    rng = validation.random_generator("rng", rng)
    which = rng.choice(len(weights), size=n, p=weights)
    drawn = rng.standard_normal((n, means.shape[1], 1))
    return means[which] + (np.linalg.cholesky(covariances)[which] @ drawn)[..., 0]


def sample_hoyer_sparsity(latents) -> float:
    """Mean over observations of (sqrt K - ||z||_1 / ||z||_2) / (sqrt K - 1), each latent divided by its deviation.

    Between 0 (all latents equally large) and 1 (one latent at a time).

    Parameters
    ----------
    latents : (N, K) array, K >= 2
        no column constant.

    Returns
    -------
    float
    """
    latents = validation.matrix("latents", latents)
    deviations = latents.std(axis=0) if len(latents) else np.zeros(0)
    if latents.shape[1] < 2 or not np.all(deviations > 0) or not len(latents):
        raise ValueError("latents must have two columns or more, all of which vary; leave out constant ones")
    scaled = latents / deviations
    root = np.sqrt(latents.shape[1])
    return float(np.mean((root - np.abs(scaled).sum(axis=1) / np.linalg.norm(scaled, axis=1)) / (root - 1)))


def log_prior_and_slopes(prior: Prior, code) -> tuple[float, np.ndarray, np.ndarray]:
    """E log p(z), and its derivatives in the means and covariances of the components."""
    weights, means, covariances = code
    values, to_means, to_covariances = expectation_and_slopes(prior, means, covariances)
    return (
        float(weights @ values),
        weights[:, np.newaxis] * to_means,
        weights[:, np.newaxis, np.newaxis] * to_covariances,
    )


def divergence(plane: PriorPlane, code) -> float:
    """KL(p || q(z))."""
    return float(plane.mean_log_density - np.sum(plane.masses * log_sum(_log_mixture(code, plane.points)[0], axis=0)))


def divergence_and_slopes(plane: PriorPlane, code) -> tuple[float, np.ndarray, np.ndarray]:
    """KL(p || q(z)), and its derivatives in the means and covariances of the components."""
    mass = plane.masses
    parts, pulls = _log_mixture(code, plane.points)
    log_density = log_sum(parts, axis=0)
    shares = mass * np.exp(parts - log_density)
    pulled = shares[:, np.newaxis] * pulls
    # A sum rather than a matrix product, whose threads cost more than they save on long and thin arrays.
    to_means, outer = -pulled.sum(axis=-1), np.einsum("cin,cjn->cij", pulled, pulls)
    to_covariances = -(outer - shares.sum(axis=1)[:, np.newaxis, np.newaxis] * np.linalg.inv(code[2])) / 2
    return float(plane.mean_log_density - np.sum(mass * log_density)), to_means, to_covariances


def code_entropy(code, nodes: int = NODES) -> float:
    """H[q(z)] in two latents: in closed form for one component, else a sum over nodes that follow each component."""
    if len(code[0]) == 1:
        return float(np.linalg.slogdet(code[2][0])[1] / 2 + np.log(2 * np.pi * np.e))
    nodes_1d, masses = normal_nodes(nodes)
    points = np.stack(np.meshgrid(nodes_1d, nodes_1d), axis=-1).reshape(-1, 2)
    masses = np.outer(masses, masses).ravel()
    points, masses = points[masses > NEGLIGIBLE], masses[masses > NEGLIGIBLE]
    entropy = 0.0
    for weight, mean, covariance in zip(*code, strict=True):
        places = mean + points @ np.linalg.cholesky(covariance).T
        entropy -= weight * np.sum(masses * log_sum(_log_mixture(code, places)[0], axis=0))
    return float(entropy)


def _log_mixture(code, points) -> tuple[np.ndarray, np.ndarray]:
    """log q at points (n, 2): by component and weighted (M, n), and C_c^-1 (z - m_c), (M, 2, n).

    Coordinate by coordinate: arrays of many rows and two columns are slow, and matrix products would start the
    threads of the linear algebra, which then wait for each other.
    """
    parts, pulls = np.empty((len(code[0]), len(points))), np.empty((len(code[0]), 2, len(points)))
    for number, (weight, mean, covariance) in enumerate(zip(*code, strict=True)):
        first, second = points[:, 0] - mean[0], points[:, 1] - mean[1]
        precision = np.linalg.inv(covariance)
        pulled = pulls[number]
        for coordinate, (by_first, by_second) in enumerate(precision):
            np.add(by_first * first, by_second * second, out=pulled[coordinate])
        log_norm = np.linalg.slogdet(covariance)[1] / 2 + np.log(2 * np.pi)
        parts[number] = np.log(weight) - log_norm - (first * pulled[0] + second * pulled[1]) / 2
    return parts, pulls
