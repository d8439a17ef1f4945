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
from functools import cached_property, lru_cache

import numpy as np

from theory import validation
from theory.model import LinearVAE, linear_vae
from theory.priors import Prior
from theory.priors.plane_nodes import NEGLIGIBLE, normal_nodes
from theory.priors.protocol import checked_factors, expectation_and_slopes

__all__ = [
    "FINER",
    "NODES",
    "PriorPlane",
    "PriorPlanes",
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
BLOCK = 4096  # nodes at once, of which all arrays of four components fit into the cache of a core


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

    @cached_property
    def blocks(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """The nodes and masses as `_blocks` divides them."""
        return _blocks(self.points, self.masses)


@dataclass(frozen=True, eq=False)
class PriorPlanes:
    """The nodes for a prior, each number of them computed once: the problems of a path share them."""

    prior: Prior

    @cached_property
    def coarse(self) -> PriorPlane | None:
        """The nodes of training, see `PriorPlane.of`."""
        return PriorPlane.of(self.prior)

    @cached_property
    def finer(self) -> list[PriorPlane | None]:
        """More nodes, twice, which show the error of a sum."""
        return [PriorPlane.of(self.prior, nodes) for nodes in FINER]


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
    _, whitening, logarithms = _whitened(code)
    affine = _from_plane(whitening, code[1])
    return plane.mean_log_density - sum(
        float(masses @ _log_mixture(affine, logarithms, points)[0]) for points, masses in plane.blocks
    )


def divergence_and_slopes(plane: PriorPlane, code) -> tuple[float, np.ndarray, np.ndarray]:
    """KL(p || q(z)), and its derivatives in the means and covariances of the components.

    With w = L^-1 (z - m) for a component of covariance L L^T, and its share r of the density at z, the derivatives of
    log q in its mean and covariance are r L^-T w and r L^-T (w w^T - I) L^-1 / 2.
    """
    _, whitening, logarithms = _whitened(code)
    affine = _from_plane(whitening, code[1])
    value, masses_of, first, second = plane.mean_log_density, 0.0, 0.0, 0.0
    for points, masses in plane.blocks:
        log_density, shares, whitened = _log_mixture(affine, logarithms, points)
        value -= float(masses @ log_density)
        shares *= masses
        shared = shares[:, np.newaxis] * whitened
        masses_of = masses_of + shares.sum(axis=1)
        first = first + shared.sum(axis=2)
        second = second + shared @ whitened.mT
    excess = second - masses_of[:, np.newaxis, np.newaxis] * np.eye(2)
    to_means = -(first[:, np.newaxis] @ whitening)[:, 0]
    return value, to_means, -(whitening.mT @ excess @ whitening) / 2


def code_entropy(code, nodes: int = NODES) -> float:
    """H[q(z)] in two latents: in closed form for one component, else a sum over nodes that follow each component."""
    weights, means, covariances = code
    if len(weights) == 1:
        return float(np.linalg.slogdet(covariances[0])[1] / 2 + np.log(2 * np.pi * np.e))
    roots, whitening, logarithms = _whitened(code)
    entropy = 0.0
    for weight, mean, root in zip(weights, means, roots, strict=True):
        affine = np.concatenate([whitening @ root, whitening @ (mean - means)[..., np.newaxis]], axis=2)
        for points, masses in _normal_blocks(nodes):
            entropy -= weight * float(masses @ _log_mixture(affine, logarithms, points)[0])
    return entropy


@lru_cache
def _normal_blocks(nodes: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Nodes and masses for expectations over N(0, I) in the plane, see `_blocks`."""
    places, masses = normal_nodes(nodes)
    points = np.stack(np.meshgrid(places, places), axis=-1).reshape(-1, 2)
    masses = np.outer(masses, masses).ravel()
    return _blocks(points[masses > NEGLIGIBLE], masses[masses > NEGLIGIBLE])


def _blocks(points: np.ndarray, masses: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Points (n, 2) and masses (n,) in blocks that fit into the cache: coordinates in rows over a row of ones."""
    rows = np.vstack([points.T, np.ones(len(points))])
    places = [slice(start, start + BLOCK) for start in range(0, len(points), BLOCK)]
    return [(np.ascontiguousarray(rows[:, place]), masses[place]) for place in places]


def _whitened(code) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Triangles L (M, 2, 2) with L L^T = C_c, their inverses, and the log densities at the means, weighted, (M,)."""
    weights, _, covariances = code
    roots = np.zeros(covariances.shape)
    roots[:, 0, 0] = np.sqrt(covariances[:, 0, 0])
    roots[:, 1, 0] = covariances[:, 1, 0] / roots[:, 0, 0]
    # A step of the search may reach a covariance that is singular to rounding: its variance is not below that.
    rounding = np.finfo(float).eps * covariances[:, 1, 1]
    roots[:, 1, 1] = np.sqrt(np.maximum(covariances[:, 1, 1] - roots[:, 1, 0] ** 2, rounding))
    logarithms = np.log(weights) - np.log(np.diagonal(roots, axis1=1, axis2=2)).sum(axis=1) - np.log(2 * np.pi)
    return roots, np.linalg.inv(roots), logarithms


def _from_plane(whitening: np.ndarray, means: np.ndarray) -> np.ndarray:
    """The affine maps (M, 2, 3) from points z to L^-1 (z - m_c)."""
    return np.concatenate([whitening, -whitening @ means[..., np.newaxis]], axis=2)


def _log_mixture(affine: np.ndarray, logarithms: np.ndarray, points: np.ndarray):
    """log q at points (n,), the shares of its components (M, n), and the whitened points (M, 2, n).

    Parameters
    ----------
    affine : (M, 2, 3) array
        the map of each component from points to those in which it is N(0, I).
    logarithms : (M,) array
        log densities of the weighted components at their means.
    points : (3, n) array
        coordinates over a row of ones.
    """
    whitened = (affine.reshape(-1, 3) @ points).reshape(len(affine), 2, -1)
    parts = np.einsum("mcn,mcn->mn", whitened, whitened)
    parts *= -0.5
    parts += logarithms[:, np.newaxis]
    top = np.maximum(parts.max(axis=0), np.finfo(float).min)  # of points so far that their square overflows
    parts -= top
    shares = np.exp(parts, out=parts)
    total = shares.sum(axis=0)
    shares /= total
    with np.errstate(divide="ignore"):
        return top + np.log(total), shares, whitened
