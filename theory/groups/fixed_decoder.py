"""The grouped objective for a fixed decoder, in coordinates without constraints.

The decoder W and the covariance S of the data in D dimensions are fixed; encoder V, posterior covariance Q and perhaps
the noise s2 are sought; w_I, w_D, the code cost and its slope H are those of `theory.groups.objective`.

Factor S = F F^T and rotate F so that W^T F = (G, 0) with independent columns in G. With E = V F = (E_1, E_2), and F =
(F_1, F_2) in the same way, the code has the covariance C = E_1 E_1^T + E_2 E_2^T + Q and

    loss = [ |F_1 - W E_1|^2 + |F_2|^2 + |W E_2|^2 + tr(W Q W^T) ] / (2 s2) + (D/2) log(2 pi s2)
           + code cost(C) - (w_I/2) log det Q.

**Seen and outside.** E_1 is the code's gain on directions of the data that the decoder can reconstruct, E_2 its gain on
all other directions. E_2 improves no reconstruction and enters only through E_2 E_2^T: a signal that two latents share
can cancel a correlation between them at no cost in reconstruction, if the decoder has dependent columns or fewer rows
than columns. A stationary point satisfies H E_1 = G / s2 and H E_2 = 0 (`theory.groups.optimum`), so that the columns
of E_2 are orthogonal to those of G. It follows that

    W^T S W is positive definite:  E_2 = 0, and only the data in the range of the decoder matter
    in general:                    E_2 has a rank of at most K - rank G.

One column more than this rank shows the curvature of all unused directions, so E_2 has min(D', K + 1 - rank G) columns,
D' the number of directions outside; a rotation of its columns changes nothing.

**Coordinates.** E row by row, the Cholesky factors of the blocks of Q with logarithms on their diagonals, and log s2 if
the noise is learned. The loss is smooth and analytic in them; gradient and Hessian are in closed form. The
arguments have been checked by `theory.groups.grouped_optimum`. Exact; this project's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from theory import validation
from theory.groups.objective import Weights, code_cost, code_slope, log_det_terms
from theory.model import LinearVAE
from theory.spectrum import principal_axes

__all__ = ["COMPLEX_STEP", "FixedDecoder"]

COMPLEX_STEP = 1e-30
LEAST_ROTATION = 1e-6  # size of E_2, as a share of that of E, below which it counts as zero


@dataclass(frozen=True, eq=False)
class FixedDecoder:
    """The problem in its coordinates: theta = (E row by row, entries of the Cholesky factors of Q, perhaps log s2).

    `noise_variance` is None for a learned noise. Every function takes one theta (n,) or many (..., n).
    """

    decoder: np.ndarray
    noise_variance: float | None
    covariance: np.ndarray
    groups: tuple[np.ndarray, ...]
    blocks: tuple[np.ndarray, ...]

    @property
    def latent_dim(self) -> int:
        return self.decoder.shape[1]

    @cached_property
    def _factored(self) -> tuple[np.ndarray, np.ndarray, int, float]:
        """F with its columns as in the module's docstring, B with V = E B, rank G, and |F|^2 of the unused columns.

        Ranks are computed in units in which every data dimension, and every latent, has size 1.
        """
        scale = np.sqrt(np.diagonal(self.covariance))
        scale = np.where(scale > 0, scale, 1.0)
        values, vectors = np.linalg.eigh(self.covariance / scale[:, np.newaxis] / scale)
        varies = values > validation.rank_tolerance(values)
        root = scale[:, np.newaxis] * vectors[:, varies] * np.sqrt(values[varies])
        joint = self.decoder.T @ root
        size = np.linalg.norm(joint, axis=1, keepdims=True)
        size = np.where(size > 0, size, 1.0)
        left, singular, rotation = np.linalg.svd(joint / size)
        seen = np.count_nonzero(singular > max(joint.shape) * np.finfo(float).eps * singular.max(initial=0.0))
        root = root @ rotation.T
        back = np.linalg.pinv(root)
        # The pseudo-inverse of G = size left diag(singular), times W^T: exact where the data hardly vary.
        back[:seen] = (left[:, :seen] / singular[:seen]).T / size.T @ self.decoder.T
        if root.shape[1] < len(root):
            back[:seen] = back[:seen] @ root @ np.linalg.pinv(root)
        used = min(root.shape[1], seen + max(0, self.latent_dim + 1 - seen))
        return root[:, :used], back[:used], int(seen), float(np.sum(root[:, used:] ** 2))

    @cached_property
    def _reduced(self) -> tuple[np.ndarray, np.ndarray, float]:
        """T and Y with W = U T, U an orthonormal basis of the range, Y = (U^T F_1, 0), and the least distortion."""
        root, _, seen, unused = self._factored
        basis, singular, _ = principal_axes(self.decoder)
        basis = basis[:, singular > 0]
        triangle = basis.T @ self.decoder
        target = np.zeros((len(triangle), root.shape[1]))
        target[:, :seen] = basis.T @ root[:, :seen]
        residual = root[:, :seen] - basis @ target[:, :seen]
        return triangle, target, float(np.sum(residual**2) + np.sum(root[:, seen:] ** 2) + unused)

    @property
    def outside(self) -> float:
        """The variance of the data that the decoder cannot reconstruct."""
        return self._reduced[2]

    @cached_property
    def cross(self) -> np.ndarray:
        """W^T F, shape (K, columns of E); its last columns are zero."""
        triangle, target, _ = self._reduced
        return triangle.T @ target

    @cached_property
    def strength(self) -> np.ndarray:
        """W^T W."""
        return self._reduced[0].T @ self._reduced[0]

    @cached_property
    def entries(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows and columns of the lower triangles of the blocks."""
        pairs = [(row, column) for block in self.blocks for row in block for column in block if column <= row]
        return tuple(np.array(pairs, dtype=int).reshape(-1, 2).T)

    def pack(self, vae: LinearVAE) -> np.ndarray:
        """Coordinates of a VAE; of E_2 only the columns that are coordinates."""
        return self.join(vae.encoder @ self._factored[0], vae.posterior_covariance, vae.noise_variance)

    def join(self, signal: np.ndarray, posterior: np.ndarray, noise: float) -> np.ndarray:
        """Coordinates of E, Q and, if it is learned, s2."""
        factor = np.linalg.cholesky(posterior)[self.entries]
        diagonal = self.entries[0] == self.entries[1]
        factor[diagonal] = np.log(factor[diagonal])
        rest = [] if self.noise_variance is not None else [np.log(noise)]
        return np.concatenate([signal.ravel(), factor, rest])

    def unpack(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """E (..., K, columns), the Cholesky factor of Q (..., K, K), and s2 (...)."""
        size, rank = self.cross.shape
        rows, columns = self.entries
        signal, values, rest = np.split(theta, [size * rank, size * rank + len(rows)], axis=-1)
        factor = np.zeros((*theta.shape[:-1], size, size), dtype=theta.dtype)
        factor[..., rows, columns] = np.where(rows == columns, np.exp(values), values)
        noise = np.asarray(self.noise_variance) if self.noise_variance is not None else np.exp(rest[..., 0])
        return signal.reshape(*theta.shape[:-1], size, rank), factor, noise

    def vae(self, theta: np.ndarray) -> LinearVAE:
        """The VAE of real coordinates; directions in which the data do not vary get no gain."""
        signal, factor, noise = self.unpack(theta)
        covariance = factor @ factor.T
        return LinearVAE(self.decoder, signal @ self._factored[1], (covariance + covariance.T) / 2, float(noise))

    def code(self, theta: np.ndarray) -> np.ndarray:
        """C = E E^T + Q."""
        signal, factor, _ = self.unpack(theta)
        return signal @ signal.mT + factor @ factor.mT

    def loss(self, theta: np.ndarray, weights: Weights):
        """The grouped objective."""
        signal, factor, noise = self.unpack(theta)
        spread = np.log(np.diagonal(factor, axis1=-2, axis2=-1)).sum(-1)
        return (
            self._distortion(signal, factor) / (2 * noise)
            + len(self.decoder) / 2 * np.log(2 * np.pi * noise)
            + code_cost(signal @ signal.mT + factor @ factor.mT, weights, self.groups)
            - weights.mutual_information * spread
        )

    def gradient(self, theta: np.ndarray, weights: Weights) -> np.ndarray:
        """Gradient in theta; analytic, so a complex step differentiates it."""
        _, _, noise = self.unpack(theta)
        slope = self.strength / np.asarray(noise)[..., np.newaxis, np.newaxis]
        slope = slope + code_slope(self.code(theta), weights, self.groups)
        return self.pull_back(theta, slope, weights.mutual_information)

    def pull_back(self, theta: np.ndarray, slope: np.ndarray, spread: float) -> np.ndarray:
        """Gradient of 1/2 tr(slope C) - tr(W^T F E^T) / s2 - (spread/2) log det Q at fixed slope; and in log s2."""
        signal, factor, noise = self.unpack(theta)
        rows, columns = self.entries
        by_factor = (slope @ factor)[..., rows, columns]
        diagonal = rows == columns
        by_factor = np.where(diagonal, by_factor * factor[..., rows, columns] - spread, by_factor)
        by_signal = slope @ signal - self.cross / np.asarray(noise)[..., np.newaxis, np.newaxis]
        parts = [by_signal.reshape(*theta.shape[:-1], self.cross.size), by_factor]
        if self.noise_variance is None:
            by_noise = len(self.decoder) / 2 - self._distortion(signal, factor) / (2 * noise)
            parts.append(by_noise[..., np.newaxis])
        return np.concatenate(parts, axis=-1)

    def least_share(self, theta: np.ndarray, weights: Weights) -> np.ndarray:
        """The smallest variance of a direction in a block of the code, in units of decoder and prior, (...)."""
        price = np.diagonal(self.strength) / np.asarray(self.unpack(theta)[2])[..., np.newaxis] + weights.dimension_wise
        unit = 1 / np.sqrt(np.where(price > 0, price, 1.0))
        code = self.code(theta) / unit[..., np.newaxis] / unit[..., np.newaxis, :]
        return np.min(
            [np.linalg.eigvalsh(code[..., block[:, np.newaxis], block])[..., 0] for block in self.blocks], axis=0
        )

    def idle(self, theta: np.ndarray) -> np.ndarray:
        """Orthonormal directions (count, n) in which rotations of the columns of E_2 among themselves move theta."""
        signal = self.unpack(theta)[0]
        columns = range(self._factored[2], signal.shape[1])
        moves = []
        for first in columns:
            for second in range(first + 1, signal.shape[1]):
                move = np.zeros_like(signal)
                move[:, first], move[:, second] = -signal[:, second], signal[:, first]
                moves.append(np.concatenate([move.ravel(), np.zeros(len(theta) - move.size)]))
        moves = np.array(moves).reshape(len(moves), len(theta))
        _, sizes, directions = np.linalg.svd(moves, full_matrices=False)
        return directions[sizes > LEAST_ROTATION * np.sqrt(np.sum(signal**2))]

    def hessian(self, theta: np.ndarray, weights: Weights) -> np.ndarray:
        """Second derivatives in theta; (..., n) -> (..., n, n)."""
        return self.derivatives(theta, weights)[1]

    def derivatives(self, theta: np.ndarray, weights: Weights) -> tuple[np.ndarray, np.ndarray]:
        """Gradient and Hessian, of a real theta.

        For a term w log det C_gg with C = J J^T, J = (E, L), L the factor of Q, and P = (C_gg)^-1, in J_ia and J_jb

            w (P_ij [a = b] - P_ij (J_g^T P J_g)_ab - (P J_g)_ib (P J_g)_ja)    for i, j in g;

        the first of these, summed over terms and distortion, is H_ij [a = b].
        """
        signal, factor, noise = self.unpack(theta)
        root, (rows, columns) = np.concatenate([signal, factor], axis=-1), self.entries
        size, rank = self.cross.shape
        # Row i and column a of J, for each coordinate except the noise; then j and b, for the second derivative.
        i = np.concatenate([np.repeat(np.arange(size), rank), rows])
        a = np.concatenate([np.tile(np.arange(rank), size), rank + columns])
        i, a, j, b = i[:, np.newaxis], a[:, np.newaxis], i, a
        slope = np.zeros((*theta.shape[:-1], size, size)) + weights.dimension_wise * np.eye(size)
        slope += self.strength / np.asarray(noise)[..., np.newaxis, np.newaxis]
        bent = 0.0
        for weight, groups in log_det_terms(weights, self.groups, size):
            inverse, inner, group = _log_det_parts(root, groups)
            slope += weight * inverse
            pulled = _at(inverse @ root, i, b)
            pulled *= pulled.mT
            pulled *= group[i] == group[j]
            pulled += _at(inverse, i, j) * _at(inner, group[i] * root.shape[-1] + a, b)
            bent = bent + weight * pulled
        gradient = self.pull_back(theta, slope, weights.mutual_information)
        hessian = _at(slope, i, j) * (a == b) - bent
        # L = exp(y) on its diagonal: a derivative in y is one in L times L, and the second has the slope too.
        entries, seen, diagonal = factor[..., rows, columns], self.cross.size, rows == columns
        stretch = np.ones(hessian.shape[:-1])
        stretch[..., seen:] = np.where(diagonal, entries, 1.0)
        hessian *= stretch[..., np.newaxis] * stretch[..., np.newaxis, :]
        own = np.arange(seen, len(i))[diagonal]
        hessian[..., own, own] += gradient[..., own] + weights.mutual_information
        if self.noise_variance is not None:
            return gradient, hessian
        by_signal, by_factor = self.strength @ signal - self.cross, (self.strength @ factor)[..., rows, columns]
        mixed = np.concatenate([by_signal.reshape(*theta.shape[:-1], seen), by_factor], axis=-1)
        mixed *= -stretch / noise[..., np.newaxis]
        last = np.concatenate([mixed, (self._distortion(signal, factor) / (2 * noise))[..., np.newaxis]], axis=-1)
        hessian = np.concatenate([hessian, mixed[..., np.newaxis]], axis=-1)
        return gradient, np.concatenate([hessian, last[..., np.newaxis, :]], axis=-2)

    def _distortion(self, signal: np.ndarray, factor: np.ndarray):
        """A sum of squares, without cancellation where little is lost."""
        triangle, target, least = self._reduced
        return least + ((target - triangle @ signal) ** 2).sum((-2, -1)) + ((triangle @ factor) ** 2).sum((-2, -1))


def _at(matrices: np.ndarray, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Entries of (..., m, n) matrices, contiguous in memory."""
    return np.take(matrices.reshape(*matrices.shape[:-2], -1), row * matrices.shape[-1] + column, axis=-1)


def _log_det_parts(root: np.ndarray, groups: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """P of blocks (C_gg)^-1, the matrices J_g^T P J_g stacked, and the number of each latent's group."""
    inverse, group = np.zeros((*root.shape[:-1], root.shape[-2])), np.empty(root.shape[-2], dtype=int)
    for number, members in enumerate(groups):
        group[members] = number
        rows = root[..., members, :]
        inverse[..., members[:, np.newaxis], members] = np.linalg.inv(rows @ rows.mT)
    member = (group == np.arange(len(groups))[:, np.newaxis])[..., np.newaxis]
    inner = (member * root[..., np.newaxis, :, :]).mT @ (inverse @ root)[..., np.newaxis, :, :]
    return inverse, inner.reshape(*root.shape[:-2], -1, root.shape[-1]), group
