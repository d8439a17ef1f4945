"""The grouped objective for a fixed decoder in coordinates without constraints, of one problem or of many at once.

theta = (E row by row, entries of the Cholesky factors of Q, perhaps log s2), with the letters of
`theory.groups.fixed_decoder`, which makes the coordinates from decoder and data. With W = U T, U an orthonormal basis
of the decoder's range, and Y = (U^T F_1, 0), the distortion is

    least + |Y - T E|^2 + |T L|^2,    Q = L L^T.

Loss, gradient and Hessian are in closed form. Every function takes one theta (n,) or many (..., n). Problems of one
shape (numbers of latents and columns, family, learned noise or not) are stacked, with groups, weights and a theta of
their own, so that a search takes a step in all of them at once. Exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from theory.groups.objective import Weights, WeightsOfMany, code_cost, code_slope, of_matrices

__all__ = ["Coordinates"]

STACKED = (
    "triangle",
    "target",
    "least",
    "strength",
    "cross",
    "group",
)  # with an axis for the problems, where there are many


@dataclass(frozen=True, eq=False)
class Coordinates:
    """One problem, or many with a leading axis for these.

    Attributes
    ----------
    triangle : (..., r, K) array, T
    target : (..., r, columns of E) array, Y
    least : (...) array
        what no encoder changes of the distortion.
    strength : (..., K, K) array, W^T W
    cross : (..., K, columns of E) array, W^T F; its last columns are zero
    noise_variance : (...) array, or None for a learned noise
    group : (..., K) array of int
        the number of each latent's group, from 0 on.
    data_dim : int, D
    blocks : tuple of arrays of latents
    entries : rows and columns of the lower triangles of the blocks
    """

    triangle: np.ndarray
    target: np.ndarray
    least: np.ndarray
    strength: np.ndarray
    cross: np.ndarray
    noise_variance: np.ndarray | None
    group: np.ndarray
    data_dim: int
    blocks: tuple[np.ndarray, ...]
    entries: tuple[np.ndarray, np.ndarray]

    @classmethod
    def stacked(cls, problems: Sequence[Coordinates]) -> Coordinates:
        """Many problems of one shape."""
        arrays = {name: np.stack([getattr(one, name) for one in problems]) for name in STACKED}
        if problems[0].noise_variance is not None:
            arrays["noise_variance"] = np.array([one.noise_variance for one in problems])
        return replace(problems[0], **arrays)

    @property
    def shape(self) -> tuple:
        """What problems that can be stacked have in common."""
        blocks = tuple(map(tuple, self.blocks))
        return self.target.shape, self.cross.shape, self.noise_variance is None, self.data_dim, blocks

    @property
    def unknowns(self) -> int:
        """n."""
        return self.cross.shape[-2] * self.cross.shape[-1] + len(self.entries[0]) + (self.noise_variance is None)

    @property
    def together(self) -> np.ndarray:
        """Whether two latents share a group, (..., K, K)."""
        return self.group[..., np.newaxis] == self.group[..., np.newaxis, :]

    def rows(self, which: np.ndarray | slice) -> Coordinates:
        """The problems at some places of a stack; one that is not stacked is itself for any."""
        if self.strength.ndim == 2:
            return self
        arrays = {name: getattr(self, name)[which] for name in STACKED}
        if self.noise_variance is not None:
            arrays["noise_variance"] = self.noise_variance[which]
        return replace(self, **arrays)

    def unpack(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """E (..., K, columns), the Cholesky factor of Q (..., K, K), and s2 (...)."""
        size, rank = self.cross.shape[-2:]
        rows, columns = self.entries
        signal, values, rest = np.split(theta, [size * rank, size * rank + len(rows)], axis=-1)
        factor = np.zeros((*theta.shape[:-1], size, size), dtype=theta.dtype)
        factor[..., rows, columns] = np.where(rows == columns, np.exp(values), values)
        noise = self.noise_variance if self.noise_variance is not None else np.exp(rest[..., 0])
        return signal.reshape(*theta.shape[:-1], size, rank), factor, noise

    def code(self, theta: np.ndarray) -> np.ndarray:
        """C = E E^T + Q."""
        signal, factor, _ = self.unpack(theta)
        return signal @ signal.mT + factor @ factor.mT

    def loss(self, theta: np.ndarray, weights: Weights | WeightsOfMany):
        """The grouped objective."""
        signal, factor, noise = self.unpack(theta)
        spread = np.log(np.diagonal(factor, axis1=-2, axis2=-1)).sum(-1)
        return (
            self._distortion(signal, factor) / (2 * noise)
            + self.data_dim / 2 * np.log(2 * np.pi * noise)
            + code_cost(signal @ signal.mT + factor @ factor.mT, weights, self.together)
            - weights.mutual_information * spread
        )

    def gradient(self, theta: np.ndarray, weights: Weights | WeightsOfMany) -> np.ndarray:
        """Gradient in theta; analytic, so a complex step differentiates it."""
        _, _, noise = self.unpack(theta)
        slope = self.strength / noise[..., np.newaxis, np.newaxis]
        slope = slope + code_slope(self.code(theta), weights, self.together)
        return self.pull_back(theta, slope, weights.mutual_information)

    def pull_back(self, theta: np.ndarray, slope: np.ndarray, spread) -> np.ndarray:
        """Gradient of 1/2 tr(slope C) - tr(W^T F E^T) / s2 - (spread/2) log det Q at fixed slope; and in log s2."""
        signal, factor, noise = self.unpack(theta)
        rows, columns = self.entries
        by_factor = (slope @ factor)[..., rows, columns]
        diagonal = rows == columns
        by_factor = np.where(
            diagonal, by_factor * factor[..., rows, columns] - np.asarray(spread)[..., np.newaxis], by_factor
        )
        by_signal = slope @ signal - self.cross / noise[..., np.newaxis, np.newaxis]
        size, rank = self.cross.shape[-2:]
        parts = [by_signal.reshape(*theta.shape[:-1], size * rank), by_factor]
        if self.noise_variance is None:
            by_noise = self.data_dim / 2 - self._distortion(signal, factor) / (2 * noise)
            parts.append(by_noise[..., np.newaxis])
        return np.concatenate(parts, axis=-1)

    def least_share(self, theta: np.ndarray, weights: Weights | WeightsOfMany) -> np.ndarray:
        """The smallest variance of a direction in a block of the code, in units of decoder and prior, (...)."""
        noise = self.unpack(theta)[2][..., np.newaxis]
        price = (
            np.diagonal(self.strength, axis1=-2, axis2=-1) / noise + np.asarray(weights.dimension_wise)[..., np.newaxis]
        )
        unit = 1 / np.sqrt(np.where(price > 0, price, 1.0))
        code = self.code(theta) / unit[..., np.newaxis] / unit[..., np.newaxis, :]
        return np.min(
            [np.linalg.eigvalsh(code[..., block[:, np.newaxis], block])[..., 0] for block in self.blocks], axis=0
        )

    def hessian(self, theta: np.ndarray, weights: Weights | WeightsOfMany) -> np.ndarray:
        """Second derivatives in theta; (..., n) -> (..., n, n)."""
        return self.derivatives(theta, weights)[1]

    def derivatives(self, theta: np.ndarray, weights: Weights | WeightsOfMany) -> tuple[np.ndarray, np.ndarray]:
        """Gradient and Hessian, of a real theta.

        For a term w log det C_gg with C = J J^T, J = (E, L), L the factor of Q, and P = (C_gg)^-1, in J_ia and J_jb

            w (P_ij [a = b] - P_ij (J_g^T P J_g)_ab - (P J_g)_ib (P J_g)_ja)    for i, j in g;

        the first of these, summed over terms and distortion, is H_ij [a = b]. The sums of the others over all terms and
        groups are products of matrices.
        """
        signal, factor, noise = self.unpack(theta)
        root, (rows, columns) = np.concatenate([signal, factor], axis=-1), self.entries
        (size, rank), many = self.cross.shape[-2:], theta.shape[:-1]
        seen, width = size * rank, rank + size
        slope = np.zeros((*many, size, size)) + of_matrices(weights.dimension_wise) * np.eye(size)
        slope += self.strength / noise[..., np.newaxis, np.newaxis]
        # Of every group of every term: - w P, P J_g, - w P J_g and J_g^T P J_g, zero for latents outside the group.
        parts = [[np.zeros((*many, 0, *shape))] for shape in ((size, size), *[(size, width)] * 2, (width, width))]
        for weight, member in self._log_det_terms(weights):
            weight, own = of_matrices(weight), member[..., np.newaxis]
            inverse = np.linalg.inv((root @ root.mT) * (member.mT @ member))
            slope += weight * inverse
            pulled = own * (inverse @ root)[..., np.newaxis, :, :]
            heavy = -weight[..., np.newaxis] * own
            found = (
                heavy * inverse[..., np.newaxis, :, :],
                pulled,
                heavy * pulled,
                (own * root[..., np.newaxis, :, :]).mT @ pulled,
            )
            for part, one in zip(parts, found, strict=True):
                part.append(one)
        inverses, pulled, heavy, inner = (np.concatenate(part, axis=-3) for part in parts)
        count = inner.shape[-3]
        flat = inverses.reshape(*many, count, size**2), inner[..., :rank, :rank].reshape(*many, count, rank**2)
        in_signal = (flat[0].mT @ flat[1]).reshape(*many, size, size, rank, rank)  # in the order i, j, a, b
        flat = [one[..., :rank].reshape(*many, count, seen) for one in (heavy, pulled)]
        crossed = (flat[0].mT @ flat[1]).reshape(*many, size, rank, size, rank)  # in the order i, b, j, a
        every = np.arange(rank)
        in_signal[..., every, every] += slope[..., np.newaxis]
        hessian = np.empty((*many, theta.shape[-1], theta.shape[-1]))
        along = np.reshape(hessian[..., :seen, :seen], crossed.shape, copy=False)
        np.add(in_signal.swapaxes(-3, -2), crossed.swapaxes(-3, -1), out=along)
        # A row for each entry of L, with j and b, and a column for each coordinate but the noise, with i and a.
        j, b = rows, rank + columns
        i, a = np.append(np.repeat(np.arange(size), rank), rows), np.append(np.tile(np.arange(rank), size), b)
        left = np.concatenate([inverses[..., j], heavy[..., b]], axis=-3)
        right = np.concatenate([inner[..., b], pulled[..., j, :].mT], axis=-3)
        in_factor = (left.swapaxes(-3, -1) @ np.moveaxis(right, -1, -3)).reshape(*many, len(j), size * width)
        in_factor = np.take(in_factor, i * width + a, axis=-1)
        j, b = j[:, np.newaxis], b[:, np.newaxis]
        in_factor += np.take(slope.reshape(*many, size**2), j * size + i, axis=-1) * (a == b)
        gradient = self.pull_back(theta, slope, weights.mutual_information)
        # L = exp(y) on its diagonal: a derivative in y is one in L times L, and the second has the slope too.
        entries, diagonal = factor[..., rows, columns], rows == columns
        stretch = np.where(diagonal, entries, 1.0)
        in_factor *= stretch[..., np.newaxis]
        in_factor[..., seen:] *= stretch[..., np.newaxis, :]
        own = np.flatnonzero(diagonal)
        in_factor[..., own, seen + own] += (
            gradient[..., seen + own] + np.asarray(weights.mutual_information)[..., np.newaxis]
        )
        free = slice(seen, len(i))
        hessian[..., free, : len(i)], hessian[..., :seen, free] = in_factor, in_factor[..., :seen].mT
        if self.noise_variance is None:
            by_signal, by_factor = self.strength @ signal - self.cross, (self.strength @ factor)[..., rows, columns]
            mixed = np.concatenate([by_signal.reshape(*many, seen), by_factor * stretch], axis=-1)
            hessian[..., -1, :-1] = hessian[..., :-1, -1] = -mixed / noise[..., np.newaxis]
            hessian[..., -1, -1] = self._distortion(signal, factor) / (2 * noise)
        return gradient, hessian

    def _log_det_terms(self, weights: Weights | WeightsOfMany) -> list[tuple]:
        """The weights of half the log-determinants, if not zero, and 1 for each latent of each of their groups."""
        size = self.group.shape[-1]
        numbers = np.arange(self.group.max(initial=-1) + 1)[:, np.newaxis]
        members = np.ones((1, size)), (self.group[..., np.newaxis, :] == numbers).astype(float), np.eye(size)
        terms = zip(weights.of_log_determinants, members, strict=True)
        return [(weight, member) for weight, member in terms if size and np.any(weight)]

    def _distortion(self, signal: np.ndarray, factor: np.ndarray):
        """A sum of squares, without cancellation where little is lost."""
        missed, blurred = self.target - self.triangle @ signal, self.triangle @ factor
        return self.least + (missed**2).sum((-2, -1)) + (blurred**2).sum((-2, -1))
