"""Gaussian priors: isotropic, anisotropic, in independent subspaces, and in two levels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from theory import gaussian, validation
from theory.axes.orthogonal import random_orthogonal
from theory.gaussian import cholesky, solve_lower
from theory.objective import prior_covariance
from theory.priors.arguments import checked_codes, checked_latent_dim, checked_latents
from theory.priors.plane_nodes import normal_nodes, product_nodes
from theory.priors.protocol import of_one_code

__all__ = ["GaussianPrior", "gaussian_log_normaliser"]


@dataclass(frozen=True, eq=False)
class GaussianPrior:
    """N(0, Pi), Pi positive definite.

    Parameters
    ----------
    covariance : (K, K) array, Pi
        with variances from 1e-100 to 1e100.

    Examples
    --------
    >>> from theory.priors import GaussianPrior
    >>> prior = GaussianPrior.anisotropic([4.0, 1.0])
    >>> round(float(prior.log_density([0.0, 0.0])), 4), prior.is_symmetry([[-1.0, 0.0], [0.0, 1.0]])
    (-2.531, True)
    """

    covariance: np.ndarray

    def __post_init__(self):
        object.__setattr__(self, "covariance", prior_covariance(self.covariance, name="covariance"))

    @classmethod
    def isotropic(cls, latent_dim: int, variance: float = 1.0) -> GaussianPrior:
        """N(0, v I)."""
        return cls(validation.scale("variance", variance) * np.eye(checked_latent_dim("latent_dim", latent_dim)))

    @classmethod
    def anisotropic(cls, variances) -> GaussianPrior:
        """Independent latents of the given (K,) variances."""
        return cls(np.diag(validation.scales("variances", validation.vector("variances", variances))))

    @classmethod
    def from_pca(cls, data_covariance, latent_dim: int) -> GaussianPrior:
        """Independent latents whose variances are the K largest eigenvalues of the data covariance, descending."""
        data_covariance = validation.covariance_matrix("data_covariance", data_covariance)
        latent_dim = validation.count("latent_dim", latent_dim)
        variances = validation.non_negative_spectrum("data_covariance", np.linalg.eigvalsh(data_covariance))
        rank = np.count_nonzero(variances)
        if latent_dim > rank:
            raise ValueError(
                f"latent_dim must be at most the rank of data_covariance, {rank}, got {latent_dim}; pass fewer latents"
            )
        return cls.anisotropic(variances[:latent_dim])

    @classmethod
    def block(cls, blocks) -> GaussianPrior:
        """Independent subspaces: block-diagonal covariance with the given (k, k) blocks, in order."""
        blocks = validation.sequence("blocks", blocks)
        blocks = [prior_covariance(block, name=f"blocks[{index}]") for index, block in enumerate(blocks)]
        latent_dim = sum(map(len, blocks))
        covariance, start = np.zeros((latent_dim, latent_dim)), 0
        for block in blocks:
            covariance[start : start + len(block), start : start + len(block)] = block
            start += len(block)
        return cls(covariance)

    @classmethod
    def two_level(cls, loading, noise_variance: float) -> GaussianPrior:
        """A hierarchy: upper latents u ~ N(0, I), lower ones N(B u, v I); z = (u, lower).

        Covariance [[I, B^T], [B, B B^T + v I]].

        Parameters
        ----------
        loading : (lower, upper) array, B
        noise_variance : float > 0, v
        """
        loading = validation.matrix("loading", loading)
        noise_variance = validation.positive("noise_variance", noise_variance)
        lower, upper = loading.shape
        below = loading @ loading.T + noise_variance * np.eye(lower)
        return cls(np.block([[np.eye(upper), loading.T], [loading, below]]))

    @property
    def latent_dim(self) -> int:
        return len(self.covariance)

    @cached_property
    def _root(self) -> np.ndarray:
        """The lower triangle L with L L^T = Pi."""
        return cholesky(self.covariance)

    @cached_property
    def _whitening(self) -> np.ndarray:
        """L^-1."""
        return solve_lower(self._root, np.eye(self.latent_dim))

    def log_density(self, latents) -> np.ndarray:
        """log p(z) of latents of shape (..., K), in nats."""
        latents = checked_latents(latents, self.latent_dim)
        whitened = latents @ self._whitening.T
        return self._from_squares(np.einsum("...i,...i->...", whitened, whitened))

    def sample(self, n: int, rng) -> np.ndarray:
        """Draw n latents, shape (n, K); `rng` is a generator or a seed."""
        n = validation.count("n", n, bytes_each=16 * self.latent_dim)
        return validation.random_generator("rng", rng).standard_normal((n, self.latent_dim)) @ self._root.T

    expected_log_density = of_one_code

    def expected_log_density_and_slopes(self, means, covariances) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """E log p(z) for stacks of codes, and its derivatives in means and covariances, -Pi^-1 m and -Pi^-1 / 2.

        E log p(z) for z ~ N(m, C) is -1/2 [K log 2 pi + log det Pi + tr(Pi^-1 (C + m m^T))]. Exact. Parameters and
        returns as for `theory.priors.Prior`.
        """
        means, covariances = checked_codes(means, covariances, self.latent_dim)
        whitened = means @ self._whitening.T
        spread = np.sum((self._whitening @ covariances) * self._whitening, axis=(-2, -1))
        precision = self._whitening.T @ self._whitening
        values = self._from_squares(np.sum(whitened**2, axis=-1) + spread)
        return values, -whitened @ self._whitening, np.broadcast_to(-precision / 2, covariances.shape)

    def components(self) -> list[tuple[float, np.ndarray, np.ndarray]]:
        """[(1, 0, Pi)]: as a mixture of one component (weight, mean, covariance)."""
        return [(1.0, np.zeros(self.latent_dim), self.covariance)]

    def symmetries(self, rng) -> np.ndarray:
        """A random member of Pi^(1/2) O(K) Pi^(-1/2), uniform on O(K); `rng` is a generator or a seed."""
        rng = validation.random_generator("rng", rng)
        return self._root @ random_orthogonal(self.latent_dim, rng) @ self._whitening

    def nodes(self, count: int) -> tuple[np.ndarray, np.ndarray, float]:
        """Nodes and masses for expectations over two latents, and E log p(z), as for `theory.priors.Prior`."""
        variances, axes = np.linalg.eigh(self.covariance)
        places, masses = normal_nodes(2 * count)  # as many as a mixture of two has
        lines = [(np.sqrt(variance) * places, masses) for variance in variances]
        mean_log_density = self.expected_log_density(np.zeros(self.latent_dim), self.covariance)
        return *product_nodes(lines, self.covariance, axes.T), mean_log_density

    def is_symmetry(self, matrix) -> bool:
        """Whether M Pi M^T = Pi, up to a part in 1e8 of Pi and the rounding of M.

        With U = L^-1 M L, L L^T = Pi, that is U U^T = I. In units in which every latent has variance one, rounding of M
        changes U by machine epsilon times |L^-1| |M| |L|: for an ill-conditioned Pi that is much more than 1e-8.
        """
        matrix = validation.matrix("matrix", matrix, self.covariance.shape)
        if not matrix.size:
            return True
        units = np.sqrt(np.diagonal(self.covariance))
        root, whitening = self._root / units[:, np.newaxis], self._whitening * units
        with np.errstate(over="ignore", invalid="ignore"):
            scaled = matrix / units[:, np.newaxis] * units
            rotation = whitening @ scaled @ root
            deviation = np.abs(rotation @ rotation.T - np.eye(len(units))).max()
            sizes = [np.linalg.norm(factor) for factor in (whitening, scaled, root, rotation)]
            rounding = 4 * len(units) * np.finfo(float).eps * sizes[0] * (1 + sizes[1]) * sizes[2]
            return bool(deviation <= validation.ROUNDING + 2 * rounding * sizes[3] + rounding**2)

    def _from_squares(self, squares) -> np.ndarray:
        """log p(z) from z^T Pi^-1 z, or its expectation from the expectation of that."""
        return -(squares + self.latent_dim * np.log(2 * np.pi)) / 2 - np.log(np.diagonal(self._root)).sum()

    def log_normaliser(self, beta: float) -> float:
        """log of the integral of p^beta, see `gaussian_log_normaliser`."""
        return gaussian_log_normaliser(self.covariance, beta)

    def nearest_gaussian(self) -> tuple[np.ndarray, float]:
        """Its own covariance, at divergence 0."""
        return self.covariance, 0.0

    @property
    def scales(self) -> np.ndarray:
        """The standard deviation of each latent, (K,)."""
        return np.sqrt(np.diagonal(self.covariance))


def gaussian_log_normaliser(prior, beta: float) -> float:
    """log F for p = N(0, Pi): ((1 - beta)/2) (K log 2 pi + log det Pi) - (K/2) log beta, finite for every beta > 0.

    Exact. Parameters as for `annealed_terms`; a `ValueError` for a beta or a covariance out of range.

    Examples
    --------
    >>> from theory.priors import gaussian_log_normaliser
    >>> round(gaussian_log_normaliser([[1.0]], beta=2.0), 4)
    -1.2655
    """
    beta = validation.scale("beta", beta)
    prior = prior_covariance(prior)
    latent_dim = len(prior)
    log_scale = latent_dim * np.log(2 * np.pi) + gaussian.log_determinant(prior)
    return float((1 - beta) / 2 * log_scale - latent_dim / 2 * np.log(beta))
