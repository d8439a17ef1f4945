"""The grouped objective for a fixed decoder: which directions of the data count, and its coordinates.

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

**Coordinates** (`theory.groups.coordinates`). E row by row, the Cholesky factors of the blocks of Q with logarithms on
their diagonals, and log s2 if the noise is learned: the loss is smooth and analytic in them. The arguments have been
checked by `theory.groups.grouped_optimum`. Exact; this project's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from theory import validation
from theory.groups.coordinates import Coordinates
from theory.model import LinearVAE
from theory.singular_values import principal_axes

__all__ = ["COMPLEX_STEP", "FixedDecoder"]

COMPLEX_STEP = 1e-30
LEAST_ROTATION = 1e-6  # size of E_2, as a share of that of E, below which it counts as zero


@dataclass(frozen=True, eq=False)
class FixedDecoder:
    """The problem of a decoder and data; `noise_variance` is None for a learned noise."""

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
    def coordinates(self) -> Coordinates:
        """With W = U T, U an orthonormal basis of the range, Y = (U^T F_1, 0), and the least distortion."""
        root, _, seen, unused = self._factored
        basis, singular, _ = principal_axes(self.decoder)
        basis = basis[:, singular > 0]
        triangle = basis.T @ self.decoder
        target = np.zeros((len(triangle), root.shape[1]))
        target[:, :seen] = basis.T @ root[:, :seen]
        residual = root[:, :seen] - basis @ target[:, :seen]
        pairs = [(row, column) for block in self.blocks for row in block for column in block if column <= row]
        group = np.empty(self.latent_dim, dtype=int)
        for number, latents in enumerate(self.groups):
            group[latents] = number
        return Coordinates(
            triangle=triangle,
            target=target,
            least=np.sum(residual**2) + np.sum(root[:, seen:] ** 2) + unused,
            strength=triangle.T @ triangle,
            cross=triangle.T @ target,
            noise_variance=None if self.noise_variance is None else np.asarray(self.noise_variance),
            data_dim=len(self.decoder),
            group=group,
            blocks=self.blocks,
            entries=tuple(np.array(pairs, dtype=int).reshape(-1, 2).T),
        )

    @property
    def outside(self) -> float:
        """The variance of the data that the decoder cannot reconstruct."""
        return float(self.coordinates.least)

    def pack(self, vae: LinearVAE) -> np.ndarray:
        """Coordinates of a VAE; of E_2 only the columns that are coordinates."""
        return self.join(vae.encoder @ self._factored[0], vae.posterior_covariance, vae.noise_variance)

    def join(self, signal: np.ndarray, posterior: np.ndarray, noise: float) -> np.ndarray:
        """Coordinates of E, Q and, if it is learned, s2."""
        rows, columns = self.coordinates.entries
        factor, diagonal = np.linalg.cholesky(posterior)[rows, columns], rows == columns
        factor[diagonal] = np.log(factor[diagonal])
        rest = [] if self.noise_variance is not None else [np.log(noise)]
        return np.concatenate([signal.ravel(), factor, rest])

    def vae(self, theta: np.ndarray) -> LinearVAE:
        """The VAE of real coordinates; directions in which the data do not vary get no gain."""
        signal, factor, noise = self.coordinates.unpack(theta)
        covariance = factor @ factor.T
        return LinearVAE(self.decoder, signal @ self._factored[1], (covariance + covariance.T) / 2, float(noise))

    def idle(self, theta: np.ndarray) -> np.ndarray:
        """Orthonormal directions (count, n) in which rotations of the columns of E_2 among themselves move theta."""
        signal = self.coordinates.unpack(theta)[0]
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
