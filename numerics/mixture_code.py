"""The aggregate code of a linear encoder on Gaussian mixtures, and its integrals against a prior.

Factors s are Gaussian or a finite mixture of Gaussians, data x = A s + n with n ~ N(0, tau2 I). The code q(z) of a
linear VAE has as many components, with means V A m_c and covariances V (A C_c A^T + tau2 I) V^T + Q. Integrals are sums
over a fixed grid, which have exact derivatives; points of a line are u = scale sinh(y), y evenly spaced, so that they
lie dense about zero, where priors have spikes:

    E log p(z)    every prior here is a product of densities along some orthonormal directions (the axes; for the four
                  clusters the diagonals), so it needs the one-dimensional marginals of the components alone; good to
                  rounding
    KL(p || q(z)), H[q(z)]    two latents only, on a grid of the plane; good to about 1e-5 nats
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from theory import validation
from theory.axes.priors import ClusterPrior, GaussianPrior, Prior
from theory.model import LinearVAE

__all__ = [
    "LINE_REACH",
    "PriorLines",
    "code_components",
    "code_entropy",
    "divergence_and_slopes",
    "factor_components",
    "log_prior_and_slopes",
    "marginals",
    "plane_of",
    "sample_code",
    "sample_hoyer_sparsity",
]

LINE_REACH, LINE_NODES, LINE_SCALE = 40.0, 2001, 3.0  # at zero a fifth of the narrowest feature, 0.05
PLANE_REACH, PLANE_NODES, PLANE_SCALE = 5.0, 101, 0.1  # per axis of the plane


@dataclass(frozen=True, eq=False)
class PriorLines:
    """A prior as a product along directions.

    Attributes
    ----------
    directions : (J, K) array, orthonormal
    points, widths : (n,) arrays
        of a line, and the length that each point stands for.
    log_densities : (J, n) array
        along each direction.
    """

    directions: np.ndarray
    points: np.ndarray
    widths: np.ndarray
    log_densities: np.ndarray

    @classmethod
    def of(cls, prior: Prior) -> PriorLines:
        """The lines of any prior of `theory.axes.priors`."""
        line, widths = _stretched(LINE_REACH, LINE_NODES, LINE_SCALE)
        if isinstance(prior, GaussianPrior):
            variances, directions = np.linalg.eigh(prior.covariance)
            variances = variances[:, np.newaxis]
            return cls(directions.T, line, widths, -(line**2) / (2 * variances) - np.log(2 * np.pi * variances) / 2)
        if isinstance(prior, ClusterPrior):
            mode, variance = prior.distance / np.sqrt(2), prior.variance
            pair = np.logaddexp(-((line - mode) ** 2) / (2 * variance), -((line + mode) ** 2) / (2 * variance))
            along = pair - np.log(2) - np.log(2 * np.pi * variance) / 2
            diagonals = np.array([[1.0, 1.0], [1.0, -1.0]]) / np.sqrt(2)
            return cls(diagonals, line, widths, np.tile(along, (2, 1)))
        axes = np.eye(prior.latent_dim)
        return cls(axes, line, widths, np.tile(prior.marginal_log_density(line), (len(axes), 1)))


def factor_components(factors: Prior) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights (C,), means (C, K) and covariances (C, K, K) of factors that are a finite mixture of Gaussians."""
    if not hasattr(factors, "components"):
        raise ValueError(f"factors must be a finite mixture of Gaussians, got {type(factors).__name__}")
    return tuple(np.array(part) for part in zip(*factors.components(), strict=True))


def code_components(vae: LinearVAE, factors: Prior, loading, data_noise: float):
    """Weights (C,), means (C, K) and covariances (C, K, K) of the aggregate code: one component per component of s."""
    weights, means, covariances = factor_components(factors)
    through = vae.encoder @ validation.matrix("loading", loading, (vae.data_dim, means.shape[1]))
    spread = data_noise * vae.encoder @ vae.encoder.T + vae.posterior_covariance
    return weights, means @ through.T, through @ covariances @ through.T + spread


def sample_code(vae: LinearVAE, factors: Prior, loading, data_noise: float, n: int, rng: np.random.Generator):
    """Draw n aggregate codes, (n, K)."""
    weights, means, covariances = code_components(vae, factors, loading, data_noise)
    which = rng.choice(len(weights), size=n, p=weights)
    drawn = rng.standard_normal((n, means.shape[1], 1))
    return means[which] + (np.linalg.cholesky(covariances)[which] @ drawn)[..., 0]


def sample_hoyer_sparsity(latents) -> float:
    """Mean over observations of (sqrt K - ||z||_1 / ||z||_2) / (sqrt K - 1), each latent divided by its deviation.

    Between 0 (all latents equally large) and 1 (one latent at a time).

    Parameters
    ----------
    latents : (N, K) array, K >= 2

    Returns
    -------
    float
    """
    latents = validation.matrix("latents", latents)
    scaled = latents / latents.std(axis=0)
    root = np.sqrt(latents.shape[1])
    return float(np.mean((root - np.abs(scaled).sum(axis=1) / np.linalg.norm(scaled, axis=1)) / (root - 1)))


def marginals(lines: PriorLines, code) -> tuple[np.ndarray, np.ndarray]:
    """Means and variances (C, J) of the components of a code along the directions of a prior."""
    _, means, covariances = code
    return means @ lines.directions.T, np.einsum("jk,ckl,jl->cj", lines.directions, covariances, lines.directions)


def log_prior_and_slopes(lines: PriorLines, code) -> tuple[float, np.ndarray, np.ndarray]:
    """E log p(z), and its derivatives in the means and covariances of the components.

    The derivatives of a Gaussian density in its mean m and variance v are (u - m)/v and ((u - m)^2/v - 1)/(2 v) times
    the density.
    """
    centres, variances = marginals(lines, code)
    away = lines.points - centres[..., np.newaxis]
    scaled = away**2 / variances[..., np.newaxis]
    mass = np.exp(-scaled / 2) / np.sqrt(2 * np.pi * variances)[..., np.newaxis]
    mass *= code[0][:, np.newaxis, np.newaxis] * lines.log_densities * lines.widths
    to_centres = np.sum(mass * away, axis=-1) / variances
    to_variances = np.sum(mass * (scaled - 1), axis=-1) / (2 * variances)
    to_covariances = np.einsum("cj,jk,jl->ckl", to_variances, lines.directions, lines.directions)
    return float(mass.sum()), to_centres @ lines.directions, to_covariances


def plane_of(prior: Prior) -> tuple[np.ndarray, np.ndarray, float]:
    """Points of the plane, the prior's mass at each, and the prior's mean log density."""
    points, areas = _grid_of_plane()
    log_density = prior.log_density(points)
    mass = areas * np.exp(log_density)
    return points, mass, float(np.sum(mass * log_density))


def divergence_and_slopes(plane, code) -> tuple[float, np.ndarray, np.ndarray]:
    """KL(p || q(z)), and its derivatives in the means and covariances of the components."""
    points, mass, own = plane
    parts, pulls = _log_mixture(code, points)
    log_density = logsumexp(parts, axis=0)
    shares = mass * np.exp(parts - log_density)
    pulls = pulls.swapaxes(1, 2)
    pulled = shares[:, np.newaxis] * pulls
    # Sums rather than matrix products, whose threads cost more than they save on so long and thin arrays.
    to_means, outer = -pulled.sum(axis=-1), np.sum(pulled[:, :, np.newaxis] * pulls[:, np.newaxis], axis=-1)
    to_covariances = -(outer - shares.sum(axis=1)[:, np.newaxis, np.newaxis] * np.linalg.inv(code[2])) / 2
    return float(own - np.sum(mass * log_density)), to_means, to_covariances


def code_entropy(code) -> float:
    """H[q(z)] on a grid of the plane that is stretched to the code's own scale and axes."""
    weights, means, covariances = code
    points, areas = _grid_of_plane()
    total = np.einsum("c,ckl->kl", weights, covariances) + (means * weights[:, np.newaxis]).T @ means
    root = np.linalg.cholesky(total)
    log_density = logsumexp(_log_mixture(code, points @ root.T)[0], axis=0)
    return float(-np.sum(areas * np.linalg.det(root) * np.exp(log_density) * log_density))


def _log_mixture(code, points) -> tuple[np.ndarray, np.ndarray]:
    """log q at points (n, 2): by component and weighted (C, n), and C_c^-1 (z - m_c), (C, n, 2).

    Without matrix products: on so many points they would wake the threads of the linear algebra, which then wait for
    each other.
    """
    parts, pulls = [], []
    for weight, mean, covariance in zip(*code, strict=True):
        away = points - mean
        precision = np.linalg.inv(covariance)
        pulled = away[:, :1] * precision[0] + away[:, 1:] * precision[1]
        log_norm = np.linalg.slogdet(covariance)[1] / 2 + np.log(2 * np.pi)
        parts.append(np.log(weight) - np.sum(away * pulled, axis=1) / 2 - log_norm)
        pulls.append(pulled)
    return np.array(parts), np.array(pulls)


def _grid_of_plane() -> tuple[np.ndarray, np.ndarray]:
    """Points (n, 2) of the plane, dense about the axes, and the area that each stands for."""
    places, widths = _stretched(PLANE_REACH, PLANE_NODES, PLANE_SCALE)
    return np.stack(np.meshgrid(places, places), axis=-1).reshape(-1, 2), np.outer(widths, widths).ravel()


def _stretched(reach: float, nodes: int, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Points scale sinh(y) of a line, y evenly spaced, and the length that each stands for."""
    even, step = np.linspace(-1, 1, nodes, retstep=True)
    stretch = np.arcsinh(reach / scale)
    return scale * np.sinh(stretch * even), scale * stretch * step * np.cosh(stretch * even)
