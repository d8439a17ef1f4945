"""The grouped objective for a decoder that is held, in coordinates without constraints, and Newton's method on it.

The coordinates are E = V F, where F F^T is the covariance of the data in the decoder's range (nothing else of the data
matters), and the Cholesky factors of the blocks of Q with logarithms on their diagonals. In them

    loss = 1/2 tr(W^T W C) / s2 - tr(W^T U F E^T) / s2 + code cost(C) - w_I sum_j log L_jj + constant

with C = E E^T + L L^T is smooth and analytic, so the Hessian is a complex step of the exact gradient. What the
functions take has been checked by `theory.groups.grouped_optimum`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.optimize import minimize

from theory import validation
from theory.groups.objective import Weights, code_cost, code_slope
from theory.model import LinearVAE

__all__ = ["COMPLEX_STEP", "HeldDecoder", "newton"]

COMPLEX_STEP = 1e-30


@dataclass(frozen=True, eq=False)
class HeldDecoder:
    """The problem in its coordinates: theta = (E row by row, entries of the Cholesky factors of Q)."""

    decoder: np.ndarray
    noise_variance: float
    covariance: np.ndarray
    groups: tuple[np.ndarray, ...]
    blocks: tuple[np.ndarray, ...]

    @property
    def latent_dim(self) -> int:
        return self.decoder.shape[1]

    @cached_property
    def seen(self) -> tuple[np.ndarray, np.ndarray]:
        """(U, F): orthonormal basis of the decoder's range, and F with F F^T = U^T S U and independent columns."""
        left, singular, _ = np.linalg.svd(self.decoder, full_matrices=False)
        left = left[:, singular > max(self.decoder.shape) * np.finfo(float).eps * singular.max(initial=0.0)]
        variances, directions = np.linalg.eigh(left.T @ self.covariance @ left)
        varies = variances > validation.rank_tolerance(variances)
        return left, directions[:, varies] * np.sqrt(variances[varies])

    @cached_property
    def cross(self) -> np.ndarray:
        """W^T U F / s2, shape (K, rank)."""
        left, root = self.seen
        return self.decoder.T @ left @ root / self.noise_variance

    @cached_property
    def strength(self) -> np.ndarray:
        """W^T W / s2."""
        return self.decoder.T @ self.decoder / self.noise_variance

    @cached_property
    def entries(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows and columns of the lower triangles of the blocks."""
        pairs = [(row, column) for block in self.blocks for row in block for column in block if column <= row]
        return tuple(np.array(pairs, dtype=int).reshape(-1, 2).T)

    def pack(self, vae: LinearVAE) -> np.ndarray:
        """Coordinates of a VAE."""
        left, root = self.seen
        factor = np.linalg.cholesky(vae.posterior_covariance)[self.entries]
        diagonal = self.entries[0] == self.entries[1]
        factor[diagonal] = np.log(factor[diagonal])
        return np.concatenate([(vae.encoder @ left @ root).ravel(), factor])

    def unpack(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """E (..., K, rank) and the Cholesky factor of Q (..., K, K)."""
        size, rank = self.cross.shape
        rows, columns = self.entries
        values = theta[..., theta.shape[-1] - len(rows) :]
        factor = np.zeros((*theta.shape[:-1], size, size), dtype=theta.dtype)
        factor[..., rows, columns] = np.where(rows == columns, np.exp(values), values)
        return theta[..., : theta.shape[-1] - len(rows)].reshape(*theta.shape[:-1], size, rank), factor

    def vae(self, theta: np.ndarray) -> LinearVAE:
        """The VAE of real coordinates; directions in which the data do not vary get no gain."""
        signal, factor = self.unpack(theta)
        left, root = self.seen
        covariance = factor @ factor.T
        return LinearVAE(
            self.decoder, signal @ np.linalg.pinv(root) @ left.T, (covariance + covariance.T) / 2, self.noise_variance
        )

    def code(self, theta: np.ndarray) -> np.ndarray:
        """C = E E^T + Q."""
        signal, factor = self.unpack(theta)
        return signal @ signal.mT + factor @ factor.mT

    def loss(self, theta: np.ndarray, weights: Weights):
        """The grouped objective without what does not depend on theta."""
        signal, factor = self.unpack(theta)
        code = self.code(theta)
        spread = np.log(np.diagonal(factor, axis1=-2, axis2=-1)).sum(-1)
        error = (self.strength * code).sum((-2, -1)) / 2 - (self.cross * signal).sum((-2, -1))
        return error + code_cost(code, weights, self.groups) - weights.mutual_information * spread

    def gradient(self, theta: np.ndarray, weights: Weights) -> np.ndarray:
        """Gradient in theta; analytic, so a complex step differentiates it."""
        slope = self.strength + code_slope(self.code(theta), weights, self.groups)
        return self.pull_back(theta, slope, -self.cross, weights.mutual_information)

    def pull_back(self, theta: np.ndarray, slope: np.ndarray, offset, spread: float) -> np.ndarray:
        """Gradient of 1/2 tr(slope C) + tr(offset E^T) - (spread/2) log det Q at fixed slope."""
        signal, factor = self.unpack(theta)
        rows, columns = self.entries
        by_factor = (slope @ factor)[..., rows, columns]
        diagonal = rows == columns
        by_factor = np.where(diagonal, by_factor * factor[..., rows, columns] - spread, by_factor)
        by_signal = (slope @ signal + offset).reshape(*theta.shape[:-1], -1)
        return np.concatenate([by_signal, by_factor], axis=-1)

    def hessian(self, theta: np.ndarray, weights: Weights) -> np.ndarray:
        """Complex step of the gradient, all directions at once."""
        stepped = theta + 1j * COMPLEX_STEP * np.eye(len(theta))
        columns = self.gradient(stepped, weights).imag / COMPLEX_STEP
        return (columns + columns.T) / 2


def newton(problem: HeldDecoder, theta: np.ndarray, weights: Weights) -> np.ndarray:
    """A local minimum: Newton's method in a trust region, then full steps while they halve the gradient."""
    if theta.size == 0:
        return theta
    found = minimize(
        problem.loss,
        theta,
        args=(weights,),
        method="trust-exact",
        jac=problem.gradient,
        hess=problem.hessian,
        options={"gtol": 1e-7, "maxiter": 500},
    )
    theta, gradient = found.x, problem.gradient(found.x, weights)
    while True:
        step = np.linalg.lstsq(problem.hessian(theta, weights), -gradient)[0]
        moved = problem.gradient(theta + step, weights)
        if not np.abs(moved).max() < np.abs(gradient).max() / 2:
            return theta
        theta, gradient = theta + step, moved
